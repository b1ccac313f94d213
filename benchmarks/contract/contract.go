// Package contract checks what net/http promises of an [http.RoundTripper] and
// demands from it, on real sockets, for RoundTrippers that retry.
package contract

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"sync"
	"time"
)

// Wrap puts the RoundTripper under test around base. It has to make at least
// one more attempt after a 503 without a body, for GET and PUT, and to pause
// about so long before it.
type Wrap func(base http.RoundTripper, pause time.Duration) http.RoundTripper

// Check is one clause of the contract.
type Check struct {
	Name string
	// Retry marks checks that only a RoundTripper which retries can pass.
	Retry bool
	run   func(*env) error
}

// patience is how long a check may take. It is only ever used up by a
// RoundTripper that fails the check.
const patience = 5 * time.Second

// Run makes the check and returns what is wrong, nil if nothing is.
func (c Check) Run(wrap Wrap) error {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	e := &env{wrap: wrap, ctx: ctx}
	result := make(chan error, 1)
	go func() {
		defer func() {
			if p := recover(); p != nil {
				result <- fmt.Errorf("panic: %v", p)
			}
		}()
		result <- c.run(e)
	}()
	defer e.close()
	select {
	case err := <-result:
		return err
	case <-time.After(patience + time.Second):
		return errors.New("hangs, whatever the context says")
	}
}

// env is what a check works with.
type env struct {
	wrap Wrap
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
	// What a handler's abort would log is part of the check.
	s.Config.ErrorLog = discardLog
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
		// A handler of a failed check may hang: do not wait for it.
		go s.Close()
	})
	return s, base
}

// send makes a request without a pause between attempts.
func (e *env) send(base http.RoundTripper, req *http.Request) (*http.Response, error) {
	return e.wrap(base, 0).RoundTrip(req)
}

func (e *env) request(method, url string, body io.Reader) *http.Request {
	req, err := http.NewRequestWithContext(e.ctx, method, url, body)
	if err != nil {
		panic(err)
	}
	return req
}

// get makes a request and returns status and body.
func (e *env) get(base http.RoundTripper, req *http.Request) (int, string, error) {
	resp, err := e.send(base, req)
	if err != nil {
		return 0, "", fmt.Errorf("no response: %w", err)
	}
	defer resp.Body.Close()
	data, err := io.ReadAll(resp.Body)
	return resp.StatusCode, string(data), err
}

func want[T comparable](what string, got, want T) error {
	if got != want {
		return fmt.Errorf("%s: got %v, want %v", what, got, want)
	}
	return nil
}

// countingBody counts Close and remembers a read after it.
type countingBody struct {
	io.Reader
	mu     sync.Mutex
	closed int
	late   bool
}

func (b *countingBody) Read(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.closed > 0 {
		b.late = true
		return 0, http.ErrBodyReadAfterClose
	}
	return b.Reader.Read(p)
}

func (b *countingBody) Close() error {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.closed++
	return nil
}

// closedOnce waits for the body to be closed, which net/http may do after
// RoundTrip returned, and looks for a second time.
func (b *countingBody) closedOnce(ctx context.Context) error {
	for {
		b.mu.Lock()
		closed, late := b.closed, b.late
		b.mu.Unlock()
		switch {
		case late:
			return errors.New("read after Close")
		case closed > 1:
			return fmt.Errorf("closed %d times", closed)
		case closed == 1:
			return nil
		case ctx.Err() != nil:
			return errors.New("never closed")
		}
		time.Sleep(time.Millisecond)
	}
}
