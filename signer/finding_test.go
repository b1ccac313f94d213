package signer

import (
	"encoding/json"
	"go/ast"
	"go/parser"
	"go/token"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"unicode"
)

// Every code that the package writes is a row, and every row is written.
func TestCausesAreComplete(t *testing.T) {
	used := map[string]bool{}
	files, err := filepath.Glob("*.go")
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range files {
		if strings.HasSuffix(file, "_test.go") {
			continue
		}
		parsed, err := parser.ParseFile(token.NewFileSet(), file, nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		ast.Inspect(parsed, func(n ast.Node) bool {
			if literal, ok := n.(*ast.BasicLit); ok && literal.Kind == token.STRING {
				text, _ := strconv.Unquote(literal.Value)
				used[text] = true
			}
			return true
		})
	}
	// standardCause puts these together.
	for _, header := range []string{"accept", "md5", "type", "date"} {
		for _, what := range []string{"-added", "-removed", "-differs"} {
			used[header+what] = true
		}
	}
	for code, c := range causes() {
		if !used[code] {
			t.Errorf("%s is never said", code)
		}
		if !regexp.MustCompile(`^[a-z0-9-]+$`).MatchString(code) || !strings.Contains("0123", c.rank) ||
			len(c.rank) != 1 {
			t.Errorf("%s: bad code or rank %q", code, c.rank)
		}
		for _, text := range []string{c.sentence, c.fix} {
			if text == "" || !isASCII(text) || strings.HasSuffix(text, ".") {
				t.Errorf("%s: got %q, want an English sentence without its full stop", code, text)
			}
		}
		for _, text := range []string{c.sentenceZH, c.fixZH} {
			if !strings.ContainsFunc(text, func(r rune) bool { return unicode.Is(unicode.Han, r) }) {
				t.Errorf("%s: got %q, want Chinese", code, text)
			}
		}
		if strings.Contains(c.sentence, "proxy") || strings.Contains(c.fix, "redirect ") {
			t.Errorf("%s blames a proxy or a redirect", code)
		}
	}
	for code := range causes() {
		delete(used, code)
	}
	data, err := os.ReadFile("causes.tsv")
	if err != nil {
		t.Fatal(err)
	}
	if strings.Contains(string(data), "\r") {
		t.Error("causes.tsv has carriage returns")
	}
}

func codes(d *Diagnosis) (all []string) {
	for _, f := range d.Findings {
		all = append(all, f.Code)
	}
	return all
}

// All mistakes are listed, those in how the string was built first, and what
// differs between any two signatures last.
func TestAllDifferencesAreListed(t *testing.T) {
	const gateway = "POST\na/b\n\napplication/json\n\nX-Ca-Key:k\nX-Ca-Nonce:n2\nX-Ca-Timestamp:1525872629832\n/p?a=1&b=x y&c"
	tests := []struct {
		name, signed string
		want         []string
	}{
		{"two runs", strings.NewReplacer("n2", "n1", "1525872629832", "1525872629833").Replace(gateway),
			[]string{"other-run", "other-run"}},
		{"two runs and a parameter", strings.NewReplacer("n2", "n1", "832", "833", "x y", "x+y").Replace(gateway),
			[]string{"parameter-plus", "other-run", "other-run"}},
		{"two runs and the secret's best excuse", strings.NewReplacer("n2", "n1", "a/b", "").Replace(gateway),
			[]string{"accept-added", "other-run"}},
		{"backslashes, lower case, charset",
			strings.NewReplacer("POST", "post", "json", "json; charset=utf-8", "\n", `\n`).Replace(gateway),
			[]string{"backslash-n", "method-case", "type-charset"}},
		{"CR LF, named, unsorted",
			strings.NewReplacer("\n", "\r\n", "a/b", "Accept:a/b", "a=1&b=x y&c", "c&b=x y&a=1").Replace(gateway),
			[]string{"crlf", "standard-header-named", "parameters-unsorted"}},
		{"named, empty ones left out",
			strings.NewReplacer("a/b\n\napplication/json\n\n",
				"Accept:a/b\nContent-Type:application/json\n").Replace(gateway),
			[]string{"standard-header-named", "standard-header-named"}},
		{"lines left out, URL, values encoded",
			strings.NewReplacer("\n\n", "\n", "/p", "https://h/p", "x y", "x%20y").Replace(gateway),
			[]string{"line-left-out", "line-left-out", "whole-url", "parameter-encoded"}},
		{"headers: unsorted, blanks, another value",
			strings.NewReplacer("X-Ca-Key:k\nX-Ca-Nonce:n2\n", "X-Ca-Nonce: n2\nX-Ca-Key:k2\n").Replace(gateway),
			[]string{"header-blank-after-colon", "headers-unsorted", "key-differs"}},
		{"parameters: one encoded, one left out, one too many",
			strings.NewReplacer("x y&c", "x%20y&d=4").Replace(gateway),
			[]string{"parameter-encoded", "parameter-empty-left-out", "parameter-not-there"}},
		{"hash and MD5", strings.NewReplacer("a/b\n\n", "a/b\nacbd18db4cc2f85cedef654fccc4a4d8\n", "\n",
			"#").Replace(gateway), nil},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			d, ok := Diagnose(tt.signed, refusal(gateway))
			if !ok {
				t.Fatal("got no diagnosis")
			}
			if tt.want == nil { // a Replacer goes through the text once
				return
			}
			if got := codes(d); !slices.Equal(got, tt.want) {
				t.Errorf("got %q, want %q\n%s", got, tt.want, d.Comparison())
			}
			for _, f := range d.Findings[1:] {
				if !strings.Contains(d.Comparison(), "also: "+f.String()) {
					t.Errorf("Comparison lacks %v", f)
				}
			}
		})
	}
}

