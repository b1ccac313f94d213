package signer

import (
	"bytes"
	"crypto/hmac"
	"crypto/md5"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/url"
	"regexp"
	"sort"
	"strings"
	"testing"
)

// plainSign is the specification once more, slow and without a thought of the
// implementation beside it: it returns the string that must be signed for a
// request, false where the request must be refused.
func plainSign(method, path, query string, header map[string][]string, body []byte, replayable bool,
	own map[string]string) (string, bool) {
	lower := func(s string) string {
		b := []byte(s)
		for i, c := range b {
			if 'A' <= c && c <= 'Z' {
				b[i] = c + 'a' - 'A'
			}
		}
		return string(b)
	}
	sent := map[string][]string{}
	for name, values := range header {
		sent[lower(name)] = append(sent[lower(name)], values...)
	}
	for _, name := range []string{"x-ca-key", "x-ca-nonce", "x-ca-timestamp", "x-ca-signature",
		"x-ca-signature-headers", "x-ca-signature-method"} {
		delete(sent, name)
	}
	for name, value := range own {
		sent[name] = []string{value}
	}
	value := func(name string) string {
		if len(sent[name]) == 0 {
			return ""
		}
		return strings.Trim(sent[name][0], " \t\r\n")
	}
	signed := []string{"x-ca-key", "x-ca-nonce", "x-ca-timestamp", "x-ca-stage", "x-ca-request-mode", "x-ca-version",
		"x-tenant"}
	for _, name := range append([]string{"accept", "content-md5", "content-type", "date"}, signed...) {
		if len(sent[name]) > 1 && !(name == "content-md5" && body == nil) {
			return "", false
		}
	}
	if method == "CONNECT" {
		return "", false
	}

	form := strings.HasPrefix(lower(value("content-type")), "application/x-www-form-urlencoded")
	multipart := strings.HasPrefix(lower(value("content-type")), "multipart/")
	if body == nil {
		delete(sent, "content-md5")
	} else if !form && !multipart && replayable && len(body) > 0 && len(sent["content-md5"]) == 0 {
		sum := md5.Sum(body)
		sent["content-md5"] = []string{base64.StdEncoding.EncodeToString(sum[:])}
	}

	escape := regexp.MustCompile(`%[0-9a-fA-F]{2}`)
	decode := func(s string) string {
		s = strings.ReplaceAll(s, "+", " ")
		return escape.ReplaceAllStringFunc(s, func(e string) string {
			var c byte
			fmt.Sscanf(e, "%%%02x", &c)
			return string([]byte{c})
		})
	}
	parse := func(s string) map[string]string {
		m := map[string]string{}
		for piece := range strings.SplitSeq(s, "&") {
			if piece == "" {
				continue
			}
			name, value, _ := strings.Cut(piece, "=")
			if _, ok := m[decode(name)]; !ok {
				m[decode(name)] = decode(value)
			}
		}
		return m
	}
	params := parse(query)
	if form {
		// The form comes first.
		maps.Copy(params, parse(string(body)))
	}
	var pairs []string
	for _, name := range sortedKeys(params) {
		if params[name] == "" {
			pairs = append(pairs, name)
		} else {
			pairs = append(pairs, name+"="+params[name])
		}
	}

	var text strings.Builder
	text.WriteString(strings.ToUpper(method) + "\n" + value("accept") + "\n" + value("content-md5") + "\n" +
		value("content-type") + "\n" + value("date") + "\n")
	sort.Strings(signed)
	for _, name := range signed {
		if len(sent[name]) > 0 {
			text.WriteString(name + ":" + value(name) + "\n")
		}
	}
	text.WriteString(path)
	if len(pairs) > 0 {
		text.WriteString("?" + strings.Join(pairs, "&"))
	}
	return text.String(), true
}

func sortedKeys(m map[string]string) []string {
	var names []string
	for name := range m {
		names = append(names, name)
	}
	sort.Strings(names)
	return names
}

