package apigw

import (
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"reflect"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/apigw-go/apigw/catalog"
	"github.com/apigw-go/apigw/gatewaytest"
	"github.com/apigw-go/apigw/signer"
	"github.com/cenkalti/backoff/v4"
	"github.com/hashicorp/go-retryablehttp"
)

// decisions is what a loop made of a script.
type decisions struct {
	At      []time.Duration // when each attempt began
	Bodies  []string
	Status  int
	Waits   []time.Duration // told by the Error, one per attempt
	Retries int             // told to OnRetry
	Done    int             // told to OnDone
	Code    catalog.Code
	ErrorID string
	Reached catalog.Reached
	Stop    StopReason
	Cause   error
}

// decisionsOf sends a request through send and notes what came of it.
func decisionsOf(t *testing.T, base *script, tr *Transport, send func() (*http.Response, error)) decisions {
	t.Helper()
	var d decisions
	tr.OnRetry = func(*http.Request, Attempt, time.Duration) { d.Retries++ }
	tr.OnDone = func(*http.Request, Result) { d.Done++ }
	resp, err := send()
	var e *Error
	if err != nil && !errors.As(err, &e) {
		t.Errorf("got the error %v, want an *Error", err)
	}
	if resp != nil {
		if err != nil {
			t.Errorf("got a response and the error %v", err)
		}
		d.Status = resp.StatusCode
		if _, err := io.ReadAll(resp.Body); err != nil {
			t.Errorf("the body cannot be read: %v", err)
		}
		resp.Body.Close()
		e, _ = FromResponse(resp)
	}
	d.At, d.Bodies = base.at, base.bodies
	if e != nil {
		d.Code, d.ErrorID, d.Reached, d.Stop, d.Cause = e.Code, e.Entry.ID, e.Reached, e.Stop, e.Err
		for _, a := range e.Attempts {
			d.Waits = append(d.Waits, a.Wait)
		}
	}
	return d
}

