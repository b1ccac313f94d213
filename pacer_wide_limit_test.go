package apigw

import (
	"context"
	"errors"
	"net/http"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// keys returns the keys of the limits that are known.
func keys(tr *Transport) (keys []string) {
	for _, s := range tr.Limits() {
		if s.Rate > 0 {
			keys = append(keys, s.Key)
		}
	}
	return keys
}

// The code of a refusal says whom the limit is about.
func TestScopeOfALimit(t *testing.T) {
	for name, c := range map[string]struct {
		refusal answer
		want    []string // known limits
		held    []bool   // other scope, other caller, other host
	}{
		"API": {answer{status: 429, code: "T429PR"}, []string{"a.example | caller 1 | orders"},
			[]bool{false, false, false}},
		"app": {answer{status: 403, message: "Throttled by APP Flow Control"},
			[]string{"a.example | caller 1 | all"}, []bool{true, false, false}},
		"instance": {answer{status: 429, code: "T429IN"}, []string{"a.example | all"}, []bool{true, true, false}},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				base := serve(ok)
				tr := &Transport{Base: base, Policy: RetryPolicy{MaxThrottleWait: time.Minute}}
				tr.PolicyFor = func(req *http.Request) *RetryPolicy {
					p := tr.Policy
					p.LimitScope = strings.Trim(req.URL.Path, "/")
					return &p
				}
				request := func(url, key string) *http.Request {
					req, _ := http.NewRequestWithContext(t.Context(), http.MethodGet, url, nil)
					req.Header.Set("X-Ca-Key", key)
					return req
				}
				others := []*http.Request{
					request("https://a.example/items", "key1"), request("https://A.example:443/items", "key2"),
					request("https://b.example/orders", "key1"),
				}
				for _, req := range others {
					mustPass(t, tr, req)
				}
				ctx, cancel := context.WithTimeout(t.Context(), time.Millisecond)
				defer cancel()
				tr.Base = serve(c.refusal)
				mustFail(t, tr, request("https://a.example/orders", "key1").WithContext(ctx))
				if got := keys(tr); !slices.Equal(got, c.want) {
					t.Errorf("limits of %q, want %q", got, c.want)
				}
				tr.Base = base
				for i, req := range others {
					ctx, cancel := context.WithTimeout(t.Context(), time.Millisecond)
					_, err := tr.RoundTrip(req.WithContext(ctx))
					cancel()
					if held := errors.Is(err, ErrThrottled); held != c.held[i] {
						t.Errorf("%s: held back %v (%v), want %v", req.URL, held, err, c.held[i])
					}
				}
			})
		})
	}
}
