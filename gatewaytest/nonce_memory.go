package gatewaytest

import (
	"hash/maphash"
	"sync"
	"time"
)

// maxNonces bounds the memory of a gateway that serves for long. Of more than
// that many nonces within fifteen minutes the oldest are free again, which the
// real gateway would not do.
const maxNonces = 1 << 16

// nonceMemory holds the nonces of the last fifteen minutes, as hashes: what a
// client sends as a nonce may be long. The zero value is ready for use.
type nonceMemory struct {
	mu   sync.Mutex
	seed maphash.Seed
	seen map[uint64]time.Time
	// order lists them by time: a ring once it is full, oldest is its first.
	order  []uint64
	oldest int
}

func (m *nonceMemory) id(key, nonce string) uint64 {
	if m.seen == nil {
		m.seed, m.seen = maphash.MakeSeed(), make(map[uint64]time.Time)
	}
	return maphash.Comparable(m.seed, [2]string{key, nonce})
}

// used reports whether a nonce was used within the time that it counts.
func (m *nonceMemory) used(key, nonce string, now time.Time, counts time.Duration) bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	at, ok := m.seen[m.id(key, nonce)]
	return ok && now.Sub(at) <= counts
}

// use records a nonce; false if it was used already.
func (m *nonceMemory) use(key, nonce string, now time.Time, counts time.Duration) bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	id := m.id(key, nonce)
	at, known := m.seen[id]
	if known && now.Sub(at) <= counts {
		return false
	}
	m.seen[id] = now
	if !known { // else its place in the order stays
		m.append(id)
	}
	return true
}

// append puts a nonce at the end of the order, in the place of the oldest one
// if there is no room.
func (m *nonceMemory) append(id uint64) {
	if len(m.order) < maxNonces {
		m.order = append(m.order, id)
		return
	}
	delete(m.seen, m.order[m.oldest])
	m.order[m.oldest] = id
	m.oldest = (m.oldest + 1) % maxNonces
}

func (m *nonceMemory) reset() {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.seen, m.order, m.oldest = nil, nil, 0
}