func FuzzSign(f *testing.F) {
	f.Add("GET", "/v1/items?b=2&a=1", "Accept", "application/json", "X-Tenant", "t", []byte(nil), true)
	f.Add("POST", "/a%2Fb/?k=&k=1&%zz;c", "content-type", "application/x-www-form-urlencoded; charset=utf-8", "Date",
		" x ", []byte("a=1&b=%20+&&=v"), true)
	f.Add("POST", "/?a=1", "Content-Type", "Application/X-WWW-FORM-urlencoded", "x-ca-signature", "stale",
		[]byte("a=2"), false)
	f.Add("PUT", "//?%ff", "Content-Type", "text/plain", "content-type", "text/html", []byte("hello"), true)
	f.Add("patch", "", "X-Ca-Stage", "PRE", "x-ca-stage", "", []byte{}, true)
	f.Add("OPTIONS", "*", "CONTENT-MD5", "x", "X-Ca-Nonce", "mine", []byte("x"), false)
	f.Fuzz(func(t *testing.T, method, target, name1, value1, name2, value2 string, body []byte, replayable bool) {
		u, err := url.Parse("https://api.example.com/" + strings.TrimPrefix(target, "/"))
		if err != nil || u.Host != "api.example.com" {
			return
		}
		req, err := http.NewRequest(method, "https://api.example.com/", nil)
		if err != nil {
			return
		}
		req.URL = u
		req.Header[name1] = append(req.Header[name1], value1)
		req.Header[name2] = append(req.Header[name2], value2)
		header := req.Header.Clone()
		if len(body) > 0 {
			req.Body = io.NopCloser(bytes.NewReader(body))
			if replayable {
				req.GetBody = func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(body)), nil }
			}
		} else {
			body = nil
		}

		s := testSigner()
		s.SignedHeaders = []string{"X-Tenant"}
		err = s.Sign(req)
		if method == "" {
			method = "GET"
		}
		wire, _, _ := strings.Cut(u.RequestURI(), "?")
		want, accepted := plainSign(method, wire, u.RawQuery, header, body, replayable,
			map[string]string{"x-ca-key": s.AppKey, "x-ca-nonce": "nonce-1", "x-ca-timestamp": "1719999999123"})
		if (err == nil) != accepted {
			t.Fatalf("got error %v, want accepted: %v", err, accepted)
		}
		if err != nil {
			return
		}
		if got := StringToSign(req, body, Rules{}); got != want {
			t.Fatalf("string to sign\n got %q\nwant %q", got, want)
		}
		mac := hmac.New(sha256.New, []byte(testSecret))
		mac.Write([]byte(want))
		if got, want := req.Header.Get("X-Ca-Signature"), base64.StdEncoding.EncodeToString(mac.Sum(nil)); got != want {
			t.Fatalf("signature: got %s, want %s", got, want)
		}
		if req.Body != nil {
			if got, err := io.ReadAll(req.Body); err != nil || !bytes.Equal(got, body) {
				t.Fatalf("body after signing: got %q, %v, want %q", got, err, body)
			}
		}

		// A gateway has the request line instead of the URL.
		received := req.Clone(t.Context())
		received.RequestURI, received.URL = u.RequestURI(), nil
		if text, ok := Verify(received, body, testSecret, Rules{}); !ok {
			t.Fatalf("a verifier computes %q, want %q", text, want)
		}
		StringToSign(received, body, Rules{Higress: true}) // total as well
	})
}

func FuzzDiagnose(f *testing.F) {
	f.Add(signedBase, refusal(signedBase))
	f.Add(signedBase, refusal(strings.Replace(signedBase, "application/json", "*/*", 1)))
	f.Add(signedBase, "Server StringToSign:GETx-ca-key:1/p?q=1")
	f.Add("GET\n\n\n\n\n/p?u=http://x/?a=b&c=d\n#`&z", "Invalid Signature, Server StringToSign:`GET#####/p?u")
	f.Add("", "Server StringToSign:`\xc3\xa6\xff`")
	f.Add("\n\n\n\n\na:b", "Server StringToSign:`#####:#?&&`")
	f.Add(strings.ReplaceAll(signedBase, "\n", "#"), refusal(signedBase))
	f.Add(strings.ReplaceAll(signedBase, "\n", `\n`), refusal(signedBase)[:90])
	f.Add("POST /p HTTP/1.1\r\nAccept: a\r\n\r\nx-ca-key= 1\r\nhttps://h/p?b=1&a=2&amp;c",
		refusal("POST\n\n\n\n\nx-ca-key:1\n/p?a=2&b=1&c"))
	wellFormed := regexp.MustCompile(`^[A-Z]+\n([^#\n]*\n){4}([a-zA-Z-]+:[^#\n]*\n)*/[^#\n]*$`)
	f.Fuzz(func(t *testing.T, signed, message string) {
		d, ok := Diagnose(signed, message)
		if _, want := ServerStringToSign(message); ok != want {
			t.Fatalf("diagnosed: got %v, want %v", ok, want)
		}
		if ok {
			checkDiagnosis(t, d)
			told, _ := ServerStringToSign(message)
			repaired, _ := fromLatin1(told)
			line := strings.ReplaceAll(signed, "\n", "#")
			bare := strings.ReplaceAll(line, "#", "")
			blamed := d.Findings[0].Code == "same-string"
			if blamed && line != told && line != repaired && bare != strings.ReplaceAll(told, "#", "") &&
				bare != strings.ReplaceAll(repaired, "#", "") {
				t.Fatalf("the secret is blamed for %q against %q", signed, told)
			}
		}
		d, ok = Diagnose(signed, refusal(signed))
		if wellFormed.MatchString(signed) &&
			(!ok || d.Part != PartNone || d.Findings[0].Code != "same-string" || d.Truncated) {
			t.Fatalf("the same string: got %v, want equal", d)
		}
		sent := &http.Request{Method: "GET", URL: &url.URL{RawQuery: "a=1"}, Header: http.Header{"X-A": {"1"}}}
		if d, ok := DiagnoseSent(sent, nil, signed, message); ok {
			checkDiagnosis(t, d)
			for _, f := range d.Findings {
				if f.Name != "" && f.Name != "a" && !strings.EqualFold(f.Name, "X-A") {
					t.Fatalf("got name %q, which the request does not have", f.Name)
				}
			}
		}
	})
}

func checkDiagnosis(t *testing.T, d *Diagnosis) {
	t.Helper()
	text, err := json.Marshal(d)
	if err != nil || len(d.Findings) == 0 || d.Cause == "" || d.Comparison() == "" || d.Truncated &&
		d.Part != PartNone {
		t.Fatalf("got %+v, %s, %v", d, text, err)
	}
	if strings.ContainsFunc(d.String(), func(r rune) bool { return r < ' ' || r == 0x7f }) {
		t.Fatalf("control characters in %q", d.String())
	}
	for _, f := range d.Findings {
		if f.Sentence() == "" || f.Fix() == "" || f.SentenceZH() == "" || f.FixZH() == "" {
			t.Fatalf("code %q has no sentence", f.Code)
		}
	}
}
