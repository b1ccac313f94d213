package apigw

import (
	"cmp"
	"fmt"
	"time"

	"github.com/cenkalti/backoff/v4"
)

// BackOff is a sequence of delays. The values of
// github.com/cenkalti/backoff, version 4 and later, are BackOffs.
type BackOff interface {
	// NextBackOff returns the delay before the next retry. 0 means at once,
	// a negative delay that there shall be no retry.
	NextBackOff() time.Duration
}

// Jitter says how much of each delay is left to chance.
type Jitter uint8

// Delays between 0 and the bound, between half of it and the bound, or exactly
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

// share is the part of a delay that is left to chance.
func (j Jitter) share() float64 {
	switch j {
	case JitterEqual:
		return 0.5
	case JitterNone:
		return 0
	}
	return 1
}

// newExponential returns delays that grow from initial to longest.
//
// The engine draws from interval*(1±factor), which exceeds its MaxInterval. A
// delay in [bound*(1-j), bound] is one drawn around bound*(1-j/2) with the
// factor (j/2)/(1-j/2). So our bound is a bound.
func newExponential(initial, longest time.Duration, multiplier float64, jitter Jitter) BackOff {
	random := jitter.share()
	middle := 1 - random/2
	b := &backoff.ExponentialBackOff{
		InitialInterval:     time.Duration(middle * float64(min(initial, longest))),
		RandomizationFactor: random / 2 / middle,
		Multiplier:          multiplier,
		MaxInterval:         time.Duration(middle * float64(longest)),
		Stop:                backoff.Stop,
		Clock:               backoff.SystemClock,
	}
	b.Reset()
	return b
}

// ready makes a BackOff of the caller's usable. The library's own type does
// not delay at all if it was written as a literal and never Reset, panics
// without a Clock, and retries at once where its zero Stop means to end.
func ready(b BackOff) BackOff {
	if e, ok := b.(*backoff.ExponentialBackOff); ok {
		e.InitialInterval = cmp.Or(e.InitialInterval, backoff.DefaultInitialInterval)
		e.Multiplier = cmp.Or(e.Multiplier, backoff.DefaultMultiplier)
		e.MaxInterval = cmp.Or(e.MaxInterval, backoff.DefaultMaxInterval)
		e.Stop = cmp.Or(e.Stop, backoff.Stop)
		if e.Clock == nil {
			e.Clock = backoff.SystemClock
		}
	}
	if r, ok := b.(interface{ Reset() }); ok {
		r.Reset()
	}
	return b
}
