package pace

import (
	"context"
	"fmt"
	"sync"
	"sync/atomic"
	"time"
)

// Queue is a [Line] for goroutines. It is safe for concurrent use.
//
// As long as no limit is known, a call costs one atomic read and, once it
// passed, one atomic write: no lock, no clock, no memory.
type Queue struct {
	clock   func() time.Duration
	start   time.Duration // the Line counts from here
	limited atomic.Bool
	recent  recent

	mu     sync.Mutex
	line   Line
	timer  *time.Timer // nil until a call waits; one for all of them
	wakeAt time.Duration
	space  []*Waiter
	told   float64 // the rate that was last reported as news
	toldAt time.Duration
}

// NewQueue returns a queue that knows no limit. clock returns the time since any
// origin; all moments that the queue gets and gives are of this clock.
func NewQueue(clock func() time.Duration) *Queue {
	return &Queue{clock: clock, start: clock(), wakeAt: Never}
}

// Outcome is what became of a call.
type Outcome uint8

// The outcomes. The zero value is the one that teaches nothing.
const (
	Lost    Outcome = iota // no answer, or one that does not say
	Passed                 // admitted: any answer that is no refusal
	Refused                // by the limit
	Unsent                 // never sent
)

// Place is the right to send one call, to be given back by Done.
type Place struct {
	Sent  time.Duration // when it was granted
	Epoch uint64
	Probe bool
}

// Sending is the place at a queue that did not exist when the call was sent.
func (p Place) Sending() Place { return Place{Sent: p.Sent} }

// LateError says that no place comes in time. Nothing was taken.
type LateError struct {
	Needed time.Duration // how long the call would have to wait, at least
}

func (e *LateError) Error() string {
	return fmt.Sprintf("no place under the call limit in time: it needs %v", e.Needed.Round(time.Millisecond))
}

// Declare is [Learner.Declare].
func (q *Queue) Declare(calls float64, per time.Duration) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.line.Declare(calls, per, q.now())
	q.told = q.line.rate
	q.limited.Store(q.line.gate != Free)
}

// Resume is [Learner.Resume].
func (q *Queue) Resume(rate float64, window time.Duration) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.line.Resume(rate, window, q.now())
	q.limited.Store(q.line.gate != Free)
}

// Shadow is [Line.Shadow].
func (q *Queue) Shadow() {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.line.Shadow = true
}

// Recent returns how many calls passed in the last second or two, of a queue
// that knows no limit.
func (q *Queue) Recent() int { return q.recent.count(q.now()) }

// Seed counts calls that passed elsewhere in the last second or two.
func (q *Queue) Seed(passed int) { q.recent.seed(q.now(), passed) }

// Limited reports whether a limit is known.
func (q *Queue) Limited() bool { return q.limited.Load() }

// State is [Line.State].
func (q *Queue) State() State {
	q.mu.Lock()
	defer q.mu.Unlock()
	return q.line.State(q.now())
}

// now is the moment of the Line.
func (q *Queue) now() time.Duration { return q.since(q.clock()) }

func (q *Queue) since(moment time.Duration) time.Duration { return max(0, moment-q.start) }

// Acquire waits for a place. now is the current time; until is when a place
// is no use any more, or [Never]; the deadline of ctx less a round trip is no
// use either. A call that cannot have a place in time gets a
// *[LateError], at once if that is known at once. again is for a call that was
// refused: it goes before the others.
func (q *Queue) Acquire(ctx context.Context, now, until time.Duration, again bool) (Place, error) {
	if !q.limited.Load() {
		return Place{Sent: now}, nil
	}
	if err := ctx.Err(); err != nil {
		return Place{}, context.Cause(ctx)
	}
	w := Waiter{Again: again}
	q.mu.Lock()
	now = q.since(now)
	w.Until = q.until(ctx, now, until)
	q.line.Enter(now, &w)
	if w.State == Waiting {
		w.ready = make(chan struct{})
	}
	q.advance(now)
	state := w.State
	q.mu.Unlock()
	if state == Waiting {
		select {
		case <-w.ready:
		case <-ctx.Done():
			q.leave(&w)
			return Place{}, context.Cause(ctx)
		}
	}
	return q.result(&w)
}

func (q *Queue) until(ctx context.Context, now, until time.Duration) time.Duration {
	if until != Never {
		until -= q.start
	}
	if deadline, ok := ctx.Deadline(); ok {
		until = min(until, now+time.Until(deadline)-q.line.trip)
	}
	return until
}

// result reads a waiter that is in no lane any more.
func (q *Queue) result(w *Waiter) (Place, error) {
	if w.State == Late {
		return Place{}, &LateError{w.Needed}
	}
	return Place{Sent: q.start + w.Call.Sent, Epoch: w.Call.Epoch, Probe: w.Call.Probe}, nil
}

func (q *Queue) leave(w *Waiter) {
	q.mu.Lock()
	defer q.mu.Unlock()
	now := q.now()
	q.line.Leave(now, w)
	q.advance(now)
}

// Done must be called once for each place. retryAfter is what a refusal asked
// for, 0 if nothing. The result is news: a limit was measured first, or differs
// from the one of the last news.
func (q *Queue) Done(p Place, o Outcome, retryAfter time.Duration) (news bool) {
	if !q.limited.Load() && o != Refused {
		if o == Passed {
			q.recent.add(q.since(p.Sent))
		}
		return false
	}
	q.mu.Lock()
	defer q.mu.Unlock()
	now := q.now()
	c := Call{Sent: q.since(p.Sent), Epoch: p.Epoch, Probe: p.Probe}
	switch o {
	case Passed:
		q.line.Passed(c, now)
	case Refused:
		q.line.Refused(c, now, retryAfter, q.recent.count(now))
		q.limited.Store(true)
	case Unsent:
		q.line.Unsent(c, now)
	default:
		q.line.Lost(c, now)
	}
	q.advance(now)
	return q.news(now)
}

// news is rare: the rate moves a little all the time.
func (q *Queue) news(now time.Duration) bool {
	l := &q.line
	if l.gate != Open || l.measuring || q.told > 0 && now < q.toldAt+time.Minute {
		return false
	}
	if ratio := q.told / l.rate; ratio > 0.8 && ratio < 1.25 {
		return false
	}
	q.told, q.toldAt = l.rate, now
	return true
}

// advance wakes those who may go, and sets the timer for the next.
func (q *Queue) advance(now time.Duration) {
	released, next := q.line.Advance(now, q.space[:0])
	for i, w := range released {
		if w.ready != nil {
			close(w.ready)
		}
		released[i] = nil
	}
	q.space = released
	switch {
	case next == q.wakeAt && next > now:
	case next == Never:
		if q.timer != nil {
			q.timer.Stop()
		}
		q.wakeAt = Never
	case q.timer == nil:
		q.timer = time.AfterFunc(next-now, q.wake)
		q.wakeAt = next
	default:
		q.timer.Reset(next - now)
		q.wakeAt = next
	}
}

func (q *Queue) wake() {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.wakeAt = Never
	q.advance(q.now())
}
