package roundtrippertest

import (
	"context"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"sync"
)

// env is what a check works with.
type env struct {
	wrap func(http.RoundTripper) http.RoundTripper
	ctx  context.Context

	mu      sync.Mutex
	cleanup []func()
}

func (e *env) onClose(f func()) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.cleanup = append(e.cleanup, f)
}

func (e *env) close() {
	e.mu.Lock()
	defer e.mu.Unlock()
	for i := len(e.cleanup) - 1; i >= 0; i-- {
		e.cleanup[i]()
	}
}

// server starts a server and returns it with a transport of its own.
func (e *env) server(h http.HandlerFunc) (*httptest.Server, *http.Transport) {
	return e.start(h, false)
}

func (e *env) start(h http.HandlerFunc, http2 bool) (*httptest.Server, *http.Transport) {
	s := httptest.NewUnstartedServer(h)
	s.EnableHTTP2 = http2
	// What a handler that aborts would log is part of the check.
	s.Config.ErrorLog = log.New(io.Discard, "", 0)
	var base *http.Transport
	if http2 {
		s.StartTLS()
		base = s.Client().Transport.(*http.Transport)
	} else {
		s.Start()
		base = &http.Transport{}
	}
	e.onClose(func() {
		base.CloseIdleConnections()
		s.CloseClientConnections()
		// The handler of a failed check may hang: do not wait for it.
		go s.Close()
	})
	return s, base
}

// send sends a request through the RoundTripper under test.
func (e *env) send(base http.RoundTripper, req *http.Request) (*http.Response, error) {
	return e.wrap(base).RoundTrip(req)
}

func (e *env) request(method, url string, body io.Reader) *http.Request {
	req, err := http.NewRequestWithContext(e.ctx, method, url, body)
	if err != nil {
		panic(err) // a fault of the check
	}
	return req
}

// get sends a request and returns status and body.
func (e *env) get(base http.RoundTripper, req *http.Request) (int, string, error) {
	resp, err := e.send(base, req)
	if err != nil {
		return 0, "", fmt.Errorf("no response: %w", err)
	}
	defer resp.Body.Close()
	data, err := io.ReadAll(resp.Body)
	return resp.StatusCode, string(data), err
}

// closedPort returns a URL with a port that nobody listens on.
func closedPort() (string, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	return "http://" + l.Addr().String(), l.Close()
}

func want[T comparable](what string, got, want T) error {
	if got != want {
		return fmt.Errorf("%s: got %v, want %v", what, got, want)
	}
	return nil
}
