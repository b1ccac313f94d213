package apigw

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/apigw-go/apigw/catalog"
)

// bases are what a Base may do with a body, while it sends or when it fails.
var bases = map[string]func(*http.Request) (*http.Response, error){
	"reads and closes": func(r *http.Request) (*http.Response, error) {
		_, err := io.Copy(io.Discard, r.Body)
		r.Body.Close()
		return refusedWith(r, http.NoBody), err
	},
	"closes at once": func(r *http.Request) (*http.Response, error) {
		r.Body.Close()
		return nil, dialFailed.err
	},
	"answers while it reads, as net/http": func(r *http.Request) (*http.Response, error) {
		go func() {
			io.Copy(io.Discard, r.Body)
			r.Body.Close()
		}()
		time.Sleep(time.Millisecond)
		return refusedWith(r, http.NoBody), nil
	},
	"response closes after the body, as HTTP/2": func(r *http.Request) (*http.Response, error) {
		read := make(chan struct{})
		go func() {
			defer close(read)
			io.Copy(io.Discard, r.Body)
		}()
		time.Sleep(time.Millisecond)
		closed := &foreignBody{read: strings.NewReader("busy").Read, close: func() error {
			r.Body.Close()
			<-read
			return nil
		}}
		return refusedWith(r, closed), nil
	},
	"waits for the body, as HTTP/1": func(r *http.Request) (*http.Response, error) {
		_, err := io.Copy(io.Discard, r.Body)
		r.Body.Close()
		if err == nil {
			err = io.ErrUnexpectedEOF
		}
		return nil, err
	},
}

func refusedWith(r *http.Request, body io.ReadCloser) *http.Response {
	return &http.Response{StatusCode: 503, ContentLength: -1, Body: body, Request: r}
}

// Whatever body and Base do, RoundTrip returns, soon after its context at last,
// and the caller's body is closed once.
func TestHostileRequestBodies(t *testing.T) {
	for name := range hostileBodies(nil) {
		for how, base := range bases {
			for _, getBody := range []bool{false, true} {
				for _, attemptTimeout := range []time.Duration{0, time.Second} {
					title := fmt.Sprintf("%s, Base %s, GetBody %v, AttemptTimeout %v", name, how, getBody,
						attemptTimeout)
					t.Run(title, func(t *testing.T) {
						synctest.Test(t, func(t *testing.T) {
							end := make(chan struct{})
							defer close(end)
							ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
							defer cancel()
							body := hostileBodies(end)[name]
							req := newRequest(t, http.MethodPut, "").WithContext(ctx)
							req.Body, req.ContentLength = body, -1
							if getBody {
								req.GetBody = func() (io.ReadCloser, error) { return hostileBodies(end)[name], nil }
							}
							tr := &Transport{Base: roundTripFunc(base), Policy: RetryPolicy{
								AttemptTimeout: attemptTimeout, MaxBodyBuffer: 4 << 10,
								InitialBackoff: time.Millisecond,
							}}
							start := time.Now()
							resp, err := tr.RoundTrip(req)
							if took := time.Since(start); took > 11*time.Second {
								t.Errorf("it took %v, 10s were allowed", took)
							}
							if resp != nil {
								closeWithin(resp.Body)
							}
							cancel()
							time.Sleep(time.Second)
							if got := body.calls.Load(); got != 1 {
								t.Errorf("closed %d times, want once; %v, %v", got, resp, err)
							}
						})
					})
				}
			}
		}
	}
}

