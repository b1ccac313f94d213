package apigw

import (
	"bytes"
	"errors"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// blockingBody never gives a byte; Read returns when it is closed.
type blockingBody struct {
	once   sync.Once
	closed chan struct{}
}

func (b *blockingBody) Read([]byte) (int, error) {
	<-b.closed
	return 0, errors.New("closed")
}

func (b *blockingBody) Close() error {
	b.once.Do(func() { close(b.closed) })
	return nil
}

func TestBodyThatBlocksDoesNotHoldTheRetryUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := 0
		base := roundTripFunc(func(req *http.Request) (*http.Response, error) {
			if n++; n == 1 {
				return &http.Response{StatusCode: 503, ContentLength: -1, Body: &blockingBody{closed: make(chan struct{})}}, nil
			}
			return &http.Response{StatusCode: 200, Body: http.NoBody}, nil
		})
		start := time.Now()
		tr := &Transport{Base: base, Policy: RetryPolicy{InitialBackoff: time.Millisecond}}
		if _, err := tr.RoundTrip(newRequest(t, http.MethodGet, "")); err != nil {
			t.Fatal(err)
		}
		if got := time.Since(start); got > maxDrainTime {
			t.Errorf("the retry came after %v, want at most %v", got, maxDrainTime)
		}
	})
}

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
		"GetBody":                       {large, true, RetryPolicy{}, []answer{unavailable, unavailable, ok}, StopUnknown, 3},
		"one-shot, small":               {"order", false, RetryPolicy{}, []answer{unavailable, unavailable, ok}, StopUnknown, 3},
		"one-shot, too large":           {large, false, RetryPolicy{}, []answer{unavailable}, StopBody, 1},
		"one-shot, larger bound":        {large, false, RetryPolicy{MaxBodyBuffer: 1 << 20}, []answer{unavailable, ok}, StopUnknown, 2},
		"one-shot, nothing remembered":  {"order", false, RetryPolicy{MaxBodyBuffer: -1}, []answer{unavailable}, StopBody, 1},
		"one-shot, network failure":     {"order", false, RetryPolicy{}, []answer{dialFailed, ok}, StopUnknown, 2},
		"one-shot, success at once":     {large, false, RetryPolicy{}, []answer{ok}, StopUnknown, 1},
		"one-shot, fails fast":          {"order", false, RetryPolicy{}, []answer{quota}, StopNotRetryable, 1},
		"one-shot, one attempt allowed": {"order", false, RetryPolicy{MaxAttempts: 1}, []answer{unavailable}, StopMaxAttempts, 1},
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
				return &http.Response{StatusCode: 504, Header: http.Header{headerErrorMessage: {notSentText}}, Body: http.NoBody}, nil
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
