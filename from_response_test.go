package apigw

import (
	"context"
	"io"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

func TestFromResponseOfForeignResponses(t *testing.T) {
	for name, resp := range map[string]*http.Response{
		"nil":             nil,
		"without request": {StatusCode: 500},
		"never attached":  {StatusCode: 500, Request: newRequest(t, http.MethodGet, "")},
	} {
		if e, ok := FromResponse(resp); ok || e != nil {
			t.Errorf("%s: got %v, %v", name, e, ok)
		}
	}
}

// The context of a failed request may be used for others.
func TestErrorOfAnotherResponseIsNotFound(t *testing.T) {
	failed := func(a answer) *http.Response {
		resp, err := (&Transport{Base: serve(a)}).RoundTrip(newRequest(t, http.MethodGet, ""))
		if err != nil {
			t.Fatal(err)
		}
		return resp
	}
	withID := quota
	withID.header = http.Header{headerRequestID: {"r1"}}
	for name, c := range map[string]struct {
		first answer
		other func(first *http.Response) *http.Response
		found bool
	}{
		"itself": {quota, func(r *http.Response) *http.Response { return r }, true},
		"the request with more context": {quota, func(r *http.Response) *http.Response {
			r.Request = r.Request.WithContext(context.WithValue(r.Request.Context(), requestKey{}, nil))
			return r
		}, true},
		"a copy with a header of its own": {quota, func(r *http.Response) *http.Response {
			c := *r
			c.Header = r.Header.Clone()
			return &c
		}, true},
		"a copy of all, known by its id": {withID, func(r *http.Response) *http.Response {
			c := *r
			c.Header, c.Request = r.Header.Clone(), r.Request.Clone(r.Request.Context())
			return &c
		}, true},
		"another status": {quota, func(r *http.Response) *http.Response {
			req := newRequest(t, http.MethodGet, "").WithContext(r.Request.Context())
			return &http.Response{StatusCode: 404, Header: http.Header{}, Request: req}
		}, false},
		"the same status": {quota, func(r *http.Response) *http.Response {
			req := newRequest(t, http.MethodGet, "").WithContext(r.Request.Context())
			return &http.Response{StatusCode: 403, Header: http.Header{}, Request: req}
		}, false},
		"the same status, another id": {withID, func(r *http.Response) *http.Response {
			req := newRequest(t, http.MethodGet, "").WithContext(r.Request.Context())
			return &http.Response{StatusCode: 403, Header: http.Header{headerRequestID: {"r2"}}, Request: req}
		}, false},
		"a success": {quota, func(r *http.Response) *http.Response {
			return &http.Response{StatusCode: 200, Request: r.Request}
		}, false},
	} {
		t.Run(name, func(t *testing.T) {
			e, found := FromResponse(c.other(failed(c.first)))
			if found != c.found || (e != nil) != c.found {
				t.Errorf("got %v, %v, want %v", e, found, c.found)
			}
		})
	}
}

// A Base that returns one response again and again, as caches and stubs do.
func TestSharedResponseDoesNotGrow(t *testing.T) {
	shared := &http.Response{
		StatusCode: 403,
		Header:     http.Header{headerErrorMessage: {"Quota Exhausted"}},
		Body:       http.NoBody,
	}
	tr := &Transport{Base: roundTripFunc(func(*http.Request) (*http.Response, error) { return shared, nil })}
	for range 100 {
		mustFail(t, tr, newRequest(t, http.MethodGet, ""))
	}
	depth := 0
	for ctx := shared.Request.Context(); ; depth++ {
		c, ok := ctx.(*errorContext)
		if !ok {
			break
		}
		ctx = c.Context
	}
	if depth != 1 {
		t.Errorf("%d contexts deep, want 1", depth)
	}
}

// Nothing is put around its body again and again.
func TestBodyOfASharedResponseDoesNotGrow(t *testing.T) {
	for name, policy := range map[string]RetryPolicy{
		"retried": {}, "attempt timeout": {AttemptTimeout: time.Minute},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				shared := &http.Response{
					StatusCode: 504, Header: headers("D504CO", connectTimeout), Body: io.NopCloser(strings.NewReader("busy")),
				}
				tr := &Transport{Policy: policy, Base: roundTripFunc(func(*http.Request) (*http.Response, error) {
					return shared, nil
				})}
				mustFail(t, tr, newRequest(t, http.MethodGet, ""))
				body := shared.Body
				mustFail(t, tr, newRequest(t, http.MethodGet, ""))
				if shared.Body != body {
					t.Errorf("the second call put %T around %T", shared.Body, body)
				}
			})
		})
	}
}

// The outer of two Transports has the last word.
func TestErrorOfTheOuterTransport(t *testing.T) {
	inner := &Transport{Base: serve(quota)}
	e := mustFail(t, &Transport{Base: inner, Policy: RetryPolicy{MaxAttempts: 1}}, newRequest(t, http.MethodGet, ""))
	if len(e.Attempts) != 1 || e.Entry.ID != "classic.quota-exhausted" {
		t.Errorf("got %v", e)
	}
}
