package proxy

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/apigw-go/apigw"
	"github.com/apigw-go/apigw/signer"
)

// start serves a proxy before upstream, with a signer, and returns its address.
func start(t *testing.T, upstream http.Handler, change func(*Config)) string {
	t.Helper()
	api := httptest.NewServer(upstream)
	t.Cleanup(api.Close)
	u, err := ParseUpstream(api.URL)
	if err != nil {
		t.Fatal(err)
	}
	base := http.DefaultTransport.(*http.Transport).Clone()
	base.DisableCompression = true
	t.Cleanup(base.CloseIdleConnections)
	config := Config{
		Upstream: u,
		Transport: &apigw.Transport{
			Base: &signer.Signer{AppKey: "key-of-the-test", AppSecret: "a-secret-of-the-test",
				Hosts: []string{u.Host}, Base: base},
			Policy: apigw.RetryPolicy{InitialBackoff: time.Millisecond, MaxBackoff: time.Millisecond},
		},
	}
	if change != nil {
		change(&config)
	}
	server := httptest.NewServer(New(config))
	t.Cleanup(server.Close)
	return server.URL
}

// raw sends the text of a request and returns the whole answer.
func raw(t *testing.T, address, text string) string {
	t.Helper()
	u, _ := url.Parse(address)
	conn, err := net.Dial("tcp", u.Host)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	conn.SetDeadline(time.Now().Add(10 * time.Second))
	io.WriteString(conn, text)
	answer, _ := io.ReadAll(conn)
	return string(answer)
}

// What is signed must be what arrives, so path and query are not touched.
func TestTargetPassesByteForByte(t *testing.T) {
	var got atomic.Value
	address := start(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { got.Store(r.RequestURI) }), nil)
	for _, target := range []string{
		"/", "/a/b", "/a//b/", "/a/../b", "/a%2Fb", "/a%2fb", "/a%20b", "/a|b", "/a%7Cb", "/{x}", "/%E6%9F%A5",
		"/\xe6\x9f\xa5", "//double",
		"/x?", "/x?a=b+c&d=%zz", "/x?b=1&a=2;c=3", "/x?a=%2B&b=%20", "/x?q=\xe6\x9f\xa5", "/~user/!$&'()*,;=:@",
	} {
		got.Store("")
		raw(t, address, "GET "+target+" HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n")
		if got := got.Load(); got != target {
			t.Errorf("got  %q\nwant %q", got, target)
		}
	}
}

func TestSignatureIsValidForEveryTarget(t *testing.T) {
	var failed atomic.Value
	address := start(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		if _, ok := signer.Verify(r, body, "a-secret-of-the-test", signer.Rules{}); !ok {
			failed.Store(r.RequestURI)
		}
	}), nil)
	for _, head := range []string{
		"GET /a|b?x=1", "GET /\xe6\x9f\xa5?q=\xe6\x9f\xa5", "GET /a//b?c=d+e", "PUT /x?a",
	} {
		raw(t, address, head+" HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n")
	}
	raw(t, address, "POST /x?b=2 HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/x-www-form-urlencoded\r\nContent-Length: 7\r\nConnection: close\r\n\r\na=1&c=3")
	if got := failed.Load(); got != nil {
		t.Errorf("signature of %v is refused", got)
	}
}

func TestHeadersOfTheClient(t *testing.T) {
	sent := http.Header{
		"X-Ca-Key": {"other"}, "X-Ca-Signature": {"stale"}, "X-Ca-Stage": {"TEST"}, "Authorization": {"Bearer client"},
		"Cookie":        {"a=b"},
		"X-Apigw-Token": {"t"}, "Origin": {"http://x"}, "X-Own": {"kept"}, "X-Forwarded-For": {"1.2.3.4"},
		"User-Agent": {"me/1"},
	}
	for name, c := range map[string]struct {
		pass []string
		want map[string]string
	}{
		"taken off": {nil, map[string]string{"Authorization": "", "Cookie": "", "X-Ca-Stage": "", "X-Apigw-Token": "",
			"Origin": "", "X-Own": "kept", "User-Agent": "me/1", "X-Ca-Key": "key-of-the-test"}},
		"passed": {[]string{"authorization"}, map[string]string{"Authorization": "Bearer client", "Cookie": ""}},
	} {
		t.Run(name, func(t *testing.T) {
			var got http.Header
			address := start(t, http.HandlerFunc(func(w http.ResponseWriter,
				r *http.Request) {
				got = r.Header.Clone()
			}), func(config *Config) { config.Pass = c.pass })
			req, _ := http.NewRequest(http.MethodGet, address+"/", nil)
			req.Header = sent.Clone()
			resp, err := http.DefaultClient.Do(req)
			if err != nil {
				t.Fatal(err)
			}
			resp.Body.Close()
			for name, want := range c.want {
				if got := got.Get(name); got != want {
					t.Errorf("%s: got %q, want %q", name, got, want)
				}
			}
			if len(got["X-Ca-Signature"]) != 1 || got.Get("X-Ca-Signature") == "stale" {
				t.Errorf("signature is %q", got["X-Ca-Signature"])
			}
		})
	}
}

