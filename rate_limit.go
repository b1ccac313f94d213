package apigw

import (
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"
)

// RateLimit is a number of calls in a time, such as 100 a second. The zero value
// is no limit.
type RateLimit struct {
	Calls int
	// Per is the time. 0 means a second.
	Per time.Duration
}

// rateUnits are the units of a text, the first of each kind being written.
var rateUnits = []struct {
	name string
	per  time.Duration
}{
	{"s", time.Second}, {"sec", time.Second}, {"second", time.Second},
	{"min", time.Minute}, {"m", time.Minute}, {"minute", time.Minute},
	{"h", time.Hour}, {"hour", time.Hour},
	{"day", 24 * time.Hour}, {"d", 24 * time.Hour},
}

// ParseRateLimit reads "100/s", "1000/min", "5000/h", "1000/day", and other
// times as in "500/10s".
func ParseRateLimit(text string) (RateLimit, error) {
	calls, per, found := strings.Cut(strings.TrimSpace(text), "/")
	n, err := strconv.Atoi(strings.TrimSpace(calls))
	if !found || err != nil || n <= 0 {
		return RateLimit{}, fmt.Errorf(`limit %q: write calls and a time, such as "100/s" or "5000/h"`, text)
	}
	per = strings.TrimSpace(per)
	for _, u := range rateUnits {
		if per == u.name {
			return RateLimit{n, u.per}, nil
		}
	}
	d, err := time.ParseDuration(per)
	if err != nil || d <= 0 {
		return RateLimit{}, fmt.Errorf(`limit %q: write the time as "s", "min", "h", "day", or such as "10s"`, text)
	}
	return RateLimit{n, d}, nil
}

// String returns what ParseRateLimit reads, "none" for no limit.
func (l RateLimit) String() string {
	if l.none() {
		return "none"
	}
	for _, u := range rateUnits {
		if l.per() == u.per {
			return fmt.Sprintf("%d/%s", l.Calls, u.name)
		}
	}
	return fmt.Sprintf("%d/%v", l.Calls, l.per())
}

// UnmarshalText is ParseRateLimit.
func (l *RateLimit) UnmarshalText(text []byte) (err error) {
	*l, err = ParseRateLimit(string(text))
	return err
}

// MarshalText is String.
func (l RateLimit) MarshalText() ([]byte, error) { return []byte(l.String()), nil }

func (l RateLimit) none() bool { return l.Calls <= 0 }

func (l RateLimit) per() time.Duration {
	if l.Per <= 0 {
		return time.Second
	}
	return l.Per
}

// validate says what makes no sense.
func (l RateLimit) validate() error {
	switch {
	case l.Calls < 0:
		return fmt.Errorf("Limit.Calls is %d: give 1 or more, 0 for no limit", l.Calls)
	case l.Calls > math.MaxInt32:
		return fmt.Errorf("Limit.Calls is %d: no gateway admits so many", l.Calls)
	case l.Per < 0:
		return fmt.Errorf("Limit.Per is %v: a duration cannot be negative", l.Per)
	case l.Per > 0 && l.Calls == 0:
		return fmt.Errorf("Limit.Per is %v without Limit.Calls: give both", l.Per)
	}
	return nil
}
