package apigw

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/iotest"
	"testing/synctest"
	"time"
)

// countingBody counts Close, and reads after it fail.
type countingBody struct {
	io.Reader
	mu     sync.Mutex
	closed int
}

func (b *countingBody) Read(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.closed > 0 {
		return 0, errors.New("read after Close")
	}
	return b.Reader.Read(p)
}

func (b *countingBody) Close() error {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.closed++
	return nil
}

func (b *countingBody) closes() int {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.closed
}

func TestRequestBodies(t *testing.T) {
	large := strings.Repeat("x", 100<<10)
	for name, c := range map[string]struct {
		body    string
		getBody bool
		policy  RetryPolicy
		answers []answer
		stop    StopReason
		sent    int
	}{
		"GetBody": {
			large, true, RetryPolicy{}, []answer{unavailable, unavailable, ok}, StopUnknown, 3,
		},
		"one-shot, small": {
			"order", false, RetryPolicy{}, []answer{unavailable, unavailable, ok}, StopUnknown, 3,
		},
		"one-shot, too large": {large, false, RetryPolicy{}, []answer{unavailable}, StopBody, 1},
		"one-shot, larger bound": {
			large, false, RetryPolicy{MaxBodyBuffer: 1 << 20}, []answer{unavailable, ok}, StopUnknown, 2,
		},
		"one-shot, nothing remembered": {
			"order", false, RetryPolicy{MaxBodyBuffer: -1}, []answer{unavailable}, StopBody, 1,
		},
		"one-shot, network failure": {"order", false, RetryPolicy{}, []answer{dialFailed, ok}, StopUnknown, 2},
		"one-shot, success at once": {large, false, RetryPolicy{}, []answer{ok}, StopUnknown, 1},
		"one-shot, fails fast":      {"order", false, RetryPolicy{}, []answer{quota}, StopNotRetryable, 1},
		"one-shot, one attempt allowed": {
			"order", false, RetryPolicy{MaxAttempts: 1}, []answer{unavailable}, StopMaxAttempts, 1,
		},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				base := serve(c.answers...)
				body := &countingBody{Reader: strings.NewReader(c.body)}
				req := newRequest(t, http.MethodPost, "")
				req.Body, req.ContentLength = body, int64(len(c.body))
				if c.getBody {
					req.GetBody = func() (io.ReadCloser, error) { return io.NopCloser(strings.NewReader(c.body)), nil }
				}
				before := *req
				resp, err := (&Transport{Base: base, Policy: c.policy}).RoundTrip(req)
				if err != nil {
					t.Fatal(err)
				}
				resp.Body.Close()
				got := StopUnknown
				if e, found := FromResponse(resp); found {
					got = e.Stop
				}
				if got != c.stop || len(base.bodies) != c.sent {
					t.Errorf("stopped by %v, sent %d times; want %v, %d", got, len(base.bodies), c.stop, c.sent)
				}
				for i, b := range base.bodies {
					if b != c.body {
						t.Errorf("attempt %d sent %d bytes, want %d", i+1, len(b), len(c.body))
					}
				}
				if body.closed != 1 {
					t.Errorf("the caller's body was closed %d times, want once", body.closed)
				}
				if req.Body != before.Body || req.ContentLength != before.ContentLength {
					t.Error("the caller's request was changed")
				}
			})
		})
	}
}

// A full duplex exchange: the response comes while the body is being sent.
func TestOneShotBodyMayOutliveItsResponse(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		pr, pw := io.Pipe()
		var sent bytes.Buffer
		done := make(chan struct{})
		base := roundTripFunc(func(req *http.Request) (*http.Response, error) {
			go func() {
				defer close(done)
				io.Copy(&sent, req.Body)
				req.Body.Close()
			}()
			return &http.Response{StatusCode: 200, Body: http.NoBody}, nil
		})
		req := newRequest(t, http.MethodPost, "")
		req.Body, req.ContentLength = pr, -1
		if _, err := (&Transport{Base: base}).RoundTrip(req); err != nil {
			t.Fatal(err)
		}
		pw.Write([]byte("after the "))
		pw.Write([]byte("response"))
		pw.Close()
		<-done
		if got := sent.String(); got != "after the response" {
			t.Errorf("sent %q", got)
		}
	})
}

