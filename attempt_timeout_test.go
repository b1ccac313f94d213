package apigw

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptrace"
	"net/url"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/apigw-go/apigw/catalog"
)

func TestAttemptTimeout(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		slow := answer{status: 200, delay: time.Minute}
		base := serve(slow, ok)
		policy := RetryPolicy{AttemptTimeout: time.Second, InitialBackoff: time.Second, Jitter: JitterNone}
		tr := &Transport{Base: base, Policy: policy}
		resp, err := tr.RoundTrip(newRequest(t, http.MethodGet, ""))
		if err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Hour) // the body may take longer than the head
		body, err := io.ReadAll(resp.Body)
		resp.Body.Close()
		if err != nil || string(body) != ok.body {
			t.Errorf("body %q, %v, want %q", body, err, ok.body)
		}
		if want := []time.Duration{0, 2 * time.Second}; !slices.Equal(base.at, want) {
			t.Errorf("attempts at %v, want %v", base.at, want)
		}
	})
}

func TestAttemptTimeoutOfAPost(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		slow := serve(answer{status: 200, delay: time.Minute})
		tr := &Transport{Base: slow, Policy: RetryPolicy{AttemptTimeout: time.Second}}
		_, err := tr.RoundTrip(newRequest(t, http.MethodPost, ""))
		var e *Error
		if !errors.As(err, &e) || e.Stop != StopMayHaveRun || !e.Timeout() ||
			!errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("got %v, want a timeout that may have run", err)
		}
	})
}

func TestTimeoutShowsThroughHTTPClient(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		client := &http.Client{Transport: &Transport{Base: serve(answer{delay: time.Hour})}, Timeout: time.Second}
		_, err := client.Get("http://api.example.com/")
		var u *url.Error
		if !errors.As(err, &u) || !u.Timeout() {
			t.Errorf("got %v, want a timeout", err)
		}
	})
}

func TestContextOfTheResponseOutlivesAnAttemptTimeout(t *testing.T) {
	client := &http.Client{Transport: &Transport{Base: serve(quota, ok),
		Policy: RetryPolicy{AttemptTimeout: time.Minute}}}
	resp, err := client.Get("http://api.example.com/")
	if err != nil {
		t.Fatal(err)
	}
	resp.Body.Close()
	again, err := client.Do(resp.Request)
	if err != nil {
		t.Fatal(err)
	}
	again.Body.Close()
	if e, found := FromResponse(again); found {
		t.Errorf("the success carries the failure before it: %v", e)
	}
}

// endingBody fails when its context ends, as net/http's does.
type endingBody struct {
	ctx context.Context
	io.Reader
}

func (b endingBody) Read(p []byte) (int, error) {
	if b.ctx.Err() != nil {
		return 0, context.Cause(b.ctx)
	}
	return b.Reader.Read(p)
}

func (b endingBody) Close() error { return nil }

// The head comes at the very moment at which the timer fires: one of them wins.
func TestHeadAtTheMomentOfAttemptTimeout(t *testing.T) {
	won := map[bool]int{}
	for range 300 {
		synctest.Test(t, func(t *testing.T) {
			base := roundTripFunc(func(r *http.Request) (*http.Response, error) {
				time.Sleep(time.Second)
				return &http.Response{StatusCode: 200, Body: endingBody{r.Context(), strings.NewReader("whole")},
					Request: r}, nil
			})
			tr := &Transport{Base: base, Policy: RetryPolicy{AttemptTimeout: time.Second, MaxAttempts: 1}}
			resp, err := tr.RoundTrip(newRequest(t, http.MethodGet, ""))
			won[err == nil]++
			if err != nil {
				return
			}
			synctest.Wait()
			body, err := io.ReadAll(resp.Body)
			resp.Body.Close()
			if string(body) != "whole" || err != nil {
				t.Errorf("the head came, then %q and %v", body, err)
			}
		})
	}
	t.Logf("head %d, timer %d", won[true], won[false])
}

