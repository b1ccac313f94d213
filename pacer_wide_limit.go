package apigw

import "github.com/apigw-go/apigw/internal/pace"

// wideKey names the limit of a host or of a caller.
type wideKey struct {
	scope      scope
	host       string
	credential uint64
}

// wideLane is what several lanes share.
type wideLane struct {
	name  string
	queue *pace.Queue
}

// wideKeyOf returns the wider limit that a lane is under. There is none for a
// lane with a key of the user's, which says itself what shares a limit.
func wideKeyOf(key laneKey, s scope) wideKey {
	w := wideKey{scope: s, host: key.host}
	if s == scopeCaller {
		w.credential = key.credential
	}
	return w
}

// widen returns the queue of the wider limit that refused a call of the lane,
// from the first refusal on.
func (p *Pacer) widen(l *lane, s scope) *pace.Queue {
	p.mu.Lock()
	defer p.mu.Unlock()
	if q := l.queues[s].Load(); q != nil {
		return q
	}
	key := wideKeyOf(l.key, s)
	w := &wideLane{name: p.nameOf(laneKey{host: key.host, credential: key.credential}), queue: p.newQueue()}
	passed := 0
	for _, other := range p.allLanes() {
		if other.key.custom == "" && wideKeyOf(other.key, s) == key {
			passed += other.queues[scopeOwn].Load().Recent()
			other.queues[s].Store(w.queue)
		}
	}
	l.queues[s].Store(w.queue) // it may have been reset
	w.queue.Seed(passed)
	if p.wide == nil {
		p.wide = map[wideKey]*wideLane{}
	}
	p.wide[key] = w
	return w.queue
}