// TestRetryableClientDecidesAsTransport runs the same cases through both and
// compares everything that they decided and told.
func TestRetryableClientDecidesAsTransport(t *testing.T) {
	const get, post = http.MethodGet, http.MethodPost
	retryAfter := func(v string) answer {
		return answer{status: 503, message: "Service Unavailable", header: http.Header{"Retry-After": {v}}}
	}
	type setup struct {
		name    string
		method  string
		answers []answer
		policy  RetryPolicy
		header  string
		change  func(*Transport)
		timeout time.Duration // of the context
	}
	cases := []setup{
		{name: "success", method: get, answers: []answer{ok}},
		{name: "success after a failure", method: post, answers: []answer{unavailable, ok}},
		{name: "503 of the gateway", method: get, answers: []answer{unavailable}},
		{name: "503 of the gateway, POST", method: post, answers: []answer{unavailable}},
		{name: "internal error", method: get, answers: []answer{internal}},
		{name: "internal error, POST", method: post, answers: []answer{internal}},
		{name: "internal error, POST with key", method: post, answers: []answer{internal}, header: "Idempotency-Key"},
		{name: "internal error, POST permitted", method: post, answers: []answer{internal}, policy: RetryPolicy{RetryNonIdempotent: true}},
		{name: "not curable", method: get, answers: []answer{{status: 500, code: "X500ED"}}},
		{name: "quota", method: get, answers: []answer{quota}},
		{name: "throttled", method: get, answers: []answer{throttled}},
		{name: "throttled, waits", method: post, answers: []answer{throttled, throttled, ok}, policy: RetryPolicy{MaxThrottleWait: time.Minute}},
		{name: "throttled for too long", method: get, answers: []answer{throttled}, policy: RetryPolicy{MaxThrottleWait: 4 * time.Second, MaxAttempts: 9}},
		{name: "503 of the backend", method: get, answers: []answer{{status: 503}}},
		{name: "503 of the backend, POST", method: post, answers: []answer{{status: 503}}},
		{name: "404 of the backend", method: get, answers: []answer{{status: 404}}},
		{name: "429 of the backend", method: get, answers: []answer{{status: 429}}},
		{name: "listed status", method: get, answers: []answer{{status: 425}}, policy: RetryPolicy{RetryableStatusCodes: []int{425}}},
		{name: "one attempt", method: get, answers: []answer{unavailable}, policy: RetryPolicy{MaxAttempts: 1}},
		{name: "eight attempts", method: get, answers: []answer{unavailable}, policy: RetryPolicy{MaxAttempts: 8}},
		{name: "Retry-After", method: get, answers: []answer{retryAfter("7"), ok}},
		{name: "Retry-After in the past", method: get, answers: []answer{retryAfter("Mon, 02 Jan 2006 15:04:05 GMT"), ok}},
		{name: "Retry-After of a day", method: get, answers: []answer{retryAfter("86400")}},
		{name: "Retry-After without sense", method: get, answers: []answer{retryAfter("-5"), ok}},
		{name: "total time", method: get, answers: []answer{unavailable}, policy: RetryPolicy{MaxElapsed: time.Second}},
		{name: "deadline", method: get, answers: []answer{unavailable}, timeout: time.Second},
		{name: "context ends during an attempt", method: get, answers: []answer{{status: 200, delay: time.Minute}}, timeout: time.Second},
		{name: "attempt timeout", method: get, answers: []answer{{status: 200, delay: time.Minute}, ok}, policy: RetryPolicy{AttemptTimeout: 2 * time.Second}},
		{name: "backoff says stop", method: get, answers: []answer{unavailable}, policy: RetryPolicy{NewBackOff: func() BackOff { return &backoff.StopBackOff{} }}},
		{name: "own backoff", method: get, answers: []answer{unavailable, unavailable, ok}, policy: RetryPolicy{NewBackOff: func() BackOff { return backoff.NewConstantBackOff(3 * time.Second) }}},
		{name: "connection not made", method: post, answers: []answer{dialFailed}},
		{name: "connection broke", method: get, answers: []answer{reset, ok}},
		{name: "connection broke, POST", method: post, answers: []answer{reset}},
		{name: "certificate", method: get, answers: []answer{{err: certificateError()}}},
		{name: "nonce stays", method: get, answers: []answer{unavailable}, header: "X-Ca-Nonce"},
		{name: "nonce stays without a response", method: get, answers: []answer{reset}, header: "x-ca-nonce"},
		{name: "nonce renewed", method: post, answers: []answer{unavailable, ok}, header: "X-Ca-Nonce", change: func(tr *Transport) {
			tr.PrepareRetry = func(req *http.Request) error { req.Header.Set("X-Ca-Nonce", "new"); return nil }
		}},
		{name: "nonce renewed below", method: post, answers: []answer{unavailable, ok}, header: "X-Ca-Nonce", change: func(tr *Transport) {
			tr.Base = renewingBase{tr.Base.(*script)}
		}},
		{name: "nonce used after a retry", method: get, answers: []answer{unavailable, nonceIsUsed}},
		{name: "nonce used", method: post, answers: []answer{nonceIsUsed}},
		{name: "PrepareRetry fails", method: post, answers: []answer{unavailable}, change: func(tr *Transport) {
			tr.PrepareRetry = func(*http.Request) error { return errors.New("no key") }
		}},
		{name: "budget empty", method: get, answers: []answer{unavailable}, change: func(tr *Transport) {
			tr.Budget = &RetryBudget{Ratio: -1, Reserve: 2, Refill: -1}
		}},
		{name: "service", method: post, answers: []answer{unavailable}, change: func(tr *Transport) {
			tr.Services = new(Services)
			if err := tr.Services.Set(Policies{Services: map[string]RetryPolicy{"POST api.example.com/v1/": {MaxAttempts: 6, Jitter: JitterNone}}}); err != nil {
				panic(err)
			}
		}},
	}
	for _, tt := range cases {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				run := func(send func(*Transport, *http.Request) (*http.Response, error)) decisions {
					base := serve(tt.answers...)
					tt.policy.Jitter = JitterNone
					tr := &Transport{Base: base, Policy: tt.policy}
					if tt.change != nil {
						tt.change(tr)
					}
					body := ""
					if tt.method == post {
						body = "order"
					}
					req := newRequest(t, tt.method, body)
					if tt.timeout > 0 {
						ctx, cancel := context.WithTimeout(req.Context(), tt.timeout)
						defer cancel()
						req = req.WithContext(ctx)
					}
					if tt.header != "" {
						req.Header[tt.header] = []string{"v"}
					}
					before := req.Header.Clone()
					d := decisionsOf(t, base, tr, func() (*http.Response, error) { return send(tr, req) })
					if !reflect.DeepEqual(req.Header, before) {
						t.Errorf("the caller's header became %v", req.Header)
					}
					return d
				}
				want := run(func(tr *Transport, req *http.Request) (*http.Response, error) { return tr.RoundTrip(req) })
				got := run(func(tr *Transport, req *http.Request) (*http.Response, error) {
					r, err := retryablehttp.FromRequest(req)
					if err != nil {
						t.Fatal(err)
					}
					return NewRetryableClient(tr).Do(r)
				})
				if fmt.Sprint(got.Cause) == fmt.Sprint(want.Cause) {
					got.Cause = want.Cause
				}
				if !reflect.DeepEqual(got, want) {
					t.Errorf("got  %+v\nwant %+v", got, want)
				}
			})
		})
	}
}

