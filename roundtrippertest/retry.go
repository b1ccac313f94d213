package roundtrippertest

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync/atomic"
	"time"
)

// retryChecks are about what a retry does to the server and to the connections,
// which others use too.
var retryChecks = []Check{
	{Name: "POST not retried after a 500", run: postOnce},
	{Name: "Retry-After of a day not obeyed", run: retryAfterDay},
	{Name: "endless body of a 503 does not hold up", Retry: true, run: endlessRefusal},
	{Name: "connection reused after 32 KiB of 503", Retry: true, run: connectionReused},
	{Name: "idle connections of the base kept", run: idleKept},
}

// postOnce: a 500 does not say that nothing happened. RFC 9110, 9.2.2: a client
// should not automatically retry a request with a method that is not idempotent.
func postOnce(e *env) error {
	var attempts atomic.Int64
	s, base := e.server(func(w http.ResponseWriter, r *http.Request) {
		attempts.Add(1)
		w.WriteHeader(500)
	})
	e.get(base, e.request(http.MethodPost, s.URL, strings.NewReader("order")))
	return want("attempts", attempts.Load(), 1)
}

// retryAfterDay: the header is somebody else's word. The caller would rather have
// the response than wait.
func retryAfterDay(e *env) error {
	s, base := e.server(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Retry-After", "86400")
		w.WriteHeader(503)
	})
	ctx, cancel := context.WithTimeout(e.ctx, 2*time.Second)
	defer cancel()
	_, _, err := e.get(base, e.request(http.MethodGet, s.URL, nil).WithContext(ctx))
	if ctx.Err() != nil {
		return fmt.Errorf("waits for the day to pass: %w", err)
	}
	return nil
}

// endlessRefusal: a refused response is read to its end so that its connection
// can be used again, but not if it has none.
func endlessRefusal(e *env) error {
	second := make(chan struct{})
	var attempts atomic.Int64
	var gaveUp atomic.Bool
	s, base := e.server(func(w http.ResponseWriter, r *http.Request) {
		if attempts.Add(1) > 1 {
			close(second)
			return
		}
		w.WriteHeader(503)
		for deadline := time.After(3 * time.Second); ; {
			io.WriteString(w, "drip")
			w.(http.Flusher).Flush()
			select {
			case <-second:
				return
			case <-deadline:
				gaveUp.Store(true)
				return
			case <-time.After(20 * time.Millisecond):
			}
		}
	})
	_, _, err := e.get(base, e.request(http.MethodGet, s.URL, nil))
	return errors.Join(err, want("the first attempt had to end by itself", gaveUp.Load(), false))
}

// connectionReused: closing instead of reading costs a new connection, with TLS,
// for each retry, at a time when the server has none to spare.
func connectionReused(e *env) error {
	var attempts atomic.Int64
	var addresses [2]string
	s, base := e.server(func(w http.ResponseWriter, r *http.Request) {
		n := attempts.Add(1)
		addresses[(n-1)%2] = r.RemoteAddr
		if n == 1 {
			w.WriteHeader(503)
			w.Write(make([]byte, 32<<10))
		}
	})
	if _, _, err := e.get(base, e.request(http.MethodGet, s.URL, nil)); err != nil {
		return err
	}
	return want("same connection", addresses[0] == addresses[1], true)
}

// closeCounter counts calls of CloseIdleConnections: the pool belongs to the
// caller.
type closeCounter struct {
	*http.Transport
	closed atomic.Int64
}

func (c *closeCounter) CloseIdleConnections() {
	c.closed.Add(1)
	c.Transport.CloseIdleConnections()
}

// idleKept: other requests of the program share the pool.
func idleKept(e *env) error {
	s, base := e.server(func(w http.ResponseWriter, r *http.Request) { w.WriteHeader(503) })
	c := &closeCounter{Transport: base}
	e.get(c, e.request(http.MethodGet, s.URL, nil))
	return want("calls of CloseIdleConnections", c.closed.Load(), 0)
}
