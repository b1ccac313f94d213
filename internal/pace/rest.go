package pace

import "time"

// Waited notes that a call could not go at once.
func (l *Learner) Waited(now time.Duration) {
	if l.gate == Open && now-max(l.busy, l.opened) >= restSpans*l.span() {
		l.rested(now)
	}
	l.waited, l.busy = true, now
}

// rested begins the cycle anew, and growth too. What passed while few calls came
// is what they needed: by that, a limit of 1,000 a minute would be taken for one
// of 25 after an hour with a single job of 1,500 calls.
func (l *Learner) rested(now time.Duration) {
	l.since, l.passed = now, 0
	l.grown, l.waited = max(l.grown, now), false
}

// missed takes the time out in which a probe was due and nobody called. A gate
// that nobody tried was not found closed: with that time, a call that is refused
// an hour after another would make the next ones wait for an hour more.
func (l *Learner) missed(now time.Duration) {
	if idle := now - l.due; l.gate == Closed && idle > 0 {
		l.shut += idle
		l.refused += idle
		l.since += idle
	}
}
