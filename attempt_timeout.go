package apigw

import (
	"context"
	"io"
	"net/http"
	"sync/atomic"
	"time"
)

// sendWithin makes one attempt that fails if its response head does not come
// within d. The body of a response may take as long as it likes.
func sendWithin(base http.RoundTripper, req *http.Request, d time.Duration) (*http.Response, error) {
	ctx, cancel := context.WithCancelCause(req.Context())
	timeout := &attemptTimeoutError{d}
	timer := time.AfterFunc(d, func() { cancel(timeout) })
	sent := req.WithContext(ctx)
	resp, err := base.RoundTrip(sent)
	inTime := timer.Stop()
	switch {
	case err != nil:
		cancel(nil)
		if !inTime && req.Context().Err() == nil {
			return resp, timeout
		}
		return resp, err
	case resp == nil || resp.Body == nil:
		cancel(nil)
		return resp, nil
	case !inTime && context.Cause(ctx) == timeout:
		// The head came, but its body would fail at the first read.
		resp.Body.Close()
		return nil, timeout
	}
	if resp.Request == sent {
		resp.Request = req // whose context does not end with the body
	}
	resp.Body = releasing(resp.Body, func() { cancel(nil) })
	return resp, nil
}

// releasing returns body, calling release when it is closed or read to its
// end. A body that can be written to (status 101) stays one.
func releasing(body io.ReadCloser, release func()) io.ReadCloser {
	r := &releasingBody{ReadCloser: body, release: release}
	if w, ok := body.(io.Writer); ok {
		return &releasingConn{r, w}
	}
	return r
}

type releasingBody struct {
	io.ReadCloser
	release  func()
	released atomic.Bool
}

func (b *releasingBody) Read(p []byte) (int, error) {
	n, err := b.ReadCloser.Read(p)
	if err != nil {
		b.once()
	}
	return n, err
}

func (b *releasingBody) Close() error {
	err := b.ReadCloser.Close()
	b.once()
	return err
}

func (b *releasingBody) once() {
	if !b.released.Swap(true) {
		b.release()
	}
}

type releasingConn struct {
	*releasingBody
	io.Writer
}