// retryableClient is a client as programs have it, with the four hooks set by
// hand.
func retryableClient(tr *Transport, base http.RoundTripper) *retryablehttp.Client {
	h := RetryableHooks{Transport: tr}
	c := retryablehttp.NewClient()
	c.HTTPClient = &http.Client{Transport: base}
	c.Logger = nil
	c.RetryMax = 3
	c.CheckRetry, c.Backoff, c.ErrorHandler, c.PrepareRetry = h.CheckRetry, h.Backoff, h.ErrorHandler, h.PrepareRetry
	return c
}

// TestRetryableHooksByHand shows what the four hooks decide on their own.
// http.Client hides the password in its errors, so that they name another URL.
func TestRetryableClientWithPasswordInTheURL(t *testing.T) {
	base := serve(dialFailed)
	tr := &Transport{Base: base, Policy: RetryPolicy{NewBackOff: func() BackOff { return &backoff.ZeroBackOff{} }}}
	if _, err := NewRetryableClient(tr).Post("http://us%20er:pass@api.example.com/", "text/plain", []byte("order")); err == nil {
		t.Error("got a response, want none")
	}
	if base.attempts() != 4 {
		t.Errorf("got %d attempts, want 4: nothing was sent", base.attempts())
	}
}

func TestRetryableClientAllowsMoreAttemptsThanAFile(t *testing.T) {
	services := new(Services)
	if err := services.Set(Policies{Services: map[string]RetryPolicy{"/": {
		MaxAttempts: 150, NewBackOff: func() BackOff { return &backoff.ZeroBackOff{} },
	}}}); err != nil {
		t.Fatal(err)
	}
	base := serve(unavailable)
	resp, err := NewRetryableClient(&Transport{Base: base, Services: services, Budget: &RetryBudget{Unlimited: true}}).Get("http://api.example.com/")
	if err != nil {
		t.Fatal(err)
	}
	resp.Body.Close()
	if base.attempts() != 150 {
		t.Errorf("got %d attempts, want 150", base.attempts())
	}
}

