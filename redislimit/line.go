package redislimit

import (
	"slices"
	"time"
)

// waiter is a call that waits for a place.
type waiter struct {
	again   bool
	entered time.Duration
	until   time.Duration
	done    bool // ready has its ticket
	ready   chan *ticket
}

func (w *waiter) give(t *ticket) {
	w.done = true
	w.ready <- t
}

// line is the order of waiters: those that were refused go first.
type line struct{ again, fresh []*waiter }

func (l *line) lane(again bool) *[]*waiter {
	if again {
		return &l.again
	}
	return &l.fresh
}

func (l *line) push(w *waiter) {
	lane := l.lane(w.again)
	*lane = append(*lane, w)
}

func (l *line) pop() *waiter {
	lane := l.lane(len(l.again) > 0)
	w := (*lane)[0]
	*lane = (*lane)[1:]
	return w
}

func (l *line) remove(w *waiter) {
	lane := l.lane(w.again)
	if i := slices.Index(*lane, w); i >= 0 {
		*lane = slices.Delete(*lane, i, i+1)
	}
}

func (l *line) len() int { return len(l.again) + len(l.fresh) }

// ahead is how many go before one more.
func (l *line) ahead(again bool) int {
	if again {
		return len(l.again)
	}
	return l.len()
}
