package retryable_test

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net/http"
	"reflect"
	"testing"
	"testing/synctest"
	"time"

	"github.com/apigw-go/apigw"
	"github.com/apigw-go/apigw/catalog"
	"github.com/apigw-go/apigw/retryable"
	"github.com/cenkalti/backoff/v4"
	"github.com/hashicorp/go-retryablehttp"
)

// decisions is what came of a call.
type decisions struct {
	At      []time.Duration // when each attempt began
	Bodies  []string
	Status  int
	Waits   []time.Duration // as the Error has them, one per attempt
	Retries int             // calls of OnRetry
	Done    int             // calls of OnDone
	Code    catalog.Code
	ErrorID string
	Reached catalog.Reached
	Stop    apigw.StopReason
	Cause   string
}

// decisionsOf sends a request through send and notes what came of it.
func decisionsOf(t *testing.T, base *script, tr *apigw.Transport, send func() (*http.Response, error)) decisions {
	t.Helper()
	var d decisions
	tr.OnRetry = func(*http.Request, apigw.Attempt, time.Duration) { d.Retries++ }
	tr.OnDone = func(*http.Request, apigw.Result) { d.Done++ }
	resp, err := send()
	var e *apigw.Error
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
		e, _ = apigw.FromResponse(resp)
	}
	d.At, d.Bodies = base.at, base.bodies
	if e != nil {
		d.Code, d.ErrorID, d.Reached, d.Stop, d.Cause = e.Code, e.Entry.ID, e.Reached, e.Stop, fmt.Sprint(e.Err)
		for _, a := range e.Attempts {
			d.Waits = append(d.Waits, a.Wait)
		}
	}
	return d
}

