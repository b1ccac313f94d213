package signer

import (
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"
)

const testSecret = "c2VjcmV0LW9mLXRoZS1hcHA" // of no real application

var testTime = time.UnixMilli(1719999999123)

func testSigner() *Signer {
	n := 0
	return &Signer{
		AppKey:    "60022326",
		AppSecret: testSecret,
		Hosts:     []string{"api.example.com"},
		Now:       func() time.Time { return testTime },
		NewNonce:  func() string { n++; return fmt.Sprintf("nonce-%d", n) },
	}
}

type roundTripFunc func(*http.Request) (*http.Response, error)

func (f roundTripFunc) RoundTrip(req *http.Request) (*http.Response, error) { return f(req) }

// countedBody counts its closes and fails when it is read after one.
type countedBody struct {
	r      io.Reader
	closes int
}

func (b *countedBody) Read(p []byte) (int, error) {
	if b.closes > 0 {
		return 0, errors.New("read after close")
	}
	return b.r.Read(p)
}

func (b *countedBody) Close() error { b.closes++; return nil }

func newRequest(t testing.TB, method, target, body string) *http.Request {
	t.Helper()
	var r io.Reader
	if body != "" {
		r = strings.NewReader(body)
	}
	req, err := http.NewRequestWithContext(t.Context(), method, target, r)
	if err != nil {
		t.Fatal(err)
	}
	return req
}

// signedText signs req in place and returns the string that was signed.
func signedText(t testing.TB, s *Signer, req *http.Request, body string) string {
	t.Helper()
	if err := s.Sign(req); err != nil {
		t.Fatal(err)
	}
	text, ok := Verify(req, []byte(body), s.AppSecret, s.rules())
	if !ok {
		t.Fatalf("the signature does not verify: %v", req.Header)
	}
	return text
}

func TestSignWritesTheDocumentedString(t *testing.T) {
	req := newRequest(t, "GET", "https://api.example.com/v1/weather?city=hz&days=3&flag=", "")
	req.Header.Set("Accept", "application/json")
	got := signedText(t, testSigner(), req, "")
	want := "GET\napplication/json\n\n\n\nx-ca-key:60022326\nx-ca-nonce:nonce-1\nx-ca-timestamp:1719999999123\n/v1/weather?city=hz&days=3&flag"
	if got != want {
		t.Errorf("string to sign\n got %q\nwant %q", got, want)
	}
	if got, want := req.Header.Get("X-Ca-Signature-Headers"), "x-ca-key,x-ca-nonce,x-ca-timestamp"; got != want {
		t.Errorf("X-Ca-Signature-Headers: got %q, want %q", got, want)
	}
}

func TestSignedHeaders(t *testing.T) {
	tests := []struct {
		name   string
		set    func(*Signer)
		header http.Header
		want   string // X-Ca-Signature-Headers, without the three that are always there
	}{
		{"stage and algorithm of the signer", func(s *Signer) { s.Stage = "TEST"; s.Algorithm = HmacSHA1 }, nil,
			"x-ca-signature-method,x-ca-stage"},
		{"mode, stage and version of the request", nil,
			http.Header{"x-ca-request-mode": {"debug"}, "X-Ca-Version": {"1"}, "X-CA-STAGE": {"PRE"}},
			"x-ca-request-mode,x-ca-stage,x-ca-version"},
		{"extra headers in any case", func(s *Signer) { s.SignedHeaders = []string{"X-Tenant", "x-b"} },
			http.Header{"x-tEnant": {"t"}, "X-B": {""}}, "x-b,x-tenant"},
		{"an extra header that is not sent", func(s *Signer) { s.SignedHeaders = []string{"X-Tenant"} }, nil, ""},
		{"extra headers that have a place of their own", func(s *Signer) {
			s.SignedHeaders = []string{"accept", "Content-Type", "X-Ca-Signature", "date", "X-Ca-Key", "X-Tenant",
				"x-tenant"}
		}, http.Header{"X-Tenant": {"t"}}, "x-tenant"},
		{"the default algorithm, named by the caller", nil, http.Header{"x-ca-signature-method": {"hmacsha256"}},
			"x-ca-signature-method"},
		{"another algorithm, left over", nil, http.Header{"X-Ca-Signature-Method": {"HmacSHA1"}}, ""},
		{"a header that nobody asked for", nil, http.Header{"X-Tenant": {"t"}}, ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			s := testSigner()
			if tt.set != nil {
				tt.set(s)
			}
			req := newRequest(t, "GET", "https://api.example.com/", "")
			maps.Copy(req.Header, tt.header)
			signedText(t, s, req, "")
			var got []string
			for name := range strings.SplitSeq(req.Header.Get("X-Ca-Signature-Headers"), ",") {
				if name != "x-ca-key" && name != "x-ca-nonce" && name != "x-ca-timestamp" {
					got = append(got, name)
				}
			}
			if got := strings.Join(got, ","); got != tt.want {
				t.Errorf("signed headers: got %q, want %q", got, tt.want)
			}
		})
	}
}

