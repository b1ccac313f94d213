package redislimit

import (
	"context"
	"math"
	"sync"
	"time"

	"github.com/apigw-go/apigw"
	"github.com/apigw-go/apigw/internal/pace"
)

// shared is the part of this process in a limit that all share: calls that wait
// here, places that were leased from Redis, and what is to be reported there.
type shared struct {
	limiter  *Limiter
	name     string
	serial   int // in the order in which keys came
	keys     []string
	declared apigw.RateLimit
	start    time.Time // the origin of all moments here

	mu      sync.Mutex
	waiting line
	places  []*ticket // leased, in order
	expires time.Duration
	known   reply         // the latest
	synced  time.Duration // when it came, 0: never
	skew    float64       // the clock of Redis less ours, in microseconds
	shut    time.Duration // when the gate was seen closed first
	notes   notes
	asking  bool          // a call of the script is under way
	askAt   time.Duration // not before that
	timer   *time.Timer
	wakeAt  time.Duration
	counts  pace.Counts

	local *pace.Queue // while Redis is gone, else nil
	retry time.Duration
}

// ticket is a place.
type ticket struct {
	of    *shared
	sent  float64       // in the time of Redis
	at    time.Duration // when it may be used
	probe bool          // sent is exact: Redis knows it by that

	local *pace.Queue // given out while Redis was gone
	place pace.Place
}

// freshness is how long the word of Redis is taken that there is no limit.
const freshness = time.Second

func newShared(l *Limiter, name string, declared apigw.RateLimit) *shared {
	s := &shared{
		limiter: l, name: name, keys: l.redisKeys(name), declared: declared, start: time.Now(), wakeAt: pace.Never,
	}
	if l.Client == nil {
		s.local = s.newLocal()
		s.retry = pace.Never
	}
	return s
}

func (s *shared) now() time.Duration { return time.Since(s.start) }

func (s *shared) acquire(ctx context.Context, until time.Time, again bool) (*ticket, error) {
	w := &waiter{again: again, until: pace.Never, ready: make(chan *ticket, 1)}
	if !until.IsZero() {
		w.until = until.Sub(s.start)
	}
	s.mu.Lock()
	now := s.now()
	w.entered = now
	if s.local != nil {
		q := s.local
		s.askAgain(now)
		s.mu.Unlock()
		return s.acquireLocally(ctx, q, w.until, again)
	}
	if s.synced != 0 && s.known.gate == pace.Free {
		t := s.ticket(now)
		if now > s.synced+freshness {
			s.ask(now)
		}
		s.mu.Unlock()
		return t, nil
	}
	if wait := s.estimate(now, again); now+wait > w.until {
		s.counts.Late++
		s.mu.Unlock()
		return nil, &apigw.NoPlaceError{Needed: wait}
	}
	s.waiting.push(w)
	s.advance(now)
	if !w.done {
		s.counts.Held++
	}
	s.mu.Unlock()
	return s.await(ctx, w)
}

// await waits for the turn of a waiter.
func (s *shared) await(ctx context.Context, w *waiter) (*ticket, error) {
	var late <-chan time.Time
	if w.until != pace.Never {
		timer := time.NewTimer(w.until - s.now())
		defer timer.Stop()
		late = timer.C
	}
	select {
	case t := <-w.ready:
		if t.local != nil { // Redis is gone
			return s.acquireLocally(ctx, t.local, w.until, w.again)
		}
		return t, nil
	case <-ctx.Done():
		s.leave(w, false)
		return nil, context.Cause(ctx)
	case <-late:
		return nil, &apigw.NoPlaceError{Needed: s.leave(w, true)}
	}
}

// leave takes a waiter out, which is late or gives up. If its turn came at the
// same moment, the place goes to the next. It returns how long the waiter would
// have had to wait in all.
func (s *shared) leave(w *waiter, late bool) (needed time.Duration) {
	s.mu.Lock()
	defer s.mu.Unlock()
	now := s.now()
	if late {
		s.counts.Late++
	}
	if w.done {
		if t := <-w.ready; t.local == nil {
			s.giveBack(t)
		}
	} else {
		s.waiting.remove(w)
	}
	needed = now - w.entered + max(time.Millisecond, s.estimate(now, w.again))
	s.advance(now)
	return needed
}

// ticket returns a place that needs no lease.
func (s *shared) ticket(now time.Duration) *ticket {
	return &ticket{of: s, sent: s.redisTime(now), at: now}
}

// redisTime is our moment on the clock of Redis.
func (s *shared) redisTime(now time.Duration) float64 { return micros(now) + s.skew }