// TestClientDecidesAsTransport runs the same cases through both and compares
// all that they decided and reported.
func TestClientDecidesAsTransport(t *testing.T) {
	const get, post = http.MethodGet, http.MethodPost
	retryAfter := func(v string) answer {
		return answer{status: 504, message: unavailable.message, header: http.Header{"Retry-After": {v}}}
	}
	certificateRefused := answer{err: &tls.CertificateVerificationError{Err: x509.UnknownAuthorityError{}}}
	type setup struct {
		name    string
		method  string
		answers []answer
		policy  apigw.RetryPolicy
		header  string
		change  func(*apigw.Transport)
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
		{name: "internal error, POST permitted", method: post, answers: []answer{internal},
			policy: apigw.RetryPolicy{RetryNonIdempotent: true}},
		{name: "not curable", method: get, answers: []answer{{status: 500, code: "X500ED"}}},
		{name: "quota", method: get, answers: []answer{quota}},
		{name: "throttled", method: get, answers: []answer{throttled}},
		{name: "throttled, waits", method: post, answers: []answer{throttled, throttled, ok},
			policy: apigw.RetryPolicy{MaxThrottleWait: time.Minute}},
		{name: "throttled for too long", method: get, answers: []answer{throttled},
			policy: apigw.RetryPolicy{MaxThrottleWait: 4 * time.Second, MaxAttempts: 9}},
		{name: "503 of the backend", method: get, answers: []answer{{status: 503}}},
		{name: "503 of the backend, POST", method: post, answers: []answer{{status: 503}}},
		{name: "404 of the backend", method: get, answers: []answer{{status: 404}}},
		{name: "429 of the backend", method: get, answers: []answer{{status: 429}}},
		{name: "listed status", method: get, answers: []answer{{status: 425}},
			policy: apigw.RetryPolicy{RetryableStatusCodes: []int{425}}},
		{name: "one attempt", method: get, answers: []answer{unavailable}, policy: apigw.RetryPolicy{MaxAttempts: 1}},
		{name: "eight attempts", method: get, answers: []answer{unavailable},
			policy: apigw.RetryPolicy{MaxAttempts: 8}},
		{name: "Retry-After", method: get, answers: []answer{retryAfter("7"), ok}},
		{name: "Retry-After in the past", method: get,
			answers: []answer{retryAfter("Mon, 02 Jan 2006 15:04:05 GMT"), ok}},
		{name: "Retry-After of a day", method: get, answers: []answer{retryAfter("86400")}},
		{name: "Retry-After without sense", method: get, answers: []answer{retryAfter("-5"), ok}},
		{name: "total time", method: get, answers: []answer{unavailable},
			policy: apigw.RetryPolicy{MaxElapsed: time.Second}},
		{name: "deadline", method: get, answers: []answer{unavailable}, timeout: time.Second},
		{name: "context ends during an attempt", method: get,
			answers: []answer{{status: 200, delay: time.Minute}}, timeout: time.Second},
		{name: "attempt timeout", method: get, answers: []answer{{status: 200, delay: time.Minute}, ok},
			policy: apigw.RetryPolicy{AttemptTimeout: 2 * time.Second}},
		{name: "backoff says stop", method: get, answers: []answer{unavailable},
			policy: apigw.RetryPolicy{NewBackOff: func() apigw.BackOff { return &backoff.StopBackOff{} }}},
		{name: "own backoff", method: get, answers: []answer{unavailable, unavailable, ok},
			policy: apigw.RetryPolicy{NewBackOff: func() apigw.BackOff { return backoff.NewConstantBackOff(3 * time.Second) }}},
		{name: "connection not made", method: post, answers: []answer{dialFailed}},
		{name: "connection broke", method: get, answers: []answer{reset, ok}},
		{name: "connection broke, POST", method: post, answers: []answer{reset}},
		{name: "certificate", method: get, answers: []answer{certificateRefused}},
		{name: "nonce stays", method: get, answers: []answer{unavailable}, header: "X-Ca-Nonce"},
		{name: "nonce stays without a response", method: get, answers: []answer{reset}, header: "x-ca-nonce"},
		{name: "nonce renewed", method: post, answers: []answer{unavailable, ok}, header: "X-Ca-Nonce",
			change: func(tr *apigw.Transport) {
				tr.PrepareRetry = func(req *http.Request) error { req.Header.Set("X-Ca-Nonce", "new"); return nil }
			}},
		{name: "nonce renewed below", method: post, answers: []answer{unavailable, ok}, header: "X-Ca-Nonce",
			change: func(tr *apigw.Transport) {
				tr.Base = renewingBase{tr.Base.(*script)}
			}},
		{name: "nonce used after a retry", method: get, answers: []answer{unavailable, nonceIsUsed}},
		{name: "nonce used", method: post, answers: []answer{nonceIsUsed}},
		{name: "PrepareRetry fails", method: post, answers: []answer{unavailable}, change: func(tr *apigw.Transport) {
			tr.PrepareRetry = func(*http.Request) error { return errors.New("no key") }
		}},
		{name: "budget empty", method: get, answers: []answer{unavailable}, change: func(tr *apigw.Transport) {
			tr.Budget = &apigw.RetryBudget{Ratio: -1, Reserve: 2, Refill: -1}
		}},
		{name: "policy of the request", method: post, answers: []answer{unavailable},
			change: func(tr *apigw.Transport) {
				tr.PolicyFor = func(*http.Request) *apigw.RetryPolicy {
					return &apigw.RetryPolicy{MaxAttempts: 6, Jitter: apigw.JitterNone}
				}
			}},
	}
	for _, tt := range cases {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				run := func(send func(*apigw.Transport, *http.Request) (*http.Response, error)) decisions {
					base := serve(tt.answers...)
					tt.policy.Jitter = apigw.JitterNone
					tr := &apigw.Transport{Base: base, Policy: tt.policy}
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
				want := run((*apigw.Transport).RoundTrip)
				got := run(func(tr *apigw.Transport, req *http.Request) (*http.Response, error) {
					r, err := retryablehttp.FromRequest(req)
					if err != nil {
						t.Fatal(err)
					}
					return retryable.NewClient(tr).Do(r)
				})
				if !reflect.DeepEqual(got, want) {
					t.Errorf("got  %+v\nwant %+v", got, want)
				}
			})
		})
	}
}