// What was cut is not compared, what arrived is.
func TestCutMessageWithADifference(t *testing.T) {
	const signed = "POST\na/b\n\napplication/json\n\nx-ca-key:k\nx-ca-nonce:n\n/p?a=1&b=2&c=3"
	whole := refusal(strings.Replace(signed, "a/b", "*/*", 1))
	begin := strings.Index(whole, "*/*") + len("*/*#")
	for n := begin; n < len(whole); n++ {
		d, ok := Diagnose(signed, whole[:n])
		if !ok {
			t.Fatalf("cut at %d: got no diagnosis", n)
		}
		if got := codes(d); !slices.Equal(got, []string{"accept-differs"}) {
			t.Errorf("cut after %q: got %q, want accept-differs alone", whole[:n], got)
		}
	}
}

// A server can put a value in the place of a name, and a value can hold an "&".
func TestOnlyNamesOfTheRequestAreShown(t *testing.T) {
	const hidden = "hunter2"
	for name, change := range map[string]func(string) string{
		"a parameter of the server's": func(s string) string { return strings.Replace(s, "?", "?"+hidden+"=1&", 1) },
		"a header of the server's": func(s string) string {
			return strings.Replace(s, "x-ca-key",
				hidden+":1#x-ca-key", 1)
		},
		"an ampersand in a value": func(s string) string { return strings.Replace(s, "&zz"+hidden, "", 1) },
		"an ampersand and an equal sign": func(s string) string {
			return strings.Replace(s, "&zz"+hidden,
				"&zz"+hidden+"=", 1)
		},
		"a path":             func(s string) string { return strings.Replace(s, "/p?", "/"+hidden+"?", 1) },
		"control characters": func(s string) string { return strings.Replace(s, "a=1", "a\x1b[2J=1", 1) },
	} {
		t.Run(name, func(t *testing.T) {
			s := testSigner()
			s.Base = roundTripFunc(func(r *http.Request) (*http.Response, error) {
				text := change(strings.ReplaceAll(StringToSign(r, nil, Rules{}), "\n", "#"))
				return answer{status: 400,
					message: "Invalid Signature, Server StringToSign:`" + text + "`"}.response(r), nil
			})
			resp, err := s.RoundTrip(newRequest(t, "GET",
				"https://api.example.com/p?a=1&password=x%26zz"+hidden+"&a%1b%5B2J=1", ""))
			if err != nil {
				t.Fatal(err)
			}
			d, ok := FromResponse(resp)
			if !ok {
				t.Fatal("got no diagnosis")
			}
			text, err := json.Marshal(d)
			if err != nil {
				t.Fatal(err)
			}
			for _, f := range d.Findings {
				text = append(text, f.String()...)
			}
			if all := string(text) + d.String(); strings.Contains(all, hidden) || strings.Contains(all, "\x1b") {
				t.Errorf("a value or a control character shows in %s", all)
			}
		})
	}
	d, ok := Diagnose("GET\n\n\n\n\nx-ca-key:1\n/p?password=x&zz"+hidden,
		refusal("GET\n\n\n\n\nx-ca-key:1\n/p?password=x"))
	if !ok || strings.Contains(d.String(), hidden) {
		t.Errorf("without a request: the rest of a value shows in %s", d)
	}
}