// The context of an attempt ends with it, but nobody sees that.
func TestContextEndsWithTheAttempt(t *testing.T) {
	type key struct{}
	for name, c := range map[string]struct {
		body io.ReadCloser
		err  error
		end  func(*http.Response)
	}{
		"body closed": {io.NopCloser(strings.NewReader("x")), nil, func(r *http.Response) { r.Body.Close() }},
		"body read":   {io.NopCloser(strings.NewReader("x")), nil, func(r *http.Response) { io.ReadAll(r.Body) }},
		"http.NoBody": {http.NoBody, nil, func(*http.Response) {}},
		"nil body":    {nil, nil, func(*http.Response) {}},
		"error":       {nil, io.ErrUnexpectedEOF, func(*http.Response) {}},
		"body fails": {
			&brokenBody{strings.NewReader("x"), io.ErrUnexpectedEOF}, nil,
			func(r *http.Response) { io.ReadAll(r.Body) },
		},
		"body close panics": {
			&foreignBody{close: func() error { panic("x") }}, nil, func(r *http.Response) { closeWithin(r.Body) },
		},
	} {
		for how, clone := range map[string]bool{"the request itself": false, "a copy": true} {
			t.Run(name+", "+how, func(t *testing.T) {
				var attempt context.Context
				base := roundTripFunc(func(r *http.Request) (*http.Response, error) {
					attempt = r.Context()
					if clone {
						r = r.Clone(context.WithValue(r.Context(), key{}, "note"))
					}
					return &http.Response{StatusCode: 200, Body: c.body, Request: r}, c.err
				})
				ctx, cancel := context.WithCancelCause(t.Context())
				tr := &Transport{Base: base, Policy: RetryPolicy{AttemptTimeout: time.Minute, MaxAttempts: 1}}
				resp, err := tr.RoundTrip(newRequest(t, http.MethodGet, "").WithContext(ctx))
				if err == nil {
					c.end(resp)
					got := resp.Request.Context()
					if got.Err() != nil || context.Cause(got) != nil {
						t.Errorf("the context of the response ended: %v", context.Cause(got))
					}
					if clone && got.Value(key{}) != "note" {
						t.Error("the context of the response lost what the Base noted")
					}
				}
				if attempt.Err() == nil {
					t.Error("the context of the attempt goes on")
				}
				cancel(errShutdown)
				if err == nil && context.Cause(resp.Request.Context()) != errShutdown {
					t.Errorf("the response's context ended by %v, want the caller's cause",
						context.Cause(resp.Request.Context()))
				}
			})
		}
	}
}

func TestContextEndsWhenTheBasePanics(t *testing.T) {
	var attempt context.Context
	base := roundTripFunc(func(r *http.Request) (*http.Response, error) {
		attempt = r.Context()
		panic("base")
	})
	func() {
		defer func() { recover() }()
		tr := &Transport{Base: base, Policy: RetryPolicy{AttemptTimeout: time.Minute}}
		tr.RoundTrip(newRequest(t, http.MethodGet, ""))
	}()
	if attempt.Err() == nil {
		t.Error("the context of the attempt goes on")
	}
}

// connBody is the body of a status 101.
type connBody struct{ io.ReadCloser }

func (connBody) Write(p []byte) (int, error) { return len(p), nil }

type halfConnBody struct{ connBody }

func (halfConnBody) CloseWrite() error { return errShutdown }

