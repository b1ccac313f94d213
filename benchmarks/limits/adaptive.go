package main

import (
	"math"
	"time"

	"github.com/apigw-go/apigw/internal/pacesim"
)

// adaptive does what the adaptive retry mode of the AWS SDKs is documented to
// do: a token bucket whose rate falls to 70 % of what was measured when a call is
// throttled, and grows by a cubic curve after it; refused calls back off with
// full jitter, up to 20 seconds. Calls that wait ask again when there should be a
// token.
type adaptive struct {
	env      pacesim.Env
	enabled  bool
	fill     float64 // tokens a second
	tokens   float64
	filled   time.Duration
	measured float64 // calls a second, smoothed
	bucket   float64 // the half second that is being counted
	count    float64
	lastMax  float64
	lastCut  float64 // seconds
}

const (
	cutTo     = 0.7
	scale     = 0.4
	smoothing = 0.8
	minFill   = 0.5
)

func newAdaptive(env pacesim.Env) *adaptive { return &adaptive{env: env} }

func (a *adaptive) seconds() float64 { return a.env.Now().Seconds() }

func (a *adaptive) Enter(c *pacesim.Call) {
	if c.Tries > 0 {
		a.env.Timer(backoff(a.env.RNG, c.Tries, time.Second, 20*time.Second), func() { a.take(c) })
		return
	}
	a.take(c)
}

func (a *adaptive) take(c *pacesim.Call) {
	if !a.enabled {
		c.Send()
		return
	}
	a.refill()
	if a.tokens < 1 {
		a.env.Timer(max(time.Millisecond, time.Duration((1-a.tokens)/a.fill*float64(time.Second))),
			func() { a.take(c) })
		return
	}
	a.tokens--
	c.Send()
}

func (a *adaptive) refill() {
	now := a.env.Now()
	a.tokens = min(max(a.fill, 1), a.tokens+(now-a.filled).Seconds()*a.fill)
	a.filled = now
}

func (a *adaptive) Answer(_ *pacesim.Call, passed bool) bool {
	a.measure()
	var rate float64
	window := math.Cbrt(a.lastMax * (1 - cutTo) / scale)
	if passed {
		rate = scale*math.Pow(a.seconds()-a.lastCut-window, 3) + a.lastMax
	} else {
		used := a.measured
		if a.enabled {
			used = min(a.measured, a.fill)
		}
		a.lastMax, a.lastCut, a.enabled = used, a.seconds(), true
		rate = used * cutTo
	}
	a.refill()
	a.fill = max(min(rate, 2*a.measured), minFill)
	a.tokens = min(a.tokens, max(a.fill, 1))
	return true
}

// measure smooths the rate of answers over half seconds.
func (a *adaptive) measure() {
	half := math.Floor(a.seconds()*2) / 2
	a.count++
	if half > a.bucket {
		a.measured = a.count/(half-a.bucket)*smoothing + a.measured*(1-smoothing)
		a.count, a.bucket = 0, half
	}
}
