package apigw

import (
	"context"
	"errors"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// countingLimiter is somebody else's.
type countingLimiter struct {
	mu       sync.Mutex
	keys     []string
	again    []bool
	declared []RateLimit
	outcomes []Outcome
	err      error
	learns   bool
}

func (l *countingLimiter) Acquire(ctx context.Context, key string, _ time.Time, again bool) (Place, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.keys, l.again, l.declared = append(l.keys, key), append(l.again, again), append(l.declared, DeclaredLimit(ctx))
	return Place{Value: len(l.keys)}, l.err
}

func (l *countingLimiter) Done(p Place, o Outcome) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if p.Value != len(l.keys) {
		o = 99
	}
	l.outcomes = append(l.outcomes, o)
}

func (l *countingLimiter) Learns() bool { return l.learns }

func TestOthersLimiter(t *testing.T) {
	for name, c := range map[string]struct {
		learns bool
		at     []time.Duration
	}{
		"that spaces refused calls": {true, []time.Duration{0, 0, quarter}},
		"that does not":             {false, []time.Duration{0, time.Second + quarter, time.Second + 3*quarter}},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				l := &countingLimiter{learns: c.learns}
				base := serve(limited, unavailable, ok)
				policy := RetryPolicy{
					MaxThrottleWait: time.Minute, Jitter: JitterNone, Limit: RateLimit{100, time.Second},
					LimitScope: "orders",
				}
				tr := &Transport{Base: base, Limiter: l, Policy: policy}
				req := newRequest(t, http.MethodGet, "")
				req.Header.Set("X-Ca-Key", "203753385")
				mustPass(t, tr, req)
				if !slices.Equal(base.at, c.at) {
					t.Errorf("attempts at %v, want %v", base.at, c.at)
				}
				if want := []Outcome{OutcomeRefused, OutcomePassed, OutcomePassed}; !slices.Equal(l.outcomes, want) {
					t.Errorf("outcomes %v, want %v", l.outcomes, want)
				}
				if want := []bool{false, true, true}; !slices.Equal(l.again, want) {
					t.Errorf("again %v, want %v", l.again, want)
				}
				if l.declared[0] != policy.Limit {
					t.Errorf("declared %v, want %v", l.declared[0], policy.Limit)
				}
				if key := l.keys[0]; strings.Contains(key, "203753385") || !strings.HasSuffix(key, "|orders") ||
					!strings.HasPrefix(key, "api.example.com|") {
					t.Errorf("key %q, want host, a hash and the scope", key)
				}
			})
		})
	}
}

func TestLimiterThatFails(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := &countingLimiter{err: errors.New("out of order")}
		base := serve(ok)
		_, err := (&Transport{Base: base, Limiter: l}).RoundTrip(newRequest(t, http.MethodGet, ""))
		var e *Error
		if !errors.As(err, &e) || e.Stop != StopPaced || !strings.Contains(err.Error(), "out of order") ||
			base.attempts() != 0 {
			t.Errorf("got %v after %d attempts, want the limiter's error after none", err, base.attempts())
		}
		if len(l.outcomes) != 0 {
			t.Errorf("outcomes %v of a place that was not given, want none", l.outcomes)
		}
	})
}
