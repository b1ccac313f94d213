package signer

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/apigw-go/apigw/internal/resign"
)

func TestHosts(t *testing.T) {
	tests := []struct {
		name, entry, target, host string
		want                      bool
	}{
		{"same", "api.example.com", "https://api.example.com/", "", true},
		{"letter case", "API.example.com", "https://api.EXAMPLE.com/", "", true},
		{"trailing dot in the URL", "api.example.com", "https://api.example.com./", "", true},
		{"trailing dot in the entry", "api.example.com.", "https://api.example.com/", "", true},
		{"explicit default port", "api.example.com", "https://api.example.com:443/", "", true},
		{"default port in the entry", "api.example.com:443", "https://api.example.com/", "", true},
		{"default port of http", "api.example.com", "http://api.example.com:80/", "", true},
		{"another port", "api.example.com", "https://api.example.com:8443/", "", false},
		{"port of the entry", "api.example.com:8443", "https://api.example.com:8443/", "", true},
		{"entry with a port, URL without", "api.example.com:8443", "https://api.example.com/", "", false},
		{"any port", "localhost:*", "http://localhost:39121/", "", true},
		{"suffix attack", "api.example.com", "https://api.example.com.evil.example/", "", false},
		{"prefix attack", "api.example.com", "https://evilapi.example.com/", "", false},
		{"user information", "api.example.com", "https://api.example.com@evil.example/", "", false},
		{"wildcard", "*.example.com", "https://api.example.com/", "", true},
		{"wildcard and its parent", "*.example.com", "https://example.com/", "", false},
		{"wildcard and two labels", "*.example.com", "https://a.b.example.com/", "", false},
		{"wildcard and a longer name", "*.example.com", "https://evilexample.com/", "", false},
		{"wildcard and an empty label", "*.example.com", "https://.example.com/", "", false},
		{"wildcard with port", "*.example.com:8443", "https://a.example.com:8443/", "", true},
		{"IPv6", "[::1]:8080", "http://[::1]:8080/", "", true},
		{"IPv6 in another spelling", "[2001:db8::1]", "https://[2001:0db8:0::1]/", "", true},
		{"bare IPv6", "2001:db8::1", "https://[2001:db8::1]/", "", true},
		{"another IPv6", "[::1]:8080", "http://[::2]:8080/", "", false},
		{"zone", "[fe80::1%eth0]", "https://[fe80::1%25eth1]/", "", false},
		{"Host of another tenant", "api.example.com", "https://api.example.com/", "evil.example", false},
		{"Host that is allowed, dialled elsewhere", "api.example.com", "https://10.0.0.1/", "api.example.com", false},
		{"Host of the same name with a port", "api.example.com", "https://api.example.com/", "API.example.com:443",
			true},
		{"Host with another port", "api.example.com", "https://api.example.com/", "api.example.com:8443", false},
		{"Host with the port of the URL", "api.example.com:8443", "https://api.example.com:8443/",
			"API.example.com.:8443", true},
		{"Host of the same name with the port of http", "api.example.com", "http://api.example.com/",
			"api.example.com:80", true},
		{"Host of the same name with the port of https over http", "api.example.com", "http://api.example.com/",
			"api.example.com:443", false},
		{"Host with any port", "api.example.com:*", "http://api.example.com/", "api.example.com:25", true},
		{"ideographic full stop", "*.example.com", "https://a\u3002b.example.com/", "", false},
		{"fullwidth full stop", "*.example.com", "https://a\uff0eb.example.com/", "", false},
		{"halfwidth ideographic full stop", "*.example.com", "https://a\uff61b.example.com/", "", false},
		{"one dot leader", "*.example.com", "https://a\u2024b.example.com/", "", false},
		{"full stop for a dot of the parent", "*.example.com", "https://a.example\u3002com/", "", false},
		{"full stop at the end", "api.example.com", "https://api.example.com\u3002/", "", false},
		{"fullwidth letters", "api.example.com", "https://\uff41pi.example.com/", "", false},
		{"soft hyphen", "api.example.com", "https://a\u00adpi.example.com/", "", false},
		{"zero width joiner", "*.example.com", "https://a\u200db.example.com/", "", false},
		{"letters outside ASCII under a wildcard", "*.example.com", "https://b\u00fccher.example.com/", "", false},
		{"punycode under a wildcard", "*.example.com", "https://xn--bcher-kva.example.com/", "", true},
		{"punycode", "xn--bcher-kva.example", "https://XN--bcher-kva.example/", "", true},
		{"full stop in Host", "*.example.com", "https://a.example.com/", "a\u3002b.example.com", false},
		{"Kelvin sign for a k", "k.example", "https://\u212a.example/", "", false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			s := testSigner()
			s.Hosts = []string{"other.example", tt.entry}
			req := newRequest(t, "GET", tt.target, "")
			if tt.host != "" {
				req.Host = tt.host
			}
			if err := s.Sign(req); err != nil {
				t.Fatal(err)
			}
			if got := req.Header.Get("X-Ca-Signature") != ""; got != tt.want {
				t.Errorf("signed: got %v, want %v", got, tt.want)
			}
		})
	}
}