func TestAnswersSayWhatWasDone(t *testing.T) {
	for name, c := range map[string]struct {
		method string
		first  func(http.ResponseWriter) // answers of the first calls
		times  int32
		status int
		want   map[string]string
	}{
		"success": {"GET", nil, 0, 200,
			map[string]string{headerAttempts: "1", headerStop: "", headerReached: "", headerError: ""}},
		"saved": {"GET", status(503), 2, 200, map[string]string{headerAttempts: "3", headerError: ""}},
		"may have run": {"POST", status(503), 9, 503,
			map[string]string{headerAttempts: "1", headerStop: "may-have-run", headerReached: "maybe",
				headerError: "unknown"}},
		"refused": {"GET", code(403, "B403MQ"), 9, 403,
			map[string]string{headerAttempts: "1", headerStop: "not-retryable", headerReached: "no",
				headerError: "B403MQ"}},
		"forged by above": {"GET", forged, 1, 200,
			map[string]string{headerAttempts: "1", headerStop: "", "X-Apigw-Other": ""}},
	} {
		t.Run(name, func(t *testing.T) {
			var calls atomic.Int32
			address := start(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				if calls.Add(1) <= c.times {
					c.first(w)
				}
			}), nil)
			req, _ := http.NewRequest(c.method, address+"/", nil)
			resp, err := http.DefaultClient.Do(req)
			if err != nil {
				t.Fatal(err)
			}
			defer resp.Body.Close()
			if resp.StatusCode != c.status {
				t.Errorf("got status %d, want %d", resp.StatusCode, c.status)
			}
			for name, want := range c.want {
				if got := resp.Header.Get(name); got != want {
					t.Errorf("%s: got %q, want %q", name, got, want)
				}
			}
		})
	}
}

func status(n int) func(http.ResponseWriter) { return func(w http.ResponseWriter) { w.WriteHeader(n) } }

func code(n int, code string) func(http.ResponseWriter) {
	return func(w http.ResponseWriter) {
		w.Header().Set("X-Ca-Error-Code", code)
		w.WriteHeader(n)
	}
}

func forged(w http.ResponseWriter) {
	w.Header().Set(headerStop, "forged")
	w.Header()["x-apigw-other"] = []string{"forged"}
}

func TestNoResponseIsAProblem(t *testing.T) {
	for name, c := range map[string]struct {
		upstream http.HandlerFunc
		timeout  time.Duration
		method   string
		status   int
		reached  string
		attempts int
	}{
		"connection breaks": {func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }, 0, "POST", 502,
			"maybe", 1},
		"broken each time": {func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }, 0, "GET", 502,
			"maybe", 4},
		"no answer in time": {func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() },
			20 * time.Millisecond, "POST", 504, "maybe", 1},
	} {
		t.Run(name, func(t *testing.T) {
			address := start(t, c.upstream,
				func(config *Config) { config.Transport.(*apigw.Transport).Policy.AttemptTimeout = c.timeout })
			req, _ := http.NewRequest(c.method, address+"/x?token=tops3cret", nil)
			resp, err := http.DefaultClient.Do(req)
			if err != nil {
				t.Fatal(err)
			}
			defer resp.Body.Close()
			text, _ := io.ReadAll(resp.Body)
			var got problem
			if err := json.Unmarshal(text, &got); err != nil {
				t.Fatalf("%v in %s", err, text)
			}
			if resp.StatusCode != c.status || got.Status != c.status || got.Reached != c.reached ||
				got.Attempts != c.attempts {
				t.Errorf("got %d %+v, want status %d, reached %s, %d attempts", resp.StatusCode, got, c.status,
					c.reached, c.attempts)
			}
			if resp.Header.Get("Content-Type") != "application/problem+json" ||
				bytes.Contains(text, []byte("tops3cret")) {
				t.Errorf("got %v %s", resp.Header, text)
			}
		})
	}
}

func TestNotReachedIsSaid(t *testing.T) {
	dead := httptest.NewServer(nil)
	u, _ := ParseUpstream(dead.URL)
	dead.Close()
	address := start(t, nil, func(config *Config) { config.Upstream = u })
	resp, err := http.Post(address+"/", "text/plain", strings.NewReader("x"))
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	if got := resp.Header.Get(headerReached); resp.StatusCode != 502 || got != "no" {
		t.Errorf("got %d, reached %q; want 502, no", resp.StatusCode, got)
	}
}

