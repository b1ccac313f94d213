// Package pace finds out how many calls a gateway admits, from nothing but
// which of them it refused, and spaces calls so that few are.
//
// [Learner] is the arithmetic, [Line] the order in which calls wait, [Queue]
// both for goroutines. docs/limits.md explains the idea and what it achieves.
package pace

import (
	"math"
	"time"
)

// The parameters. None depends on the limit, its window or the number of
// processes, and none is offered to users: docs/limits.md has what each costs.
const (
	// cut is what a refusal leaves of the rate if nothing else is known.
	cut = 0.97
	// firstStep is the first rise of the rate after a calm, as a share of it.
	// Each further one is twice as large.
	firstStep = 0.02
	// searchStep is the first rise while the limit was not measured yet.
	searchStep = 0.5
	// farStep is the largest rise after which a refusal says where the limit
	// is: between the rates before and after. Beyond it is measured.
	farStep = 0.2
	// calmPrice is how many windows a refused call keeps the rate as it is,
	// at one call a window. It falls with the root of the calls, so that a
	// small share of a limit grows faster than a large one.
	calmPrice = 50
	maxCalm   = 15
	// burst calls may go at once. With none, a late timer would cost calls.
	burst = 3
	slack = 10 * time.Millisecond
	// restSpans windows without a call that waits are a rest.
	restSpans = 10
	// maxTrip is the longest round trip of a refusal that is believed.
	maxTrip = 2 * time.Second
)

// A Learner learns the call limit of one key. The zero value knows no limit
// and holds nothing back.
//
// It is pure: it has no clock and no lock. All moments are durations since an
// origin of the caller's choice, and must not go back.
//
// The idea: the calls that passed between two openings of the gate, divided by
// the time between them, are the limit, whatever the length and phase of the
// gateway's window; a sliding log and a token bucket give the same figure.
type Learner struct {
	gate  Gate
	epoch uint64 // grows with each closing and opening

	rate    float64 // calls a second; 0 while nothing is known
	ceiling float64 // the same, as declared; 0: none
	window  time.Duration
	tokens  float64
	filled  time.Duration // tokens are of this moment

	// Since the last opening.
	opened time.Duration // when the call that opened was sent, 0: never
	since  time.Duration // the same, or when calls came again after a rest
	passed int           // calls that passed since then
	// measuring: the next opening sets the rate to what passed.
	measuring bool

	// Since the last closing.
	shut     time.Duration // when the call that closed was sent
	refused  time.Duration // when the last refused call was sent
	refusals int
	due      time.Duration // the next probe
	probing  bool
	probed   time.Duration // the last probe
	trip     time.Duration // how long refusals take to come, smoothed

	// Growth.
	step   float64       // the next rise
	before float64       // the rate before the last rise, 0: none since the opening
	grown  time.Duration // the last rise, or the end of the calm
	waited bool          // somebody had to wait since: the rate is what limits
	taken  time.Duration // the last call
	busy   time.Duration // the last one that had to wait
}

// Gate says whether calls go.
type Gate uint8

// The states of a gate.
const (
	Free     Gate = iota // no limit is known: nothing is held back
	Open                 // calls go at the rate
	Doubtful             // refused, but calls go at the rate until the next answer
	Closed               // single probes go
)

var gateNames = [...]string{"free", "open", "doubtful", "closed"}

func (g Gate) String() string {
	if int(g) < len(gateNames) {
		return gateNames[g]
	}
	return "unknown"
}

// Call is what a Learner must get back about a call that it let go.
type Call struct {
	Sent  time.Duration
	Epoch uint64
	Probe bool
}

// Declare sets the limit that the gateway is said to have: where the rate
// starts, and what it never exceeds. It may still fall below. Calls that are
// not positive declare nothing.
func (l *Learner) Declare(calls float64, per, now time.Duration) {
	if calls <= 0 || per <= 0 {
		return
	}
	ceiling := calls / per.Seconds()
	if l.ceiling == ceiling {
		return
	}
	l.ceiling = ceiling
	if l.gate != Free {
		l.rate = min(l.rate, ceiling)
		return
	}
	l.Resume(ceiling, per, now)
}

// Resume begins with a limit that somebody else learned, as calls a second. It
// is no ceiling.
func (l *Learner) Resume(rate float64, window, now time.Duration) {
	if l.gate != Free || rate <= 0 {
		return
	}
	l.gate, l.rate, l.window = Open, rate, max(window, time.Second)
	l.opened, l.filled, l.grown = max(1, now), now, now
	l.since, l.taken, l.busy = now, now, now
	l.step, l.tokens = firstStep, 1
}

// Next returns the moment at which the next call may go; it may be past. The
// answer to a probe can change it.
func (l *Learner) Next(now time.Duration) time.Duration {
	switch {
	case l.gate == Free:
		return now
	case l.gate == Closed && l.probing:
		return l.probed + l.patience()
	case l.gate == Closed:
		return l.due
	}
	l.fill(now)
	return now + l.timeFor(1-l.tokens)
}

// timeFor returns how long so many calls take.
func (l *Learner) timeFor(calls float64) time.Duration {
	if calls < 1e-9 { // less than rounding makes
		return 0
	}
	return duration(math.Ceil(calls / l.rate * float64(time.Second)))
}

// duration avoids the overflow of a conversion.
func duration(nanoseconds float64) time.Duration {
	return time.Duration(min(nanoseconds, float64(math.MaxInt64/4)))
}

