package signer

import (
	"net/http"
	"strings"
	"testing"
)

func TestStringToSignOfAReceivedRequest(t *testing.T) {
	tests := []struct {
		name, requestURI string
		header           http.Header
		rules            Rules
		want             string
	}{
		{"path and query as on the wire", "/a%2fb?b=%41&a", nil, Rules{}, "GET\n\n\n\n\n/a%2fb?a&b=A"},
		{"absolute form, as sent to a proxy", "http://api.example.com/p?q=1", nil, Rules{}, "GET\n\n\n\n\n/p?q=1"},
		{"absolute form without a path", "http://api.example.com", nil, Rules{}, "GET\n\n\n\n\n/"},
		{"a URL in the path", "/http://x/", nil, Rules{}, "GET\n\n\n\n\n/http://x/"},
		{"query alone", "?q=1", nil, Rules{}, "GET\n\n\n\n\n/?q=1"},
		{"names as listed, sorted, once each", "/",
			http.Header{"X-A": {"1"}, "X-B": {" 2 "}, "X-Ca-Signature-Headers": {" X-B, x-a,,X-B,Accept "}}, Rules{},
			"GET\n\n\n\n\nX-B:2\nx-a:1\n/"},
		{"listed and not sent", "/", http.Header{"X-Ca-Signature-Headers": {"x-a"}}, Rules{}, "GET\n\n\n\n\nx-a:\n/"},
		{"repeated header", "/", http.Header{"X-A": {"1", "2"}, "X-Ca-Signature-Headers": {"x-a"}}, Rules{},
			"GET\n\n\n\n\nx-a:1\n/"},
		{"repeated header, Higress", "/", http.Header{"X-A": {"1", " 2"}, "X-Ca-Signature-Headers": {"X-A"}},
			Rules{Higress: true}, "GET\n\n\n\n\nx-a:1,2\n/"},
		{"several spellings", "/",
			http.Header{"x-a": {"lower"}, "X-A": {"canonical"}, "X-Ca-Signature-Headers": {"x-a"}}, Rules{},
			"GET\n\n\n\n\nx-a:canonical\n/"},
		{"several spellings, none canonical", "/",
			http.Header{"x-aB": {"second"}, "x-Ab": {"first"}, "X-Ca-Signature-Headers": {"x-ab"}}, Rules{},
			"GET\n\n\n\n\nx-ab:first\n/"},
		{"bare and empty names, Higress", "/?%41&&b=%41&", nil, Rules{Higress: true}, "GET\n\n\n\n\n/?=&%41=&b=A"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			r := &http.Request{RequestURI: tt.requestURI, Header: tt.header}
			if got := StringToSign(r, nil, tt.rules); got != tt.want {
				t.Errorf("got %q, want %q", got, tt.want)
			}
		})
	}
}

func TestVerifyRefusesAnUnknownAlgorithm(t *testing.T) {
	req := newRequest(t, "GET", "https://api.example.com/", "")
	if err := testSigner().Sign(req); err != nil {
		t.Fatal(err)
	}
	if _, ok := Verify(req, nil, testSecret, Rules{}); !ok {
		t.Error("without a word: got false, want true")
	}
	req.Header.Set("X-Ca-Signature-Method", "HmacMD5")
	if text, ok := Verify(req, nil, testSecret, Rules{}); ok || !strings.HasPrefix(text, "GET\n") {
		t.Errorf("HmacMD5: got %q, %v, want the string and false", text, ok)
	}
}
