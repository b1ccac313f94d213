package apigw

import (
	"net/http"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/cenkalti/backoff/v4"
)

func TestPausesGrowToTheirBound(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		base := serve(unavailable)
		policy := RetryPolicy{MaxAttempts: 5, InitialBackoff: time.Second, MaxBackoff: 3 * time.Second, Jitter: JitterNone}
		mustFail(t, &Transport{Base: base, Policy: policy}, newRequest(t, http.MethodGet, ""))
		want := []time.Duration{0, 1 * time.Second, 3 * time.Second, 6 * time.Second, 9 * time.Second}
		if !slices.Equal(base.at, want) {
			t.Errorf("attempts at %v, want %v", base.at, want)
		}
	})
}

func TestJitterStaysInItsBounds(t *testing.T) {
	for _, c := range []struct {
		jitter Jitter
		lowest time.Duration
	}{{JitterFull, 0}, {JitterEqual, 500 * time.Millisecond}, {JitterNone, time.Second}} {
		t.Run(c.jitter.String(), func(t *testing.T) {
			p := RetryPolicy{InitialBackoff: time.Second, MaxBackoff: time.Second, Jitter: c.jitter}
			low, high := time.Hour, time.Duration(0)
			for range 10000 {
				d := p.newBackOff().NextBackOff()
				low, high = min(low, d), max(high, d)
			}
			if low < c.lowest || high > time.Second {
				t.Errorf("pauses from %v to %v, want within [%v, 1s]", low, high, c.lowest)
			}
			if span := high - low; span < (time.Second-c.lowest)*9/10 {
				t.Errorf("pauses from %v to %v leave part of [%v, 1s] unused", low, high, c.lowest)
			}
		})
	}
}

func TestOwnBackOff(t *testing.T) {
	for name, c := range map[string]struct {
		made BackOff
		stop StopReason
		at   []time.Duration
	}{
		"constant": {backoff.NewConstantBackOff(7 * time.Second), StopMaxAttempts, []time.Duration{0, 7 * time.Second, 14 * time.Second}},
		"stop":     {&backoff.StopBackOff{}, StopBackOff, []time.Duration{0}},
		"zero":     {&backoff.ZeroBackOff{}, StopMaxAttempts, []time.Duration{0, 0, 0}},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				base := serve(unavailable)
				tr := &Transport{Base: base, Policy: RetryPolicy{MaxAttempts: 3, NewBackOff: func() BackOff { return c.made }}}
				e := mustFail(t, tr, newRequest(t, http.MethodGet, ""))
				if e.Stop != c.stop || !slices.Equal(base.at, c.at) {
					t.Errorf("stopped by %v with attempts at %v, want %v, %v", e.Stop, base.at, c.stop, c.at)
				}
			})
		})
	}
}
