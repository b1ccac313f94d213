package apigw

import (
	"testing"
	"time"
)

func TestParseRateLimit(t *testing.T) {
	for text, want := range map[string]RateLimit{
		"100/s": {100, time.Second}, " 100 / s ": {100, time.Second}, "1000/min": {1000, time.Minute},
		"1000/m": {1000, time.Minute},
		"5000/h": {5000, time.Hour}, "1000/day": {1000, 24 * time.Hour}, "500/10s": {500, 10 * time.Second},
		"3000/15m": {3000, 15 * time.Minute},
	} {
		got, err := ParseRateLimit(text)
		if err != nil || got != want {
			t.Errorf("%q: got %+v, %v, want %+v", text, got, err, want)
			continue
		}
		if again, err := ParseRateLimit(got.String()); err != nil || again != want {
			t.Errorf("%q is written %q and read as %+v, %v, want %+v", text, got, again, err, want)
		}
	}
	for _, text := range []string{"", "100", "/s", "0/s", "-1/s", "1.5/s", "100/", "100/x", "100/0s", "100/-1s",
		"100/s/s", "99999999999999999999/s"} {
		if got, err := ParseRateLimit(text); err == nil {
			t.Errorf("%q: got %+v, want an error", text, got)
		}
	}
}

func TestRateLimitString(t *testing.T) {
	for want, l := range map[string]RateLimit{
		"none": {}, "100/s": {Calls: 100}, "7/day": {7, 24 * time.Hour}, "500/10s": {500, 10 * time.Second},
		"2/1.5s": {2, 1500 * time.Millisecond},
	} {
		if got := l.String(); got != want {
			t.Errorf("%+v is %q, want %q", l, got, want)
		}
	}
}

func TestRateLimitMakesSense(t *testing.T) {
	for _, l := range []RateLimit{{Calls: -1}, {Calls: 1, Per: -1}, {Per: time.Second}} {
		p := RetryPolicy{Limit: l}
		if p.Validate() == nil {
			t.Errorf("%+v: got no error", l)
		}
	}
	if err := (&RetryPolicy{Limit: RateLimit{Calls: 100}}).Validate(); err != nil {
		t.Errorf("got %v, want none", err)
	}
}
