package apigw

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"math"
	"net/http"
	"slices"
	"strconv"
	"strings"
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

// Jitter says how much of each pause is left to chance.
type Jitter uint8

// Pauses between 0 and the bound, between half of it and the bound, or exactly
// the bound.
const (
	JitterFull Jitter = iota
	JitterEqual
	JitterNone
)

var jitterNames = [...]string{"full", "equal", "none"}

func (j Jitter) String() string {
	if int(j) < len(jitterNames) {
		return jitterNames[j]
	}
	return fmt.Sprintf("Jitter(%d)", uint8(j))
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
		return status == 500 || status == 502 || status == 503 || status == 504
	}
	return slices.Contains(p.RetryableStatusCodes, status)
}

// newBackOff makes the sequence of pauses of one request in space.
//
// An ExponentialBackOff draws from interval*(1±factor), which exceeds
// MaxInterval. A pause in [bound*(1-j), bound] is one drawn around
// bound*(1-j/2) with the factor (j/2)/(1-j/2), so that bound holds.
func (p *RetryPolicy) newBackOff(space *backoff.ExponentialBackOff) backoff.BackOff {
	if p.NewBackOff != nil {
		if b := p.NewBackOff(); b != nil {
			return b
		}
	}
	random := 1.0
	switch p.Jitter {
	case JitterEqual:
		random = 0.5
	case JitterNone:
		random = 0
	}
	middle := 1 - random/2
	longest := p.maxBackoff()
	*space = backoff.ExponentialBackOff{
		InitialInterval:     time.Duration(middle * float64(min(p.initialBackoff(), longest))),
		RandomizationFactor: random / 2 / middle,
		Multiplier:          p.multiplier(),
		MaxInterval:         time.Duration(middle * float64(longest)),
		Stop:                backoff.Stop,
		Clock:               backoff.SystemClock,
	}
	space.Reset()
	return space
}

// StopReason says why there was no further attempt.
type StopReason uint8

// The reasons. Text explains each in a sentence, String is its name for
// machines.
const (
	StopUnknown       StopReason = iota // not decided
	StopNotRetryable                    // the request itself has to change
	StopThrottled                       // throttled, and the policy does not wait (so long)
	StopMaxAttempts                     // MaxAttempts used up
	StopMaxElapsed                      // the pause would pass MaxElapsed
	StopDeadline                        // the pause would pass the context's deadline
	StopContext                         // the context ended
	StopBudget                          // the retry budget of the host is empty
	StopMayHaveRun                      // not idempotent, and the backend may have run it
	StopBody                            // the body cannot be sent again
	StopNonce                           // carries an X-Ca-Nonce that nobody would renew
	StopNonceUsed                       // an earlier copy of the request was accepted
	StopRetryAfter                      // Retry-After is longer than MaxRetryAfter
	StopBackOff                         // the policy's BackOff said stop
	StopPermanent                       // certificate, scheme or request malformed
	StopPrepareFailed                   // PrepareRetry returned an error
)

var stopReasons = [...]struct{ name, text string }{
	{"unknown", "not decided"},
	{"not-retryable", "another attempt cannot help"},
	{"throttled", "throttled, and the policy does not wait that long (MaxThrottleWait)"},
	{"max-attempts", "all attempts are used up (MaxAttempts)"},
	{"max-elapsed", "the pause would pass the time limit (MaxElapsed)"},
	{"deadline", "the pause would pass the deadline of the context"},
	{"context-done", "the context ended"},
	{"budget-empty", "the retry budget of this host is empty"},
	{"may-have-run", "the backend may have run it, and it is not idempotent; an Idempotency-Key header or RetryNonIdempotent would permit a retry"},
	{"body-not-replayable", "the body cannot be sent again; set GetBody, or keep it below MaxBodyBuffer"},
	{"nonce-not-renewed", "the request carries an X-Ca-Nonce that nobody would renew; sign below the Transport, or set PrepareRetry to the signer's Sign"},
	{"nonce-used", "an earlier copy of the request was accepted and may have run"},
	{"retry-after-too-long", "the server asked for a longer pause than MaxRetryAfter"},
	{"backoff-stopped", "the BackOff of the policy said stop"},
	{"permanent", "the request cannot be sent like this, now or later"},
	{"prepare-failed", "PrepareRetry failed"},
}

