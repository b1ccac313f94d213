package apigw

import (
	"fmt"
	"time"

	"github.com/cenkalti/backoff/v4"
)

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
