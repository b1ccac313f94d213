package signer

import (
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
)

// signedBase is the string that the cases of TestDiagnose change.
const signedBase = "POST\napplication/json\nmd5==\ntext/plain\nWed, 09 May 2018 13:30:29 GMT\n" +
	"x-ca-key:60022326\nx-ca-nonce:n-1\nx-ca-stage:RELEASE\nx-ca-timestamp:1525872629832\n/v1/items/?a=1&password=p#w&q=x y&z"

func refusal(server string) string {
	return "Invalid Signature, Server StringToSign:`" + strings.ReplaceAll(server, "\n", "#") + "`"
}

func TestDiagnose(t *testing.T) {
	change := func(pairs ...string) [2]string {
		return [2]string{signedBase, strings.NewReplacer(pairs...).Replace(signedBase)}
	}
	changeClient := func(pairs ...string) [2]string {
		return [2]string{strings.NewReplacer(pairs...).Replace(signedBase), signedBase}
	}
	tests := []struct {
		name    string
		strings [2]string // the client's, the gateway's
		part    Part
		of      string
		cause   string
	}{
		{"equal", change(), PartNone, "", "AppSecret is wrong"},
		{"method", change("POST", "GET"), PartMethod, "", "redirect or a proxy changed the method"},
		{"method that begins the same", change("POST", "POSTX"), PartMethod, "", "method"},
		{"Accept added", [2]string{strings.Replace(signedBase, "application/json", "", 1), strings.Replace(signedBase, "application/json", "*/*", 1)}, PartAccept, "", "added Accept after signing"},
		{"Accept removed", change("application/json", ""), PartAccept, "", "removed Accept"},
		{"Accept rewritten", change("application/json", "*/*"), PartAccept, "", "rewrote"},
		{"MD5 changed", change("md5==", "other"), PartContentMD5, "", "body was changed"},
		{"MD5 of the hexadecimal digest", changeClient("md5==", "NWQ0MTQwMmFiYzRiMmE3NmI5NzE5ZDkxMTAxN2M1OTI="), PartContentMD5, "", "hexadecimal"},
		{"MD5 removed", change("md5==", ""), PartContentMD5, "", "did not arrive"},
		{"MD5 added", changeClient("md5==", ""), PartContentMD5, "", "set after signing"},
		{"charset added", change("text/plain", "text/plain; charset=utf-8"), PartContentType, "", "charset"},
		{"Content-Type in another case", change("text/plain", "Text/Plain"), PartContentType, "", "letter case"},
		{"Content-Type set late", changeClient("text/plain", ""), PartContentType, "", "set after signing"},
		{"Content-Type removed", change("text/plain", ""), PartContentType, "", "removed"},
		{"Content-Type replaced", change("text/plain", "text/html"), PartContentType, "", "rewrote"},
		{"boundary made late", [2]string{strings.Replace(signedBase, "text/plain", "multipart/form-data; boundary=a", 1), strings.Replace(signedBase, "text/plain", "multipart/form-data; boundary=b", 1)}, PartContentType, "", "boundary"},
		{"Date reformatted", change("13:30:29 GMT", "13:30:29 GMT+00:00"), PartDate, "", "another format"},
		{"Date removed", change("Wed, 09 May 2018 13:30:29 GMT", ""), PartDate, "", "did not arrive"},
		{"header stripped", change("RELEASE", ""), PartHeader, "x-ca-stage", "a proxy removed it"},
		{"header changed", change("n-1", "n-2"), PartHeader, "x-ca-nonce", "not signed again"},
		{"header repeated", change("RELEASE", "RELEASE,TEST"), PartHeader, "x-ca-stage", "more than once"},
		{"header set late", changeClient("RELEASE", ""), PartHeader, "x-ca-stage", "set later"},
		{"blank after the key", changeClient("60022326", "60022326 "), PartHeader, "x-ca-key", "blanks"},
		{"header not listed", change("x-ca-stage:RELEASE\n", ""), PartHeader, "x-ca-stage", "not listed"},
		{"last header not listed", change("x-ca-timestamp:1525872629832\n", ""), PartHeader, "x-ca-timestamp", "not listed"},
		{"header not signed", changeClient("x-ca-stage:RELEASE\n", ""), PartHeader, "x-ca-stage", "was not signed"},
		{"last header not signed", changeClient("x-ca-timestamp:1525872629832\n", ""), PartHeader, "x-ca-timestamp", "was not signed"},
		{"header name in another case", changeClient("x-ca-stage", "X-Ca-Stage"), PartHeader, "X-Ca-Stage", "letter case"},
		{"trailing slash", change("items/", "items"), PartPath, "", "trailing slash"},
		{"base path removed", change("/v1/items/", "/items/"), PartPath, "", "base path"},
		{"base path added", change("/v1/items/", "/release/v1/items/"), PartPath, "", "base path"},
		{"path decoded", changeClient("items", "it%20ems", "it ems", ""), PartPath, "", "rewrote"},
		{"path escaped", [2]string{strings.Replace(signedBase, "items", "a b", 1), strings.Replace(signedBase, "items", "a%20b", 1)}, PartPath, "", "percent-encoded"},
		{"path rewritten", change("/v1/items/", "/other"), PartPath, "", "rewrote"},
		{"parameter added at the end", change("&z", "&z&zz=1"), PartParameter, "zz", "form was not merged"},
		{"parameter added", change("&q=", "&pz=1&q="), PartParameter, "pz", "form was not merged"},
		{"parameters not merged", changeClient("?a=1&password=p#w&q=x y&z", ""), PartParameter, "a", "form was not merged"},
		{"parameter missing", change("&q=x y", ""), PartParameter, "q", "does not have it"},
		{"all parameters missing", change("?a=1&password=p#w&q=x y&z", ""), PartParameter, "a", "does not have it"},
		{"parameter changed", change("p#w", "other"), PartParameter, "password", "changed after signing"},
		{"plus for a blank", change("x y", "x+y"), PartParameter, "q", "%20 and %2B"},
		{"encoded value", change("x y", "x%20y"), PartParameter, "q", "URL-encoded"},
		{"encoded value at the client", changeClient("p#w", "p%23w"), PartParameter, "password", "URL-encoded"},
		{"encoded name", changeClient("&z", "&%7A"), PartParameter, "q", ""},
		{"equals sign of an empty value", change("&z", "&z="), PartParameter, "z", `"k="`},
		{"value longer", change("a=1", "a=10"), PartParameter, "a", "changed after signing"},
		{"value joined", change("a=1", "a=1,2"), PartParameter, "a", "repeated"},
		{"value trimmed", changeClient("a=1", "a=1 "), PartParameter, "a", "blanks"},
		{"value lost", change("a=1", "a="), PartParameter, "a", "without its value"},
		{"value dropped by the client", changeClient("a=1", "a"), PartParameter, "a", "taken for empty"},
		{"newline in a value before", [2]string{strings.Replace(signedBase, "p#w", "p\nw", 1), strings.NewReplacer("p#w", "p\nw", "x y", "other").Replace(signedBase)}, PartParameter, "q", "changed"},
		{"text that the header cannot hold", [2]string{strings.Replace(signedBase, "x y", "张三", 1), strings.Replace(signedBase, "x y", "??", 1)}, PartParameter, "q", "character set"},
	}
	for _, tt := range tests {
		if tt.name == "encoded name" { // sorts elsewhere; only the verdict matters
			tt.of = ""
		}
		t.Run(tt.name, func(t *testing.T) {
			d, ok := Diagnose(tt.strings[0], refusal(tt.strings[1]))
			if !ok {
				t.Fatal("got no diagnosis")
			}
			if d.Part != tt.part || tt.of != "" && d.Name != tt.of || !strings.Contains(d.Cause, tt.cause) {
				t.Errorf("got %v %q: %s\nwant %v %q: ... %s ...", d.Part, d.Name, d.Cause, tt.part, tt.of, tt.cause)
			}
			for _, value := range []string{"p#w", "p%23w", "60022326", "n-1", "x y", "张三", "1525872629832"} {
				if strings.Contains(d.String(), value) {
					t.Errorf("String shows %q: %s", value, d)
				}
			}
			for _, text := range tt.strings {
				for line := range strings.SplitSeq(strings.ReplaceAll(text, "#", "\n"), "\n") {
					if !strings.Contains(d.Comparison(), line) && !strings.Contains(text, line+"#") {
						t.Errorf("Comparison lacks %q", line)
					}
				}
			}
		})
	}
}

