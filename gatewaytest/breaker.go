package gatewaytest

import (
	"net/http"
	"sync"
	"time"
)

// Breaker is a circuit breaker: it opens after failures of the backend, lets
// nothing pass for a while, then a few calls as trials. If one of them succeeds
// it closes, if one fails it opens again. A failure is a status from 500 or a
// timeout of the backend. A client that leaves before the answer decides
// nothing.
type Breaker struct {
	// Failures opens it, as many in a row, or as many within Within, if that
	// is not 0. If 0, one failure opens it.
	Failures int
	Within   time.Duration
	// OpenFor is how long nothing passes. If 0, 90 seconds, as on the
	// gateway.
	OpenFor time.Duration
	// TimeoutsOnly lets timeouts alone count as failures, see
	// [Route.Timeout].
	TimeoutsOnly bool
	// Trials is how many calls may pass at once after OpenFor. If 0, one. The
	// others are refused until the trials have ended.
	Trials int
	// Fallback answers while nothing passes, in place of the refusal. If nil,
	// calls are refused.
	Fallback http.Handler
}

// DocumentedBreaker returns the breaker that every API has if nobody
// configures another one: 1,000 timeouts in 30 seconds open it for 90 seconds
// (help page 154199). How many trials pass then is not documented.
func DocumentedBreaker() *Breaker {
	return &Breaker{Failures: 1000, Within: 30 * time.Second, OpenFor: 90 * time.Second, TimeoutsOnly: true, Trials: 3}
}

type breakerPosition uint8

const (
	breakerIsClosed breakerPosition = iota
	breakerIsOpen
	breakerIsTrying
)

// backendResult is how the backend did.
type backendResult uint8

const (
	backendUnknown backendResult = iota // nobody waited for it
	backendSucceeded
	backendFailed
	backendTimedOut
)

// breakerState is a [Breaker] in use.
type breakerState struct {
	mu       sync.Mutex
	position breakerPosition
	// epoch counts the changes of position: a call from before the last one
	// decides nothing.
	epoch    int
	opened   time.Time
	failures []time.Time // of the closed breaker, at most Breaker.Failures
	trials   int         // on their way
}

// pass is a call that the breaker let through. It must be settled.
type pass struct {
	state   *breakerState
	breaker *Breaker
	epoch   int
}

// admit says breakerIsClosed to a call that may pass, trials included.
func (s *breakerState) admit(b *Breaker, now time.Time) (pass, breakerPosition) {
	if b == nil {
		return pass{}, breakerIsClosed
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	openFor := b.OpenFor
	if openFor <= 0 {
		openFor = 90 * time.Second
	}
	if s.position == breakerIsOpen && now.Sub(s.opened) >= openFor {
		s.move(breakerIsTrying)
	}
	if s.position == breakerIsTrying {
		if s.trials >= max(b.Trials, 1) {
			return pass{}, breakerIsTrying
		}
		s.trials++
		return pass{s, b, s.epoch}, breakerIsClosed
	}
	return pass{s, b, s.epoch}, s.position
}

func (s *breakerState) move(to breakerPosition) {
	s.position, s.failures, s.trials = to, nil, 0
	s.epoch++
}

// settle takes the result of the call.
func (p pass) settle(now time.Time, result backendResult) {
	if p.state == nil {
		return
	}
	s, b := p.state, p.breaker
	s.mu.Lock()
	defer s.mu.Unlock()
	if p.epoch != s.epoch {
		return
	}
	trying := s.position == breakerIsTrying
	if trying {
		s.trials--
	}
	failed := result == backendTimedOut || result == backendFailed && !b.TimeoutsOnly
	switch {
	case result == backendUnknown:
	case failed && trying:
		s.open(now)
	case failed:
		s.countFailure(b, now)
	case trying:
		s.move(breakerIsClosed)
	case b.Within <= 0:
		s.failures = nil // they must stand in a row
	}
}

func (s *breakerState) countFailure(b *Breaker, now time.Time) {
	s.failures = append(s.failures, now)
	for b.Within > 0 && now.Sub(s.failures[0]) > b.Within {
		s.failures = s.failures[1:]
	}
	if len(s.failures) >= b.Failures {
		s.open(now)
	}
}

func (s *breakerState) open(now time.Time) {
	s.move(breakerIsOpen)
	s.opened = now
}

// reset closes the breaker.
func (s *breakerState) reset() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.move(breakerIsClosed)
}
