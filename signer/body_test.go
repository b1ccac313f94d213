package signer

import (
	"bytes"
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"
)

func TestContentMD5(t *testing.T) {
	const ofHello = "XUFAKrxLKna5cZ2REBfFkg=="
	replayable := func(body string) func(*http.Request) {
		return func(r *http.Request) {
			r.GetBody = func() (io.ReadCloser, error) { return io.NopCloser(strings.NewReader(body)), nil }
			r.Body, _ = r.GetBody()
		}
	}
	tests := []struct {
		name        string
		contentType string
		set         string // by the caller
		body        func(*http.Request)
		want        string
	}{
		{name: "text", contentType: "text/plain", body: replayable("hello"), want: ofHello},
		{name: "no Content-Type", body: replayable("hello"), want: ofHello},
		{name: "value of the caller", set: "mine", body: replayable("hello"), want: "mine"},
		{name: "one-shot body", body: func(r *http.Request) { r.Body = io.NopCloser(strings.NewReader("hello")) }},
		{name: "value of the caller for a one-shot body", set: "mine",
			body: func(r *http.Request) { r.Body = io.NopCloser(strings.NewReader("hello")) }, want: "mine"},
		{name: "empty body that can be replayed", body: replayable("")},
		{name: "value of the caller for an empty body that can be replayed", set: "1B2M2Y8AsgTpgAmY7PhCfg==",
			body: replayable("")},
		{name: "no body", body: func(*http.Request) {}},
		{name: "value of the caller for no body", set: "1B2M2Y8AsgTpgAmY7PhCfg==", body: func(*http.Request) {}},
		{name: "NoBody", set: "1B2M2Y8AsgTpgAmY7PhCfg==", body: func(r *http.Request) { r.Body = http.NoBody }},
		{name: "form", contentType: "Application/X-WWW-Form-Urlencoded;charset=UTF-8", body: replayable("hello")},
		{name: "multipart", contentType: "multipart/form-data; boundary=x", body: replayable("hello")},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			req := newRequest(t, "PUT", "https://api.example.com/", "")
			tt.body(req)
			if tt.contentType != "" {
				req.Header.Set("Content-Type", tt.contentType)
			}
			if tt.set != "" {
				req.Header.Set("Content-MD5", tt.set)
			}
			if err := testSigner().Sign(req); err != nil {
				t.Fatal(err)
			}
			if got := req.Header.Get("Content-MD5"); got != tt.want {
				t.Errorf("Content-MD5: got %q, want %q", got, tt.want)
			}
			if lines := strings.Split(StringToSign(req, nil, Rules{}), "\n"); lines[2] != tt.want {
				t.Errorf("signed: got %q, want %q", lines[2], tt.want)
			}
		})
	}
}

func TestFormIsSigned(t *testing.T) {
	tests := []struct {
		name, target, contentType, form string
		higress, queryFirst             bool
		want                            string
	}{
		{name: "merged and sorted", target: "/?m=2", form: "z=3&a=1", want: "/?a=1&m=2&z=3"},
		{name: "charset and letter case", target: "/", contentType: "APPLICATION/x-www-form-URLENCODED; charset=UTF-8",
			form: "a=%E5%BC%A0+b", want: "/?a=张 b"},
		{name: "blank before the type", target: "/", contentType: " application/x-www-form-urlencoded", form: "a=1",
			want: "/?a=1"},
		{name: "repeated name", target: "/", form: "a=1&a=2", want: "/?a=1"},
		{name: "not a form", target: "/", contentType: "application/json", form: "a=1", want: "/"},
		{name: "the same value twice", target: "/?a=1", form: "a=1", want: "/?a=1"},
		{name: "two values", target: "/?a=1", form: "a=2", want: "/?a=2"},
		{name: "two values, query first", target: "/?a=1", form: "a=2", queryFirst: true, want: "/?a=1"},
		{name: "two values but for the second occurrence", target: "/?a=1&a=3", form: "a=1&a=2", want: "/?a=1"},
		{name: "empty values for Higress", target: "/?b", form: "a=&c=+", higress: true, want: "/?a=&b=&c=+"},
	}
	for _, tt := range tests {
		for _, oneShot := range []bool{false, true} {
			name := tt.name
			if oneShot {
				name += ", one-shot"
			}
			t.Run(name, func(t *testing.T) {
				req := newRequest(t, "POST", "https://api.example.com"+tt.target, tt.form)
				if oneShot {
					req.GetBody, req.ContentLength = nil, -1
				}
				req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
				if tt.contentType != "" {
					req.Header.Set("Content-Type", tt.contentType)
				}
				s := testSigner()
				s.Higress = tt.higress
				s.QueryFirst = tt.queryFirst
				if err := s.Sign(req); err != nil {
					t.Fatal(err)
				}
				text, ok := Verify(req, []byte(tt.form), testSecret, s.rules())
				if _, got, _ := strings.Cut(text, "1719999999123\n"); got != tt.want || !ok {
					t.Errorf("signed %q (verified %v), want %q", got, ok, tt.want)
				}
				if body, err := io.ReadAll(req.Body); string(body) != tt.form || err != nil {
					t.Errorf("body after signing: got %q, %v, want %q", body, err, tt.form)
				}
			})
		}
	}
}

func TestOneShotFormOfTheLargestSize(t *testing.T) {
	form := append([]byte("a="), bytes.Repeat([]byte("x"), maxFormBuffer-2)...)
	req := newRequest(t, "POST", "https://api.example.com/", "")
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	req.Body = io.NopCloser(bytes.NewReader(form))
	if err := testSigner().Sign(req); err != nil {
		t.Fatal(err)
	}
	if got, want := req.ContentLength, int64(len(form)); got != want {
		t.Errorf("ContentLength: got %d, want %d", got, want)
	}
	req.Body = io.NopCloser(bytes.NewReader(append(form, 'x')))
	req.GetBody = nil
	err := testSigner().Sign(req)
	if err == nil || !strings.Contains(err.Error(), "GetBody") {
		t.Errorf("a byte more: got %v, want an error that names GetBody", err)
	}
}

func TestHugeQuery(t *testing.T) {
	values := url.Values{}
	for i := range 20000 {
		values.Set(strings.Repeat("k", i%7+1)+string(rune('a'+i%26))+strings.Repeat("x", i%50), "v v")
	}
	req := newRequest(t, "GET", "https://api.example.com/?"+values.Encode()+"&q="+strings.Repeat("%20", 1<<20), "")
	signedText(t, testSigner(), req, "")
}