func TestForms(t *testing.T) {
	for name, c := range map[string]struct {
		size   int
		status int
	}{"within the limit": {60, 200}, "beyond it": {80, 413}} {
		t.Run(name, func(t *testing.T) {
			var ran atomic.Int32
			address := start(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				ran.Add(1)
				body, _ := io.ReadAll(r.Body)
				if len(body) != c.size {
					t.Errorf("got %d bytes, want %d", len(body), c.size)
				}
			}), func(config *Config) { config.FormLimit = 64 })
			resp, err := http.Post(address+"/", "application/x-www-form-urlencoded",
				strings.NewReader("a="+strings.Repeat("x", c.size-2)))
			if err != nil {
				t.Fatal(err)
			}
			resp.Body.Close()
			if got, want := resp.StatusCode, c.status; got != want {
				t.Errorf("got %d, want %d", got, want)
			}
			if want := int32(0); c.status != 200 && ran.Load() != want {
				t.Error("a refused form was sent")
			}
		})
	}
}

func TestEventsArriveAsTheyCome(t *testing.T) {
	next := make(chan struct{})
	address := start(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "text/event-stream")
		for i := range 2 {
			fmt.Fprintf(w, "data: %d\n\n", i)
			w.(http.Flusher).Flush()
			<-next
		}
	}), nil)
	resp, err := http.Get(address + "/events")
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	lines := bufio.NewReader(resp.Body)
	for i := range 2 {
		line, err := lines.ReadString('\n') // hangs if the proxy waits for the end
		if want := fmt.Sprintf("data: %d\n", i); err != nil || line != want {
			t.Fatalf("got %q, %v, want %q", line, err, want)
		}
		lines.ReadString('\n')
		next <- struct{}{}
	}
}

func TestUpgradePasses(t *testing.T) {
	address := start(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		conn, rw, err := http.NewResponseController(w).Hijack()
		if err != nil {
			t.Error(err)
			return
		}
		defer conn.Close()
		rw.WriteString("HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: echo\r\n\r\n")
		rw.Flush()
		line, _ := rw.ReadString('\n')
		rw.WriteString("echo " + line)
		rw.Flush()
	}), nil)
	u, _ := url.Parse(address)
	conn, err := net.Dial("tcp", u.Host)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	conn.SetDeadline(time.Now().Add(10 * time.Second))
	io.WriteString(conn, "GET /ws HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: Upgrade\r\nUpgrade: echo\r\n\r\n")
	answer := bufio.NewReader(conn)
	resp, err := http.ReadResponse(answer, nil)
	if err != nil || resp.StatusCode != http.StatusSwitchingProtocols {
		t.Fatalf("got %v, %v", resp, err)
	}
	io.WriteString(conn, "hello\n")
	if got, err := answer.ReadString('\n'); got != "echo hello\n" {
		t.Errorf("got %q, %v", got, err)
	}
}

func TestTrailersPassBothWays(t *testing.T) {
	address := start(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		io.Copy(io.Discard, r.Body)
		w.Header().Set("Trailer", "X-Sum")
		io.WriteString(w, "x")
		w.Header().Set("X-Sum", "got "+r.Trailer.Get("X-Given"))
	}), nil)
	body := &trailing{Reader: strings.NewReader("some bytes")}
	req, _ := http.NewRequest(http.MethodPut, address+"/", body)
	req.Trailer = http.Header{"X-Given": nil}
	body.req = req
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	io.Copy(io.Discard, resp.Body)
	if got, want := resp.Trailer.Get("X-Sum"), "got 42"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

// trailing sets the trailer when its body ends.
type trailing struct {
	io.Reader
	req *http.Request
}

func (b *trailing) Read(p []byte) (int, error) {
	n, err := b.Reader.Read(p)
	if err == io.EOF {
		b.req.Trailer.Set("X-Given", "42")
	}
	return n, err
}

func TestExpectContinueAsksUpstream(t *testing.T) {
	address := start(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.WriteHeader(http.StatusExpectationFailed) // before it reads the body
	}), nil)
	got := raw(t, address, "POST / HTTP/1.1\r\nHost: 127.0.0.1\r\nExpect: 100-continue\r\nContent-Length: 100000\r\nConnection: close\r\n\r\n")
	if !strings.HasPrefix(got, "HTTP/1.1 417 ") {
		t.Errorf("got %.60q, want 417 without a 100", got)
	}
}

func TestClientThatLeavesCancelsItsCall(t *testing.T) {
	begun, cancelled := make(chan struct{}), make(chan struct{})
	address := start(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		close(begun)
		<-r.Context().Done()
		close(cancelled)
	}), nil)
	ctx, cancel := context.WithCancel(t.Context())
	req, _ := http.NewRequestWithContext(ctx, http.MethodGet, address+"/", nil)
	go func() {
		<-begun
		cancel()
	}()
	if resp, err := http.DefaultClient.Do(req); err == nil {
		resp.Body.Close()
		t.Fatal("got an answer, want none")
	}
	<-cancelled // hangs if the call goes on
}

func TestTunnelsAreRefused(t *testing.T) {
	address := start(t, http.NotFoundHandler(), nil)
	for _, head := range []string{"CONNECT other.example:443", "OPTIONS *"} {
		got := raw(t, address, head+" HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n")
		if !strings.HasPrefix(got, "HTTP/1.1 405 ") && !strings.HasPrefix(got, "HTTP/1.1 200 ") {
			t.Errorf("%s: got %.60q", head, got)
		}
	}
}
