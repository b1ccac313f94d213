package apigw

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/apigw-go/apigw/catalog"
	"github.com/apigw-go/apigw/gatewaytest"
	"github.com/apigw-go/apigw/signer"
)

// through is a RoundTripper that says what it does.
type through struct{ base http.RoundTripper }

func (s through) RoundTrip(req *http.Request) (*http.Response, error) { return s.base.RoundTrip(req) }
func (s through) SendsThrough() http.RoundTripper                     { return s.base }

// listen serves connections until the end of the test, and counts them.
func listen(t *testing.T, serve func(net.Conn)) (addr string, count *atomic.Int64) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	count = new(atomic.Int64)
	var serving sync.WaitGroup
	over := make(chan struct{})
	serving.Go(func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			count.Add(1)
			served := make(chan struct{})
			serving.Go(func() { defer close(served); serve(conn) })
			serving.Go(func() { // the client may keep it
				defer conn.Close()
				select {
				case <-served:
				case <-over:
				}
			})
		}
	})
	t.Cleanup(func() {
		l.Close()
		close(over)
		serving.Wait()
	})
	return l.Addr().String(), count
}

func postOrder(t *testing.T, tr *Transport, url string) *Error {
	t.Helper()
	req := newRequest(t, http.MethodPost, "order")
	req.URL = mustParse(t, url)
	return failWithoutResponse(t, tr, req)
}

// failWithoutResponse sends req, without long delays, and returns the error.
func failWithoutResponse(t *testing.T, tr *Transport, req *http.Request) *Error {
	t.Helper()
	tr.Policy.InitialBackoff = time.Millisecond
	resp, err := tr.RoundTrip(req)
	var e *Error
	if resp != nil || !errors.As(err, &e) {
		t.Fatalf("got %v, %v, want an *Error alone", resp, err)
	}
	return e
}

func mustParse(t *testing.T, s string) *url.URL {
	t.Helper()
	u, err := url.Parse(s)
	if err != nil {
		t.Fatal(err)
	}
	return u
}

func TestProxyRefusesConnect(t *testing.T) {
	for name, c := range map[string]struct {
		status string
		stop   StopReason
	}{
		"unavailable":         {"503 Service Unavailable", StopMaxAttempts},
		"bad gateway":         {"502 Bad Gateway", StopMaxAttempts},
		"no phrase":           {"502", StopMaxAttempts},
		"empty phrase":        {"502 ", StopMaxAttempts},
		"wants a password":    {"407 Proxy Authentication Required", StopPermanent},
		"forbids it":          {"403 Forbidden", StopPermanent},
		"a phrase of its own": {"503 Tunnel Closed For Tea", StopMayHaveRun}, // proves nothing
	} {
		for how, between := range map[string]func(http.RoundTripper) http.RoundTripper{
			"": func(b http.RoundTripper) http.RoundTripper { return b },
			", under a signer": func(b http.RoundTripper) http.RoundTripper {
				return &signer.Signer{
					AppKey: gatewaytest.DefaultAppKey, AppSecret: gatewaytest.DefaultAppSecret,
					Hosts: []string{"api.example.com"}, Base: b,
				}
			},
			", under another": func(b http.RoundTripper) http.RoundTripper { return through{through{b}} },
		} {
			t.Run(name+how, func(t *testing.T) {
				addr, connects := listen(t, func(conn net.Conn) {
					http.ReadRequest(bufio.NewReader(conn))
					fmt.Fprintf(conn, "HTTP/1.1 %s\r\nContent-Length: 0\r\n\r\n", c.status)
				})
				base := &http.Transport{Proxy: http.ProxyURL(mustParse(t, "http://"+addr))}
				e := postOrder(t, &Transport{Base: between(base)}, "https://api.example.com/")
				reached, attempts := catalog.ReachedNo, int64(1)
				switch c.stop {
				case StopMayHaveRun:
					reached = catalog.ReachedMaybe
				case StopMaxAttempts:
					attempts = 4
				}
				if e.Stop != c.stop || e.Reached != reached || connects.Load() != attempts {
					t.Errorf("stopped by %v, reached %v, %d CONNECTs; want %v, %v, %d",
						e.Stop, e.Reached, connects.Load(), c.stop, reached, attempts)
				}
			})
		}
	}
}

// The same text from a Base that makes errors of responses proves nothing.
func TestReasonPhraseOfAnUnknownBaseProvesNothing(t *testing.T) {
	base := roundTripFunc(func(*http.Request) (*http.Response, error) { return nil, errors.New("Bad Gateway") })
	if e := postOrder(t, &Transport{Base: base}, "https://api.example.com/"); e.Stop != StopMayHaveRun {
		t.Errorf("stopped by %v, want may-have-run", e.Stop)
	}
}