// String returns the reason's name, such as "max-attempts".
func (s StopReason) String() string {
	if int(s) < len(stopReasons) {
		return stopReasons[s].name
	}
	return fmt.Sprintf("StopReason(%d)", uint8(s))
}

// Text explains the reason and names the setting that would change it.
func (s StopReason) Text() string {
	if int(s) < len(stopReasons) {
		return stopReasons[s].text
	}
	return s.String()
}

// judgement is what a failure by itself allows, before attempts, time, budget
// and body are asked.
type judgement struct {
	stop      StopReason // 0: another attempt may follow
	throttled bool       // it has to wait for a rate limit
}

// judge decides on a failure. Transport and the go-retryablehttp adapters both
// come here.
func (p *RetryPolicy) judge(e *Error, idempotent bool) judgement {
	switch {
	case e.Origin == OriginNone:
		if permanent(e.Err) {
			return judgement{stop: StopPermanent}
		}
		return judgement{stop: p.unlessRepeatable(e, idempotent)}
	case e.Entry.Class == catalog.ClassThrottled && !p.retryableAnswer(e):
		if p.MaxThrottleWait <= 0 {
			return judgement{stop: StopThrottled}
		}
		return judgement{stop: p.unlessRepeatable(e, idempotent), throttled: true}
	case e.Origin == OriginGateway && e.Entry.Retry == catalog.RetryNo,
		e.Origin != OriginGateway && !p.retryableStatus(e.Status):
		return judgement{stop: StopNotRetryable}
	}
	return judgement{stop: p.unlessRepeatable(e, idempotent)}
}

// retryableAnswer reports whether the policy lists the status of an answer
// without a mark of the gateway.
func (p *RetryPolicy) retryableAnswer(e *Error) bool {
	return e.Origin != OriginGateway && p.retryableStatus(e.Status)
}

func (p *RetryPolicy) unlessRepeatable(e *Error, idempotent bool) StopReason {
	if e.Reached == catalog.ReachedNo || idempotent || p.RetryNonIdempotent {
		return StopUnknown
	}
	return StopMayHaveRun
}

// idempotent reports whether a request may run twice: by its method (RFC 9110
// section 9.2.2), or because it carries a key by which the backend recognises
// a repetition, as net/http judges it.
func idempotent(req *http.Request) bool {
	switch req.Method {
	case "", http.MethodGet, http.MethodHead, http.MethodPut, http.MethodDelete, http.MethodOptions, http.MethodTrace:
		return true
	}
	return hasIdempotencyKey(req.Header)
}

func hasIdempotencyKey(h http.Header) bool {
	return hasHeader(h, "Idempotency-Key") || hasHeader(h, "X-Idempotency-Key")
}

// replayedBelow reports whether http.Transport repeats such a request by
// itself on a connection that dies, with the same nonce and without a trace.
func replayedBelow(req *http.Request) bool {
	if req.Body != nil && req.Body != http.NoBody && req.GetBody == nil {
		return false
	}
	switch req.Method {
	case "", http.MethodGet, http.MethodHead, http.MethodOptions, http.MethodTrace:
		return true
	}
	return hasIdempotencyKey(req.Header)
}

// nonceUsed reports whether the gateway saw the nonce before.
func nonceUsed(e *Error) bool {
	return e.Entry.ID == "classic.nonce-used" || e.Entry.ID == "S403NU"
}

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
	if date, err := http.ParseTime(headerValue(h, "Date")); err == nil {
		now = date
	}
	return max(0, at.Sub(now))
}

// throttleWindow is the shortest window of a rate limit.
// https://www.alibabacloud.com/help/en/api-gateway, throttling plug-in
const throttleWindow = time.Second

type requestKey struct{}

// perRequest is what a request's context carries for the Transport.
type perRequest struct {
	policy   *RetryPolicy
	recorder *Recorder
}

func fromContext(ctx context.Context) perRequest {
	v, _ := ctx.Value(requestKey{}).(*perRequest)
	if v == nil {
		return perRequest{}
	}
	return *v
}

// WithPolicy returns a context whose requests follow policy, whatever the
// [Transport] and its services say.
func WithPolicy(ctx context.Context, policy RetryPolicy) context.Context {
	v := fromContext(ctx)
	v.policy = &policy
	return context.WithValue(ctx, requestKey{}, &v)
}
