package apigw

import (
	"math"
	"strings"
	"testing"
	"time"
)

func TestValidate(t *testing.T) {
	for name, c := range map[string]struct {
		policy RetryPolicy
		want   string // empty if nothing is wrong
	}{
		"zero value":        {RetryPolicy{}, ""},
		"no retry":          {RetryPolicy{MaxAttempts: 1}, ""},
		"negative attempts": {RetryPolicy{MaxAttempts: -1}, "MaxAttempts is -1: give 1 for no retry"},
		"negative backoff":  {RetryPolicy{InitialBackoff: -1}, "InitialBackoff is -1ns"},
		"bounds crossed": {
			RetryPolicy{InitialBackoff: time.Minute}, "InitialBackoff 1m0s is longer than MaxBackoff 10s",
		},
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
	p := RetryPolicy{
		MaxAttempts:       -1,
		InitialBackoff:    -1,
		MaxBackoff:        -1,
		BackoffMultiplier: math.NaN(),
		MaxRetryAfter:     -1,
		MaxBodyBuffer:     -1,
	}
	var d RetryPolicy
	if p.maxAttempts() != d.maxAttempts() || p.initialBackoff() != d.initialBackoff() ||
		p.maxBackoff() != d.maxBackoff() ||
		p.multiplier() != d.multiplier() || p.maxRetryAfter() != d.maxRetryAfter() ||
		p.maxBodyBuffer() != 0 {
		t.Errorf("%+v does not fall back to the defaults", p)
	}
}
