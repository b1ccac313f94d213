package pacesim

import (
	"math/rand/v2"
	"time"
)

// Limit is what a gateway does with a call that arrives.
type Limit interface {
	// Admit says whether it passes. Moments do not go back.
	Admit(now time.Duration) bool
}

// Aligned counts in windows that follow each other, whatever comes in. Refused
// calls are not counted.
type Aligned struct {
	Window, Phase time.Duration
	Calls         func(now time.Duration) int

	index time.Duration
	count int
}

func (l *Aligned) Admit(now time.Duration) bool {
	if i := (now + l.Phase) / l.Window; i != l.index {
		l.index, l.count = i, 0
	}
	if l.count >= l.Calls(now) {
		return false
	}
	l.count++
	return true
}

// Opened begins its window with the first call after the last window.
type Opened struct {
	Window time.Duration
	Calls  int

	end   time.Duration
	count int
}

func (l *Opened) Admit(now time.Duration) bool {
	if now >= l.end {
		l.end, l.count = now+l.Window, 0
	}
	if l.count >= l.Calls {
		return false
	}
	l.count++
	return true
}

// Sliding remembers each call for as long as the window is.
type Sliding struct {
	Window time.Duration
	Calls  int
	// CountRefused counts refused calls too.
	CountRefused bool

	log []time.Duration
}

func (l *Sliding) Admit(now time.Duration) bool {
	for len(l.log) > 0 && l.log[0] <= now-l.Window {
		l.log = l.log[1:]
	}
	passes := len(l.log) < l.Calls
	if passes || l.CountRefused {
		l.log = append(l.log, now)
	}
	return passes
}

// Bucket is a token bucket.
type Bucket struct {
	PerSecond, Burst float64

	spent float64 // of Burst
	last  time.Duration
}

func (l *Bucket) Admit(now time.Duration) bool {
	l.spent = max(0, l.spent-(now-l.last).Seconds()*l.PerSecond)
	l.last = now
	if l.spent+1 > l.Burst {
		return false
	}
	l.spent++
	return true
}

// Nothing admits nothing.
type Nothing struct{}

func (Nothing) Admit(time.Duration) bool { return false }

// All asks one limit after the other.
type All []Limit

func (all All) Admit(now time.Duration) bool {
	for _, l := range all {
		if !l.Admit(now) {
			return false
		}
	}
	return true
}

// Fixed returns aligned windows of some phase.
func Fixed(calls int, window time.Duration) func(*rand.Rand) Limit {
	return Changing(window, func(time.Duration) int { return calls })
}

// Changing returns aligned windows whose limit depends on the time.
func Changing(window time.Duration, calls func(time.Duration) int) func(*rand.Rand) Limit {
	return func(rng *rand.Rand) Limit {
		return &Aligned{Window: window, Phase: time.Duration(rng.Int64N(int64(window))), Calls: calls}
	}
}