func TestRetryableHooksByHand(t *testing.T) {
	const get, post = http.MethodGet, http.MethodPost
	for _, tt := range []struct {
		name     string
		method   string
		answer   answer
		header   string
		policy   RetryPolicy
		attempts int
		stop     StopReason
		status   int // 0: an error
		took     time.Duration
	}{
		{"success", get, ok, "", RetryPolicy{}, 1, StopUnknown, 200, 0},
		{"503 of the gateway", post, unavailable, "", RetryPolicy{}, 4, StopMaxAttempts, 503, 1750 * time.Millisecond},
		{"internal error, POST", post, internal, "", RetryPolicy{}, 1, StopMayHaveRun, 500, 0},
		{"quota", get, quota, "", RetryPolicy{}, 1, StopNotRetryable, 403, 0},
		{"throttled", get, throttled, "", RetryPolicy{}, 1, StopThrottled, 403, 0},
		{"throttled, waits", get, throttled, "", RetryPolicy{MaxThrottleWait: time.Hour}, 4, StopMaxAttempts, 403, 3750 * time.Millisecond},
		{"one attempt", get, unavailable, "", RetryPolicy{MaxAttempts: 1}, 1, StopMaxAttempts, 503, 0},
		{"Retry-After", get, answer{status: 503, header: http.Header{"Retry-After": {"2"}}}, "", RetryPolicy{}, 4, StopMaxAttempts, 503, 6750 * time.Millisecond},
		{"Retry-After of a day", get, answer{status: 503, header: http.Header{"Retry-After": {"86400"}}}, "", RetryPolicy{}, 1, StopRetryAfter, 503, 0},
		{"connection broke", get, reset, "", RetryPolicy{}, 4, StopMaxAttempts, 0, 1750 * time.Millisecond},
		{"connection broke, POST", post, reset, "", RetryPolicy{}, 1, StopMayHaveRun, 0, 0},
		{"connection not made, POST", post, dialFailed, "", RetryPolicy{}, 1, StopMayHaveRun, 0, 0}, // after a redirect, for all that is known
		{"certificate refused", get, answer{err: x509.UnknownAuthorityError{}}, "", RetryPolicy{}, 1, StopPermanent, 0, 0},
		{"nonce stays", get, unavailable, "X-Ca-Nonce", RetryPolicy{}, 1, StopNonce, 503, 0},
		{"nonce stays without a response", get, reset, "X-Ca-Nonce", RetryPolicy{}, 1, StopNonce, 0, 250 * time.Millisecond},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				base := serve(tt.answer)
				tt.policy.Jitter = JitterNone
				tr := &Transport{Policy: tt.policy}
				req, err := retryablehttp.NewRequestWithContext(t.Context(), tt.method, "http://api.example.com/v1/orders", []byte("order"))
				if err != nil {
					t.Fatal(err)
				}
				if tt.header != "" {
					req.Header.Set(tt.header, "v")
				}
				start := time.Now()
				got := decisionsOf(t, base, tr, func() (*http.Response, error) { return retryableClient(tr, base).Do(req) })
				took := time.Since(start)
				if len(got.At) != tt.attempts || got.Stop != tt.stop || got.Status != tt.status || took != tt.took {
					t.Errorf("got %d attempts, %v, status %d in %v; want %d, %v, %d in %v",
						len(got.At), got.Stop, got.Status, took, tt.attempts, tt.stop, tt.status, tt.took)
				}
			})
		})
	}
}

// A PrepareRetry that signs reads the body, which the library has sent already.
func TestRetryablePrepareRetrySeesTheBody(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		base := serve(unavailable, unavailable, ok)
		var seen []string
		tr := &Transport{Base: base, PrepareRetry: func(req *http.Request) error {
			b, err := io.ReadAll(req.Body)
			seen = append(seen, string(b))
			return err
		}}
		resp, err := NewRetryableClient(tr).Post("http://api.example.com/", "text/plain", []byte("order"))
		if err != nil {
			t.Fatal(err)
		}
		resp.Body.Close()
		if want := []string{"order", "order"}; !slices.Equal(seen, want) {
			t.Errorf("PrepareRetry read %q, want %q", seen, want)
		}
		if want := []string{"order", "order", "order"}; !slices.Equal(base.bodies, want) {
			t.Errorf("sent %q, want %q", base.bodies, want)
		}
	})
}

