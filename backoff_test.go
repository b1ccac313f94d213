package apigw

import (
	"net/http"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/cenkalti/backoff/v4"
)

func TestDelaysGrowToTheirBound(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		base := serve(unavailable)
		policy := RetryPolicy{
			MaxAttempts:    5,
			InitialBackoff: time.Second,
			MaxBackoff:     3 * time.Second,
			Jitter:         JitterNone,
		}
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
				t.Errorf("delays from %v to %v, want within [%v, 1s]", low, high, c.lowest)
			}
			if span := high - low; span < (time.Second-c.lowest)*9/10 {
				t.Errorf("delays from %v to %v leave part of [%v, 1s] unused", low, high, c.lowest)
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
		"constant": {
			backoff.NewConstantBackOff(7 * time.Second), StopMaxAttempts,
			[]time.Duration{0, 7 * time.Second, 14 * time.Second},
		},
		"stop": {&backoff.StopBackOff{}, StopBackOff, []time.Duration{0}},
		"zero": {&backoff.ZeroBackOff{}, StopMaxAttempts, []time.Duration{0, 0, 0}},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				base := serve(unavailable)
				tr := &Transport{
					Base:   base,
					Policy: RetryPolicy{MaxAttempts: 3, NewBackOff: func() BackOff { return c.made }},
				}
				e := mustFail(t, tr, newRequest(t, http.MethodGet, ""))
				if e.Stop != c.stop || !slices.Equal(base.at, c.at) {
					t.Errorf("stopped by %v with attempts at %v, want %v, %v", e.Stop, base.at, c.stop, c.at)
				}
			})
		})
	}
}

// Values of the library that were written as literals delay as well.
func TestBackOffWrittenByHand(t *testing.T) {
	for name, c := range map[string]struct {
		made BackOff
		want []time.Duration // the bounds of the delays, without jitter
		ends bool            // by itself
	}{
		"never reset": {
			&backoff.ExponentialBackOff{
				InitialInterval: time.Second, Multiplier: 2, MaxInterval: 3 * time.Second, Clock: backoff.SystemClock,
			},
			[]time.Duration{1 * time.Second, 2 * time.Second, 3 * time.Second}, false,
		},
		"without a clock": {
			&backoff.ExponentialBackOff{InitialInterval: time.Second, Multiplier: 2, MaxInterval: 3 * time.Second},
			[]time.Duration{1 * time.Second, 2 * time.Second, 3 * time.Second}, false,
		},
		"empty": {
			&backoff.ExponentialBackOff{},
			[]time.Duration{500 * time.Millisecond, 750 * time.Millisecond, 1125 * time.Millisecond}, false,
		},
		"Stop left zero": {
			&backoff.ExponentialBackOff{
				InitialInterval: time.Second, Multiplier: 1, MaxElapsedTime: 2500 * time.Millisecond,
			},
			[]time.Duration{1 * time.Second, 1 * time.Second}, true,
		},
		"wrapped": {
			backoff.WithMaxRetries(&backoff.ExponentialBackOff{InitialInterval: time.Second, Multiplier: 2,
				Clock: backoff.SystemClock, MaxInterval: time.Minute}, 2),
			[]time.Duration{1 * time.Second, 2 * time.Second}, true,
		},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				base := serve(unavailable)
				policy := RetryPolicy{MaxAttempts: len(c.want) + 1, NewBackOff: func() BackOff { return c.made }}
				if c.ends {
					policy.MaxAttempts = 9
				}
				e := mustFail(t, &Transport{Base: base, Policy: policy}, newRequest(t, http.MethodGet, ""))
				if want := map[bool]StopReason{true: StopBackOff, false: StopMaxAttempts}[c.ends]; e.Stop != want {
					t.Errorf("stopped by %v, want %v", e.Stop, want)
				}
				for i, a := range e.Attempts[1:] {
					if a.Wait != c.want[i] {
						t.Errorf("retry %d after %v, want %v", i+1, a.Wait, c.want[i])
					}
				}
				if len(e.Attempts) != len(c.want)+1 {
					t.Errorf("%d attempts, want %d", len(e.Attempts), len(c.want)+1)
				}
			})
		})
	}
}
