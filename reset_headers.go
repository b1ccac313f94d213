package apigw

import (
	"math"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/apigw-go/apigw/catalog"
)

// askedDelay returns the delay that the server asked for with the failure. For a
// call limit that can be the time at which it begins anew, which reset says:
// everybody got the same answer.
func (e *Error) askedDelay(h http.Header, now time.Time) (delay time.Duration, reset bool) {
	if delay = askedDelay(h, now); delay > 0 || e.Entry.Class != catalog.ClassThrottled {
		return delay, false
	}
	delay = resetDelay(h, now)
	return delay, delay > 0
}

// askedDelay returns the delay that a server asks for, 0 for none. The finer
// Retry-After-Ms, which servers of AI models send, goes before Retry-After.
func askedDelay(h http.Header, now time.Time) time.Duration {
	if ms, ok := number(headerValue(h, "Retry-After-Ms")); ok {
		return multiply(ms, time.Millisecond)
	}
	return retryAfter(h, now)
}

// resetHeaders say when a rate limit begins anew: the rate limits of Higress and
// of its AI plug-ins, and drafts of the IETF before RateLimit was one field.
var resetHeaders = [...]struct{ reset, remaining string }{
	{"X-Ratelimit-Reset", "X-Ratelimit-Remaining"},
	{"X-Tokenratelimit-Reset", "X-Tokenratelimit-Remaining"},
	{"Ratelimit-Reset", "Ratelimit-Remaining"},
}

// resetDelay returns how long a rate limit lasts, by the headers that say when
// it begins anew; 0 if none does. Of several the longest counts.
func resetDelay(h http.Header, now time.Time) time.Duration {
	var delay time.Duration
	for _, names := range resetHeaders {
		reset, ok := number(headerValue(h, names.reset))
		if left, _ := number(headerValue(h, names.remaining)); ok && left == 0 {
			delay = max(delay, untilReset(reset, h, now))
		}
	}
	// Seconds, not a time: draft-ietf-httpapi-ratelimit-headers section 3.
	return max(delay, multiply(rateLimitReset(headerValue(h, "Ratelimit")), time.Second))
}

// untilReset reads seconds or a time, which differ by their magnitude: a limit
// of thirty years is none. Times can be in seconds or in milliseconds since 1970.
func untilReset(reset float64, h http.Header, now time.Time) time.Duration {
	const (
		firstEpoch       = 1e9  // seconds: the year 2001
		firstEpochMillis = 1e11 // as seconds: the year 5138
	)
	if reset < firstEpoch {
		return multiply(reset, time.Second)
	}
	if reset >= firstEpochMillis {
		reset /= 1000
	}
	at := multiply(reset, time.Second)
	return max(0, at-time.Duration(serverTime(h, now).UnixNano()))
}

// rateLimitReset reads the RateLimit field: `"default";r=0;t=30` of the later
// drafts, "limit=10, remaining=0, reset=30" of an earlier one. It returns the
// longest time of the limits that have nothing left.
func rateLimitReset(field string) (seconds float64) {
	if len(field) > 1024 {
		return 0
	}
	items := strings.Split(field, ",")
	if strings.Contains(field, "reset=") {
		items = []string{strings.ReplaceAll(field, ",", ";")}
	}
	for _, item := range items {
		left, reset := 0.0, 0.0
		for part := range strings.SplitSeq(item, ";") {
			name, value, _ := strings.Cut(strings.TrimSpace(part), "=")
			switch n, _ := number(value); name {
			case "r", "remaining":
				left = n
			case "t", "reset":
				reset = n
			}
		}
		if left == 0 {
			seconds = max(seconds, reset)
		}
	}
	return seconds
}

// number reads digits, with or without a fraction.
func number(s string) (n float64, ok bool) {
	if s == "" || len(s) > 20 || strings.Trim(s, "0123456789.") != "" {
		return 0, false
	}
	n, err := strconv.ParseFloat(s, 64)
	return n, err == nil
}

// multiply returns n units, the largest Duration if they are more.
func multiply(n float64, unit time.Duration) time.Duration {
	if d := n * float64(unit); d < math.MaxInt64 {
		return time.Duration(d)
	}
	return math.MaxInt64
}
