package main

import (
	"math"
	"math/rand/v2"
	"time"

	"github.com/apigw-go/apigw/internal/pacesim"
)

// nothing sends at once, and a refused call has failed.
type nothing struct{}

func (nothing) Enter(c *pacesim.Call)           { c.Send() }
func (nothing) Answer(*pacesim.Call, bool) bool { return false }
func (waiting) Answer(*pacesim.Call, bool) bool { return true }

// waiting is what apigw did before it paced: a refused call waits a second, the
// shortest window, and a random time that grows on top. It has no retry budget
// here; with one, most jobs fail.
type waiting struct{ env pacesim.Env }

func (w waiting) Enter(c *pacesim.Call) {
	if c.Tries == 0 {
		c.Send()
		return
	}
	w.env.Timer(time.Second+backoff(w.env.RNG, c.Tries, 250*time.Millisecond, 10*time.Second), c.Send)
}

// backoff is full jitter below a bound that doubles.
func backoff(rng *rand.Rand, tries int, first, longest time.Duration) time.Duration {
	bound := math.Min(float64(longest), float64(first)*math.Pow(2, float64(tries-1)))
	return time.Duration(rng.Float64() * bound)
}

// throttler does as the adaptive throttler of failsafe-go, after the chapter on
// overload in the SRE book: it refuses calls here with a probability that grows
// as more than a tenth of the last minute's calls were refused. A call that is
// refused, here or there, tries again after half a second to one and a half.
type throttler struct {
	env   pacesim.Env
	slots [20]struct{ passed, refused float64 }
	at    time.Duration
}

const slot = 3 * time.Second

func (t *throttler) advance() {
	for now := t.env.Now() / slot; t.at < now; t.at++ {
		t.slots[(t.at+1)%20] = struct{ passed, refused float64 }{}
	}
}

func (t *throttler) Enter(c *pacesim.Call) {
	if c.Tries > 0 {
		t.later(c)
		return
	}
	t.try(c)
}

func (t *throttler) later(c *pacesim.Call) {
	t.env.Timer(time.Second/2+time.Duration(t.env.RNG.Int64N(int64(time.Second))), func() { t.try(c) })
}

func (t *throttler) try(c *pacesim.Call) {
	t.advance()
	var passed, sent float64
	for _, s := range t.slots {
		passed, sent = passed+s.passed, sent+s.passed+s.refused
	}
	if p := min(0.9, max(0, sent-passed/0.9)/(sent+1)); p > 0 && t.env.RNG.Float64() < p {
		t.later(c)
		return
	}
	c.Send()
}

func (t *throttler) Answer(c *pacesim.Call, passed bool) bool {
	t.advance()
	s := &t.slots[(t.env.Now()/slot)%20]
	if passed {
		s.passed++
	} else {
		s.refused++
	}
	return true
}