// A body is on the way when the server refuses: what was sent is remembered, or
// else the refusal comes back, whole.
func TestBodyThatGrowsWhileItIsRefused(t *testing.T) {
	const limit = 64 << 10
	for name, c := range map[string]struct {
		sent  int // before the refusal
		size  int
		again bool
	}{
		"within the limit":           {8 << 10, 40 << 10, true},
		"grows beyond it afterwards": {8 << 10, 256 << 10, true},
		"just within the limit":      {limit, 256 << 10, true},
		"beyond the limit":           {limit + 1, 256 << 10, false},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				content := bytes.Repeat([]byte("0123456789abcdef"), c.size/16)
				var sent [2]bytes.Buffer
				n := 0
				base := roundTripFunc(func(r *http.Request) (*http.Response, error) {
					buf := &sent[n]
					if n++; n == 2 {
						io.Copy(buf, r.Body)
						r.Body.Close()
						return &http.Response{StatusCode: 200, Body: http.NoBody}, nil
					}
					io.CopyN(buf, r.Body, int64(c.sent))
					go func() { // goes on, as net/http does until the response is closed
						time.Sleep(time.Millisecond)
						io.Copy(buf, r.Body)
						r.Body.Close()
					}()
					return refusedWith(r, io.NopCloser(strings.NewReader("busy"))), nil
				})
				source := &countingBody{Reader: bytes.NewReader(content)}
				req := newRequest(t, http.MethodPut, "")
				req.Body, req.ContentLength = source, -1
				tr := &Transport{Base: base, Policy: RetryPolicy{MaxBodyBuffer: limit}}
				// time to grow, before the decision
				tr.OnAttempt = func(*http.Request, Attempt) { time.Sleep(time.Second) }
				resp, err := tr.RoundTrip(req)
				if err != nil {
					t.Fatal(err)
				}
				synctest.Wait()
				last := &sent[n-1]
				if !bytes.Equal(last.Bytes(), content) {
					t.Errorf("the last attempt sent %d bytes, want the %d of the body", last.Len(), len(content))
				}
				if (n == 2) != c.again {
					t.Errorf("%d attempts, want a second one: %v", n, c.again)
				}
				if text, err := io.ReadAll(resp.Body); n == 1 && (string(text) != "busy" || err != nil) {
					t.Errorf("the refusal came back with %q, %v", text, err)
				}
				if source.closes() != 1 {
					t.Errorf("the source was closed %d times, want once", source.closes())
				}
			})
		})
	}
}

// The attempt that was refused does not wait for the producer until the retry:
// HTTP/2 holds its stream, and the Close of the response, for as long.
func TestRefusedAttemptLetsGoOfTheBody(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		pr, pw := io.Pipe()
		defer pw.Close()
		req := newRequest(t, http.MethodPut, "")
		req.Body, req.ContentLength = pr, -1
		n, start := 0, time.Now()
		base := roundTripFunc(func(r *http.Request) (*http.Response, error) {
			if n++; n == 2 {
				r.Body.Close()
				return &http.Response{StatusCode: 200, Body: http.NoBody}, nil
			}
			go func() {
				io.Copy(io.Discard, r.Body)
				if waited := time.Since(start); waited > 0 {
					t.Errorf("it had the body for %v", waited)
				}
				r.Body.Close()
			}()
			synctest.Wait()
			return refusedWith(r, http.NoBody), nil
		})
		tr := &Transport{Base: base, Policy: RetryPolicy{
			InitialBackoff: time.Minute, MaxBackoff: time.Minute, Jitter: JitterNone,
		}}
		if _, err := tr.RoundTrip(req); err != nil || n != 2 || time.Since(start) != time.Minute {
			t.Errorf("%v after %d attempts and %v", err, n, time.Since(start))
		}
	})
}

// The failure of a source that is a connection itself is not that of the
// request, even where the Base returns it as it is.
func TestSourceOfTheBodyFails(t *testing.T) {
	dial := &net.OpError{Op: "dial", Net: "tcp", Err: syscall.ECONNREFUSED}
	for name, cause := range map[string]error{
		"dial": dial, "limiter": &refusal{"limiter", nil, true}, "certificate": certificateError(),
		"permanent": lasting{true}, "a text of net/http": errors.New("http: ContentLength=9 with Body length 5"),
	} {
		for _, getBody := range []bool{false, true} {
			t.Run(fmt.Sprint(name, ", GetBody ", getBody), func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					req := newRequest(t, http.MethodPost, "")
					newBody := func() (io.ReadCloser, error) {
						return &brokenBody{strings.NewReader("abc"), cause},
							nil
					}
					req.Body, _ = newBody()
					req.ContentLength = -1
					if getBody {
						req.GetBody = newBody
					}
					_, err := (&Transport{Base: roundTripFunc(bases["waits for the body, as HTTP/1"])}).RoundTrip(req)
					var e *Error
					if !errors.As(err, &e) || e.Reached != catalog.ReachedMaybe || e.Stop != StopMayHaveRun ||
						len(e.Attempts) != 1 {
						t.Errorf("got %v, want may-have-run after one attempt", err)
					}
					if !errors.Is(err, cause) {
						t.Errorf("%v does not wrap %v", err, cause)
					}
				})
			})
		}
	}
}

