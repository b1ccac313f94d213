package apigw

import (
	"net/http"
	"strings"
	"testing"
)

func TestPolicyFor(t *testing.T) {
	chooses := func(req *http.Request) *RetryPolicy {
		if strings.HasPrefix(req.URL.Path, "/v1/") {
			return &RetryPolicy{MaxAttempts: 2}
		}
		return nil
	}
	own := WithPolicy(t.Context(), RetryPolicy{MaxAttempts: 5})
	for _, tt := range []struct {
		name   string
		choose func(*http.Request) *RetryPolicy
		path   string
		own    bool
		want   int
	}{
		{"nil", nil, "/v1/orders", false, 3},
		{"chosen", chooses, "/v1/orders", false, 2},
		{"nothing chosen", chooses, "/v2/orders", false, 3},
		{"WithPolicy before PolicyFor", chooses, "/v1/orders", true, 5},
	} {
		t.Run(tt.name, func(t *testing.T) {
			tr := &Transport{Policy: RetryPolicy{MaxAttempts: 3}, PolicyFor: tt.choose}
			req := newRequest(t, http.MethodGet, "")
			req.URL.Path = tt.path
			if tt.own {
				req = req.WithContext(own)
			}
			if got := tr.policyOf(req, fromContext(req.Context()).policy); got.MaxAttempts != tt.want {
				t.Errorf("got %d attempts, want %d", got.MaxAttempts, tt.want)
			}
		})
	}
}

func TestPolicyForIsAskedOncePerCall(t *testing.T) {
	asked := 0
	tr := &Transport{Base: serve(unavailable, unavailable, ok), PolicyFor: func(*http.Request) *RetryPolicy {
		asked++
		return &RetryPolicy{InitialBackoff: 1, MaxBackoff: 1}
	}}
	resp, err := tr.RoundTrip(newRequest(t, http.MethodGet, ""))
	if err != nil {
		t.Fatal(err)
	}
	resp.Body.Close()
	if asked != 1 || resp.StatusCode != 200 {
		t.Errorf("asked %d times for a call that ended with %d, want once, 200", asked, resp.StatusCode)
	}
}
