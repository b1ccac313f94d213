package roundtrippertest

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"sync/atomic"
	"time"
)

// cancellationChecks end the context at each stage of a call.
var cancellationChecks = []Check{
	{Name: "cancelled before: nothing sent", run: cancelledBefore},
	{Name: "cancelled while sending", run: cancelledSending},
	{Name: "cancelled while waiting", Retry: true, Waits: true, run: cancelledWaiting},
	{Name: "cancelled while reading", run: cancelledReading},
}

// cancelledBefore: a call that is over before it began must cost the server
// nothing.
func cancelledBefore(e *env) error {
	var attempts atomic.Int64
	s, base := e.server(func(http.ResponseWriter, *http.Request) { attempts.Add(1) })
	ctx, cancel := context.WithCancel(e.ctx)
	cancel()
	_, err := e.send(base, e.request(http.MethodGet, s.URL, nil).WithContext(ctx))
	return errors.Join(isCanceled(err), want("attempts", attempts.Load(), 0))
}

// cancelledSending: callers tell "I left" from "it broke" by errors.Is.
func cancelledSending(e *env) error {
	ctx, cancel := context.WithCancel(e.ctx)
	defer cancel()
	s, base := e.server(func(w http.ResponseWriter, r *http.Request) {
		cancel()
		<-r.Context().Done()
	})
	_, err := e.send(base, e.request(http.MethodGet, s.URL, nil).WithContext(ctx))
	return isCanceled(err)
}

// cancelledWaiting asks for a delay that no context would survive, so that a
// RoundTripper which obeys waits for the cancellation.
func cancelledWaiting(e *env) error {
	// Without the deadline of the check: it would make the delay pointless.
	ctx, cancel := context.WithCancel(context.WithoutCancel(e.ctx))
	defer cancel()
	s, base := e.server(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Retry-After", "20")
		w.WriteHeader(503)
		time.AfterFunc(100*time.Millisecond, cancel)
	})
	resp, err := e.send(base, e.request(http.MethodGet, s.URL, nil).WithContext(ctx))
	if err == nil {
		resp.Body.Close()
		if ctx.Err() == nil {
			return nil // it did not wait
		}
	}
	return isCanceled(err)
}

// cancelledReading: a wrapper must not turn a broken body into a whole one.
func cancelledReading(e *env) error {
	ctx, cancel := context.WithCancel(e.ctx)
	defer cancel()
	s, base := e.server(func(w http.ResponseWriter, r *http.Request) {
		w.Write([]byte("1"))
		w.(http.Flusher).Flush()
		<-r.Context().Done()
	})
	resp, err := e.send(base, e.request(http.MethodGet, s.URL, nil).WithContext(ctx))
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	io.ReadFull(resp.Body, make([]byte, 1))
	cancel()
	_, err = io.ReadAll(resp.Body)
	return isCanceled(err)
}

func isCanceled(err error) error {
	if !errors.Is(err, context.Canceled) {
		return fmt.Errorf("got the error %v, want context.Canceled in its chain", err)
	}
	return nil
}
