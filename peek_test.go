package apigw

import (
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"
	"testing/iotest"
	"testing/synctest"
	"time"
)

const unhealthy = "no healthy upstream"

// bodyFunc is a body whose Read is a function.
type bodyFunc func([]byte) (int, error)

func (f bodyFunc) Read(p []byte) (int, error) { return f(p) }
func (f bodyFunc) Close() error               { return nil }

// slowly gives a byte each time, after a delay.
func slowly(text string, delay time.Duration) io.ReadCloser {
	r := iotest.OneByteReader(strings.NewReader(text))
	return bodyFunc(func(p []byte) (int, error) {
		time.Sleep(delay)
		return r.Read(p)
	})
}

// What is looked into, how long that takes, and that no byte is lost.
func TestPeek(t *testing.T) {
	var zipped bytes.Buffer
	z := gzip.NewWriter(&zipped)
	io.WriteString(z, unhealthy)
	z.Close()
	long := strings.Repeat("x", maxPeek+1)
	broken := errors.New("connection reset")
	plain := func(s string) io.ReadCloser { return io.NopCloser(strings.NewReader(s)) }

	for name, c := range map[string]struct {
		body   io.ReadCloser
		length int64
		header http.Header
		limit  time.Duration
		whole  bool
		took   time.Duration
		given  string // to the caller
		err    error
	}{
		"whole":            {plain(unhealthy), 19, nil, maxPeekTime, true, 0, unhealthy, nil},
		"length not known": {plain(unhealthy), -1, nil, maxPeekTime, true, 0, unhealthy, nil},
		"length not set":   {plain(unhealthy), 0, nil, maxPeekTime, true, 0, unhealthy, nil},
		"byte by byte": {
			io.NopCloser(iotest.OneByteReader(strings.NewReader(unhealthy))), -1, nil, maxPeekTime, true, 0,
			unhealthy, nil,
		},
		"data with EOF": {
			io.NopCloser(iotest.DataErrReader(strings.NewReader(unhealthy))), -1, nil, maxPeekTime, true, 0,
			unhealthy, nil,
		},
		"longer than room":   {plain(long[:2000]), -1, nil, maxPeekTime, true, 0, long[:2000], nil},
		"as long as allowed": {plain(long[:maxPeek]), -1, nil, maxPeekTime, true, 0, long[:maxPeek], nil},
		"too long":           {plain(long), -1, nil, maxPeekTime, false, 0, long, nil},
		"says too long":      {plain(unhealthy), maxPeek + 1, nil, maxPeekTime, false, 0, unhealthy, nil},
		"shorter than said":  {plain(unhealthy), 20, nil, maxPeekTime, false, 0, unhealthy, nil},
		"longer than said":   {plain(unhealthy), 18, nil, maxPeekTime, false, 0, unhealthy, nil},
		"ends early": {
			io.NopCloser(io.MultiReader(strings.NewReader("no healthy"), iotest.ErrReader(broken))), 19, nil,
			maxPeekTime, false, 0, "no healthy", broken,
		},
		"late": {
			slowly("late", 60*time.Millisecond), -1, nil, maxPeekTime, false, 250 * time.Millisecond, "late", nil,
		},
		"in time": {
			slowly("so", 80*time.Millisecond), -1, nil, maxPeekTime, true, 240 * time.Millisecond, "so", nil,
		},
		"deadline is near": {
			slowly("late", 60*time.Millisecond), -1, nil, 100 * time.Millisecond, false, 100 * time.Millisecond,
			"late", nil,
		},
		"deadline is past": {plain(unhealthy), 19, nil, -1, false, 0, unhealthy, nil},
		"compressed": {
			plain(zipped.String()), -1, http.Header{"Content-Encoding": {"gzip"}}, maxPeekTime, false, 0,
			zipped.String(), nil,
		},
		"identity": {
			plain(unhealthy), -1, http.Header{"content-encoding": {"Identity"}}, maxPeekTime, true, 0, unhealthy,
			nil,
		},
		"HTML": {
			plain("<html>"), -1, http.Header{"Content-Type": {"text/html"}}, maxPeekTime, false, 0, "<html>", nil,
		},
		"JSON": {
			plain("{}"), -1, http.Header{"Content-Type": {"application/problem+json; charset=utf-8"}}, maxPeekTime,
			true, 0, "{}", nil,
		},
		"empty": {plain(""), -1, nil, maxPeekTime, true, 0, "", nil},
		"none":  {http.NoBody, 0, nil, maxPeekTime, true, 0, "", nil},
		"Read gives nothing": {
			bodyFunc(func([]byte) (int, error) { return 0, nil }), -1, nil, maxPeekTime, false, 0, "",
			io.ErrNoProgress,
		},
		"Read lies": {
			bodyFunc(func(p []byte) (int, error) { return len(p) + 1, nil }), -1, nil, maxPeekTime, false, 0, "",
			errBadRead,
		},
		"Read panics": {
			bodyFunc(func([]byte) (int, error) { panic("Read") }), -1, nil, maxPeekTime, false, 0, "", errPanicked,
		},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				resp := &http.Response{StatusCode: 503, Header: c.header, Body: c.body, ContentLength: c.length}
				start := time.Now()
				body, whole := peek(resp, c.limit, nil)
				if took := time.Since(start); whole != c.whole || whole && body != c.given || took != c.took {
					t.Errorf("got %q, %v after %v; want %v after %v", body, whole, took, c.whole, c.took)
				}
				given, err := io.ReadAll(noProgress{resp.Body, new(int)})
				if string(given) != c.given || !(errors.Is(err, c.err) || errors.Is(c.err, errPanicked) && err != nil) {
					t.Errorf("the caller got %.40q, %v; want %.40q, %v", given, err, c.given, c.err)
				}
				if err := resp.Body.Close(); err != nil {
					t.Errorf("Close: %v", err)
				}
			})
		})
	}
}

