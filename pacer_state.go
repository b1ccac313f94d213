package apigw

import (
	"slices"
	"strings"
	"time"

	"github.com/apigw-go/apigw/internal/pace"
)

// PacerState is what a [Pacer] knows of one key.
type PacerState struct {
	// Key names the limit: the host, and as far as they tell limits apart the
	// number of the caller, the scope and the declared limit; or what
	// [Pacer.Key] returned.
	Key string
	// Rate is how many calls a second are let go. 0 means that no limit is
	// known: nothing is held back.
	Rate float64
	// Window is how long the gateway counts, as far as it can be known: a
	// second, a minute, an hour or a day. 0 while no limit is known.
	Window time.Duration
	// Closed is how long the limit has been used up; 0 while calls go.
	Closed time.Duration
	// Waiting is how many calls wait now.
	Waiting int
	// Refused, HeldBack and NoPlace count since the beginning: refused by the
	// gateway; had to wait, or would have had to, with Shadow; refused here
	// because no place came in time.
	Refused, HeldBack, NoPlace uint64
}

// States returns the state of every key seen, ordered by key.
func (p *Pacer) States() []PacerState {
	if p == nil {
		return nil
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	var states []PacerState
	for _, l := range p.allLanes() {
		states = append(states, stateOf(l.name, l.queues[scopeOwn].Load()))
	}
	for _, w := range p.wide {
		states = append(states, stateOf(w.name+" | all", w.queue))
	}
	slices.SortFunc(states, func(a, b PacerState) int { return strings.Compare(a.Key, b.Key) })
	return states
}

func stateOf(name string, q *pace.Queue) PacerState {
	s := q.State()
	return PacerState{
		Key: name, Rate: s.Rate, Window: s.Window, Closed: s.Closed, Waiting: s.Waiting,
		Refused: s.Refused, HeldBack: s.Held, NoPlace: s.Late,
	}
}

// Reset forgets what was learned of a key, as [PacerState] names it. Use it when
// a limit was raised a lot: the way up takes some ten windows. Calls that wait
// keep their places.
func (p *Pacer) Reset(key string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	next := laneTable{all: map[laneKey]*lane{}}
	for k, l := range p.allLanes() {
		if l.name != key {
			next.first, next.all[k] = l, l
		}
	}
	for k, w := range p.wide {
		if w.name+" | all" == key {
			delete(p.wide, k)
			for _, l := range next.all {
				l.queues[k.scope].CompareAndSwap(w.queue, nil)
			}
		}
	}
	if next.first == nil {
		p.lanes.Store(nil)
		return
	}
	p.lanes.Store(&next)
}

func (p *Pacer) allLanes() map[laneKey]*lane {
	if t := p.lanes.Load(); t != nil {
		return t.all
	}
	return nil
}
