package apigw

import (
	"cmp"
	"context"
	"errors"
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	"github.com/apigw-go/apigw/internal/pace"
)

// Pacer learns the call limits of the gateway from its answers and holds calls
// back, so that few are refused. Until the first refusal of a key nothing is
// held back. After it, calls go evenly spaced, first come, first served; while
// the limit is used up a single call at a time tries whether it is open again.
// docs/limits.md says how it learns, and what it achieves.
//
// Calls share what is learned if they agree in host, credential (X-Ca-Key or
// AppCode), [RetryPolicy.LimitScope] and [RetryPolicy.Limit]. If the code of a
// refusal says that the limit is one of the host or of the caller, it holds for
// all calls of these.
//
// The zero value is ready. A [Transport] whose policy has a MaxThrottleWait has
// one of its own; set [Transport.Limiter] to share one between Transports. All
// who share a limit of the gateway have to pace: those who do not starve those
// who do. A Pacer is safe for concurrent use. Do not change its fields after
// first use, and do not copy it.
type Pacer struct {
	// Declared, if not nil, returns the limit that a request is under, instead
	// of that of its policy; zero for none. It is the ceiling and the start
	// of what is learned.
	Declared func(*http.Request) RateLimit
	// Key, if not nil, returns what names the limit of a request, instead of
	// host, credential and policy. It is shown in states and logs.
	Key func(*http.Request) string
	// Shadow learns and counts, but holds nothing back: to see what pacing
	// would do.
	Shadow bool

	mu      sync.Mutex // guards writing
	lanes   atomic.Pointer[laneTable]
	wide    map[wideKey]*wideLane
	callers map[uint64]int // in the order in which they came
}

var _ Limiter = (*Pacer)(nil)

// Acquire implements [Limiter]. The Transport knows more than the key and does
// not use it.
func (p *Pacer) Acquire(ctx context.Context, key string, until time.Time, again bool) (Place, error) {
	now := monotonic()
	latest := pace.Never
	if !until.IsZero() {
		latest = now + time.Until(until)
	}
	l := p.lane(laneKey{custom: cmp.Or(key, "(no key)")})
	place, _, err := p.enter(ctx, l, now, latest, again)
	return Place{pacer: place}, err
}

// Done implements [Limiter].
func (p *Pacer) Done(place Place, outcome Outcome) {
	if place.pacer.lane != nil {
		p.done(&place.pacer, outcome, scopeOwn, place.RetryAfter)
	}
}

// enter waits for a place in each queue of the lane. It returns the time
// afterwards.
func (p *Pacer) enter(
	ctx context.Context, l *lane, now, until time.Duration, again bool,
) (place pacerPlace, then time.Duration, err error) {
	place.lane = l
	for s := range l.queues {
		q := l.queues[s].Load()
		if q == nil {
			continue
		}
		limited := q.Limited()
		got, err := q.Acquire(ctx, now, until, again)
		if err != nil {
			p.done(&place, OutcomeUnsent, scopeOwn, 0)
			if late := (*pace.LateError)(nil); errors.As(err, &late) {
				err = &NoPlaceError{late.Needed}
			}
			return pacerPlace{}, monotonic(), err
		}
		place.queues[s], place.places[s] = q, got
		if limited {
			now = monotonic() // it may have waited
		}
	}
	return place, now, nil
}

// done gives the place back. Only the queue of the scope learns of a refusal:
// whether the others would have admitted the call, nobody knows.
// It returns a queue whose limit is new, or another than was last reported.
func (p *Pacer) done(place *pacerPlace, outcome Outcome, refused scope, retryAfter time.Duration) (news *pace.Queue) {
	if place.lane.key.custom != "" {
		refused = scopeOwn
	}
	if outcome == OutcomeRefused && place.queues[refused] == nil {
		place.queues[refused], place.places[refused] = p.widen(place.lane, refused), place.places[scopeOwn].Sending()
	}
	for s, q := range place.queues {
		o := outcome
		if o == OutcomeRefused && scope(s) != refused {
			o = OutcomeUnknown
		}
		if q != nil && q.Done(place.places[s], pace.Outcome(o), retryAfter) {
			news = q
		}
	}
	return news
}

func (p *Pacer) newLane(key laneKey) *lane {
	l := &lane{name: p.nameOf(key), key: key}
	q := p.newQueue()
	if !key.limit.none() {
		q.Declare(float64(key.limit.Calls), key.limit.per())
	}
	l.queues[scopeOwn].Store(q)
	if key.custom == "" {
		for s := scopeCaller; s < scopes; s++ {
			if w := p.wide[wideKeyOf(key, s)]; w != nil {
				l.queues[s].Store(w.queue)
			}
		}
	}
	return l
}

func (p *Pacer) newQueue() *pace.Queue {
	q := pace.NewQueue(monotonic)
	if p.Shadow {
		q.Shadow()
	}
	return q
}
