package apigw

import (
	"context"
	"io"
	"net/http"
	"net/http/httptrace"
	"sync/atomic"
	"time"
)

// sendWithin makes one attempt that fails if its response head does not come
// within d. The body of a response may take as long as it likes.
func sendWithin(base http.RoundTripper, req *http.Request, d time.Duration) (*http.Response, error) {
	a := &timedAttempt{req: req}
	ctx, cancel := context.WithCancelCause(req.Context())
	a.end = func() { cancel(nil) }
	timeout := &attemptTimeoutError{after: d}
	timer := time.AfterFunc(d, func() { cancel(timeout) })
	defer func() {
		timer.Stop()
		if !a.outlived {
			a.end()
		}
	}()
	a.sent = req.WithContext(httptrace.WithClientTrace(ctx, a.trace()))
	if body, ok := req.Body.(interface{ watch(context.Context) }); ok {
		body.watch(ctx)
	}
	resp, err := sendOnce(base, a.sent)
	inTime := timer.Stop() // or else the context has ended, or will in a moment
	switch {
	case !inTime && (err == nil || req.Context().Err() == nil):
		// Even if the head came at this moment: its body ends with the context.
		if resp != nil {
			closeResponse(resp)
		}
		return nil, a.proven(timeout)
	case err != nil:
		return resp, a.proven(err)
	case resp != nil:
		resp = a.handOver(resp)
	}
	return resp, nil
}

// timedAttempt is an attempt with a context of its own.
type timedAttempt struct {
	req, sent *http.Request // without and with that context
	end       func()        // ends the context
	outlived  bool          // by a response body

	connecting, connected atomic.Bool
}

// trace sees whether there was a connection. A Base that asked for one of
// net/http and never got it has sent nothing.
func (a *timedAttempt) trace() *httptrace.ClientTrace {
	return &httptrace.ClientTrace{
		GetConn: func(string) { a.connecting.Store(true) },
		GotConn: func(httptrace.GotConnInfo) { a.connected.Store(true) },
	}
}

func (a *timedAttempt) proven(err error) error {
	if a.connecting.Load() && !a.connected.Load() {
		return &unsentError{err}
	}
	return err
}

// handOver lets the context end with the response's body, and nobody see it. The
// response is a copy, for a Base that returns the same one again.
func (a *timedAttempt) handOver(answer *http.Response) *http.Response {
	resp := new(http.Response)
	*resp = *answer
	switch resp.Request {
	case nil:
	case a.sent:
		resp.Request = a.req
	default: // of a Base that sent a copy
		ctx := &outlivingContext{a.req.Context(), context.WithoutCancel(resp.Request.Context())}
		resp.Request = resp.Request.WithContext(ctx)
	}
	if resp.Body != nil && resp.Body != http.NoBody {
		a.outlived = true
		resp.Body = releasing(resp.Body, a.end)
	}
	return resp
}

// outlivingContext ends with the caller's context and has the values of another
// one, which ended with its attempt.
type outlivingContext struct {
	context.Context
	values context.Context
}

func (c *outlivingContext) Value(key any) any {
	if v := c.values.Value(key); v != nil {
		return v
	}
	return c.Context.Value(key)
}

// releasing returns body, calling release when it is closed or read to its
// end. What a connection of status 101 can do it can do still.
func releasing(body io.ReadCloser, release func()) io.ReadCloser {
	r := &releasingBody{ReadCloser: body, release: release}
	w, ok := body.(io.Writer)
	if !ok {
		return r
	}
	if c, ok := body.(closeWriter); ok {
		return struct {
			*releasingBody
			io.Writer
			closeWriter
		}{r, w, c}
	}
	return struct {
		*releasingBody
		io.Writer
	}{r, w}
}

type closeWriter interface{ CloseWrite() error }

type releasingBody struct {
	io.ReadCloser
	release func()
}

func (b *releasingBody) Read(p []byte) (int, error) {
	n, err := b.ReadCloser.Read(p)
	if err != nil {
		b.release()
	}
	return n, err
}

func (b *releasingBody) Close() error {
	defer b.release()
	return b.ReadCloser.Close()
}

// attemptTimeoutError says that AttemptTimeout passed.
type attemptTimeoutError struct{ after time.Duration }

func (e *attemptTimeoutError) Error() string {
	return "no response head within the attempt timeout of " + e.after.String()
}
func (e *attemptTimeoutError) Timeout() bool   { return true }
func (e *attemptTimeoutError) Temporary() bool { return true }
func (e *attemptTimeoutError) Is(target error) bool {
	return target == context.DeadlineExceeded
}