// localTime is the reverse.
func (s *shared) localTime(moment float64) time.Duration {
	return time.Duration((moment - s.skew) * float64(time.Microsecond))
}

func micros(d time.Duration) float64 { return float64(d) / float64(time.Microsecond) }

// estimate is how long one more call would wait.
func (s *shared) estimate(now time.Duration, again bool) time.Duration {
	if s.synced == 0 || s.known.gate == pace.Free {
		return 0
	}
	wait := max(0, s.askAt-now)
	if len(s.places) > 0 {
		wait = max(0, s.places[0].at-now)
	}
	ahead := float64(s.waiting.ahead(again))
	if s.known.guess {
		ahead = 0
	}
	return wait + time.Duration(min(ahead*s.known.gap(), float64(math.MaxInt64/4)))
}

// advance lets those go whose turn has come, asks Redis for more places, and
// sets the timer.
func (s *shared) advance(now time.Duration) {
	s.dropVoid(now)
	for s.waiting.len() > 0 && len(s.places) > 0 && s.places[0].at <= now {
		t := s.places[0]
		s.places = s.places[1:]
		if !t.probe {
			t.sent = s.redisTime(now)
		}
		s.waiting.pop().give(t)
	}
	next := pace.Never
	switch {
	case s.waiting.len() == 0:
	case len(s.places) > 0:
		next = s.places[0].at
	case now >= s.askAt:
		s.ask(now)
	default:
		next = s.askAt
	}
	if !s.notes.empty() {
		if s.notes.due <= now {
			s.ask(now)
		} else {
			next = min(next, s.notes.due)
		}
	}
	if len(s.places) > 0 {
		next = min(next, s.expires) // what is not used is handed back
	}
	s.wake(now, next)
}

// dropVoid hands places back that are too old, or that the gate closed upon.
func (s *shared) dropVoid(now time.Duration) {
	if len(s.places) == 0 || now < s.expires && (s.known.gate != pace.Closed || s.places[0].probe) {
		return
	}
	for _, t := range s.places {
		s.notes.unsent(t, now)
	}
	s.places = nil
}

// giveBack puts a place in front of the others.
func (s *shared) giveBack(t *ticket) {
	t.at = 0
	s.places = append([]*ticket{t}, s.places...)
}

func (s *shared) wake(now, next time.Duration) {
	if next == s.wakeAt && next > now {
		return
	}
	s.wakeAt = next
	switch {
	case next == pace.Never && s.timer != nil:
		s.timer.Stop()
	case next == pace.Never:
	case s.timer == nil:
		s.timer = time.AfterFunc(next-now, s.wakeUp)
	default:
		s.timer.Reset(next - now)
	}
}

func (s *shared) wakeUp() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.wakeAt = pace.Never
	s.advance(s.now())
}

// done notes what became of a call, and reports to Redis at once if others wait for
// it.
func (s *shared) done(t *ticket, o apigw.Outcome, retryAfter time.Duration) {
	if t.local != nil {
		t.local.Done(t.place, pace.Outcome(o), retryAfter)
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.local != nil {
		return // nobody to tell
	}
	now := s.now()
	turns := s.known.gate == pace.Doubtful || s.known.gate == pace.Closed
	switch o {
	case apigw.OutcomePassed:
		s.notes.passed(t, now+s.patience(turns))
	case apigw.OutcomeRefused:
		s.counts.Refused++
		s.notes.refused(t, retryAfter, now)
	case apigw.OutcomeUnsent:
		s.notes.unsent(t, now+s.patience(turns))
	default:
		if t.probe {
			s.notes.lost(t, now)
		}
	}
	s.advance(now)
}

// patience is how long a note may wait for the next call of the script.
func (s *shared) patience(urgent bool) time.Duration {
	switch {
	case urgent:
		return 0
	case s.known.gate == pace.Free:
		return freshness
	}
	return 3 * s.known.ahead
}

func (s *shared) state() apigw.PacerState {
	s.mu.Lock()
	defer s.mu.Unlock()
	st := apigw.PacerState{
		Key: s.name, Rate: s.known.rate, Window: s.known.window, Waiting: s.waiting.len(),
		Refused: s.counts.Refused, HeldBack: s.counts.Held, NoPlace: s.counts.Late,
	}
	if s.known.gate == pace.Closed {
		st.Closed = s.now() - s.shut
	}
	if s.local != nil {
		l := s.local.State()
		st.Rate, st.Window, st.Closed, st.Waiting = l.Rate, l.Window, l.Closed, st.Waiting+l.Waiting
		st.Refused, st.HeldBack, st.NoPlace = st.Refused+l.Refused, st.HeldBack+l.Held, st.NoPlace+l.Late
	}
	return st
}