func TestDiagnoseWithoutNewlines(t *testing.T) {
	const signed = "GET\n\n\n\n\nx-ca-key:1\nx-ca-stage:A\n/p?q=1"
	tests := []struct {
		name, server string
		part         Part
		of           string
	}{
		{"equal", "GETx-ca-key:1x-ca-stage:A/p?q=1", PartNone, ""},
		{"Accept added", "GET*/*x-ca-key:1x-ca-stage:A/p?q=1", PartAccept, ""},
		{"header stripped", "GETx-ca-key:1x-ca-stage:/p?q=1", PartHeader, "x-ca-stage"},
		{"header not signed", "GETx-ca-key:1x-ca-stage:Ax-z:2/p?q=1", PartHeader, "x-z"},
		{"path", "GETx-ca-key:1x-ca-stage:A/other?q=1", PartPath, ""},
		{"parameter", "GETx-ca-key:1x-ca-stage:A/p?q=2", PartParameter, "q"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			d, ok := Diagnose(signed, refusal(tt.server))
			if !ok || d.Part != tt.part {
				t.Fatalf("got %v, want %v %q", d, tt.part, tt.of)
			}
			if tt.of != "" && d.Name != tt.of {
				t.Errorf("got name %q, want %q: %v", d.Name, tt.of, d)
			}
		})
	}
}

