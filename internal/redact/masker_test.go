package redact

import (
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"
)

// request has one of every place that can hold a secret.
func request(t testing.TB) *http.Request {
	body := "pin=form-value-1&note=two+words%21"
	req, err := http.NewRequest(http.MethodPost,
		"https://user-of-url:pass-of-url@api.example.com/v1/x?token=test-9f8e&env=test&q=a%20b%26c%2Fd",
		strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	req.Header = http.Header{
		"Content-Type":   {"application/x-www-form-urlencoded; charset=utf-8"},
		"Authorization":  {"Basic " + base64.StdEncoding.EncodeToString([]byte("basic-user:basic-password"))},
		"X-My-Key":       {"custom-key-value"},
		"x-ca-signature": {"c2lnbmF0dXJl"},
		"X-Ca-Key":       {"203753385"},
		"Cookie":         {"session=cookie-value-1; other=\"cookie-value-2\""},
		"Accept":         {"application/json"},
	}
	return req
}

func maskerOf(t testing.TB, req *http.Request) *Masker {
	s := Of(req)
	s.AddBody(req)
	return s.Masker()
}

func TestTextMasksWhatTheRequestCarried(t *testing.T) {
	m := maskerOf(t, request(t))
	for name, c := range map[string]struct{ text, want string }{
		"nothing of it":            {"no such stage", "no such stage"},
		"custom header":            {"key custom-key-value refused", "key *** refused"},
		"another letter case":      {"key CUSTOM-Key-Value refused", "key *** refused"},
		"signature":                {"got c2lnbmF0dXJl", "got ***"},
		"AppKey":                   {"key 203753385 unknown", "key *** unknown"},
		"query value":              {"bad token test-9f8e", "bad token ***"},
		"the short beside it":      {"test-9f8e in env test", "*** in env ***"},
		"short value within words": {"the latest contest", "the latest contest"},
		"decoded query value":      {"q is a b&c/d", "q is ***"},
		"escaped query value":      {"q is a%20b%26c%2Fd", "q is ***"},
		"escaped another way":      {"q is a+b%26c%2Fd", "q is ***"},
		"escaped for HTML":         {"q is a b&amp;c/d", "q is ***"},
		"whole query":              {"refused token=test-9f8e&env=test&q=a%20b%26c%2Fd!", "refused ***!"},
		"form value":               {"pin form-value-1", "pin ***"},
		"decoded form value":       {"note two words!", "note ***"},
		"Basic": {"credentials " +
			base64.StdEncoding.EncodeToString([]byte("basic-user:basic-password")), "credentials ***"},
		"Basic user":          {"user basic-user", "user ***"},
		"Basic password":      {"password basic-password", "password ***"},
		"cookie":              {"session cookie-value-1", "session ***"},
		"quoted cookie":       {"cookie-value-2", "***"},
		"user of the URL":     {"user-of-url", "***"},
		"password of the URL": {"pass-of-url", "***"},
		"name of a parameter": {"parameter token is missing", "parameter token is missing"},
		"harmless header":     {"cannot serve application/json", "cannot serve application/json"},
		"twice":               {"test-9f8e test-9f8e", "*** ***"},
		"in JSON":             {`{"key":"custom-key-value"}`, `{"key":"***"}`},
	} {
		t.Run(name, func(t *testing.T) {
			if got := m.Text(c.text, 200); got != c.want {
				t.Errorf("got %q, want %q", got, c.want)
			}
		})
	}
}

func TestTextWithoutSecrets(t *testing.T) {
	var m *Masker
	for name, c := range map[string]struct{ text, want string }{
		"empty":           {"", ""},
		"query":           {"see /v1/x?token=abc now", "see /v1/x?… now"},
		"query in quotes": {`Get "/x?a=b": refused`, `Get "/x?…": refused`},
		"question":        {"why? because", "why? because"},
		"two queries":     {"/a?b /c?d", "/a?… /c?…"},
		"string to sign": {"Invalid Signature, Server StringToSign:`GET#x`",
			"Invalid Signature, Server StringToSign…"},
		"password of a proxy": {"proxy http://me:hidden@10.0.0.1:3128/x refused",
			"proxy http://***@10.0.0.1:3128/x refused"},
		"at sign in a path": {"http://h/@me", "http://h/@me"},
		"line breaks":       {"a\r\nfake line\x1b[2J", "a��fake line�[2J"},
		"not UTF-8":         {"a\xffb", "a�b"},
		"long":              {strings.Repeat("é", 300), strings.Repeat("é", 200) + "…"},
	} {
		t.Run(name, func(t *testing.T) {
			if got := m.Text(c.text, 200); got != c.want {
				t.Errorf("got %q, want %q", got, c.want)
			}
		})
	}
}

// A secret that lies across the end of what is looked at must not show its
// first half, not even when the masks before it bring that half into view.
func TestTextMasksAcrossTheWindow(t *testing.T) {
	secret := strings.Repeat("0123456789", 20)
	var s Secrets
	s.Add(secret)
	for shift := range len(secret) {
		got := s.Masker().Text(strings.Repeat("x", shift)+strings.Repeat(secret, 100), 200)
		if strings.Contains(got, "0123") {
			t.Fatalf("shifted by %d: %q", shift, got)
		}
	}
}

func TestCode(t *testing.T) {
	var s Secrets
	s.Add("A1B2C3", "abcdefabcdefabcdefabcdefabcdef00")
	m := s.Masker()
	for code, want := range map[string]string{
		"B403MQ": "B403MQ", "b403mq": "b403mq", "": "", "A1B2C3": "", "a1b2c3": "", "Unauthorized": "", "B403M\n": "",
		"abcdefabcdefabcdefabcdefabcdef00": "",
	} {
		if got := m.Code(code); got != want {
			t.Errorf("Code(%q) = %q, want %q", code, got, want)
		}
	}
}

func TestRequestID(t *testing.T) {
	var s Secrets
	s.Add("appcodeappcode")
	m := s.Masker()
	for id, want := range map[string]string{
		"": "", "r1": "r1", "6A1E4B2C-0000-4A6C-B54D-F51ABF4B5B44": "6A1E4B2C-0000-4A6C-B54D-F51ABF4B5B44",
		"AppCodeAppCode": "", "id-appcodeappcode": "", "id\nfake": "", "a b": "", strings.Repeat("a", 65): "",
	} {
		if got := m.RequestID(id); got != want {
			t.Errorf("RequestID(%q) = %q, want %q", id, got, want)
		}
	}
}

func TestErr(t *testing.T) {
	m := maskerOf(t, request(t))
	for name, c := range map[string]struct {
		err  error
		want string
	}{
		"nil": {nil, ""},
		"URL": {&url.Error{Op: "Get", URL: "http://h/?token=x", Err: io.EOF}, "EOF"},
		"wrapped URL": {fmt.Errorf("call: %w", &url.Error{Op: "Get", URL: "http://h/?token=x", Err: io.EOF}),
			"EOF"},
		"malformed code":     {errors.New(`malformed HTTP status code "anything"`), "malformed HTTP status code …"},
		"malformed response": {errors.New(`net/http: HTTP/1.x transport connection broken: malformed HTTP response "x y"`), "net/http: HTTP/1.x transport connection broken: malformed HTTP response …"},
		"malformed header": {errors.New("net/http: malformed MIME header line: x-y"),
			"net/http: malformed MIME header line…"},
		"secret": {errors.New("cannot send custom-key-value"), "cannot send ***"},
	} {
		t.Run(name, func(t *testing.T) {
			if got := m.Err(c.err, 200); got != c.want {
				t.Errorf("got %q, want %q", got, c.want)
			}
		})
	}
}

func TestPath(t *testing.T) {
	for path, want := range map[string]string{
		"/v1/x": "/v1/x", "/v1/x?token=a": "/v1/x?…", "/v1/x;jsessionid=a/y": "/v1/x;…", "/v1/x#a": "/v1/x#…",
		"/a\nb": "/a�b", "": "",
	} {
		if got := Path(path, 64); got != want {
			t.Errorf("Path(%q) = %q, want %q", path, got, want)
		}
	}
}

func TestPlain(t *testing.T) {
	for text, want := range map[string]string{
		"no query":                         "no query",
		`Get "https://h/p?a=b": EOF`:       `Get "https://h/p?…": EOF`,
		"a?b=c and d?e=f":                  "a?… and d?…",
		"what?":                            "what?",
		"https://h/p?a=b?c":                "https://h/p?…",
		"`/x?password=1` and then nothing": "`/x?…` and then nothing",
		"http://me:hidden@h/ is no host":   "http://***@h/ is no host",
		"a\x1b[2Jb":                        "a\ufffd[2Jb",
		"no Server StringToSign: in it":    "no Server StringToSign: in it",
	} {
		if got := Plain(text); got != want {
			t.Errorf("Plain(%q) = %q, want %q", text, got, want)
		}
	}
}

func TestURLPath(t *testing.T) {
	for raw, want := range map[string]string{
		"http://h": "/", "http://h/a%20b": "/a%20b", "http://h/a%3Ftoken=b": "/a?…", "http://h/a;id=b": "/a;…",
		"http://h/a%23b": "/a#…",
		"http://h/a%1bb": "/a%1bb", "http://h/a|b": "/a%7Cb",
	} {
		u, err := url.Parse(raw)
		if err != nil {
			t.Fatal(err)
		}
		if got := URLPath(u, 100); got != want {
			t.Errorf("URLPath(%q) = %q, want %q", raw, got, want)
		}
	}
}

func TestTooManyValuesShowNothing(t *testing.T) {
	var s Secrets
	for i := range 2 * maxValues {
		s.Add(fmt.Sprintf("value-%d", i))
	}
	m := s.Masker()
	if got := m.Text("value-8000 refused", 100); got != Withheld {
		t.Errorf("got %q, want %q", got, Withheld)
	}
	if got := m.Code("B403MQ"); got != "" {
		t.Errorf("got code %q, want none", got)
	}
}

func TestHeaders(t *testing.T) {
	for name, want := range map[string]bool{"Accept": true, "X-CA-NONCE": true, "Authorization": false,
		"X-Ca-Signature": false, "X-Anything": false, "Cookie": false} {
		if got := IsHarmlessHeader(name); got != want {
			t.Errorf("IsHarmlessHeader(%q) = %v, want %v", name, got, want)
		}
	}
	for name, want := range map[string]bool{"X-Ca-Request-Id": true, "Retry-After": true, "Set-Cookie": false,
		"Location": false, "X-Anything": false} {
		if got := IsHarmlessResponseHeader(name); got != want {
			t.Errorf("IsHarmlessResponseHeader(%q) = %v, want %v", name, got, want)
		}
	}
}

// A body that names its length wrongly, fails or is no form changes nothing.
func TestAddBody(t *testing.T) {
	for name, c := range map[string]struct {
		contentType, body string
		length            int64
		want              string
	}{
		"form":            {"application/x-www-form-urlencoded", "a=secret-word", 13, "***"},
		"JSON":            {"application/json", `{"a":["secret-word",{"b":12345678}]}`, 37, "***"},
		"JSON of a kind":  {"application/problem+json", `{"a":"secret-word"}`, 19, "***"},
		"broken JSON":     {"application/json", `{"a":"secret-word"`, 18, "secret-word"},
		"something else":  {"text/plain", "secret-word", 11, "secret-word"},
		"unknown length":  {"application/x-www-form-urlencoded", "a=secret-word", -1, "secret-word"},
		"beyond the size": {"application/x-www-form-urlencoded", "a=secret-word", maxBody + 1, "secret-word"},
	} {
		t.Run(name, func(t *testing.T) {
			req, _ := http.NewRequest(http.MethodPost, "http://h/", strings.NewReader(c.body))
			req.Header.Set("Content-Type", c.contentType)
			req.ContentLength = c.length
			var s Secrets
			s.AddBody(req)
			if got := s.Masker().Text("secret-word", 100); got != c.want {
				t.Errorf("got %q, want %q", got, c.want)
			}
		})
	}
}

func FuzzText(f *testing.F) {
	f.Add("token test-9f8e", "test-9f8e", 20)
	f.Add(strings.Repeat("a", 5000), "aaaaaaaa", 120)
	f.Add("http://a:b@c/?d", "\xff\xfe\xfd\xfc", 1)
	f.Fuzz(func(t *testing.T, text, secret string, limit int) {
		limit = max(1, limit%500)
		var s Secrets
		s.Add(secret)
		got := s.Masker().Text(text, limit)
		if secret = strings.TrimSpace(secret); len(secret) >= wholeLength && !strings.Contains(Mask, secret) &&
			strings.Contains(lower(got), lower(secret)) {
			t.Errorf("%q shows %q", got, secret)
		}
		if n := len([]rune(got)); n > limit+len([]rune(Withheld)) {
			t.Errorf("%d characters, want at most %d", n, limit)
		}
		if strings.ContainsAny(got, "\r\n\x1b\x00") {
			t.Errorf("control characters in %q", got)
		}
	})
}

// 8 MiB of a text and 200 parameters cost a few hundred microseconds.
func BenchmarkTextHuge(b *testing.B) {
	query := url.Values{}
	for i := range 200 {
		query.Set(fmt.Sprintf("name%d", i), fmt.Sprintf("value of %d", i))
	}
	req, _ := http.NewRequest(http.MethodGet, "http://h/?"+query.Encode(), nil)
	text := strings.Repeat("value of 7 and some words ", 8<<20/26)
	b.ReportAllocs()
	for b.Loop() {
		Of(req).Masker().Text(text, 120)
	}
}