func TestOpaqueAuthorityMustBeAllowed(t *testing.T) {
	req := newRequest(t, "GET", "https://api.example.com/", "")
	req.URL.Opaque = "//evil.example/path"
	if got := testSigner().Renews(req); got {
		t.Error("got covered, want not: the request line would name another host")
	}
}

// A URL that was not parsed can hold anything.
func TestWildcardStandsForALabel(t *testing.T) {
	for _, label := range []string{"a", "A-1", "a_b", "xn--bcher-kva"} {
		if !sameHost("*.example.com", label+".example.com") {
			t.Errorf("%q: got false, want true", label)
		}
	}
	for _, label := range []string{"", "a b", "a%2eb", "a/b", "a@b", "a:b", "a\x00", "\u3002", "*", "a\nb", "[a]"} {
		if sameHost("*.example.com", label+".example.com") {
			t.Errorf("%q: got true, want false", label)
		}
	}
}

func TestWithheldCredentialsAreSaid(t *testing.T) {
	tests := []struct {
		name, target, host, opaque string
		want                       string
	}{
		{"the host", "http://127.0.0.1:18080/", "", "",
			"no credentials were sent: host 127.0.0.1:18080 is not in Hosts"},
		{"the port", "https://api.example.com:8443/", "", "", "host api.example.com:8443 is not in Hosts"},
		{"the Host header", "https://api.example.com/", "evil.example", "",
			"Request.Host evil.example is not in Hosts"},
		{"an opaque URL", "https://api.example.com/", "", "//evil.example/p",
			"host evil.example in URL.Opaque is not in Hosts"},
		{"other letters", "https://\uff41pi.example.com/", "", "", "write the name in ASCII, as xn--"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			s := testSigner()
			s.Base = &script{answers: []answer{{status: 403, message: "Invalid AppKey"}}}
			req := newRequest(t, "GET", tt.target, "")
			req.URL.Opaque = tt.opaque
			if tt.host != "" {
				req.Host = tt.host
			}
			for name, send := range map[string]func(*http.Request) (*http.Response, error){"RoundTrip": s.RoundTrip,
				"SendOnce": s.SendOnce} {
				resp, err := send(req)
				if err != nil {
					t.Fatal(err)
				}
				if note := resign.FromResponse(resp); note == nil || !strings.Contains(note.Withheld, tt.want) ||
					note.Learned {
					t.Errorf("%s: got %+v, want %q", name, note, tt.want)
				}
			}
		})
	}
	s := testSigner()
	s.Base = &script{answers: []answer{{status: 200}}}
	resp, err := s.RoundTrip(newRequest(t, "GET", "https://other.example/", ""))
	if err != nil || resign.FromResponse(resp) != nil {
		t.Errorf("a success: got %v, %v, want no note", resign.FromResponse(resp), err)
	}
}