// The library reads a body without GetBody into memory, and shows it to nobody.
func TestRetryableBodyWithoutGetBody(t *testing.T) {
	for _, tt := range []struct {
		name    string
		prepare func(*http.Request) error
		bodies  []string
		want    string // of the error
	}{
		{"sent again", nil, []string{"order", "order"}, ""},
		{"signed without it", func(*http.Request) error { return nil }, []string{"order", "order"}, ""},
		{"needed for signing", func(req *http.Request) error { _, err := io.ReadAll(req.Body); return err }, []string{"order"}, "keeps this body to itself"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				base := serve(unavailable, ok)
				req := newRequest(t, http.MethodPost, "order")
				req.GetBody = nil
				r, err := retryablehttp.FromRequest(req)
				if err != nil {
					t.Fatal(err)
				}
				resp, err := NewRetryableClient(&Transport{Base: base, PrepareRetry: tt.prepare}).Do(r)
				if err == nil {
					resp.Body.Close()
				}
				if !slices.Equal(base.bodies, tt.bodies) {
					t.Errorf("sent %q, want %q", base.bodies, tt.bodies)
				}
				if got := fmt.Sprint(err); (err != nil) != (tt.want != "") || !strings.Contains(got, tt.want) {
					t.Errorf("got %s, want %q", got, tt.want)
				}
			})
		})
	}
}

func TestRetryableRequestCountsOnceInTheBudget(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		tr := &Transport{Base: serve(unavailable, unavailable, ok)}
		resp, err := NewRetryableClient(tr).Get("http://api.example.com/")
		if err != nil {
			t.Fatal(err)
		}
		resp.Body.Close()
		if got := tr.Budgets(); len(got) != 1 || got[0].Requests != 1 {
			t.Errorf("got %+v, want one host with one request", got)
		}
	})
}

// Beside a CheckRetry of the program's own.
func TestRetryableBackoffAlone(t *testing.T) {
	services := new(Services)
	if err := services.Set(Policies{Services: map[string]RetryPolicy{"slow.example.com/": {InitialBackoff: 2 * time.Second, Jitter: JitterNone}}}); err != nil {
		t.Fatal(err)
	}
	h := RetryableHooks{Transport: &Transport{Policy: RetryPolicy{Jitter: JitterNone}, Services: services}}
	response := func(url, after string) *http.Response {
		return &http.Response{StatusCode: 503, Header: http.Header{"Retry-After": {after}}, Request: outgoing(t, "GET", url)}
	}
	for _, tt := range []struct {
		name  string
		retry int
		resp  *http.Response
		want  time.Duration
	}{
		{"no response", 0, nil, 250 * time.Millisecond},
		{"third pause", 2, nil, time.Second},
		{"longest pause", 60, nil, 10 * time.Second},
		{"Retry-After", 2, response("http://h/", "5"), 6 * time.Second},
		{"Retry-After of a day", 0, response("http://h/", "86400"), 30*time.Second + 250*time.Millisecond},
		{"service", 1, response("http://slow.example.com/", ""), 4 * time.Second},
		{"response of nobody", 0, &http.Response{}, 250 * time.Millisecond},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if got := h.Backoff(0, 0, tt.retry, tt.resp); got != tt.want {
				t.Errorf("got %v, want %v", got, tt.want)
			}
		})
	}
}

func TestRetryableClientCancelledInAPause(t *testing.T) {
	cause := errors.New("enough")
	for _, tt := range []struct {
		name   string
		answer answer
		want   error
	}{
		{"after a response, as the library has it", unavailable, context.Canceled},
		{"without a response, with its cause", dialFailed, cause},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				ctx, cancel := context.WithCancelCause(t.Context())
				time.AfterFunc(time.Second, func() { cancel(cause) })
				req, err := retryablehttp.NewRequestWithContext(ctx, http.MethodGet, "http://api.example.com/", nil)
				if err != nil {
					t.Fatal(err)
				}
				start := time.Now()
				c := NewRetryableClient(&Transport{Base: serve(tt.answer), Policy: RetryPolicy{InitialBackoff: 10 * time.Second, Jitter: JitterNone}})
				if _, err = c.Do(req); !errors.Is(err, tt.want) {
					t.Errorf("got %v, want %v", err, tt.want)
				}
				if took := time.Since(start); took != time.Second {
					t.Errorf("it took %v, want 1s", took)
				}
			})
		})
	}
}

