package inspect

import (
	"sync"
	"time"
)

// The ring keeps the latest calls, within both bounds.
const (
	maxEntries = 500
	maxBytes   = 64 << 20
)

// ring holds the latest calls, oldest first.
type ring struct {
	mu      sync.Mutex
	entries []*entry
	sizes   map[uint64]int
	bytes   int
	last    uint64 // id of the newest call
	version uint64 // grows with every change
}

// add makes an entry for a call that begins now.
func (r *ring) add(fill func(*entry)) *entry {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.last++
	r.version++
	e := &entry{id: r.last, start: time.Now(), version: r.version}
	fill(e)
	r.entries = append(r.entries, e)
	r.measure(e)
	return e
}

// change applies f to an entry and notes that it changed.
func (r *ring) change(e *entry, f func()) {
	r.mu.Lock()
	defer r.mu.Unlock()
	e.mu.Lock()
	r.version++
	e.version = r.version
	f()
	e.mu.Unlock()
	r.measure(e)
}

// measure counts what e keeps, and drops the oldest calls beyond the bounds.
func (r *ring) measure(e *entry) {
	if r.sizes == nil {
		r.sizes = map[uint64]int{}
	}
	if len(r.entries) > 0 && e.id >= r.entries[0].id {
		e.mu.Lock()
		size := e.size()
		e.mu.Unlock()
		r.bytes += size - r.sizes[e.id]
		r.sizes[e.id] = size
	}
	for len(r.entries) > maxEntries || r.bytes > maxBytes && len(r.entries) > 1 {
		oldest := r.entries[0]
		r.bytes -= r.sizes[oldest.id]
		delete(r.sizes, oldest.id)
		r.entries[0] = nil
		r.entries = r.entries[1:]
	}
}

// since returns the entries that changed after a version, the version now, and
// the id of the oldest call that is kept.
func (r *ring) since(version uint64) (changed []*entry, now, oldest uint64) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, e := range r.entries {
		e.mu.Lock()
		if e.version > version {
			changed = append(changed, e)
		}
		e.mu.Unlock()
	}
	if len(r.entries) > 0 {
		oldest = r.entries[0].id
	}
	return changed, r.version, oldest
}

// find returns the call with that id, nil if it is not kept.
func (r *ring) find(id uint64) *entry {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, e := range r.entries {
		if e.id == id {
			return e
		}
	}
	return nil
}