func TestDiagnoseSentLooksAtTheSignature(t *testing.T) {
	const text = "GET\n\n\n\n\nx-ca-key:1\n/p?a=1"
	right, sha1 := HmacSHA256.Signature("not-a-secret", text), HmacSHA1.Signature("not-a-secret", text)
	tests := []struct{ name, signature, method, want string }{
		{"right shape", right, "", "same-string"},
		{"right shape, named", sha1, "hmacsha1", "same-string"},
		{"SHA-1", sha1, "", "sha1-signature"},
		{"SHA-1, named as SHA-256", sha1, "HmacSHA256", "method-not-used"},
		{"SHA-256, named as SHA-1", right, "HmacSHA1", "method-not-used"},
		{"hexadecimal", strings.Repeat("0a", 32), "", "signature-hex"},
		{"SHA-1 in hexadecimal", strings.Repeat("0A", 20), "", "signature-hex"},
		{"base64 of hexadecimal",
			"MGEwYTBhMGEwYTBhMGEwYTBhMGEwYTBhMGEwYTBhMGEwYTBhMGEwYTBhMGEwYTBhMGEwYTBhMGEwYTBhMGEwYQ==", "",
			"signature-of-hex"},
		{"escaped", strings.ReplaceAll(right, "=", "%3D"), "", "signature-escaped"},
		{"alphabet for URLs", "-_" + right[2:], "", "signature-escaped"},
		{"MD5", "1B2M2Y8AsgTpgAmY7PhCfg==", "", "signature-shape"},
		{"cut", right[:20], "", "signature-shape"},
		{"unknown algorithm", right, "HmacMD5", "same-string"},
		{"no signature", "", "", "same-string"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			sent := newRequest(t, "GET", "https://api.example.com/p?a=1", "")
			if tt.signature != "" {
				sent.Header.Set("X-Ca-Signature", tt.signature)
			}
			if tt.method != "" {
				sent.Header.Set("X-Ca-Signature-Method", tt.method)
			}
			d, ok := DiagnoseSent(sent, nil, text, refusal(text))
			if !ok || d.Findings[0].Code != tt.want {
				t.Errorf("got %v, want %s", d, tt.want)
			}
		})
	}
	if _, ok := DiagnoseSent(newRequest(t, "GET", "https://api.example.com/", ""), nil, text, "Nonce Used"); ok {
		t.Error("another message: got a diagnosis")
	}
}

func TestEnumNames(t *testing.T) {
	seen := map[string]bool{}
	for p := PartNone; p <= PartSignature; p++ {
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
	if got, want := (PartSignature+1).String()+Algorithm(9).String(), "unknownunknown"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	if _, ok := ParseAlgorithm("HmacMD5"); ok {
		t.Error("HmacMD5: got known, want unknown")
	}
}
