// Package pacesim simulates callers of a gateway with a call limit on a clock
// of its own, so that a day takes milliseconds. Tests measure limiters with
// it, and so does the benchmark that draws the plots of docs/limits.md.
package pacesim

import (
	"container/heap"
	"math/rand/v2"
	"time"
)

// Clock is a queue of events. The zero value stands at 0.
type Clock struct {
	now    time.Duration
	serial int
	queue  events
}

type event struct {
	at     time.Duration
	serial int // keeps the order of events of the same moment
	do     func()
}

// Now returns the time since the beginning.
func (c *Clock) Now() time.Duration { return c.now }

// After calls do when d has passed.
func (c *Clock) After(d time.Duration, do func()) {
	c.serial++
	heap.Push(&c.queue, event{c.now + max(0, d), c.serial, do})
}

// Run lets time pass until the given moment.
func (c *Clock) Run(until time.Duration) {
	for len(c.queue) > 0 && c.queue[0].at <= until {
		e := heap.Pop(&c.queue).(event)
		c.now = e.at
		e.do()
	}
	c.now = until
}

type events []event

func (h events) Len() int { return len(h) }
func (h events) Less(i, j int) bool {
	return h[i].at < h[j].at || h[i].at == h[j].at && h[i].serial < h[j].serial
}
func (h events) Swap(i, j int) { h[i], h[j] = h[j], h[i] }
func (h *events) Push(x any)   { *h = append(*h, x.(event)) }
func (h *events) Pop() any {
	old := *h
	last := old[len(old)-1]
	*h = old[:len(old)-1]
	return last
}

// Span is a range of durations, drawn from evenly.
type Span struct{ From, To time.Duration }

func (s Span) draw(rng *rand.Rand) time.Duration {
	if s.To <= s.From {
		return s.From
	}
	return s.From + time.Duration(rng.Int64N(int64(s.To-s.From)))
}
