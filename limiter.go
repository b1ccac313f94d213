package apigw

import (
	"context"
	"fmt"
	"time"

	"github.com/apigw-go/apigw/internal/pace"
)

// Limiter holds calls back that a call limit would refuse. [Pacer] is the one
// that a [Transport] has by itself; package redislimit has one that all
// processes share. A Limiter must be safe for concurrent use.
//
// Two more methods are used if it has them. Learns() bool says that it spaces
// refused calls by itself, so that they come back at once; for others the
// Transport waits a second at least. States() []PacerState is what
// [Transport.Limits] returns.
type Limiter interface {
	// Acquire waits until a call may be sent. Calls with the same key share a
	// limit. If no place can be had before until, the zero Time meaning never
	// mind, or before the deadline of ctx, it takes none and returns a
	// *[NoPlaceError], at once if it is known at once; if ctx ends, the cause
	// of that. Any other error of a Limiter fails the call, so one whose store
	// is gone should decide by itself. again says that the call was refused
	// before: it should go before others.
	Acquire(ctx context.Context, key string, until time.Time, again bool) (Place, error)
	// Done is called exactly once for each place that Acquire gave.
	Done(Place, Outcome)
}

// Place is the right to send one call.
type Place struct {
	// Value is the Limiter's own: Done gets what Acquire gave.
	Value any
	// RetryAfter is set by the Transport before Done: what a refusal asked
	// for, 0 if nothing.
	RetryAfter time.Duration

	pacer pacerPlace
}

// Outcome says what became of a call that had a place.
type Outcome uint8

// The outcomes. OutcomeUnknown: no answer came, or one that does not say; it
// must not be counted, but frees the place of a call that others wait for.
// OutcomePassed: any answer that is no refusal by a call limit, a failure too.
// OutcomeUnsent: nothing was sent, so the place is free again.
const (
	OutcomeUnknown Outcome = Outcome(pace.Lost)
	OutcomePassed  Outcome = Outcome(pace.Passed)
	OutcomeRefused Outcome = Outcome(pace.Refused)
	OutcomeUnsent  Outcome = Outcome(pace.Unsent)
)

var outcomeNames = [...]string{"unknown", "passed", "refused", "unsent"}

// String returns the name of the outcome, such as "passed".
func (o Outcome) String() string {
	if int(o) < len(outcomeNames) {
		return outcomeNames[o]
	}
	return fmt.Sprintf("Outcome(%d)", uint8(o))
}

// NoPlaceError says that a call limit has no place for a call in time. Nothing
// was sent. It matches [ErrThrottled].
type NoPlaceError struct {
	// Needed is how long the call would have to wait, at least.
	Needed time.Duration
}

func (e *NoPlaceError) Error() string {
	return fmt.Sprintf("no place under the call limit in time: it needs a wait of %v", e.Needed.Round(time.Millisecond))
}

// Is reports whether target is ErrThrottled.
func (e *NoPlaceError) Is(target error) bool { return target == ErrThrottled }

type limitKey struct{}

// DeclaredLimit returns the limit that the policy of a request declares, for a
// [Limiter] other than [Pacer]: its Acquire finds it in ctx. It is zero if there
// is none.
func DeclaredLimit(ctx context.Context) RateLimit {
	l, _ := ctx.Value(limitKey{}).(RateLimit)
	return l
}