// The first attempt fails while it still waits for the producer of the body.
func TestOneShotBodyIsTakenFromAnAttemptThatStillReads(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		pr, pw := io.Pipe()
		var sent []byte
		n := 0
		base := roundTripFunc(func(req *http.Request) (*http.Response, error) {
			if n++; n == 1 {
				go func() { // still reading when the answer is there
					io.ReadAll(req.Body)
					req.Body.Close()
				}()
				time.Sleep(time.Second)
				header := http.Header{headerErrorMessage: {notSentText}}
				return &http.Response{StatusCode: 504, Header: header, Body: http.NoBody}, nil
			}
			sent, _ = io.ReadAll(req.Body)
			req.Body.Close()
			return &http.Response{StatusCode: 200, Body: http.NoBody}, nil
		})
		go func() {
			pw.Write([]byte("early "))
			time.Sleep(time.Minute)
			pw.Write([]byte("late"))
			pw.Close()
		}()
		req := newRequest(t, http.MethodPost, "")
		req.Body, req.ContentLength = pr, -1
		resp, err := (&Transport{Base: base}).RoundTrip(req)
		if err != nil || resp.StatusCode != 200 || string(sent) != "early late" {
			t.Errorf("got %v, %v, second attempt sent %q; want 200 and %q", resp, err, sent, "early late")
		}
	})
}

// brokenBody fails after its first bytes.
type brokenBody struct {
	io.Reader
	err error
}

func (b *brokenBody) Read(p []byte) (int, error) {
	n, err := b.Reader.Read(p)
	if err == io.EOF {
		err = b.err
	}
	return n, err
}

func (b *brokenBody) Close() error { return nil }

func TestBodyWhoseSourceFails(t *testing.T) {
	dns := &net.DNSError{Err: "no such host", Name: "source.example"}
	for name, c := range map[string]struct {
		method  string
		getBody bool
		stop    StopReason
	}{
		"one-shot, PUT":                {http.MethodPut, false, StopBody},
		"an error like that of a dial": {http.MethodPost, true, StopMayHaveRun},
		"one-shot, POST":               {http.MethodPost, false, StopMayHaveRun},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				n := 0
				base := roundTripFunc(func(req *http.Request) (*http.Response, error) {
					n++
					_, err := io.ReadAll(req.Body)
					req.Body.Close()
					return nil, err
				})
				newBody := func() (io.ReadCloser, error) { return &brokenBody{strings.NewReader("abc"), dns}, nil }
				req := newRequest(t, c.method, "")
				req.Body, _ = newBody()
				req.ContentLength = -1
				if c.getBody {
					req.GetBody = newBody
				}
				_, err := (&Transport{Base: base}).RoundTrip(req)
				var e *Error
				if !errors.As(err, &e) || e.Stop != c.stop || n != 1 {
					t.Errorf("got %v after %d attempts, want %v after one", err, n, c.stop)
				}
			})
		})
	}
}

// A Read that waits for the source returns when it is of no use any more, and
// nothing that the source gives afterwards is lost.
func TestWaitingReadIsWoken(t *testing.T) {
	for name, end := range map[string]func(*requestBody, *attemptBody, context.CancelFunc){
		"Close":       func(_ *requestBody, r *attemptBody, _ context.CancelFunc) { r.Close() },
		"the context": func(_ *requestBody, _ *attemptBody, cancel context.CancelFunc) { cancel() },
		"another attempt": func(b *requestBody, _ *attemptBody,
			_ context.CancelFunc) {
			b.reader(context.Background())
		},
		"drop":    func(b *requestBody, _ *attemptBody, _ context.CancelFunc) { b.drop() },
		"the end": func(b *requestBody, _ *attemptBody, _ context.CancelFunc) { b.finish(false) },
	} {
		for _, held := range []bool{false, true} {
			t.Run(fmt.Sprint(name, ", held ", held), func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					ctx, cancel := context.WithCancel(t.Context())
					defer cancel()
					pr, pw := io.Pipe()
					body := newRequestBody(pr, 100)
					r := body.reader(ctx)
					failed := make(chan error, 1)
					go func() {
						n, err := r.Read(make([]byte, 10))
						if n > 0 {
							err = fmt.Errorf("%d bytes", n)
						}
						failed <- err
					}()
					synctest.Wait()
					if held {
						body.hold()
					}
					end(body, r, cancel)
					if err := <-failed; err != errBodyClosed {
						t.Errorf("Read returned %v, want %v", err, errBodyClosed)
					}
					if name == "the end" {
						return
					}
					go func() {
						pw.Write([]byte("order"))
						pw.Close()
					}()
					if got, err := io.ReadAll(body.reader(t.Context())); string(got) != "order" || err != nil {
						t.Errorf("the next attempt reads %q, %v, want the order", got, err)
					}
					body.finish(false)
				})
			})
		}
	}
}

func TestHeldBodyGivesNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		body := newRequestBody(io.NopCloser(strings.NewReader("order")), 3)
		r := body.reader(t.Context())
		io.ReadFull(r, make([]byte, 3))
		body.hold()
		var read atomic.Bool
		go func() {
			r.Read(make([]byte, 10))
			read.Store(true)
		}()
		time.Sleep(time.Hour)
		if read.Load() || !body.replayable() {
			t.Fatal("the body grew although it was held")
		}
		body.finish(true)
		synctest.Wait()
		if !read.Load() {
			t.Error("the body was not let go")
		}
		r.Close()
	})
}

// Attempts that read at once, one after the other, at random sizes, all see the
// same bytes.
func TestBodyIsTheSameForEachAttempt(t *testing.T) {
	content := strings.Repeat("0123456789", 5000)
	body := newRequestBody(io.NopCloser(iotest.HalfReader(strings.NewReader(content))), 1<<20)
	var readers sync.WaitGroup
	for range 8 {
		r := body.reader(t.Context())
		readers.Go(func() { // still reads when the next one begins
			got, err := io.ReadAll(r)
			if !strings.HasPrefix(content, string(got)) {
				t.Errorf("read %d bytes that are not those of the body, %v", len(got), err)
			}
			r.Close()
		})
	}
	r := body.reader(t.Context())
	if got, err := io.ReadAll(r); string(got) != content || err != nil {
		t.Errorf("the last attempt read %d bytes, %v; want %d", len(got), err, len(content))
	}
	readers.Wait()
	body.finish(true)
	r.Close()
}

// net/http does not wake a Read of the body when the context ends; the body
// does.
func TestBlockedBodyDoesNotOutliveTheContext(t *testing.T) {
	for name, http2 := range map[string]bool{"HTTP/1": false, "HTTP/2": true} {
		t.Run(name, func(t *testing.T) {
			srv := httptest.NewUnstartedServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
				io.Copy(io.Discard, r.Body)
			}))
			srv.Config.ErrorLog = log.New(io.Discard, "", 0)
			srv.EnableHTTP2 = http2
			srv.StartTLS()
			defer srv.Close()
			ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
			defer cancel()
			pr, pw := io.Pipe()
			defer pw.Close()
			req := newRequest(t, http.MethodPost, "").WithContext(ctx)
			req.URL, req.Body, req.ContentLength = mustParse(t, srv.URL), pr, -1
			done := make(chan error, 1)
			go func() {
				resp, err := (&Transport{Base: srv.Client().Transport}).RoundTrip(req)
				if err == nil { // the server may answer what was cut, in TLS even after the end
					resp.Body.Close()
					err = context.DeadlineExceeded
				}
				done <- err
			}()
			select {
			case err := <-done:
				if !errors.Is(err, context.DeadlineExceeded) {
					t.Errorf("got %v, want the deadline", err)
				}
			case <-time.After(10 * time.Second):
				t.Fatal("RoundTrip waits for the body for ever")
			}
		})
	}
}

// HTTP/2 refuses early, with a body, and the producer of the request's body
// waits: Close of the response waits for the Read of the body.
func TestEarlyRefusalWhileTheProducerWaits(t *testing.T) {
	var n atomic.Int64
	srv := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if n.Add(1) == 1 {
			refuse(w, http.StatusServiceUnavailable, "Service Unavailable")
			io.WriteString(w, "try again")
			return
		}
		io.Copy(w, r.Body)
	}))
	srv.EnableHTTP2 = true
	srv.StartTLS()
	defer srv.Close()
	pr, pw := io.Pipe()
	go func() {
		pw.Write([]byte("first, "))
		for n.Load() < 2 { // waits until the request was sent again
			time.Sleep(time.Millisecond)
		}
		pw.Write([]byte("second"))
		pw.Close()
	}()
	req := newRequest(t, http.MethodPut, "")
	req.URL, req.Body, req.ContentLength = mustParse(t, srv.URL), pr, -1
	resp, err := (&Transport{Base: srv.Client().Transport, Policy: quick}).RoundTrip(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	if got, err := io.ReadAll(resp.Body); string(got) != "first, second" || err != nil {
		t.Errorf("the second attempt sent %q, %v", got, err)
	}
}
