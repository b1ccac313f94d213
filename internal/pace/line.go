package pace

import (
	"math"
	"time"
)

// Never is a moment that does not come.
const Never = time.Duration(math.MaxInt64)

// A Line is where calls wait for their turn: first come, first served, those
// that were refused before the others. Like [Learner] it is pure.
type Line struct {
	Learner
	// Shadow learns and counts, but lets every call go at once.
	Shadow bool

	again, fresh lane
	earliest     time.Duration // no waiting call gives up before this
	counts       Counts
}

// Counts are totals since the beginning.
type Counts struct {
	Refused uint64 // by the gateway
	Held    uint64 // had to wait, or would have had to
	Late    uint64 // got no place in time
}

// Waiter is one call in a Line.
type Waiter struct {
	Until time.Duration // a place after this moment is no use
	Again bool          // it was refused before

	Call   Call // once Granted
	State  WaiterState
	Needed time.Duration // once Late: how long it would have to wait, at least, in all

	entered    time.Duration
	prev, next *Waiter
	ready      chan struct{} // Queue's
}

// WaiterState is what became of a waiter.
type WaiterState uint8

// The states. A waiter that left is forgotten.
const (
	Waiting WaiterState = iota
	Granted
	Late // no place before Until
	left
)

// Enter lets w go, or refuses it, or has it wait; see w.State. Call
// [Line.Advance] afterwards.
func (l *Line) Enter(now time.Duration, w *Waiter) {
	w.entered = now
	if l.Shadow {
		l.pass(now, w)
		return
	}
	if l.gate == Free {
		w.Call, w.State = l.Take(now), Granted
		return
	}
	l.Presume(now)
	ahead := l.again.len
	if !w.Again {
		ahead += l.fresh.len
	}
	wait := l.Estimate(now, ahead)
	if wait > 0 {
		l.Waited(now)
	}
	if wait > w.Until-now {
		l.late(now, w, wait)
		return
	}
	if wait == 0 && ahead == 0 && l.Next(now) <= now {
		w.Call, w.State = l.Take(now), Granted
		return
	}
	l.counts.Held++
	if l.Waiting() == 0 {
		l.earliest = Never
	}
	l.earliest = min(l.earliest, w.Until)
	if w.Again {
		l.again.push(w)
	} else {
		l.fresh.push(w)
	}
}

// pass lets a call go at once and counts those that would have waited.
func (l *Line) pass(now time.Duration, w *Waiter) {
	w.State = Granted
	if l.Next(now) <= now {
		w.Call = l.Take(now)
		return
	}
	l.Waited(now)
	l.counts.Held++
	w.Call = Call{Sent: now, Epoch: l.epoch}
}

// late refuses w, which needs so much more time. That is more than it has, also
// if an answer can come at any moment.
func (l *Line) late(now time.Duration, w *Waiter, needed time.Duration) {
	w.State, w.Needed = Late, now-w.entered+max(needed, time.Millisecond)
	l.counts.Late++
}

// Advance appends to released those whose turn has come, and those whose turn
// cannot come in time. It returns when it is to be called again; an answer can
// make that earlier.
func (l *Line) Advance(now time.Duration, released []*Waiter) ([]*Waiter, time.Duration) {
	for l.Waiting() > 0 {
		l.Presume(now)
		next := l.Next(now)
		sure := next
		if l.gate == Closed && l.probing {
			sure = now + 1 // the answer to the probe can come at any moment
		}
		if released = l.dropLate(now, sure, released); l.Waiting() == 0 {
			break
		}
		if next > now {
			return released, min(next, l.earliest)
		}
		l.Waited(now) // also if nobody comes any more: the rate may grow
		w := l.pop()
		w.Call, w.State = l.Take(now), Granted
		released = append(released, w)
	}
	return released, Never
}

// dropLate releases all that would go after their time. next is the earliest
// moment for whoever is first.
func (l *Line) dropLate(now, next time.Duration, released []*Waiter) []*Waiter {
	next = max(next, now)
	if l.earliest >= next {
		return released
	}
	l.earliest = Never
	ahead := 0
	for _, lane := range []*lane{&l.again, &l.fresh} {
		for w := lane.first; w != nil; {
			following := w.next
			if w.Until < next {
				lane.remove(w)
				l.late(now, w, max(l.Estimate(now, ahead), next-now))
				released = append(released, w)
			} else {
				l.earliest = min(l.earliest, w.Until)
				ahead++
			}
			w = following
		}
	}
	return released
}

func (l *Line) pop() *Waiter {
	lane := &l.again
	if lane.len == 0 {
		lane = &l.fresh
	}
	w := lane.first
	lane.remove(w)
	return w
}

// Leave takes w out of the line. If its turn came at the same moment, the place
// is given back.
func (l *Line) Leave(now time.Duration, w *Waiter) {
	switch w.State {
	case Waiting:
		if w.Again {
			l.again.remove(w)
		} else {
			l.fresh.remove(w)
		}
	case Granted:
		l.Unsent(w.Call, now)
	}
	w.State = left
}

// Refused is [Learner.Refused], counted.
func (l *Line) Refused(c Call, now, retryAfter time.Duration, recent int) {
	l.counts.Refused++
	l.Learner.Refused(c, now, retryAfter, recent)
}

// Waiting returns how many calls wait.
func (l *Line) Waiting() int { return l.again.len + l.fresh.len }

// lane is a doubly linked list, so that leaving costs the same everywhere.
type lane struct {
	first, last *Waiter
	len         int
}

func (l *lane) push(w *Waiter) {
	w.prev = l.last
	if l.last != nil {
		l.last.next = w
	} else {
		l.first = w
	}
	l.last = w
	l.len++
}

func (l *lane) remove(w *Waiter) {
	if w.prev != nil {
		w.prev.next = w.next
	} else {
		l.first = w.next
	}
	if w.next != nil {
		w.next.prev = w.prev
	} else {
		l.last = w.prev
	}
	w.prev, w.next = nil, nil
	l.len--
}