func TestDiagnoseTranscodes(t *testing.T) {
	const signed = "GET\n\n\n\n\nx-ca-key:1\n/p?city=杭州&z=1"
	if d, ok := Diagnose(signed, refusal(mojibake(signed))); !ok || d.Part != PartNone || d.Truncated {
		t.Errorf("equal but for the character set: got %v, want equal", d)
	}
	other := strings.Replace(signed, "z=1", "z=2", 1)
	if d, ok := Diagnose(signed, refusal(mojibake(other))); !ok || d.Name != "z" {
		t.Errorf("another difference: got %v, want parameter z", d)
	}
}

// mojibake is s as UTF-8 that was read as ISO-8859-1.
func mojibake(s string) string {
	runes := make([]rune, 0, len(s))
	for _, c := range []byte(s) {
		runes = append(runes, rune(c))
	}
	return string(runes)
}

func TestDiagnoseTruncated(t *testing.T) {
	whole := refusal(signedBase)
	for _, n := range []int{len(whole) - 1, len(whole) - 10, len(whole) - 100} {
		d, ok := Diagnose(signedBase, whole[:n])
		equal := n == len(whole)-1 // only the backquote is missing
		if !ok || d.Part != PartNone || d.Truncated == equal {
			t.Errorf("cut at %d: got %v, truncated %v, want equal, truncated %v", n, d, ok && d.Truncated, !equal)
		}
	}
}

// What is closed in the path or in a parameter arrived whole: the gateway has no
// more, which is a difference and no cut.
func TestDiagnoseShorterIsNotTruncated(t *testing.T) {
	for _, tt := range []struct {
		name, signed, server string
		part                 Part
		of                   string
	}{
		{"trailing slash", "GET\n\n\n\n\n/orders/", "GET#####/orders", PartPath, ""},
		{"empty value", "GET\n\n\n\n\n/p?k=", "GET#####/p?k", PartParameter, "k"},
		{"shorter value", "GET\n\n\n\n\n/p?a=12", "GET#####/p?a=1", PartParameter, "a"},
		{"blank at the end", "GET\n\n\n\n\nx-ca-key:1\n/p?a=x y ", "GET#####x-ca-key:1#/p?a=x y", PartParameter, "a"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			d, ok := Diagnose(tt.signed, "Invalid Signature, Server StringToSign:`"+tt.server+"`")
			if !ok || d.Part != tt.part || d.Name != tt.of || d.Truncated {
				t.Errorf("got %v %q, truncated %v; want %v %q, whole", d.Part, d.Name, d.Truncated, tt.part, tt.of)
			}
		})
	}
}

func TestDiagnoseTruncatedWithinACharacter(t *testing.T) {
	const signed = "GET\n\n\n\n\nx-ca-key:1\n/p?a=中文&b=3"
	garbled := mojibake("中文")
	for n := 1; n < len(garbled); n++ {
		d, ok := Diagnose(signed, "Invalid Signature, Server StringToSign:`GET#####x-ca-key:1#/p?a="+garbled[:n])
		if !ok || d.Part != PartNone || !d.Truncated {
			t.Errorf("cut after %d bytes: got %v, truncated %v; want equal, truncated", n, d.Part, d.Truncated)
		}
	}
}

