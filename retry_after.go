package apigw

import (
	"math"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// retryAfter reads the Retry-After header, seconds or a date (RFC 9110 section
// 10.2.3). A date counts from the response's own Date, so that a wrong clock
// here does no harm. What is missing, malformed or past is 0, what is too large
// for a Duration the largest one.
func retryAfter(h http.Header, now time.Time) time.Duration {
	v := headerValue(h, "Retry-After")
	if v == "" || len(v) > 64 {
		return 0
	}
	if strings.Trim(v, "0123456789") == "" {
		seconds, err := strconv.ParseInt(v, 10, 64)
		if err != nil || seconds > int64(math.MaxInt64/time.Second) {
			return math.MaxInt64
		}
		return time.Duration(seconds) * time.Second
	}
	at, err := http.ParseTime(v)
	if err != nil {
		return 0
	}
	return max(0, at.Sub(serverTime(h, now)))
}

// serverTime is the response's own time, so that a wrong clock here does no harm.
func serverTime(h http.Header, now time.Time) time.Time {
	if date, err := http.ParseTime(headerValue(h, "Date")); err == nil {
		return date
	}
	return now
}