// What a caller sent over TLS is not sent in the clear because a redirect says so.
func TestRedirectFromTLSIsNotSigned(t *testing.T) {
	var plain []http.Header
	clear := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter,
		r *http.Request) {
		plain = append(plain, r.Header.Clone())
	}))
	defer clear.Close()
	between := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		http.Redirect(w, r, clear.URL+"/", http.StatusTemporaryRedirect)
	}))
	defer between.Close()
	for name, target := range map[string]string{"at once": clear.URL, "by way of plain HTTP": between.URL} {
		for _, allow := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s, allowed %v", name, allow), func(t *testing.T) {
				plain = nil
				secure := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
					http.Redirect(w, r, target+"/", http.StatusTemporaryRedirect)
				}))
				defer secure.Close()
				s := testSigner()
				s.Hosts, s.Base, s.AllowPlainHTTP = []string{"127.0.0.1:*"}, secure.Client().Transport, allow
				resp, err := (&http.Client{Transport: s}).Get(secure.URL)
				if err != nil {
					t.Fatal(err)
				}
				resp.Body.Close()
				if len(plain) != 1 || (plain[0].Get("X-Ca-Signature") != "") != allow ||
					(plain[0].Get("X-Ca-Key") != "") != allow {
					t.Errorf("got %d requests, signed: %v, want %v", len(plain), plain[0].Get("X-Ca-Signature") != "",
						allow)
				}
			})
		}
	}
}

func TestForeignHostGetsNoCredentials(t *testing.T) {
	s := testSigner()
	req := newRequest(t, "GET", "https://evil.example/", "")
	req.Header = http.Header{
		"x-ca-key": {"k"}, "X-Ca-Nonce": {"n"}, "X-CA-TIMESTAMP": {"1"}, "X-Ca-Signature": {"s"},
		"x-ca-signature":         {"s"},
		"X-Ca-Signature-Headers": {"h"}, "X-Ca-Signature-Method": {"m"}, "Accept": {"a"}, "X-Ca-Stage": {"TEST"},
	}
	if err := s.Sign(req); err != nil {
		t.Fatal(err)
	}
	if len(req.Header) != 1 || req.Header.Get("Accept") == "" {
		t.Errorf("got headers %v, want Accept alone", req.Header)
	}
}

func TestForeignHostGetsNoAppCode(t *testing.T) {
	s := &Signer{AppCode: "0123456789abcdef", Hosts: []string{"api.example.com"}}
	for authorization, want := range map[string]bool{"APPCODE 0123456789abcdef": false, "Bearer 0123": true} {
		req := newRequest(t, "GET", "https://evil.example/", "")
		req.Header = http.Header{"authorization": {authorization}}
		if err := s.Sign(req); err != nil {
			t.Fatal(err)
		}
		if got := len(req.Header) == 1; got != want {
			t.Errorf("%.7s: kept %v, want %v", authorization, got, want)
		}
	}
}

// http.Client copies all X-Ca headers of the first request to the next hop,
// whatever its host; a caller may also have signed by hand.
func TestRedirectLeavesTheCredentialsBehind(t *testing.T) {
	var foreign http.Header
	evil := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter,
		r *http.Request) {
		foreign = r.Header.Clone()
	}))
	defer evil.Close()
	var own []http.Header
	gateway := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		own = append(own, r.Header.Clone())
		if r.URL.Path == "/own" {
			http.Redirect(w, r, "/evil", http.StatusTemporaryRedirect)
			return
		}
		http.Redirect(w, r, evil.URL+"/", http.StatusTemporaryRedirect)
	}))
	defer gateway.Close()

	for name, s := range map[string]*Signer{
		"signature": testSigner(),
		"AppCode":   {AppCode: "0123456789abcdef"},
	} {
		t.Run(name, func(t *testing.T) {
			foreign, own = nil, nil
			s.Hosts = []string{gateway.Listener.Addr().String()}
			client := &http.Client{Transport: s}
			defer client.CloseIdleConnections()
			req := newRequest(t, "POST", gateway.URL+"/own", "a=1")
			req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
			if name == "signature" {
				if err := s.Sign(req); err != nil { // signed above as well, so that the client copies it all
					t.Fatal(err)
				}
			} else {
				req.Header.Set("X-Ca-Key", "left over")
			}
			resp, err := client.Do(req)
			if err != nil {
				t.Fatal(err)
			}
			defer resp.Body.Close()
			if _, err := io.Copy(io.Discard, resp.Body); err != nil {
				t.Fatal(err)
			}
			if foreign == nil || len(own) != 2 {
				t.Fatalf("got %d requests at the gateway, want 2, and one elsewhere", len(own))
			}
			if name == "signature" && own[0].Get("X-Ca-Nonce") == own[1].Get("X-Ca-Nonce") {
				t.Error("both hops have the same nonce, want a fresh one each")
			}
			for key := range foreign {
				if strings.HasPrefix(key, "X-Ca-") || key == "Authorization" {
					t.Errorf("the foreign host got %s", key)
				}
			}
		})
	}
}

