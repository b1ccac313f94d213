package apigw

import (
	"math"
	"net/http"
	"strings"
	"testing"
	"time"
)

func TestValidate(t *testing.T) {
	for name, c := range map[string]struct {
		policy RetryPolicy
		want   string // empty if nothing is wrong
	}{
		"zero value":         {RetryPolicy{}, ""},
		"no retry":           {RetryPolicy{MaxAttempts: 1}, ""},
		"negative attempts":  {RetryPolicy{MaxAttempts: -1}, "MaxAttempts is -1: give 1 for no retry"},
		"negative backoff":   {RetryPolicy{InitialBackoff: -1}, "InitialBackoff is -1ns"},
		"bounds crossed":     {RetryPolicy{InitialBackoff: time.Minute}, "InitialBackoff 1m0s is longer than MaxBackoff 10s"},
		"shrinking":          {RetryPolicy{BackoffMultiplier: 0.5}, "BackoffMultiplier is 0.5"},
		"not a number":       {RetryPolicy{BackoffMultiplier: math.NaN()}, "BackoffMultiplier is NaN"},
		"infinite":           {RetryPolicy{BackoffMultiplier: math.Inf(1)}, "BackoffMultiplier is +Inf"},
		"no such jitter":     {RetryPolicy{Jitter: 9}, "Jitter is Jitter(9)"},
		"success as failure": {RetryPolicy{RetryableStatusCodes: []int{200}}, "RetryableStatusCodes holds 200"},
		"two faults":         {RetryPolicy{MaxAttempts: -1, MaxElapsed: -1}, "MaxElapsed is -1ns"},
	} {
		t.Run(name, func(t *testing.T) {
			err := c.policy.Validate()
			if c.want == "" && err != nil || c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want)) {
				t.Errorf("got %v, want %q", err, c.want)
			}
		})
	}
}

// Nonsense in a policy is taken for the default, it does not break a request.
func TestNonsenseIsDefault(t *testing.T) {
	p := RetryPolicy{MaxAttempts: -1, InitialBackoff: -1, MaxBackoff: -1, BackoffMultiplier: math.NaN(), MaxRetryAfter: -1, MaxBodyBuffer: -1}
	var d RetryPolicy
	if p.maxAttempts() != d.maxAttempts() || p.initialBackoff() != d.initialBackoff() || p.maxBackoff() != d.maxBackoff() ||
		p.multiplier() != d.multiplier() || p.maxRetryAfter() != d.maxRetryAfter() || p.maxBodyBuffer() != 0 {
		t.Errorf("%+v does not fall back to the defaults", p)
	}
}

func TestIdempotent(t *testing.T) {
	for _, c := range []struct {
		method, header    string
		idempotent, below bool
	}{
		{"", "", true, true}, {"GET", "", true, true}, {"HEAD", "", true, true}, {"OPTIONS", "", true, true}, {"TRACE", "", true, true},
		{"PUT", "", true, false}, {"DELETE", "", true, false}, {"POST", "", false, false}, {"PATCH", "", false, false},
		{"get", "", false, false}, {"CONNECT", "", false, false},
		{"POST", "Idempotency-Key", true, true}, {"POST", "x-idempotency-key", true, true}, {"PUT", "Idempotency-Key", true, true},
	} {
		req := &http.Request{Method: c.method, Header: http.Header{}}
		if c.header != "" {
			req.Header[c.header] = nil
		}
		if got := idempotent(req); got != c.idempotent {
			t.Errorf("%q with %q: idempotent %v, want %v", c.method, c.header, got, c.idempotent)
		}
		if got := replayedBelow(req); got != c.below {
			t.Errorf("%q with %q: replayed by net/http %v, want %v", c.method, c.header, got, c.below)
		}
	}
}

func FuzzRetryAfter(f *testing.F) {
	for _, v := range []string{"", "0", "1", "-1", "120", "9223372036854775807", "92233720368547758070", "1e9", " 5 ", "Fri, 31 Dec 1999 23:59:59 GMT",
		"Friday, 31-Dec-99 23:59:59 GMT", "Fri Dec 31 23:59:59 1999", "Fri, 31 Dec 9999 23:59:59 GMT", "５"} {
		f.Add(v, "Fri, 31 Dec 1999 23:59:00 GMT")
		f.Add(v, "")
	}
	now := time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC)
	f.Fuzz(func(t *testing.T, value, date string) {
		h := http.Header{"Retry-After": {value}, "Date": {date}}
		if got := retryAfter(h, now); got < 0 {
			t.Errorf("retryAfter(%q, Date %q) = %v", value, date, got)
		}
	})
}