func TestServerStringToSign(t *testing.T) {
	tests := []struct {
		name, message, want string
		ok                  bool
	}{
		{"classic", "Invalid Signature, Server StringToSign:`GET#/`", "GET#/", true},
		{"Higress", "Server StringToSign:`GET#/`", "GET#/", true},
		{"blank before the backquote", "Server StringToSign: `GET#/` ", "GET#/", true},
		{"no backquotes", "Server StringToSign: GET#/ ", "GET#/", true},
		{"rest of the line only", "Server StringToSign:GET#/\nrequest id 1", "GET#/", true},
		{"backquote in a value", "Server StringToSign:`GET#/?a=`b``", "GET#/?a=`b`", true},
		{"cut short", "Server StringToSign:`GET#/", "GET#/", true},
		{"text around it", "400: Invalid Signature, Server StringToSign:`GET#/`, request id 1", "GET#/", true},
		{"another letter case", "server stringtosign:`GET#/`", "", false},
		{"empty", "Server StringToSign:``", "", false},
		{"another message", "Nonce Used", "", false},
		{"no message", "", "", false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got, ok := ServerStringToSign(tt.message); got != tt.want || ok != tt.ok {
				t.Errorf("got %q, %v, want %q, %v", got, ok, tt.want, tt.ok)
			}
		})
	}
}

// The signer knows its parameters, so a value with an "&" is no riddle to it.
func TestRoundTripAttachesTheDiagnosis(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		text, ok := Verify(r, body, testSecret, Rules{})
		if r.URL.Query().Has("changed") {
			text, ok = strings.Replace(text, "u=a&z=b", "u=a&z=c", 1), false
		}
		if !ok {
			w.Header().Set("X-Ca-Error-Message", refusal(text))
			w.WriteHeader(http.StatusBadRequest)
		}
	}))
	defer server.Close()
	tests := []struct {
		name, path string
		secret     Secret
		part       Part
		of         string
		attached   bool
	}{
		{"accepted", "/?a=1", testSecret, PartNone, "", false},
		{"wrong secret", "/?a=1", "another", PartNone, "", true},
		{"ampersand in a value", "/?changed=1&u=a%26z%3Db", testSecret, PartParameter, "u", true},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			s := testSigner()
			s.AppSecret, s.Hosts = tt.secret, []string{server.Listener.Addr().String()}
			client := &http.Client{Transport: s}
			defer client.CloseIdleConnections()
			resp, err := client.PostForm(server.URL+tt.path, url.Values{"form": {"x"}})
			if err != nil {
				t.Fatal(err)
			}
			resp.Body.Close()
			d, ok := FromResponse(resp)
			if ok != tt.attached {
				t.Fatalf("attached: got %v, want %v", ok, tt.attached)
			}
			if ok && (d.Part != tt.part || d.Name != tt.of) {
				t.Errorf("got %v, want %v %q", d, tt.part, tt.of)
			}
		})
	}
}

func TestFromResponseWithoutDiagnosis(t *testing.T) {
	for name, resp := range map[string]*http.Response{"nil": nil, "no request": {}, "a request": {Request: &http.Request{}}} {
		if _, ok := FromResponse(resp); ok {
			t.Errorf("%s: got a diagnosis, want none", name)
		}
	}
}

func TestEnumNames(t *testing.T) {
	seen := map[string]bool{}
	for p := PartNone; p <= PartParameter; p++ {
		if name := p.String(); name == "unknown" || seen[name] {
			t.Errorf("part %d: got name %q, want one of its own", p, name)
		}
		seen[p.String()] = true
	}
	for _, a := range []Algorithm{HmacSHA256, HmacSHA1} {
		if got, ok := ParseAlgorithm(strings.ToLower(a.String())); got != a || !ok {
			t.Errorf("%v: got %v, %v after parsing its name", a, got, ok)
		}
	}
	if got, want := (PartParameter+1).String()+Algorithm(9).String(), "unknownunknown"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	if _, ok := ParseAlgorithm("HmacMD5"); ok {
		t.Error("HmacMD5: got known, want unknown")
	}
}