// Whoever lowers RetryMax gets the last response all the same.
func TestRetryMaxBelowThePolicy(t *testing.T) {
	for _, tt := range []struct {
		name   string
		answer answer
		status int
	}{{"response", unavailable, 503}, {"no response", reset, 0}} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				base := serve(tt.answer)
				tr := &Transport{Base: base}
				c := NewRetryableClient(tr)
				c.RetryMax = 1
				got := decisionsOf(t, base, tr, func() (*http.Response, error) { return c.Get("http://api.example.com/") })
				if len(got.At) != 2 || got.Status != tt.status || got.Stop != StopMaxAttempts || got.Done != 1 {
					t.Errorf("got %d attempts, status %d, %v, %d results; want 2, %d, max-attempts, 1", len(got.At), got.Status, got.Stop, got.Done, tt.status)
				}
			})
		})
	}
}

func TestResponseHandlerIsNotRepeated(t *testing.T) {
	refused := errors.New("not what was asked for")
	for _, tt := range []struct {
		name   string
		answer answer
		want   error
	}{
		{"success", ok, nil},
		{"handler fails", ok, refused},
		{"handler returns the failure", quota, ErrQuota},
	} {
		t.Run(tt.name, func(t *testing.T) {
			base := serve(tt.answer)
			done := 0
			req, err := retryablehttp.NewRequestWithContext(t.Context(), http.MethodGet, "http://api.example.com/", nil)
			if err != nil {
				t.Fatal(err)
			}
			req.SetResponseHandler(func(resp *http.Response) error {
				if e, found := FromResponse(resp); found {
					return e
				}
				return tt.want
			})
			c := NewRetryableClient(&Transport{Base: base, OnDone: func(*http.Request, Result) { done++ }})
			if _, err = c.Do(req); !errors.Is(err, tt.want) {
				t.Errorf("got %v, want %v", err, tt.want)
			}
			if base.attempts() != 1 || done != 1 {
				t.Errorf("got %d attempts and %d results, want 1 and 1", base.attempts(), done)
			}
		})
	}
}

func TestInstallKeepsTheHookOfTheProgram(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		base := serve(unavailable, ok)
		c := retryablehttp.NewClient()
		c.HTTPClient = &http.Client{Transport: base}
		c.Logger = nil
		var retries []int
		c.RequestLogHook = func(_ retryablehttp.Logger, _ *http.Request, n int) { retries = append(retries, n) }
		RetryableHooks{Transport: &Transport{}}.Install(c)
		resp, err := c.Get("http://api.example.com/")
		if err != nil {
			t.Fatal(err)
		}
		resp.Body.Close()
		if want := []int{0, 1}; !slices.Equal(retries, want) {
			t.Errorf("the hook was called with %v, want %v", retries, want)
		}
	})
}

func TestRetryableRequestIsUsedTwice(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		base := serve(quota)
		c := NewRetryableClient(&Transport{Base: base})
		req, err := retryablehttp.NewRequestWithContext(t.Context(), http.MethodGet, "http://api.example.com/", nil)
		if err != nil {
			t.Fatal(err)
		}
		for range 2 {
			resp, err := c.Do(req)
			if err != nil {
				t.Fatal(err)
			}
			resp.Body.Close()
			if e, found := FromResponse(resp); !found || len(e.Attempts) != 1 {
				t.Errorf("got %v, want an Error of one attempt", e)
			}
		}
	})
}

// On real sockets: nonces, connections and redirects.