func TestSignReplacesWhatAnEarlierSignatureLeft(t *testing.T) {
	req := newRequest(t, "GET", "https://api.example.com/", "")
	req.Header = http.Header{
		"x-ca-signature": {"stale"}, "X-CA-SIGNATURE-HEADERS": {"x-stale"}, "x-ca-nonce": {"stale"},
		"X-Ca-Nonce":     {"stale"},
		"x-ca-timestamp": {"1"}, "x-ca-key": {"stale"}, "x-ca-signature-method": {"HmacSHA1"}, "x-ca-stage": {"stale"},
	}
	s := testSigner()
	s.Stage = "PRE"
	got := signedText(t, s, req, "")
	want := "GET\n\n\n\n\nx-ca-key:60022326\nx-ca-nonce:nonce-1\nx-ca-stage:PRE\nx-ca-timestamp:1719999999123\n/"
	if got != want {
		t.Errorf("string to sign\n got %q\nwant %q", got, want)
	}
	if got, want := len(req.Header), 6; got != want {
		t.Errorf("got %d headers, want %d: %v", got, want, req.Header)
	}
}

func TestSignAgainRenews(t *testing.T) {
	s := testSigner()
	now := testTime
	s.Now = func() time.Time { now = now.Add(time.Second); return now }
	req := newRequest(t, "POST", "https://api.example.com/", `{"a":1}`)
	first := signedText(t, s, req, "")
	md5 := req.Header.Get("Content-MD5")
	second := signedText(t, s, req, "")
	if want := strings.NewReplacer("nonce-1", "nonce-2", "1720000000123",
		"1720000001123").Replace(first); second != want {
		t.Errorf("second string\n got %q\nwant %q", second, want)
	}
	if got := req.Header.Get("Content-MD5"); got != md5 || got == "" {
		t.Errorf("Content-MD5: got %q, want %q", got, md5)
	}
}

func TestSignFindsNonCanonicalHeaders(t *testing.T) {
	req := newRequest(t, "POST", "https://api.example.com/", "{}")
	accept := []string{" text/plain\t"}
	const key = "ACCEPT"
	req.Header = http.Header{"content-type": {"application/json"}, "Content-MD5": {"mZFLkyvTelC5g8XnyQrpOw=="},
		key: accept}
	got := signedText(t, testSigner(), req, "{}")
	want := "POST\ntext/plain\nmZFLkyvTelC5g8XnyQrpOw==\napplication/json\n\n"
	if !strings.HasPrefix(got, want) {
		t.Errorf("string to sign: got %q, want prefix %q", got, want)
	}
	for name, values := range req.Header {
		if name == key && (len(values) != 1 || values[0] != "text/plain") {
			t.Errorf("value sent: got %q, want it trimmed", values)
		}
		if name == "Content-Md5" {
			t.Errorf("a second Content-MD5 %q was added", values)
		}
	}
	if accept[0] != " text/plain\t" {
		t.Error("the caller's slice of values was written to")
	}
}

