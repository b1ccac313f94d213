package apigw

import (
	"context"
	"math"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/cenkalti/backoff/v4"
)

func FuzzRetryAfter(f *testing.F) {
	for _, v := range []string{"", "0", "1", "-1", "120", "9223372036854775807", "92233720368547758070", "1e9", " 5 ",
		"Fri, 31 Dec 1999 23:59:59 GMT",
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

func TestRetryAfterIsALowerBound(t *testing.T) {
	none := RetryPolicy{MaxAttempts: 2, NewBackOff: func() BackOff { return &backoff.ZeroBackOff{} }}
	header := func(v string) http.Header { return http.Header{"Retry-After": {v}} }
	for name, c := range map[string]struct {
		header http.Header
		stop   StopReason
		second time.Duration // when the second attempt is sent
	}{
		"seconds": {header("2"), StopMaxAttempts, 2 * time.Second},
		"date": {http.Header{"Retry-After": {"Mon, 03 Jan 2000 00:00:07 GMT"},
			"Date": {"Mon, 03 Jan 2000 00:00:00 GMT"}}, StopMaxAttempts, 7 * time.Second},
		"date by our clock": {header("Sat, 01 Jan 2000 00:00:09 GMT"), StopMaxAttempts, 9 * time.Second},
		"date that passed":  {header("Fri, 31 Dec 1999 00:00:00 GMT"), StopMaxAttempts, 0},
		"zero":              {header("0"), StopMaxAttempts, 0},
		"negative":          {header("-5"), StopMaxAttempts, 0},
		"malformed":         {header("soon"), StopMaxAttempts, 0},
		"fraction":          {header("1.5"), StopMaxAttempts, 0},
		"blank":             {header(" "), StopMaxAttempts, 0},
		"endless":           {header(strings.Repeat("9", 60)), StopRetryAfter, -1},
		"absurdly long":     {header(strings.Repeat("9", 1<<20)), StopMaxAttempts, 0},
		"a day":             {header("86400"), StopRetryAfter, -1},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				a := unavailable
				a.header = c.header
				base := serve(a)
				e := mustFail(t, &Transport{Base: base, Policy: none}, newRequest(t, http.MethodGet, ""))
				if e.Stop != c.stop {
					t.Errorf("stopped by %v, want %v", e.Stop, c.stop)
				}
				if c.second >= 0 && (len(base.at) != 2 || base.at[1] != c.second) {
					t.Errorf("attempts at %v, want a second one at %v", base.at, c.second)
				}
			})
		})
	}
}

// A delay that was asked for cannot overflow into none.
func TestEndlessDelayStopsBeforeTheDeadline(t *testing.T) {
	for name, c := range map[string]struct {
		failure answer
		policy  RetryPolicy
	}{
		"Retry-After": {unavailable, RetryPolicy{MaxRetryAfter: math.MaxInt64}},
		"throttled":   {throttled, RetryPolicy{MaxThrottleWait: math.MaxInt64}},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				ctx, cancel := context.WithTimeout(t.Context(), 24*time.Hour)
				defer cancel()
				a := c.failure
				a.header = http.Header{"Retry-After": {"99999999999999"}}
				base := serve(a)
				e := mustFail(t, &Transport{Base: base, Policy: c.policy},
					newRequest(t, http.MethodGet, "").WithContext(ctx))
				if e.Stop != StopDeadline || base.attempts() != 1 {
					t.Errorf("stopped by %v after attempts at %v, want deadline after one", e.Stop, base.at)
				}
			})
		})
	}
}