func TestRetryableClientSignsEachAttempt(t *testing.T) {
	g := &gatewaytest.Gateway{Routes: []gatewaytest.Route{{Pattern: "POST /orders", Script: []gatewaytest.Outcome{
		{Error: "classic.service-unavailable"}, {Error: "classic.service-unavailable"},
	}}}}
	s := gatewaytest.NewServer(g)
	defer s.Close()
	base := &signer.Signer{
		AppKey: gatewaytest.DefaultAppKey, AppSecret: gatewaytest.DefaultAppSecret,
		Hosts: []string{strings.TrimPrefix(s.URL, "http://")}, Base: s.Transport(),
	}
	c := NewRetryableClient(&Transport{Base: base, Policy: quick})
	resp, err := c.Post(s.URL+"/orders", "application/json", []byte(`{"n":1}`))
	if err != nil {
		t.Fatal(err)
	}
	resp.Body.Close()
	if resp.StatusCode != 200 {
		e, _ := FromResponse(resp)
		t.Errorf("got status %d (%v), want 200", resp.StatusCode, e)
	}
	if got := g.Counts(); got.Received != 3 || got.Executed != 1 {
		t.Errorf("got %+v, want 3 requests and 1 run of the backend", got)
	}
}

func TestRetryableClientWithDroppedConnections(t *testing.T) {
	g := &gatewaytest.Gateway{Routes: []gatewaytest.Route{{Pattern: "/orders", Auth: gatewaytest.AuthNone, Script: []gatewaytest.Outcome{
		{Drop: gatewaytest.DropAfterBackend},
	}}}}
	s := gatewaytest.NewServer(g)
	defer s.Close()
	c := NewRetryableClient(&Transport{Base: s.Transport(), Policy: quick})
	_, err := c.Post(s.URL+"/orders", "text/plain", []byte("order"))
	var e *Error
	if !errors.As(err, &e) || e.Stop != StopMayHaveRun {
		t.Errorf("got %v, want may-have-run", err)
	}
	if got := g.Counts().Executed; got != 1 {
		t.Errorf("the backend ran %d times, want once", got)
	}
}

// A POST that was redirected did run, whatever becomes of its last link.
func TestRetryableRedirectedPostIsNotRepeated(t *testing.T) {
	var to string
	posts := 0
	srv, _ := serverOf(t, func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodPost {
			posts++
			http.Redirect(w, r, to, http.StatusSeeOther)
			return
		}
		refuse(w, http.StatusServiceUnavailable, "Service Unavailable")
	})
	closed := httptest.NewServer(nil)
	closed.Close()
	for _, tt := range []struct {
		name    string
		to      string
		install bool
	}{
		{"refused, installed", "/state", true},
		{"refused, by hand", "/state", false},
		{"not connected, installed", closed.URL, true},
		{"not connected, by hand", closed.URL, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			to, posts = tt.to, 0
			tr := &Transport{Policy: quick}
			c := retryableClient(tr, srv.Client().Transport)
			if tt.install {
				RetryableHooks{Transport: tr}.Install(c)
			}
			resp, err := c.Post(srv.URL+"/orders", "text/plain", []byte("order"))
			var e *Error
			if err == nil {
				resp.Body.Close()
				e, _ = FromResponse(resp)
			} else if !errors.As(err, &e) {
				t.Fatal(err)
			}
			if posts != 1 || e == nil || e.Stop != StopMayHaveRun {
				t.Errorf("got %d POSTs and %v, want 1 and may-have-run", posts, e)
			}
		})
	}
}

func TestRetryableStandardClientFollowsRedirects(t *testing.T) {
	states := 0
	srv, _ := serverOf(t, func(w http.ResponseWriter, r *http.Request) {
		switch {
		case r.URL.Path == "/orders":
			http.Redirect(w, r, "/state", http.StatusSeeOther)
		case states == 0:
			states++
			refuse(w, http.StatusServiceUnavailable, "Service Unavailable")
		default:
			io.WriteString(w, "done")
		}
	})
	client := NewRetryableClient(&Transport{Base: srv.Client().Transport, Policy: quick}).StandardClient()
	resp, err := client.Post(srv.URL+"/orders", "text/plain", strings.NewReader("order"))
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	if body, _ := io.ReadAll(resp.Body); string(body) != "done" {
		t.Errorf("got %q, want the state, after one repetition of the last link", body)
	}
}
