// Package peers puts the HTTP clients with retries that Go programs use side by
// side: each makes the same calls, against a stub in memory and against a
// server on the loopback interface.
//
// All run with the settings of their authors, but for the delays between
// attempts: those are zero, so that the work is measured and not the waiting.
package peers

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net/http"
)

// Call is one request, put so that every client can make it in its own way.
type Call struct {
	Method, URL string
	// Body gives the body from the start; nil means no body.
	Body   func() io.ReadSeeker
	Length int64
	// Bytes are what Body gives, if they are in memory for all to see.
	Bytes []byte
	// Replayable says that the client may ask for the body again: by GetBody,
	// by seeking, or by what it has for that. Otherwise it gets a plain
	// io.Reader.
	Replayable bool
}

// Do makes a call, reads the response to its end and closes it. An error of
// the client that came with a status is not an error here: clients differ in
// what they call one.
type Do func(ctx context.Context, call Call) (status int, err error)

// readOnly hides that a body can seek.
type readOnly struct{ io.Reader }

// request builds the call for clients that take a *http.Request: as programs
// do, with bytes in memory where Bytes are given.
func (c Call) request(ctx context.Context) (*http.Request, error) {
	if c.Bytes != nil {
		return http.NewRequestWithContext(ctx, c.Method, c.URL, bytes.NewReader(c.Bytes))
	}
	req, err := http.NewRequestWithContext(ctx, c.Method, c.URL, nil)
	if err != nil || c.Body == nil {
		return req, err
	}
	req.ContentLength = c.Length
	req.Body = io.NopCloser(readOnly{c.Body()})
	if c.Replayable {
		req.GetBody = func() (io.ReadCloser, error) { return io.NopCloser(readOnly{c.Body()}), nil }
	}
	return req, nil
}

// finish reads and closes resp.
func finish(resp *http.Response, err error) (int, error) {
	if err != nil {
		if resp != nil && resp.Body != nil {
			resp.Body.Close()
		}
		return 0, err
	}
	defer resp.Body.Close()
	if _, err := io.Copy(io.Discard, resp.Body); err != nil {
		return resp.StatusCode, err
	}
	return resp.StatusCode, nil
}

// viaRequest makes calls through send.
func viaRequest(send func(*http.Request) (*http.Response, error)) Do {
	return func(ctx context.Context, call Call) (int, error) {
		req, err := call.request(ctx)
		if err != nil {
			return 0, err
		}
		return finish(send(req))
	}
}

var errStatus = errors.New("status of a failure")