// errPanicked stands for whatever a panic becomes.
var errPanicked = errors.New("panicked")

// noProgress ends a reader that gives nothing and no error.
type noProgress struct {
	io.Reader
	empty *int
}

func (r noProgress) Read(p []byte) (int, error) {
	n, err := r.Reader.Read(p)
	if n == 0 && err == nil {
		if *r.empty++; *r.empty > 200 {
			return 0, io.ErrNoProgress
		}
	}
	return n, err
}

// A body that says nothing does not hold the response back, and streams on when
// it wakes up.
func TestSilentBodyStreamsOn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		pr, pw := io.Pipe()
		tr := &Transport{Base: roundTripFunc(func(req *http.Request) (*http.Response, error) {
			return &http.Response{StatusCode: 404, ContentLength: -1, Body: pr, Request: req}, nil
		})}
		start := time.Now()
		resp, err := tr.RoundTrip(newRequest(t, http.MethodGet, ""))
		if err != nil || time.Since(start) != maxPeekTime {
			t.Fatalf("got %v after %v, want the response after %v", err, time.Since(start), maxPeekTime)
		}
		go func() {
			for _, part := range []string{"one ", "two ", "three"} {
				time.Sleep(time.Second)
				io.WriteString(pw, part)
			}
			pw.Close()
		}()
		buf := make([]byte, 16)
		for i, want := range []string{"one ", "two ", "three"} {
			n, err := resp.Body.Read(buf)
			if got := string(buf[:n]); got != want || err != nil || time.Since(start) < time.Duration(i+1)*time.Second {
				t.Errorf("got %q, %v after %v, want %q as it comes", got, err, time.Since(start), want)
			}
		}
		if n, err := resp.Body.Read(buf); n != 0 || err != io.EOF {
			t.Errorf("got %d, %v, want the end", n, err)
		}
	})
}

// stuckBody blocks in Read, and in Close until Read returns.
type stuckBody struct{ release chan struct{} }

func (b stuckBody) Read([]byte) (int, error) { <-b.release; return 0, io.EOF }
func (b stuckBody) Close() error             { <-b.release; return nil }

// Close wakes a Read that waits for the one that looked ahead, and returns
// although the source's own Close does not.
func TestCloseOfAStuckBodyReturns(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		source := stuckBody{make(chan struct{})}
		resp := &http.Response{StatusCode: 503, ContentLength: -1, Body: source}
		if _, whole := peek(resp, maxPeekTime, nil); whole {
			t.Error("a stuck body is whole")
		}
		read := make(chan error)
		go func() {
			_, err := resp.Body.Read(make([]byte, 1))
			read <- err
		}()
		synctest.Wait()
		start := time.Now()
		resp.Body.Close()
		if err := <-read; !errors.Is(err, errReadClosed) || time.Since(start) > maxCloseTime {
			t.Errorf("Read returned %v, Close after %v", err, time.Since(start))
		}
		close(source.release)
	})
}

// Looking into a body ends with the context.
func TestPeekEndsWithTheContext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		time.AfterFunc(30*time.Millisecond, cancel)
		tr := &Transport{Base: roundTripFunc(func(req *http.Request) (*http.Response, error) {
			body := slowly("slow", time.Minute)
			return &http.Response{StatusCode: 404, ContentLength: -1, Body: body, Request: req}, nil
		})}
		start := time.Now()
		resp, err := tr.RoundTrip(newRequest(t, http.MethodGet, "").WithContext(ctx))
		if err != nil || time.Since(start) != 30*time.Millisecond {
			t.Errorf("got %v after %v, want the response after 30ms", err, time.Since(start))
		}
		time.Sleep(5 * time.Minute)
		resp.Body.Close()
	})
}

// A success is never looked into, and neither is the answer to a HEAD.
func TestPeekLeavesOthersAlone(t *testing.T) {
	for name, c := range map[string]struct {
		method string
		a      answer
	}{
		"success":       {http.MethodGet, answer{status: 200}},
		"redirect":      {http.MethodGet, answer{status: 302}},
		"HEAD":          {http.MethodHead, answer{status: 503}},
		"text":          {http.MethodGet, answer{status: 403, message: "Quota Exhausted"}},
		"code":          {http.MethodGet, answer{status: 403, code: "B403MQ"}},
		"unknown text":  {http.MethodGet, answer{status: 404, message: "Shop closed"}},
		"unknown code":  {http.MethodGet, answer{status: 404, code: "Shop"}},
		"watched, code": {http.MethodGet, answer{status: 500, code: "X500ED"}},
	} {
		t.Run(name, func(t *testing.T) {
			body := bodyFunc(func([]byte) (int, error) { t.Error("the body was read"); return 0, io.EOF })
			base := serve(c.a)
			once := RetryPolicy{MaxAttempts: 1}
			tr := &Transport{Policy: once, Base: roundTripFunc(func(req *http.Request) (*http.Response, error) {
				resp, err := base.RoundTrip(req)
				resp.Body, resp.ContentLength = body, -1
				return resp, err
			})}
			resp, err := tr.RoundTrip(newRequest(t, c.method, ""))
			if err != nil || resp.StatusCode != c.a.status {
				t.Errorf("got %v, %v", resp, err)
			}
		})
	}
}