func TestSignRefuses(t *testing.T) {
	tests := []struct {
		name    string
		request func(*http.Request)
		want    string
	}{
		{"two values of Accept", func(r *http.Request) { r.Header["Accept"] = []string{"a", "b"} },
			"Accept has several values"},
		{"two spellings of Content-Type", func(r *http.Request) {
			r.Header["content-type"], r.Header["Content-Type"] = []string{"a"}, []string{"a"}
		}, "Content-Type has several values"},
		{"two values of an extra header", func(r *http.Request) { r.Header["X-Tenant"] = []string{"a", "b"} },
			"X-Tenant has several values"},
		{"CONNECT", func(r *http.Request) { r.Method = "CONNECT" }, "CONNECT"},
		{"no URL", func(r *http.Request) { r.URL = nil }, "no URL"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			s := testSigner()
			s.SignedHeaders = []string{"X-Tenant"}
			req := newRequest(t, "GET", "https://api.example.com/", "")
			tt.request(req)
			err := s.Sign(req)
			if err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("got error %v, want one with %q", err, tt.want)
			}
		})
	}
}

func TestSignPaths(t *testing.T) {
	tests := []struct {
		name string
		url  *url.URL
		want string
	}{
		{"empty path", &url.URL{}, "/"},
		{"trailing slash and double slashes", &url.URL{Path: "//a//b/"}, "//a//b/"},
		{"escaped", &url.URL{Path: "/a b/c"}, "/a%20b/c"},
		{"raw path kept", &url.URL{Path: "/a/b", RawPath: "/a%2fb"}, "/a%2fb"},
		{"asterisk", &url.URL{Path: "*"}, "*"},
		{"opaque with authority", &url.URL{Opaque: "//api.example.com/a%2Fb"}, "/a%2Fb"},
		{"opaque authority alone", &url.URL{Opaque: "//api.example.com"}, "/"},
		{"opaque path", &url.URL{Opaque: "/a%2Fb", RawQuery: "q=1"}, "/a%2Fb?q=1"},
		{"fragment left out", &url.URL{Path: "/a", Fragment: "f"}, "/a"},
		{"semicolons and broken escapes are text", &url.URL{RawQuery: "b=1;c=2&a=%zz&%&d=%4"},
			"/?%&a=%zz&b=1;c=2&d=%4"},
		{"empty pieces vanish", &url.URL{RawQuery: "&&a=1&&=v&"}, "/?=v&a=1"},
		{"not UTF-8", &url.URL{RawQuery: "q=%ff%fe"}, "/?q=\xff\xfe"},
		{"blanks and pluses", &url.URL{RawQuery: "q=a+b%2Bc%20d"}, "/?q=a b+c d"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			tt.url.Scheme, tt.url.Host = "https", "api.example.com"
			req := newRequest(t, "GET", "https://api.example.com", "")
			req.URL = tt.url
			text := signedText(t, testSigner(), req, "")
			if _, got, _ := strings.Cut(text, "1719999999123\n"); got != tt.want {
				t.Errorf("got %q, want %q", got, tt.want)
			}
		})
	}
}

// The gateway sees the request line, not the URL that made it.
func TestVerifierSeesWhatIsOnTheWire(t *testing.T) {
	var text string
	var verified bool
	s := testSigner()
	server := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		text, verified = Verify(r, body, testSecret, Rules{})
	}))
	defer server.Close()
	s.Hosts = []string{server.Listener.Addr().String()}
	client := &http.Client{Transport: s}
	defer client.CloseIdleConnections()
	for _, path := range []string{"", "/a%2Fb/%e4?q=%2B+x", "//a/?k", "/?b=1;c=2", "/%E5%BA%94?a=1&a=2#f",
		"/'()!*?q='%'"} {
		resp, err := client.PostForm(server.URL+path, url.Values{"form": {"a b&c"}})
		if err != nil {
			t.Fatal(err)
		}
		resp.Body.Close()
		if !verified {
			t.Errorf("path %q is not verified; the verifier has %q", path, text)
		}
	}
}

