package apigw

import (
	"context"
	"net/http"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/cenkalti/backoff/v4"
)

// quarter is when a closed gate is probed first, if nothing else is known.
const quarter = 250 * time.Millisecond

var limited = answer{status: 429, code: "T429PR"}

func limitedFor(seconds string) answer {
	a := limited
	a.header = http.Header{"Retry-After": {seconds}}
	return a
}

func TestThrottlingWaitsOnRequest(t *testing.T) {
	for name, c := range map[string]struct {
		answers []answer
		wait    time.Duration
		stop    StopReason
		at      []time.Duration
	}{
		"a probe is admitted":  {[]answer{throttled, ok}, 5 * time.Second, StopUnknown, []time.Duration{0, quarter}},
		"POST never ran":       {[]answer{limited, ok}, 5 * time.Second, StopUnknown, []time.Duration{0, quarter}},
		"Retry-After":          {[]answer{limitedFor("4"), ok}, 5 * time.Second, StopUnknown, []time.Duration{0, 4 * time.Second}},
		"Retry-After too long": {[]answer{limitedFor("6")}, 5 * time.Second, StopThrottled, []time.Duration{0}},
		"bounded in all": {[]answer{throttled}, 2500 * time.Millisecond, StopThrottled,
			[]time.Duration{0, quarter, 2 * quarter, 1010 * time.Millisecond, 1510 * time.Millisecond, 2010 * time.Millisecond}},
		"less than a probe takes": {[]answer{throttled}, time.Millisecond, StopThrottled, []time.Duration{0}},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				base := serve(c.answers...)
				tr := &Transport{Base: base, Policy: RetryPolicy{MaxThrottleWait: c.wait, NewBackOff: func() BackOff { return &backoff.ZeroBackOff{} }}}
				resp, err := tr.RoundTrip(newRequest(t, http.MethodPost, ""))
				if err != nil {
					t.Fatal(err)
				}
				resp.Body.Close()
				got := StopUnknown
				if e, found := FromResponse(resp); found {
					got = e.Stop
				}
				if got != c.stop || !slices.Equal(base.at, c.at) {
					t.Errorf("stopped by %v with attempts at %v, want %v, %v", got, base.at, c.stop, c.at)
				}
			})
		})
	}
}

func TestNeverSleepsIntoTheDeadline(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
		defer cancel()
		base := serve(unavailable)
		start := time.Now()
		tr := &Transport{Base: base, Policy: RetryPolicy{InitialBackoff: 4 * time.Second, Jitter: JitterNone}}
		e := mustFail(t, tr, newRequest(t, http.MethodGet, "").WithContext(ctx))
		if e.Stop != StopDeadline || base.attempts() != 2 || time.Since(start) != 4*time.Second {
			t.Errorf("stopped by %v after %d attempts and %v, want deadline, 2, 4s", e.Stop, base.attempts(), time.Since(start))
		}
	})
}

func TestTotalTimeEndsTheAttempts(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		base := serve(unavailable)
		tr := &Transport{Base: base, Policy: RetryPolicy{MaxElapsed: 3 * time.Second, InitialBackoff: time.Second, Jitter: JitterNone, MaxAttempts: 9}}
		e := mustFail(t, tr, newRequest(t, http.MethodGet, ""))
		if want := []time.Duration{0, time.Second, 3 * time.Second}; e.Stop != StopMaxElapsed || !slices.Equal(base.at, want) {
			t.Errorf("stopped by %v with attempts at %v, want max-elapsed, %v", e.Stop, base.at, want)
		}
	})
}
