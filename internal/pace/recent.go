package pace

import (
	"sync/atomic"
	"time"
)

// recent counts the calls that passed in this second and the one before,
// without a lock: all that is known of a key which was never refused.
//
// The word holds the second (24 bits), its count and that of the one before
// (20 bits each). More than a million calls a second count as a million.
type recent struct{ word atomic.Uint64 }

const (
	countBits  = 20
	maxCount   = 1<<countBits - 1
	secondBits = 24
	maxSecond  = 1<<secondBits - 1
)

func (r *recent) add(at time.Duration) { r.seed(at, 1) }

func (r *recent) seed(at time.Duration, calls int) {
	for {
		old := r.word.Load()
		second, count, before := shift(old, at)
		count = min(count+uint64(calls), maxCount)
		if r.word.CompareAndSwap(old, second<<(2*countBits)|count<<countBits|before) {
			return
		}
	}
}

func (r *recent) count(now time.Duration) int {
	_, count, before := shift(r.word.Load(), now)
	return int(count + before)
}

// shift returns what the word holds, as seen from a moment. A call that was
// sent before the second of the word counts in that.
func shift(word uint64, at time.Duration) (second, count, before uint64) {
	second = word >> (2 * countBits)
	count, before = word>>countBits&maxCount, word&maxCount
	now := uint64(max(0, at)/time.Second) & maxSecond
	switch {
	case now <= second && second-now < maxSecond/2:
		return second, count, before
	case now == second+1:
		return now, 0, count
	}
	return now, 0, 0
}
