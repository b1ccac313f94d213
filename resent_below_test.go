package apigw

import (
	"bufio"
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/apigw-go/apigw/catalog"
)

// crashing is a server that answers one request, reads the next one on the same
// connection, and is gone.
func crashing(t *testing.T) (url string) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	go func() {
		conn, err := l.Accept()
		if err != nil {
			return
		}
		defer conn.Close()
		for r, n := bufio.NewReader(conn), 0; n < 2; n++ {
			req, err := http.ReadRequest(r)
			if err != nil {
				return
			}
			io.Copy(io.Discard, req.Body)
			if n == 0 {
				io.WriteString(conn, "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
			}
		}
		l.Close()
	}()
	return "http://" + l.Addr().String()
}

// net/http sends some requests again by itself, and then returns the error of
// that dial although the first sending may have run.
func TestDialAfterASendingOfNetHTTP(t *testing.T) {
	key := func(r *http.Request) { r.Header.Set("Idempotency-Key", "42") }
	for name, c := range map[string]struct {
		edit    func(*http.Request)
		timeout time.Duration
		wrapped bool // the Base wraps net/http, as those that trace do
	}{
		"an idempotency key":                 {key, 0, false},
		"an idempotency key, AttemptTimeout": {key, time.Minute, false},
		"an idempotency key, wrapped":        {key, 0, true},
		"a GET": {
			func(r *http.Request) { r.Method, r.Body, r.GetBody, r.ContentLength = "GET", nil, nil, 0 }, 0, false,
		},
		"a POST that net/http does not resend": {func(*http.Request) {}, 0, false},
	} {
		t.Run(name, func(t *testing.T) {
			base := &http.Transport{}
			defer base.CloseIdleConnections()
			tr := &Transport{Base: base,
				Policy: RetryPolicy{InitialBackoff: time.Millisecond, AttemptTimeout: c.timeout}}
			if c.wrapped {
				tr.Base = roundTripFunc(base.RoundTrip)
			}
			url := mustParse(t, crashing(t))
			order := func() *http.Request {
				req := newRequest(t, http.MethodPost, "order")
				req.URL = url
				c.edit(req)
				return req
			}
			resp, err := tr.RoundTrip(order())
			if err != nil {
				t.Fatal(err)
			}
			resp.Body.Close()
			_, err = tr.RoundTrip(order())
			var e *Error
			if !errors.As(err, &e) || e.Reached != catalog.ReachedMaybe {
				t.Errorf("reached %v, want maybe: %v", e.Reached, err)
			}
		})
	}
}

// brokenWrite is a connection whose second Write fails before its first byte.
type brokenWrite struct {
	net.Conn
	writes atomic.Int64
}

func (c *brokenWrite) Write(p []byte) (int, error) {
	if c.writes.Add(1) == 2 {
		return 0, syscall.EPIPE
	}
	return c.Conn.Write(p)
}

// A POST that never left on a kept connection goes out again below, with a body
// of GetBody. Its source may fail to dial, too.
func TestBodyThatNetHTTPSendsAgainFails(t *testing.T) {
	var posts atomic.Int64
	srv, _ := serverOf(t, func(_ http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodPost {
			posts.Add(1)
		}
		io.Copy(io.Discard, r.Body)
	})
	conns := 0
	base := &http.Transport{DialContext: func(ctx context.Context, network, addr string) (net.Conn, error) {
		conn, err := new(net.Dialer).DialContext(ctx, network, addr)
		if conns++; conns > 1 {
			return conn, err
		}
		return &brokenWrite{Conn: conn}, err
	}}
	defer base.CloseIdleConnections()
	tr := &Transport{Base: base, Policy: soon}
	first := newRequest(t, http.MethodGet, "")
	first.URL = mustParse(t, srv.URL)
	resp, err := tr.RoundTrip(first)
	if err != nil {
		t.Fatal(err)
	}
	resp.Body.Close()

	req := newRequest(t, http.MethodPost, "")
	req.URL, req.ContentLength = first.URL, -1
	req.GetBody = func() (io.ReadCloser, error) {
		r, w := io.Pipe()
		go func() {
			w.Write(make([]byte, 9000)) // more than net/http keeps back
			w.CloseWithError(&net.OpError{Op: "dial", Net: "tcp", Err: syscall.ECONNREFUSED})
		}()
		return r, nil
	}
	req.Body, _ = req.GetBody()
	e := failWithoutResponse(t, tr, req)
	if e.Reached != catalog.ReachedMaybe || e.Stop != StopMayHaveRun || conns != 2 || posts.Load() > 1 {
		t.Errorf("reached %v, stop %v after %d connections and %d orders, want maybe and may-have-run after 2 and 1: %v",
			e.Reached, e.Stop, conns, posts.Load(), e)
	}
}

// A Base that says itself that nothing was sent is believed.
func TestOwnWordAfterAResponse(t *testing.T) {
	refused := answer{err: saysNotSent{errors.New("breaker open")}}
	tr := &Transport{Base: serve(answer{status: 200}, refused), Policy: RetryPolicy{MaxAttempts: 1}}
	resp, err := tr.RoundTrip(newRequest(t, http.MethodGet, ""))
	if err != nil {
		t.Fatal(err)
	}
	resp.Body.Close()
	if e := failWithoutResponse(t, tr, newRequest(t, http.MethodGet, "")); e.Reached != catalog.ReachedNo {
		t.Errorf("reached %v, want no: %v", e.Reached, e)
	}
}

// Before there was any response there is no connection that could have died.
func TestFirstDialProvesThatNothingWasSent(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	l.Close()
	req := newRequest(t, http.MethodGet, "")
	req.URL = mustParse(t, "http://"+l.Addr().String())
	if e := failWithoutResponse(t, &Transport{Base: &http.Transport{}}, req); e.Reached != catalog.ReachedNo {
		t.Errorf("reached %v, want no: %v", e.Reached, e)
	}
}
