package roundtrippertest_test

import (
	"context"
	"io"
	"net/http"
	"testing"
	"time"

	"github.com/apigw-go/apigw/roundtrippertest"
)

type roundTripFunc func(*http.Request) (*http.Response, error)

func (f roundTripFunc) RoundTrip(req *http.Request) (*http.Response, error) { return f(req) }

// The transport of net/http keeps its own contract, so a check that it fails
// would be wrong.
func TestChecksAgainstNetHTTP(t *testing.T) {
	for _, c := range roundtrippertest.Checks() {
		if c.Retry {
			continue
		}
		t.Run(c.Name, func(t *testing.T) {
			t.Parallel()
			if err := c.Run(func(base http.RoundTripper) http.RoundTripper { return base }); err != nil {
				t.Error(err)
			}
		})
	}
}

// retrier is a RoundTripper that keeps the contract, as simple as that can be.
// Its fields break it.
type retrier struct {
	base   http.RoundTripper
	change func(*http.Request)  // a retry, before it is sent
	ends   func(*http.Response) // a refused response
	again  func(*http.Request, *http.Response, error) bool
	wait   func(context.Context, *http.Response) error
}

func (r retrier) RoundTrip(req *http.Request) (*http.Response, error) {
	resp, err := r.base.RoundTrip(req)
	for range 2 {
		if !r.again(req, resp, err) {
			return resp, err
		}
		if err := r.wait(req.Context(), resp); err != nil {
			if resp != nil {
				resp.Body.Close()
			}
			return nil, err
		}
		if resp != nil {
			r.ends(resp)
		}
		retry := req.Clone(req.Context())
		if req.GetBody != nil {
			if retry.Body, err = req.GetBody(); err != nil {
				return nil, err
			}
		}
		r.change(retry)
		resp, err = r.base.RoundTrip(retry)
	}
	return resp, err
}

// drain reads a little, so that the connection can be used again, and not for
// long.
func drain(resp *http.Response) {
	stop := time.AfterFunc(100*time.Millisecond, func() { resp.Body.Close() })
	io.CopyN(io.Discard, resp.Body, 64<<10)
	stop.Stop()
	resp.Body.Close()
}

func again(req *http.Request, resp *http.Response, err error) bool {
	if req.Method == http.MethodPost || req.Context().Err() != nil || req.Body != nil && req.GetBody == nil {
		return false
	}
	return err != nil || resp.StatusCode == 503 && len(resp.Header.Get("Retry-After")) < 4
}

func wait(ctx context.Context, resp *http.Response) error {
	delay := time.Millisecond
	if resp != nil && resp.Header.Get("Retry-After") != "" {
		delay = time.Minute
	}
	select {
	case <-time.After(delay):
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

func sound(base http.RoundTripper) retrier {
	return retrier{base: base, change: func(*http.Request) {}, ends: drain, again: again, wait: wait}
}

func TestChecksAgainstASoundRetrier(t *testing.T) {
	t.Parallel()
	roundtrippertest.Run(t, func(base http.RoundTripper) http.RoundTripper { return sound(base) })
}

func TestCheckEndsWhateverHappens(t *testing.T) {
	t.Parallel()
	first := roundtrippertest.Checks()[0]
	for name, f := range map[string]roundTripFunc{
		"panic": func(*http.Request) (*http.Response, error) { panic("no") },
		"hang":  func(*http.Request) (*http.Response, error) { select {} },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if err := first.Run(func(http.RoundTripper) http.RoundTripper { return f }); err == nil {
				t.Error("got no error")
			}
		})
	}
}
