package apigw

import (
	"cmp"
	"errors"
	"fmt"
	"math"
	"slices"
	"time"

	"github.com/apigw-go/apigw/catalog"
)

// RetryPolicy says what is retried, how often and after which delay. The zero
// value is the default policy: four attempts, full jitter from 250 ms to 10 s,
// no retry of what may have run unless it is idempotent, no waiting for rate
// limits.
//
// Words and meanings follow the gRPC service config where it has them.
type RetryPolicy struct {
	// MaxAttempts counts the first one too. 0 means 4, 1 means no retry.
	MaxAttempts int

	// InitialBackoff bounds the first delay, MaxBackoff every delay; each
	// further one is BackoffMultiplier times as long. 0 means 250 ms, 10 s
	// and 2.
	InitialBackoff    time.Duration
	MaxBackoff        time.Duration
	BackoffMultiplier float64
	// Jitter spreads the delays; the zero value is JitterFull.
	Jitter Jitter
	// NewBackOff, if not nil, makes the delays of one request instead of the
	// four fields above. It is called when a first retry is needed. It must
	// return a new value each time, since a BackOff is not safe to share;
	// one that has a Reset method is reset first, so a literal of the library
	// will do. A nil BackOff stands for the default delays.
	NewBackOff func() BackOff

	// AttemptTimeout limits one attempt up to its response head; the body
	// may take longer. 0 means no limit. It needs a Base that obeys the
	// request's context, as all of net/http does.
	AttemptTimeout time.Duration
	// MaxElapsed limits the whole: no attempt begins later than this after
	// the first one. A running attempt is not cut; use AttemptTimeout,
	// http.Client.Timeout or a context for that. 0 means no limit.
	MaxElapsed time.Duration
	// MaxRetryAfter is the longest delay that a Retry-After header can ask
	// for. A longer one ends the attempts. 0 means 30 s. If a request is
	// throttled, MaxThrottleWait takes its place.
	MaxRetryAfter time.Duration
	// MaxThrottleWait is the time that one request may wait for call limits:
	// for its turn, and because it was refused. 0 means to fail fast. With it
	// the Transport learns the limits and paces the calls, see [Pacer]; calls
	// that a limit refused then cost neither MaxAttempts, unless that is 1,
	// nor retry budget. A call that gets no place in time is refused at once,
	// with StopPaced.
	MaxThrottleWait time.Duration
	// Limit is the call limit that the gateway is said to have. Calls are
	// spaced by it from the first one on, and by what is learned if that is
	// lower. Each process of a fleet may declare the whole limit. The zero
	// value declares none.
	Limit RateLimit
	// LimitScope tells requests to the same host apart that have limits of
	// their own, such as the pattern of the policy: those with the same scope
	// share one. It is shown in states and logs.
	LimitScope string
	// QuotaHold is how long calls are answered without asking the gateway
	// after it said that the quota is used up or an account owes money. Then
	// one call asks again; the first success ends it. 0 means to ask always.
	QuotaHold time.Duration

	// RetryableStatusCodes are retried, if the request may run twice and the
	// answer carries no mark of the gateway. Nil means 500, 502, 503 and 504;
	// empty means none.
	RetryableStatusCodes []int
	// SuccessMarks recognise refusals dressed as a success, for a service
	// that has such: they are decoded, and retried, like failures. Nil means
	// none: then a response below 400 is a success, whatever it says, and its
	// body is never looked into.
	SuccessMarks []SuccessMark
	// TrustProxyText says that a known error text of a proxy in a body is
	// that of the outermost one, in front of the service: nothing behind
	// passes such texts on. Then what the proxy did not send counts as not
	// reached. Without it this counts only for hosts that are known to mark
	// the answers of their backend (x-envoy-upstream-service-time).
	TrustProxyText bool
	// RetryNonIdempotent permits a retry of POST and PATCH although the
	// backend may have run them. Requests with an Idempotency-Key header do
	// not need it.
	RetryNonIdempotent bool
	// MaxBodyBuffer is how many bytes of a body without GetBody are kept for
	// a retry. A longer body is sent once. 0 means 64 KiB, a negative number
	// none.
	MaxBodyBuffer int64
}

// Validate names the fields that make no sense, nil if all do. [Transport]
// itself takes the default for such a field.
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
		{"QuotaHold", p.QuotaHold},
	} {
		check(d.value >= 0, "%s is %v: a duration cannot be negative", d.name, d.value)
	}
	check(p.initialBackoff() <= p.maxBackoff(),
		"InitialBackoff %v is longer than MaxBackoff %v: give both, in order", p.initialBackoff(), p.maxBackoff())
	check(p.BackoffMultiplier == 0 || p.BackoffMultiplier >= 1 && !math.IsInf(p.BackoffMultiplier, 0),
		"BackoffMultiplier is %v: give 1 or more, 0 for the default", p.BackoffMultiplier)
	check(p.Jitter <= JitterNone, "Jitter is %v: give JitterFull, JitterEqual or JitterNone", p.Jitter)
	if err := p.Limit.validate(); err != nil {
		errs = append(errs, err)
	}
	for _, s := range p.RetryableStatusCodes {
		check(s >= 400 && s <= 599, "RetryableStatusCodes holds %d: only 400 to 599 are failures", s)
	}
	for i := range p.SuccessMarks {
		err := p.SuccessMarks[i].validate()
		check(err == nil, "SuccessMarks[%d]: %w", i, err)
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

// remembered is how much of a body without GetBody is kept for a retry.
func (p *RetryPolicy) remembered() int64 {
	if p.maxAttempts() == 1 {
		return 0
	}
	return p.maxBodyBuffer()
}

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

// newBackOff makes the delays of one request.
func (p *RetryPolicy) newBackOff() BackOff {
	if p.NewBackOff != nil {
		if b := p.NewBackOff(); b != nil {
			return ready(b)
		}
	}
	return newExponential(p.initialBackoff(), p.maxBackoff(), p.multiplier(), p.Jitter)
}

// clone returns a copy that shares nothing with p.
func (p *RetryPolicy) clone() RetryPolicy {
	c := *p
	c.RetryableStatusCodes = slices.Clone(p.RetryableStatusCodes)
	c.SuccessMarks = slices.Clone(p.SuccessMarks)
	return c
}
