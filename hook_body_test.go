package apigw

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net/http"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/apigw-go/apigw/catalog"
)

// A hook may do with the body what it likes: the attempt sends all of it, or
// what the hook put in its place.
func TestHookAndBody(t *testing.T) {
	reads := func(r *http.Request) ([]byte, error) { return io.ReadAll(r.Body) }
	for name, c := range map[string]struct {
		hook func(*http.Request) error
		want string // what the second attempt sends
	}{
		"leaves it alone": {func(*http.Request) error { return nil }, "order"},
		"reads it":        {func(r *http.Request) error { _, err := reads(r); return err }, "order"},
		"reads a part": {
			func(r *http.Request) error { _, err := r.Body.Read(make([]byte, 2)); return err }, "order",
		},
		"closes it": {func(r *http.Request) error { return r.Body.Close() }, "order"},
		"reads and closes it": {func(r *http.Request) error {
			_, err := reads(r)
			r.Body.Close()
			return err
		}, "order"},
		"reads and replaces it": {func(r *http.Request) error {
			b, err := reads(r)
			r.Body = io.NopCloser(bytes.NewReader(b))
			return err
		}, "order"},
		"closes and replaces it": {func(r *http.Request) error {
			r.Body.Close()
			r.Body, r.ContentLength = io.NopCloser(strings.NewReader("other")), 5
			return nil
		}, "other"},
		"wraps it": {func(r *http.Request) error {
			r.Body = struct {
				io.Reader
				io.Closer
			}{io.MultiReader(strings.NewReader("re"), r.Body), r.Body}
			r.ContentLength = 7
			return nil
		}, "reorder"},
		"wraps it and forgets to close it": {func(r *http.Request) error {
			r.Body = io.NopCloser(io.TeeReader(r.Body, io.Discard))
			return nil
		}, "order"},
		"takes it away": {func(r *http.Request) error { r.Body, r.ContentLength = http.NoBody, 0; return nil }, ""},
		"asks GetBody, if there is one": {func(r *http.Request) error {
			if r.GetBody == nil {
				return nil
			}
			body, err := r.GetBody()
			io.Copy(io.Discard, body)
			return errors.Join(err, body.Close())
		}, "order"},
	} {
		for kind, prepare := range map[string]func(*http.Request, func() *countingBody){
			"one-shot": func(*http.Request, func() *countingBody) {},
			"GetBody": func(r *http.Request, body func() *countingBody) {
				r.GetBody = func() (io.ReadCloser, error) { return body(), nil }
			},
			"in memory": func(r *http.Request, _ func() *countingBody) {
				r.GetBody = func() (io.ReadCloser, error) { return io.NopCloser(strings.NewReader("order")), nil }
				r.Body, _ = r.GetBody()
			},
		} {
			t.Run(name+", "+kind, func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					var made []*countingBody
					body := func() *countingBody {
						made = append(made, &countingBody{Reader: strings.NewReader("order")})
						return made[len(made)-1]
					}
					req := newRequest(t, http.MethodPut, "")
					req.ContentLength = 5
					if kind != "in memory" {
						req.Body = body()
					}
					prepare(req, body)
					base := serve(unavailable, ok)
					resp, err := (&Transport{Base: base, PrepareRetry: c.hook}).RoundTrip(req)
					if err != nil {
						t.Fatal(err)
					}
					resp.Body.Close()
					if want := []string{"order", c.want}; !slices.Equal(base.bodies, want) {
						t.Errorf("sent %q, want %q", base.bodies, want)
					}
					for i, b := range made {
						if b.closes() != 1 {
							t.Errorf("body %d was closed %d times, want once", i+1, b.closes())
						}
					}
				})
			})
		}
	}
}

// A hook that fails or panics leaves no body open.
func TestHookThatFailsClosesTheBody(t *testing.T) {
	failed := errors.New("no key")
	for name, hook := range map[string]func(*http.Request) error{
		"error":        func(*http.Request) error { return failed },
		"after a read": func(r *http.Request) error { io.Copy(io.Discard, r.Body); return failed },
		"replaced":     func(r *http.Request) error { r.Body.Close(); r.Body = http.NoBody; return failed },
		"panic":        func(*http.Request) error { panic(failed) },
	} {
		t.Run(name, func(t *testing.T) {
			made := []*countingBody{{Reader: strings.NewReader("order")}}
			req := newRequest(t, http.MethodPut, "")
			req.Body, req.ContentLength = made[0], 5
			req.GetBody = func() (io.ReadCloser, error) {
				made = append(made, &countingBody{Reader: strings.NewReader("order")})
				return made[len(made)-1], nil
			}
			b := bodiesOf(req, 0)
			next := withBody(req, nil)
			var err error
			if next.Body, err = b.next(); err != nil {
				t.Fatal(err)
			}
			func() {
				defer func() { recover() }()
				if err := b.prepare(next, hook); !errors.Is(err, failed) {
					t.Errorf("got %v, want %v", err, failed)
				}
			}()
			if made[1].closes() != 1 {
				t.Errorf("closed %d times, want once", made[1].closes())
			}
		})
	}
}

// What was read past the limit is gone: the hook gets an error, and nothing is
// sent that is cut short.
func TestHookThatReadsTooMuch(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		source := &countingBody{Reader: strings.NewReader(strings.Repeat("x", 100))}
		req := newRequest(t, http.MethodPut, "")
		req.Body, req.ContentLength = source, 100
		n := 0
		base := roundTripFunc(func(r *http.Request) (*http.Response, error) {
			n++
			r.Body.Close()
			return nil, dialFailed.err
		})
		tr := &Transport{Base: base, Policy: RetryPolicy{MaxBodyBuffer: 10}, PrepareRetry: func(r *http.Request) error {
			_, err := io.Copy(io.Discard, r.Body)
			return err
		}}
		_, err := tr.RoundTrip(req)
		var e *Error
		if !errors.As(err, &e) || e.Stop != StopPrepareFailed || n != 1 || source.closes() != 1 {
			t.Errorf("got %v after %d attempts, closed %d times; want prepare-failed, 1, 1", err, n, source.closes())
		}
	})
}

// The body that a hook gives may block or fail, too.
func TestBodyOfAHookIsWatched(t *testing.T) {
	for name, c := range map[string]struct {
		body func() io.ReadCloser
		stop StopReason
	}{
		"blocks": {func() io.ReadCloser { return &blockingBody{closed: make(chan struct{})} }, StopContext},
		"cannot dial": {
			func() io.ReadCloser { return &brokenBody{strings.NewReader("abc"), dialFailed.err} }, StopMayHaveRun,
		},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
				defer cancel()
				n := 0
				base := roundTripFunc(func(r *http.Request) (*http.Response, error) {
					if n++; n == 1 {
						r.Body.Close()
						return nil, dialFailed.err
					}
					return bases["waits for the body, as HTTP/1"](r)
				})
				tr := &Transport{Base: base, PrepareRetry: func(r *http.Request) error {
					r.Body.Close()
					r.Body, r.ContentLength = c.body(), -1
					return nil
				}}
				_, err := tr.RoundTrip(newRequest(t, http.MethodPost, "order").WithContext(ctx))
				var e *Error
				if !errors.As(err, &e) || e.Stop != c.stop || n != 2 || e.Reached != catalog.ReachedMaybe {
					t.Errorf("got %v after %d attempts, want %v after 2", err, n, c.stop)
				}
			})
		})
	}
}