// The refusal stays permanent where AttemptTimeout sees that nothing was sent.
func TestProxyWantsAPasswordWithAttemptTimeout(t *testing.T) {
	addr, _ := listen(t, func(conn net.Conn) {
		http.ReadRequest(bufio.NewReader(conn))
		io.WriteString(conn, "HTTP/1.1 407 Proxy Authentication Required\r\nContent-Length: 0\r\n\r\n")
	})
	base := &http.Transport{Proxy: http.ProxyURL(mustParse(t, "http://"+addr))}
	e := postOrder(t, &Transport{Base: base, Policy: RetryPolicy{AttemptTimeout: time.Minute}}, "https://api.example.com/")
	if e.Stop != StopPermanent || e.Reached != catalog.ReachedNo {
		t.Errorf("stopped by %v, reached %v; want permanent, no: %v", e.Stop, e.Reached, e)
	}
}

// With AttemptTimeout it is known whether there was a connection, whatever the
// proxy says.
func TestAttemptTimeoutProvesThatNothingWasSent(t *testing.T) {
	addr, _ := listen(t, func(conn net.Conn) {
		http.ReadRequest(bufio.NewReader(conn))
		io.WriteString(conn, "HTTP/1.1 503 Tunnel Closed For Tea\r\n\r\n")
	})
	base := &http.Transport{Proxy: http.ProxyURL(mustParse(t, "http://"+addr))}
	e := postOrder(t, &Transport{Base: base, Policy: RetryPolicy{AttemptTimeout: time.Minute}},
		"https://api.example.com/")
	if e.Stop != StopMaxAttempts || e.Reached != catalog.ReachedNo {
		t.Errorf("stopped by %v, reached %v; want max-attempts, no", e.Stop, e.Reached)
	}
}

func TestSOCKSProxyRefuses(t *testing.T) {
	for name, c := range map[string]struct {
		reply byte // RFC 1928 section 6
		stop  StopReason
	}{
		"general failure":     {1, StopMaxAttempts},
		"not allowed":         {2, StopPermanent},
		"host unreachable":    {4, StopMaxAttempts},
		"connection refused":  {5, StopMaxAttempts},
		"command unsupported": {7, StopPermanent},
	} {
		t.Run(name, func(t *testing.T) {
			addr, _ := listen(t, func(conn net.Conn) {
				io.ReadFull(conn, make([]byte, 3))
				conn.Write([]byte{5, 0})
				io.ReadFull(conn, make([]byte, 4))
				conn.Write([]byte{5, c.reply, 0, 1, 0, 0, 0, 0, 0, 0})
				io.Copy(io.Discard, conn)
			})
			base := &http.Transport{Proxy: http.ProxyURL(mustParse(t, "socks5://"+addr))}
			e := postOrder(t, &Transport{Base: base}, "http://api.example.com/")
			if e.Stop != c.stop || e.Reached != catalog.ReachedNo {
				t.Errorf("stopped by %v, reached %v; want %v, no: %v", e.Stop, e.Reached, c.stop, e)
			}
		})
	}
}

// A DialContext may wrap what it likes: an *http.Transport has no other dial.
func TestDialThatIsWrapped(t *testing.T) {
	base := &http.Transport{DialContext: func(context.Context, string, string) (net.Conn, error) {
		return nil, fmt.Errorf("tunnel: gave up after 3 attempts: %w",
			&net.OpError{Op: "dial", Err: syscall.ECONNREFUSED})
	}}
	e := postOrder(t, &Transport{Base: base}, "http://api.example.com/")
	if e.Stop != StopMaxAttempts || e.Reached != catalog.ReachedNo {
		t.Errorf("stopped by %v, reached %v; want max-attempts, no", e.Stop, e.Reached)
	}
}

// The refusal of a proxy shows nothing of what was sent to it.
func TestRefusalOfAProxyShowsNoSecret(t *testing.T) {
	const secret = "tops3cret-proxy"
	for name, echo := range map[string]func(*http.Request) string{
		"password":        func(*http.Request) string { return secret },
		"credentials":     func(r *http.Request) string { return r.Header.Get("Proxy-Authorization") },
		"connect header":  func(r *http.Request) string { return r.Header.Get("X-Proxy-Key") },
		"status of Basic": func(r *http.Request) string { return "403 " + r.Header.Get("Proxy-Authorization") },
	} {
		t.Run(name, func(t *testing.T) {
			echoed := make(chan string, 8)
			addr, _ := listen(t, func(conn net.Conn) {
				r, err := http.ReadRequest(bufio.NewReader(conn))
				if err != nil {
					return
				}
				echoed <- echo(r)
				fmt.Fprintf(conn, "HTTP/1.1 407 got %s\r\nContent-Length: 0\r\n\r\n", echo(r))
			})
			base := &http.Transport{
				Proxy:              http.ProxyURL(mustParse(t, "http://me:"+secret+"@"+addr)),
				ProxyConnectHeader: http.Header{"X-Proxy-Key": {"tops3cret-key"}},
			}
			e := postOrder(t, &Transport{Base: base, Policy: RetryPolicy{MaxAttempts: 1}}, "https://api.example.com/")
			text := fmt.Sprintf("%v %+v", e, e.Attempts)
			if got := <-echoed; got == "" || strings.Contains(text, got) || strings.Contains(text, "tops3cret") {
				t.Errorf("%q is shown in %s", got, text)
			}
		})
	}
}
