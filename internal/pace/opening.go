package pace

import (
	"math"
	"time"
)

// open opens the gate on the first success after a closing, and draws from
// both what the limit is.
func (l *Learner) open(c Call, now time.Duration) {
	l.fill(now)
	if l.gate == Closed {
		l.tokens = 0
	}
	l.tokens = min(l.tokens, 1)
	l.gate, l.probing = Open, false
	l.epoch++
	if l.opened != 0 && (l.passed == 0 || l.tooShort(c)) {
		l.grown = now
		return
	}
	l.adjust(c)
	l.rate = max(l.rate, 0.5/l.span().Seconds())
	if l.ceiling > 0 {
		l.rate = min(l.rate, l.ceiling)
	}
	l.opened, l.since, l.passed, l.before, l.waited = c.Sent, c.Sent, 0, 0, false
	l.grown = now + l.calm()
}

// closedFor is how long calls were refused, as seen from here.
func (l *Learner) closedFor() time.Duration { return l.refused - l.shut }

// cycle is the time between two turns of the gateway's window: the last one was
// between the last refused call and the one that passed.
func (l *Learner) cycle(c Call) time.Duration { return l.turned(c) - l.opened }

func (l *Learner) turned(c Call) time.Duration { return (l.refused + c.Sent) / 2 }

// tooShort reports a cycle that shows nothing about the limit: that of a token
// bucket, or of a lucky probe.
func (l *Learner) tooShort(c Call) bool {
	return l.closedFor() <= 3*l.span() && l.cycle(c) < l.span()*9/10
}

// adjust sets the rate and the size of the next rise.
func (l *Learner) adjust(c Call) {
	cycle, closed := l.cycle(c), l.closedFor()
	switch {
	case l.opened == 0: // the first opening of all: a guess
		l.rate = max(1, float64(l.passed))
		l.search(closed)
		return
	case closed > 3*l.span(): // a longer limit shows up
		l.search(closed)
		return
	case l.before > 0 && l.step > farStep: // far too much: the next cycle measures how far
		l.measuring = true
		return
	case l.measuring || closed.Seconds() > (1-cut)*cycle.Seconds():
		measured := float64(l.passed) / max(l.turned(c)-l.since, l.span()).Seconds()
		l.rate = min(l.rate, measured) * (1 + cut) / 2
		l.measuring, l.refusals = false, 1
	case l.before > 0:
		l.rate = l.before
	default:
		l.rate *= cut
	}
	l.step = firstStep
}

// search starts anew with the shortest window that can close for so long. In a
// fleet others can be quicker window after window, hence a third.
func (l *Learner) search(closed time.Duration) {
	l.window, l.measuring, l.step = unit(closed/3), true, searchStep
}

// calm is how long the rate stays as it is after an opening.
func (l *Learner) calm() time.Duration {
	if l.measuring {
		return 0
	}
	calls := l.rate * l.span().Seconds()
	windows := min(calmPrice*float64(l.refusals)/math.Sqrt(calls), maxCalm)
	return duration(windows * float64(l.span()))
}

// units are the windows that the gateway's throttling plug-in offers.
// https://www.alibabacloud.com/help/en/api-gateway, throttling plug-in
var units = [...]time.Duration{time.Second, time.Minute, time.Hour, 24 * time.Hour}

// unit returns the shortest window that can close for so long.
func unit(closed time.Duration) time.Duration {
	for _, u := range units {
		if closed <= u {
			return u
		}
	}
	return units[len(units)-1]
}
