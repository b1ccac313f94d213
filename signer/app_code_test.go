package signer

import (
	"net/http"
	"net/url"
	"strings"
	"testing"
)

func TestAppCode(t *testing.T) {
	const code = "0123456789abcdef0123456789abcdef"
	tests := []struct {
		name, target, authorization string
		allowPlain                  bool
		want, wantErr               string
	}{
		{name: "https", target: "https://api.example.com/", want: "APPCODE " + code},
		{name: "loopback over http", target: "http://127.0.0.1/", want: "APPCODE " + code},
		{name: "plain http", target: "http://api.example.com/", wantErr: "plain HTTP"},
		{name: "plain http allowed", target: "http://api.example.com/", allowPlain: true, want: "APPCODE " + code},
		{name: "an earlier code is replaced", target: "https://api.example.com/", authorization: "appcode old",
			want: "APPCODE " + code},
		{name: "the scheme word in small letters", target: "https://api.example.com/", authorization: "AppCode\told",
			want: "APPCODE " + code},
		{name: "localhost that net/http sends to a proxy", target: "http://LOCALHOST/", wantErr: "plain HTTP"},
		{name: "localhost with a dot", target: "http://localhost./", wantErr: "plain HTTP"},
		{name: "localhost", target: "http://localhost/", want: "APPCODE " + code},
		{name: "a word that begins so", target: "https://api.example.com/", authorization: "APPCODEX old",
			wantErr: "Authorization of its own"},
		{name: "an Authorization of the caller", target: "https://api.example.com/", authorization: "Bearer xyz",
			wantErr: "Authorization of its own"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			s := &Signer{AppCode: code, Hosts: []string{"api.example.com", "127.0.0.1", "localhost"},
				AllowPlainHTTP: tt.allowPlain}
			req := newRequest(t, "GET", tt.target, "")
			req.Header["x-ca-signature"] = []string{"stale"}
			if tt.authorization != "" {
				req.Header["authorization"] = []string{tt.authorization}
			}
			err := s.Sign(req)
			if tt.wantErr != "" {
				if err == nil || !strings.Contains(err.Error(), tt.wantErr) || strings.Contains(err.Error(), code) {
					t.Errorf("got error %v, want one with %q and without the code", err, tt.wantErr)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			if got := req.Header["Authorization"]; len(got) != 1 || got[0] != tt.want || len(req.Header) != 1 {
				t.Errorf("got headers %v, want Authorization alone", len(req.Header))
			}
			if s.Renews(req) {
				t.Error("Renews: got true, want false: there is no nonce")
			}
		})
	}
}

func TestAppCodeInTheQuery(t *testing.T) {
	const code = "appcode-value"
	tests := []struct {
		name, parameter, query, authorization string
		wantQuery, wantAuthorization          string
	}{
		{"alone", "AppCode", "", "", "AppCode=" + code, ""},
		{"behind others", "AppCode", "b=2&a=1;c", "", "b=2&a=1;c&AppCode=" + code, ""},
		{"in place of another", "AppCode", "AppCode=old&b=2&App%43ode=older", "", "b=2&AppCode=" + code, ""},
		{"another name", "app code", "AppCode=mine", "", "AppCode=mine&app+code=" + code, ""},
		{"an Authorization of the caller stays", "AppCode", "", "Bearer xyz", "AppCode=" + code, "Bearer xyz"},
		{"an AppCode of the caller goes", "AppCode", "", "appcode old", "AppCode=" + code, ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			s := &Signer{AppCode: code, AppCodeParameter: tt.parameter, Hosts: []string{"api.example.com"}}
			req := newRequest(t, "GET", "https://api.example.com/p?"+tt.query, "")
			if tt.authorization != "" {
				req.Header.Set("Authorization", tt.authorization)
			}
			callers := req.URL
			for range 2 { // the second time replaces the first
				if err := s.Sign(req); err != nil {
					t.Fatal(err)
				}
			}
			if req.URL.RawQuery != tt.wantQuery || req.Header.Get("Authorization") != tt.wantAuthorization {
				t.Errorf("got a query of %d bytes and Authorization %q, want %d bytes and %q",
					len(req.URL.RawQuery), req.Header.Get("Authorization"), len(tt.wantQuery), tt.wantAuthorization)
			}
			if callers.RawQuery != tt.query {
				t.Error("the caller's URL was changed, want a copy of it")
			}
		})
	}
}

func TestForeignHostGetsNoAppCodeInTheQuery(t *testing.T) {
	s := &Signer{AppCode: "appcode-value", AppCodeParameter: "AppCode", Hosts: []string{"api.example.com"}}
	req := newRequest(t, "GET", "https://evil.example/?a=1&AppCode=appcode%2Dvalue&b", "")
	req.Header.Set("Authorization", "appcode appcode-value")
	if err := s.Sign(req); err != nil {
		t.Fatal(err)
	}
	if got := req.URL.RawQuery; got != "a=1&b" || len(req.Header) != 0 {
		t.Errorf("got a query of %d bytes and %d headers, want a=1&b and none", len(got), len(req.Header))
	}
}

// The proxy decides what stays on this machine.
func TestAppCodeThroughAProxy(t *testing.T) {
	for _, tt := range []struct {
		name, proxy string
		want        bool
	}{
		{"no proxy", "", true}, {"a proxy on this machine", "http://127.0.0.1:3128", true},
		{"a proxy elsewhere", "http://proxy.example:3128", false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s := &Signer{AppCode: "appcode-value", Hosts: []string{"127.0.0.1"},
				Base: &http.Transport{Proxy: func(*http.Request) (*url.URL, error) {
					if tt.proxy == "" {
						return nil, nil
					}
					return url.Parse(tt.proxy)
				}}}
			if err := s.Sign(newRequest(t, "GET", "http://127.0.0.1/", "")); (err == nil) != tt.want {
				t.Errorf("got %v, want it sent: %v", err, tt.want)
			}
		})
	}
}
