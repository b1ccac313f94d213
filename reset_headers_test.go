package apigw

import (
	"fmt"
	"math"
	"net/http"
	"testing"
	"testing/synctest"
	"time"
)

var resetNow = time.Date(2026, 11, 25, 12, 0, 0, 0, time.UTC)

func TestNamedTimes(t *testing.T) {
	unix := resetNow.Unix()
	for name, c := range map[string]struct {
		header       http.Header
		asked, reset time.Duration
	}{
		"nothing":      {nil, 0, 0},
		"Retry-After":  {http.Header{"Retry-After": {"7"}}, 7 * time.Second, 0},
		"milliseconds": {http.Header{"Retry-After-Ms": {"1500"}}, 1500 * time.Millisecond, 0},
		"milliseconds are finer": {
			http.Header{"Retry-After-Ms": {"20.5"}, "Retry-After": {"1"}}, 20500 * time.Microsecond, 0,
		},
		"milliseconds without digits": {http.Header{"Retry-After-Ms": {"soon"}, "Retry-After": {"1"}}, time.Second, 0},
		"seconds":                     {http.Header{"X-Ratelimit-Reset": {"30"}}, 0, 30 * time.Second},
		"any letter case":             {http.Header{"x-RateLimit-reset": {"30"}}, 0, 30 * time.Second},
		"a fraction":                  {http.Header{"X-Ratelimit-Reset": {"0.25"}}, 0, 250 * time.Millisecond},
		"epoch":                       {http.Header{"X-Ratelimit-Reset": {fmt.Sprint(unix + 30)}}, 0, 30 * time.Second},
		"epoch in milliseconds": {
			http.Header{"X-Ratelimit-Reset": {fmt.Sprint((unix + 30) * 1000)}}, 0, 30 * time.Second,
		},
		"epoch by the server's clock": {
			http.Header{
				"X-Ratelimit-Reset": {fmt.Sprint(unix + 3630)},
				"Date":              {resetNow.Add(time.Hour).Format(http.TimeFormat)},
			},
			0, 30 * time.Second,
		},
		"epoch in the past": {http.Header{"X-Ratelimit-Reset": {fmt.Sprint(unix - 30)}}, 0, 0},
		"tokens":            {http.Header{"X-Tokenratelimit-Reset": {"12"}}, 0, 12 * time.Second},
		"something is left": {http.Header{"X-Ratelimit-Reset": {"30"}, "X-Ratelimit-Remaining": {"4"}}, 0, 0},
		"nothing is left": {
			http.Header{"X-Ratelimit-Reset": {"30"}, "X-Ratelimit-Remaining": {"0"}}, 0, 30 * time.Second,
		},
		"the longer of two": {
			http.Header{"X-Ratelimit-Reset": {"3"}, "X-Tokenratelimit-Reset": {"12"}}, 0, 12 * time.Second,
		},
		"IETF": {http.Header{"Ratelimit": {`"default";r=0;t=30`}}, 0, 30 * time.Second},
		"IETF, two limits": {
			http.Header{"Ratelimit": {`"burst";r=0;t=2, "daily";r=950;t=40000`}}, 0, 2 * time.Second,
		},
		"IETF, a comma in a name": {http.Header{"Ratelimit": {`"a,b";r=0;t=5`}}, 0, 5 * time.Second},
		"IETF, earlier draft": {
			http.Header{"Ratelimit": {"limit=10, remaining=0, reset=9"}}, 0, 9 * time.Second,
		},
		"IETF, own fields":         {http.Header{"Ratelimit-Reset": {"8"}}, 0, 8 * time.Second},
		"too large for a Duration": {http.Header{"Retry-After-Ms": {"99999999999999999999"}}, math.MaxInt64, 0},
		"negative":                 {http.Header{"X-Ratelimit-Reset": {"-5"}}, 0, 0},
		"an exponent":              {http.Header{"X-Ratelimit-Reset": {"1e9"}}, 0, 0},
		"a word":                   {http.Header{"X-Ratelimit-Reset": {"tomorrow"}}, 0, 0},
		"points":                   {http.Header{"X-Ratelimit-Reset": {"1.2.3"}}, 0, 0},
	} {
		t.Run(name, func(t *testing.T) {
			asked, reset := askedDelay(c.header, resetNow), resetDelay(c.header, resetNow)
			if asked != c.asked || (reset-c.reset).Abs() > time.Millisecond {
				t.Errorf("got %v, %v; want %v, %v", asked, reset, c.asked, c.reset)
			}
		})
	}
}

// Clients that got the same reset come back within the second after it,
// not at once, and not before.
func TestResetIsSpreadOverASecond(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		limited := answer{status: 429, header: http.Header{"X-Ratelimit-Reset": {"20"}}, code: "T429PR"}
		var early, late time.Duration = math.MaxInt64, 0
		for range 200 {
			tr := &Transport{Base: serve(limited, ok), Policy: RetryPolicy{MaxThrottleWait: time.Minute}}
			start := time.Now()
			if resp, err := tr.RoundTrip(newRequest(t, http.MethodPost, "order")); err != nil ||
				resp.StatusCode != 200 {
				t.Fatalf("got %v, %v", resp, err)
			}
			early, late = min(early, time.Since(start)), max(late, time.Since(start))
		}
		if early < 20*time.Second || late >= 21*time.Second || late-early < 500*time.Millisecond {
			t.Errorf("came back between %v and %v, want all over the second from 20s on", early, late)
		}
	})
}

// A time that is too long for the policy ends the request at once.
func TestResetIsBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		limited := answer{status: 429, header: http.Header{"X-Ratelimit-Reset": {"86400"}}, code: "T429PR"}
		start := time.Now()
		tr := &Transport{Base: serve(limited), Policy: RetryPolicy{MaxThrottleWait: time.Minute}}
		e := mustFail(t, tr, newRequest(t, http.MethodGet, ""))
		if e.Stop != StopThrottled || time.Since(start) != 0 {
			t.Errorf("got %v after %v, want throttled at once", e.Stop, time.Since(start))
		}
	})
}

// Failures that are no rate limit do not wait for one.
func TestResetOfAnotherFailureIsIgnored(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		failing := answer{status: 503, header: http.Header{"X-Ratelimit-Reset": {"20"}}}
		start := time.Now()
		tr := &Transport{Base: serve(failing, ok), Policy: RetryPolicy{InitialBackoff: time.Second}}
		if resp, err := tr.RoundTrip(newRequest(t, http.MethodGet, "")); err != nil || resp.StatusCode != 200 ||
			time.Since(start) > time.Second {
			t.Errorf("got %v, %v after %v", resp, err, time.Since(start))
		}
	})
}

func FuzzNamedTimes(f *testing.F) {
	for _, s := range []string{
		"7", "1500", "1764072030", "1764072030000", "99999999999999999999", "1.5", "-1", "",
		`"default";r=0;t=30`, "limit=10, remaining=0, reset=9",
	} {
		f.Add(s, s, s)
	}
	f.Fuzz(func(t *testing.T, ms, reset, field string) {
		h := http.Header{"Retry-After-Ms": {ms}, "X-Ratelimit-Reset": {reset}, "Ratelimit": {field}}
		if asked, until := askedDelay(h, resetNow), resetDelay(h, resetNow); asked < 0 || until < 0 {
			t.Errorf("got %v, %v", asked, until)
		}
	})
}
