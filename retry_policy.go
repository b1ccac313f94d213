package apigw

import (
	"cmp"
	"errors"
	"fmt"
	"math"
	"slices"
	"time"

	"github.com/apigw-go/apigw/catalog"
	"github.com/cenkalti/backoff/v4"
)

// RetryPolicy says what is repeated, how often and after which pause. The zero
// value is the default policy: four attempts, full jitter from 250 ms to 10 s,
// no repetition of what may have run unless it is idempotent, no waiting on
// throttling.
//
// Words and meanings follow the gRPC service config where it has them.
type RetryPolicy struct {
	// MaxAttempts counts the first one too. 0 means 4, 1 means no retry.
	MaxAttempts int

	// InitialBackoff bounds the first pause, MaxBackoff every pause; each
	// further pause is BackoffMultiplier times as long. 0 means 250 ms, 10 s
	// and 2.
	InitialBackoff    time.Duration
	MaxBackoff        time.Duration
	BackoffMultiplier float64
	// Jitter spreads the pauses; the zero value is JitterFull.
	Jitter Jitter
	// NewBackOff, if not nil, makes the sequence of pauses of one request
	// instead of the four fields above. It is called when a first retry is
	// needed and must return a new value each time, since a BackOff is not
	// safe to share. A nil BackOff stands for the default sequence,
	// [backoff.Stop] for no further attempt.
	NewBackOff func() backoff.BackOff

	// AttemptTimeout limits one attempt up to its response head; the body
	// may take longer. 0 means no limit. It needs a Base that obeys the
	// request's context, as all of net/http does.
	AttemptTimeout time.Duration
	// MaxElapsed limits the whole: no attempt begins later than this after
	// the first one. An attempt that runs is not cut; use AttemptTimeout,
	// http.Client.Timeout or a context for that. 0 means no limit.
	MaxElapsed time.Duration
	// MaxRetryAfter is the longest pause that a Retry-After header can ask
	// for. A longer one ends the attempts. 0 means 30 s. Where a request is
	// throttled, MaxThrottleWait takes its place.
	MaxRetryAfter time.Duration
	// MaxThrottleWait is the time that one request may spend waiting because
	// it was throttled. 0 means to fail fast. The gateway does not say which
	// window a limit has, so waits without a Retry-After last a second at
	// least, the shortest window that there is.
	MaxThrottleWait time.Duration

	// RetryableStatusCodes are repeated, where the request may run twice, if
	// the answer carries no mark of the gateway. Nil means 500, 502, 503 and
	// 504; empty means none.
	RetryableStatusCodes []int
	// RetryNonIdempotent permits POST and PATCH to be repeated although the
	// backend may have run them. Requests with an Idempotency-Key header may
	// be repeated without it.
	RetryNonIdempotent bool
	// MaxBodyBuffer is how many bytes of a body without GetBody are
	// remembered for a repetition. A longer body is sent once. 0 means
	// 64 KiB, a negative number none.
	MaxBodyBuffer int64
}

// Validate names the fields that make no sense, nil if all do. [Transport]
// itself takes such a field for its default.
func (p *RetryPolicy) Validate() error {
	var errs []error
	check := func(ok bool, format string, args ...any) {
		if !ok {
			errs = append(errs, fmt.Errorf(format, args...))
		}
	}
	check(p.MaxAttempts >= 0, "MaxAttempts is %d: give 1 for no retry, 0 for the default", p.MaxAttempts)
	for _, d := range []struct {
		name  string
		value time.Duration
	}{
		{"InitialBackoff", p.InitialBackoff}, {"MaxBackoff", p.MaxBackoff}, {"AttemptTimeout", p.AttemptTimeout},
		{"MaxElapsed", p.MaxElapsed}, {"MaxRetryAfter", p.MaxRetryAfter}, {"MaxThrottleWait", p.MaxThrottleWait},
	} {
		check(d.value >= 0, "%s is %v: a duration cannot be negative", d.name, d.value)
	}
	check(p.initialBackoff() <= p.maxBackoff(), "InitialBackoff %v is longer than MaxBackoff %v", p.initialBackoff(), p.maxBackoff())
	check(p.BackoffMultiplier == 0 || p.BackoffMultiplier >= 1 && !math.IsInf(p.BackoffMultiplier, 0),
		"BackoffMultiplier is %v: give 1 or more, 0 for the default", p.BackoffMultiplier)
	check(p.Jitter <= JitterNone, "Jitter is %v: give JitterFull, JitterEqual or JitterNone", p.Jitter)
	for _, s := range p.RetryableStatusCodes {
		check(s >= 400 && s <= 599, "RetryableStatusCodes holds %d: only 400 to 599 are failures", s)
	}
	return errors.Join(errs...)
}

func positive[T int | time.Duration | float64](v, otherwise T) T {
	if v > 0 {
		return v
	}
	return otherwise
}

func (p *RetryPolicy) maxAttempts() int { return positive(p.MaxAttempts, 4) }
func (p *RetryPolicy) initialBackoff() time.Duration {
	return positive(p.InitialBackoff, 250*time.Millisecond)
}
func (p *RetryPolicy) maxBackoff() time.Duration    { return positive(p.MaxBackoff, 10*time.Second) }
func (p *RetryPolicy) maxRetryAfter() time.Duration { return positive(p.MaxRetryAfter, 30*time.Second) }

func (p *RetryPolicy) maxBodyBuffer() int64 {
	return max(0, cmp.Or(p.MaxBodyBuffer, 64<<10))
}

func (p *RetryPolicy) multiplier() float64 {
	if p.BackoffMultiplier >= 1 && !math.IsInf(p.BackoffMultiplier, 0) {
		return p.BackoffMultiplier
	}
	return 2
}

func (p *RetryPolicy) retryableStatus(status int) bool {
	if p.RetryableStatusCodes == nil {
		return catalog.RetryableStatus(status)
	}
	return slices.Contains(p.RetryableStatusCodes, status)
}