func TestConfiguration(t *testing.T) {
	tests := []struct {
		name, field string
		change      func(*Signer)
	}{
		{"nothing", "AppKey", func(s *Signer) { *s = Signer{} }},
		{"no key", "AppKey", func(s *Signer) { s.AppKey = "" }},
		{"no secret", "AppSecret", func(s *Signer) { s.AppSecret = "" }},
		{"both kinds", "AppCode", func(s *Signer) { s.AppCode = "c" }},
		{"blank after the key", "AppKey", func(s *Signer) { s.AppKey += " " }},
		{"newline after the secret", "AppSecret", func(s *Signer) { s.AppSecret += "\n" }},
		{"blank before the code", "AppCode", func(s *Signer) { s.AppKey, s.AppSecret, s.AppCode = "", "", " c" }},
		{"blank after the stage", "Stage", func(s *Signer) { s.Stage = "TEST " }},
		{"unknown algorithm", "Algorithm", func(s *Signer) { s.Algorithm = 7 }},
		{"no hosts", "Hosts", func(s *Signer) { s.Hosts = nil }},
		{"URL as a host", "Hosts[1]", func(s *Signer) { s.Hosts = append(s.Hosts, "https://api.example.com/") }},
		{"empty host", "Hosts[0]", func(s *Signer) { s.Hosts = []string{""} }},
		{"host with a path", "Hosts[0]", func(s *Signer) { s.Hosts = []string{"api.example.com/v1"} }},
		{"star alone", "Hosts[0]", func(s *Signer) { s.Hosts = []string{"*"} }},
		{"star in the middle", "Hosts[0]", func(s *Signer) { s.Hosts = []string{"api.*.com"} }},
		{"star without a dot", "Hosts[0]", func(s *Signer) { s.Hosts = []string{"*example.com"} }},
		{"star and a dot", "Hosts[0]", func(s *Signer) { s.Hosts = []string{"*."} }},
		{"half a bracket", "Hosts[0]", func(s *Signer) { s.Hosts = []string{"[::1"} }},
		{"letters outside ASCII", "Hosts[0]", func(s *Signer) { s.Hosts = []string{"b\u00fccher.example"} }},
		{"ideographic full stop", "Hosts[0]", func(s *Signer) { s.Hosts = []string{"api\u3002example.com"} }},
		{"parameter without a code", "AppCodeParameter", func(s *Signer) { s.AppCodeParameter = "AppCode" }},
		{"port that is no number", "Hosts[0]", func(s *Signer) { s.Hosts = []string{"api.example.com:https"} }},
		{"header that net/http writes", "SignedHeaders[0]",
			func(s *Signer) { s.SignedHeaders = []string{"user-agent"} }},
		{"header that proxies write", "SignedHeaders[1]",
			func(s *Signer) { s.SignedHeaders = []string{"A", "X-Forwarded-For"} }},
		{"list in one header name", "SignedHeaders[0]", func(s *Signer) { s.SignedHeaders = []string{"a,b"} }},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			s := testSigner()
			s.Base = roundTripFunc(func(*http.Request) (*http.Response, error) {
				t.Error("the request was sent")
				return nil, io.EOF
			})
			tt.change(s)
			_, err := s.RoundTrip(newRequest(t, "GET", "https://api.example.com/?token=hidden", ""))
			failure, ok := err.(*Error)
			if !ok || failure.Field != tt.field || !failure.Permanent() {
				t.Fatalf("got %v, want an error about %s", err, tt.field)
			}
			for _, word := range []string{testSecret, "hidden", "60022326"} {
				if strings.Contains(err.Error(), word) {
					t.Errorf("error %q shows %q", err, word)
				}
			}
		})
	}
}