func (l *Learner) fill(now time.Duration) {
	if l.gate == Open || l.gate == Doubtful {
		l.tokens += l.rate * (now - l.filled).Seconds()
		l.tokens = min(l.tokens, l.room())
	}
	l.filled = now
}

// room is how many calls may go at once after a rest.
func (l *Learner) room() float64 { return burst + l.rate*slack.Seconds() }

// Presume takes a probe for passed that has had no answer for so long that a
// refusal would have come. Call it before Next.
func (l *Learner) Presume(now time.Duration) {
	if (l.gate == Closed || l.gate == Doubtful) && l.probing && now >= l.probed+l.patience() {
		l.open(Call{Sent: l.probed, Epoch: l.epoch}, now)
	}
}

// Take lets a call go. It must not be called before Next.
func (l *Learner) Take(now time.Duration) Call {
	l.fill(now)
	if l.gate == Open && now-l.taken >= l.span() && l.tokens >= l.room() {
		l.rested(now) // whatever came before is of another window
	}
	l.taken = now
	c := Call{Sent: now, Epoch: l.epoch}
	switch l.gate {
	case Closed:
		c.Probe = true
	case Open, Doubtful:
		l.tokens--
	}
	if (l.gate == Closed || l.gate == Doubtful) && !l.probing {
		l.probing, l.probed = true, now
		l.missed(now)
	}
	return c
}

// Estimate returns how long a call waits if so many are ahead of it and
// nothing changes. While the rate is no more than a guess, those ahead do not
// count.
func (l *Learner) Estimate(now time.Duration, ahead int) time.Duration {
	if l.gate == Free {
		return 0
	}
	if l.measuring {
		ahead = 0
	}
	if l.gate != Closed {
		l.fill(now)
		return l.timeFor(float64(ahead+1) - l.tokens)
	}
	if l.probing {
		return l.timeFor(float64(ahead))
	}
	return max(0, l.due-now) + l.timeFor(float64(ahead))
}

// Passed notes an answer that is no refusal, whatever else it says: the call
// was admitted.
func (l *Learner) Passed(c Call, now time.Duration) {
	l.passed++
	switch {
	case l.gate == Free:
	case (l.gate == Closed || l.gate == Doubtful) && c.Epoch == l.epoch:
		l.open(c, now)
	case l.gate == Open && l.waited && c.Sent-l.grown >= l.span():
		// By the time of sending: with long round trips the last rise could
		// not be refused yet.
		l.grow(now)
	}
}

func (l *Learner) grow(now time.Duration) {
	l.fill(now)
	l.before = l.rate
	l.rate *= 1 + l.step
	if l.ceiling > 0 {
		l.rate = min(l.rate, l.ceiling)
	}
	l.step = min(1, 2*l.step)
	l.grown, l.waited = now, false
}

// Refused notes a refusal. retryAfter is what it asked for, 0 if nothing.
// recent is how many calls passed in the last second or two; it counts at the
// first refusal only.
//
// A refusal of a call that was under way when the gate closed or opened last
// shows nothing new and changes neither gate nor rate.
func (l *Learner) Refused(c Call, now, retryAfter time.Duration, recent int) {
	l.refusals++
	l.refused = max(l.refused, c.Sent)
	l.measureTrip(now - c.Sent)
	if c.Epoch != l.epoch {
		return
	}
	switch {
	case l.gate == Free || l.gate == Open:
		l.close(c, now, recent)
	case l.gate == Doubtful:
		l.gate, l.probing = Closed, false
		l.tokens = 0
		l.schedule(now)
	case c.Probe:
		l.probing = false
		l.schedule(now)
	}
	l.due = max(l.due, now+min(retryAfter, maxRetryAfter))
}

// measureTrip smooths the round trips of refusals: the gateway's own, without a
// backend.
func (l *Learner) measureTrip(d time.Duration) {
	d = min(d, maxTrip)
	if l.trip == 0 {
		l.trip = d
	}
	l.trip += (d - l.trip) / 8
}

// span is the window, or the time that it takes until a change was answered
// for, if that is longer.
func (l *Learner) span() time.Duration { return max(l.window, 4*l.trip) }

func (l *Learner) close(c Call, now time.Duration, recent int) {
	known := l.gate == Open && !l.measuring
	if l.gate == Free {
		l.rate, l.window, l.measuring = 1, time.Second, true // until the opening shows
		l.passed = recent
	}
	l.fill(now)
	l.gate = Closed
	if known {
		// Mostly the window has turned by the time of the next answer.
		l.gate = Doubtful
	}
	l.epoch++
	l.tokens, l.probing = 0, false
	l.shut, l.refused, l.refusals = c.Sent, c.Sent, 1
	l.due = now + l.spacing()
}

// Lost notes that no answer came: nobody knows whether the call was counted.
// It must free the probe, or all would wait for ever.
func (l *Learner) Lost(c Call, now time.Duration) {
	if l.free(c) {
		l.due = now + l.spacing()
	}
}

// Unsent gives the place of a call back that was never sent.
func (l *Learner) Unsent(c Call, now time.Duration) {
	l.free(c)
	if !c.Probe && c.Epoch == l.epoch && (l.gate == Open || l.gate == Doubtful) {
		l.fill(now)
		l.tokens++
	}
}

// free lets the next call be the probe, if c is it.
func (l *Learner) free(c Call) bool {
	if !l.probing || c.Epoch != l.epoch || c.Sent != l.probed {
		return false
	}
	l.probing = false
	return true
}
