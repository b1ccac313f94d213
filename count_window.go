package apigw

import (
	"math"
	"sync/atomic"
	"time"
)

// Counts are kept for this slot of time and the one before.
const slotLength = 5 * time.Second

func slotNumber(age time.Duration) uint64 { return uint64(max(0, age)/slotLength) & math.MaxUint32 }

// window counts without a lock. A slot holds its own number beside its count,
// so that adding needs one compare-and-swap and no clean-up.
type window struct {
	slots [2]atomic.Uint64 // number<<32 | count
}

func (w *window) add(now time.Duration) {
	n := slotNumber(now)
	slot := &w.slots[n%2]
	for {
		old := slot.Load()
		next := n<<32 | 1
		if old>>32 >= n { // later too: another goroutine read the clock after us
			next = old + 1
		}
		if slot.CompareAndSwap(old, next) {
			return
		}
	}
}

func (w *window) sum(now time.Duration) int {
	n := slotNumber(now)
	total := 0
	for i := range w.slots {
		if v := w.slots[i].Load(); v>>32 == n || v>>32+1 == n {
			total += int(v & math.MaxUint32)
		}
	}
	return total
}

// tally is a window under its owner's lock that also counts back.
type tally struct {
	slot         uint64
	this, before int
}

func (t *tally) advance(now time.Duration) {
	switch n := slotNumber(now); {
	case n <= t.slot:
	case n == t.slot+1:
		t.slot, t.this, t.before = n, 0, t.this
	default:
		t.slot, t.this, t.before = n, 0, 0
	}
}

// add counts n, which may be negative: of this slot first, then of the one
// before. What is given back later than it counts is no gain.
func (t *tally) add(now time.Duration, n int) {
	t.advance(now)
	t.this += n
	if t.this < 0 {
		t.before, t.this = max(0, t.before+t.this), 0
	}
}

func (t *tally) sum(now time.Duration) int {
	t.advance(now)
	return t.this + t.before
}