func TestRoundTripLeavesTheRequestAlone(t *testing.T) {
	req := newRequest(t, "POST", "https://api.example.com/a?b=1", `{"a":1}`)
	req.Header["content-type"] = []string{"application/json "}
	before := fmt.Sprint(req.Header, req.URL, req.ContentLength)
	s := testSigner()
	s.Stage = "TEST"
	s.Base = roundTripFunc(func(r *http.Request) (*http.Response, error) {
		if r == req {
			t.Error("Base got the caller's request, want a clone")
		}
		closeBody(r)
		return &http.Response{StatusCode: 200, Body: http.NoBody, Request: r}, nil
	})
	for range 2 {
		if _, err := s.RoundTrip(req); err != nil {
			t.Fatal(err)
		}
	}
	if got := fmt.Sprint(req.Header, req.URL, req.ContentLength); got != before {
		t.Errorf("the request became %s, want %s", got, before)
	}
}

func TestBodyIsClosedOnce(t *testing.T) {
	const form = "application/x-www-form-urlencoded"
	tests := []struct {
		name    string
		prepare func(*Signer, *http.Request)
		wantErr bool
	}{
		{"success", nil, false},
		{"bad configuration", func(s *Signer, _ *http.Request) { s.AppSecret = "" }, true},
		{"refused request", func(_ *Signer, r *http.Request) { r.Header["Accept"] = []string{"a", "b"} }, true},
		{"no URL", func(_ *Signer, r *http.Request) { r.URL = nil }, true},
		{"foreign host", func(_ *Signer, r *http.Request) { r.URL.Host = "evil.example"; r.Host = "" }, false},
		{"one-shot form", func(_ *Signer, r *http.Request) { r.Header.Set("Content-Type", form) }, false},
		{"form with a name of the query",
			func(_ *Signer, r *http.Request) { r.Header.Set("Content-Type", form); r.URL.RawQuery = "a=2" }, false},
		{"blank nonce after the form was read", func(s *Signer, r *http.Request) {
			r.Header.Set("Content-Type", form)
			s.NewNonce = func() string { return " " }
		}, true},
		{"form too long", func(_ *Signer, r *http.Request) {
			r.Header.Set("Content-Type", form)
			r.Body.(*countedBody).r = io.LimitReader(neverEnding('a'), maxFormBuffer+1)
		}, true},
		{"body that fails", func(_ *Signer, r *http.Request) {
			r.Header.Set("Content-Type", form)
			r.Body.(*countedBody).r = io.MultiReader(strings.NewReader("a"), failing{})
		}, true},
		{"GetBody that fails", func(_ *Signer, r *http.Request) {
			r.GetBody = func() (io.ReadCloser, error) { return nil, errors.New("gone") }
		}, true},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			s := testSigner()
			s.Base = roundTripFunc(func(r *http.Request) (*http.Response, error) {
				if _, err := io.Copy(io.Discard, r.Body); err != nil {
					t.Errorf("Base cannot read the body: %v", err)
				}
				closeBody(r)
				return &http.Response{StatusCode: 200, Body: http.NoBody, Request: r}, nil
			})
			body := &countedBody{r: strings.NewReader("a=1")}
			req := newRequest(t, "POST", "https://api.example.com/", "")
			req.Body = body
			if tt.prepare != nil {
				tt.prepare(s, req)
			}
			_, err := s.RoundTrip(req)
			if (err != nil) != tt.wantErr {
				t.Errorf("got error %v, want an error: %v", err, tt.wantErr)
			}
			if body.closes != 1 {
				t.Errorf("the body was closed %d times, want once", body.closes)
			}
		})
	}
}

type neverEnding byte

func (b neverEnding) Read(p []byte) (int, error) {
	for i := range p {
		p[i] = byte(b)
	}
	return len(p), nil
}

type failing struct{}

func (failing) Read([]byte) (int, error) { return 0, errors.New("broken") }

func TestRenews(t *testing.T) {
	s := testSigner()
	if got := s.Renews(newRequest(t, "GET", "https://api.example.com/", "")); !got {
		t.Error("own host: got false, want true")
	}
	if got := s.Renews(newRequest(t, "GET", "https://other.example.com/", "")); got {
		t.Error("foreign host: got true, want false")
	}
	s.AppSecret = ""
	if got := s.Renews(newRequest(t, "GET", "https://api.example.com/", "")); got {
		t.Error("bad configuration: got true, want false")
	}
}