func TestWrongContentLength(t *testing.T) {
	torn := errors.New("http2: stream closed")
	for name, c := range map[string]struct {
		body     io.ReadCloser
		getBody  bool
		declared int64
		stop     StopReason
	}{
		"in memory, too short":    {io.NopCloser(strings.NewReader("order")), true, 9, StopPermanent},
		"in memory, too long":     {io.NopCloser(strings.NewReader("order")), true, 3, StopPermanent},
		"in memory, right":        {io.NopCloser(strings.NewReader("order")), true, 5, StopMaxAttempts},
		"one-shot, too short":     {&countingBody{Reader: strings.NewReader("order")}, false, 9, StopPermanent},
		"one-shot, too long":      {&countingBody{Reader: strings.NewReader("order")}, false, 3, StopPermanent},
		"one-shot, right":         {&countingBody{Reader: strings.NewReader("order")}, false, 5, StopMaxAttempts},
		"one-shot, not known":     {&countingBody{Reader: strings.NewReader("order")}, false, -1, StopMaxAttempts},
		"nothing declared at all": {io.NopCloser(strings.NewReader("order")), true, 0, StopMaxAttempts},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				req := newRequest(t, http.MethodPut, "")
				req.Body, req.ContentLength = c.body, c.declared
				if c.getBody {
					req.GetBody = func() (io.ReadCloser, error) { return io.NopCloser(strings.NewReader("order")), nil }
				}
				_, err := (&Transport{Base: serve(answer{err: torn})}).RoundTrip(req)
				var e *Error
				if !errors.As(err, &e) || e.Stop != c.stop || !errors.Is(err, torn) {
					t.Errorf("got %v, want %v", err, c.stop)
				}
			})
		})
	}
}

// The body goes to the Base as it is if it can neither block nor fail.
func TestReliableBodiesGoOutAsTheyAre(t *testing.T) {
	file, err := os.Create(filepath.Join(t.TempDir(), "order"))
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	pipe, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer pipe.Close()
	w.Close()
	for name, c := range map[string]struct {
		body io.ReadCloser
		want bool
	}{
		"strings.Reader": {io.NopCloser(strings.NewReader("order")), true},
		"bytes.Reader":   {io.NopCloser(bytes.NewReader([]byte("order"))), true},
		"bytes.Buffer":   {io.NopCloser(bytes.NewBufferString("order")), true},
		"http.NoBody":    {http.NoBody, true},
		"file":           {file, true},
		"pipe":           {pipe, false},
		"NopCloser":      {io.NopCloser(io.MultiReader(strings.NewReader("order"))), false},
		"NopCloser, nil": {io.NopCloser(nil), false},
		"anything else":  {&countingBody{Reader: strings.NewReader("order")}, false},
	} {
		t.Run(name, func(t *testing.T) {
			req := newRequest(t, http.MethodPost, "")
			req.Body, req.GetBody = c.body, func() (io.ReadCloser, error) { return c.body, nil }
			var got atomic.Bool
			base := roundTripFunc(func(r *http.Request) (*http.Response, error) {
				got.Store(r == req)
				r.Body.Close()
				return &http.Response{StatusCode: 200, Body: http.NoBody}, nil
			})
			if _, err := (&Transport{Base: base}).RoundTrip(req); err != nil || got.Load() != c.want {
				t.Errorf("the caller's request itself: %v, %v; want %v", got.Load(), err, c.want)
			}
		})
	}
}

// Older programs cancel by a channel.
func TestRequestCancelEndsABlockedBody(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		pr, pw := io.Pipe()
		defer pw.Close()
		cancel := make(chan struct{})
		time.AfterFunc(time.Second, func() { close(cancel) })
		req := newRequest(t, http.MethodPut, "")
		req.Body, req.ContentLength = pr, -1
		//lint:ignore SA1019 the subject
		req.Cancel = cancel
		start := time.Now()
		_, err := (&Transport{Base: roundTripFunc(bases["waits for the body, as HTTP/1"])}).RoundTrip(req)
		var e *Error
		if !errors.As(err, &e) || e.Stop != StopContext || time.Since(start) != time.Second {
			t.Errorf("got %v after %v, want context-done after 1s", err, time.Since(start))
		}
	})
}

// GetBody is called for each attempt but the first, and for nothing else.
func TestGetBodyIsCalledOnceForEachRetry(t *testing.T) {
	for name, failure := range map[string]answer{"no connection": dialFailed, "broken": reset, "refused": unavailable} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				calls := 0
				req := newRequest(t, http.MethodPut, "order")
				getBody := req.GetBody
				req.GetBody = func() (io.ReadCloser, error) { calls++; return getBody() }
				base := serve(failure)
				(&Transport{Base: base}).RoundTrip(req)
				if calls != base.attempts()-1 {
					t.Errorf("called %d times in %d attempts", calls, base.attempts())
				}
			})
		})
	}
}