func TestAttemptTimeoutKeepsWhatABodyCanDo(t *testing.T) {
	plain := io.NopCloser(strings.NewReader("x"))
	for name, c := range map[string]struct {
		body               io.ReadCloser
		writes, halfCloses bool
	}{
		"a body":       {plain, false, false},
		"a connection": {connBody{plain}, true, false},
		"half-closes":  {halfConnBody{connBody{plain}}, true, true},
	} {
		t.Run(name, func(t *testing.T) {
			base := roundTripFunc(func(r *http.Request) (*http.Response, error) {
				return &http.Response{StatusCode: 200, Body: c.body, Request: r}, nil
			})
			tr := &Transport{Base: base, Policy: RetryPolicy{AttemptTimeout: time.Minute}}
			resp, err := tr.RoundTrip(newRequest(t, http.MethodGet, ""))
			if err != nil {
				t.Fatal(err)
			}
			defer resp.Body.Close()
			_, writes := resp.Body.(io.Writer)
			half, halfCloses := resp.Body.(interface{ CloseWrite() error })
			if writes != c.writes || halfCloses != c.halfCloses {
				t.Errorf("writes %v, half-closes %v; want %v, %v", writes, halfCloses, c.writes, c.halfCloses)
			}
			if halfCloses && half.CloseWrite() != errShutdown {
				t.Error("CloseWrite is not the connection's")
			}
		})
	}
}

// AttemptTimeout during a dial: nothing was sent, if net/http says so.
func TestAttemptTimeoutBeforeAConnection(t *testing.T) {
	hang := func(ctx context.Context, network, _ string) (net.Conn, error) {
		<-ctx.Done()
		return nil, &net.OpError{Op: "dial", Net: network, Err: ctx.Err()}
	}
	silent, _ := listen(t, func(conn net.Conn) { io.Copy(io.Discard, conn) })
	for name, c := range map[string]struct {
		base    http.RoundTripper
		reached catalog.Reached
	}{
		"dial":                {&http.Transport{DialContext: hang}, catalog.ReachedNo},
		"TLS handshake":       {&http.Transport{DialTLSContext: hang}, catalog.ReachedNo},
		"no answer":           {&http.Transport{}, catalog.ReachedMaybe},
		"Base without traces": {serve(answer{delay: time.Hour}), catalog.ReachedMaybe},
		"the second request of the Base": {roundTripFunc(func(r *http.Request) (*http.Response, error) {
			trace := httptrace.ContextClientTrace(r.Context())
			trace.GetConn("first")
			trace.GotConn(httptrace.GotConnInfo{})
			trace.GetConn("second")
			<-r.Context().Done()
			return nil, context.Cause(r.Context())
		}), catalog.ReachedMaybe},
	} {
		t.Run(name, func(t *testing.T) {
			scheme := "http://"
			if name == "TLS handshake" {
				scheme = "https://"
			}
			policy := RetryPolicy{AttemptTimeout: 20 * time.Millisecond, MaxAttempts: 2}
			e := postOrder(t, &Transport{Base: c.base, Policy: policy}, scheme+silent)
			stop := StopMayHaveRun
			if c.reached == catalog.ReachedNo {
				stop = StopMaxAttempts
			}
			if e.Reached != c.reached || e.Stop != stop || !e.Timeout() || !errors.Is(e, context.DeadlineExceeded) {
				t.Errorf("reached %v, stopped by %v, timeout %v; want %v, %v, true",
					e.Reached, e.Stop, e.Timeout(), c.reached, stop)
			}
			if t, ok := c.base.(*http.Transport); ok {
				t.CloseIdleConnections()
			}
		})
	}
}

// The caller's trace goes on as before.
func TestAttemptTimeoutKeepsTheTrace(t *testing.T) {
	server, _ := serverOf(t, func(w http.ResponseWriter, _ *http.Request) {})
	got := 0
	ctx := httptrace.WithClientTrace(t.Context(),
		&httptrace.ClientTrace{GotConn: func(httptrace.GotConnInfo) { got++ }})
	req := newRequest(t, http.MethodGet, "").WithContext(ctx)
	req.URL = mustParse(t, server.URL)
	tr := &Transport{Base: server.Client().Transport, Policy: RetryPolicy{AttemptTimeout: time.Minute}}
	resp, err := tr.RoundTrip(req)
	if err != nil {
		t.Fatal(err)
	}
	resp.Body.Close()
	if got != 1 {
		t.Errorf("the caller's trace saw %d connections, want one", got)
	}
}
