package inspect

import (
	"context"
	"sync"
	"time"
)

// maxSamples is ten minutes of seconds.
const maxSamples = 600

// sample is what one second looked like.
type sample struct {
	At        int64   `json:"at"`                // milliseconds of Unix time
	Calls     int     `json:"calls"`             // that ended in this second
	Failures  int     `json:"failures"`          // of them with a status of 400 or above, or none
	Retries   int     `json:"retries"`           // attempts beyond the first
	Available float64 `json:"available"`         // of the retry budget of the API
	Denied    uint64  `json:"denied"`            // by it, since the start
	Rate      float64 `json:"rate,omitempty"`    // narrowest limit, calls a second; 0: none known
	Waiting   int     `json:"waiting,omitempty"` // calls that wait for a place
}

// history keeps a sample a second, for the plots.
type history struct {
	mu      sync.Mutex
	samples []sample
	before  totals
}

type totals struct{ calls, failures, attempts int }

// Run takes samples until ctx ends.
func (i *Inspector) Run(ctx context.Context) {
	ticker := time.NewTicker(time.Second)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case now := <-ticker.C:
			i.history.add(now, i.metrics.totals(), i.now())
		}
	}
}

// now is the state of budget and limit.
func (i *Inspector) now() (s sample) {
	for _, b := range i.budgets() {
		s.Available += b.Available
		s.Denied += b.Denied
	}
	for _, l := range i.limits() {
		s.Waiting += l.Waiting
		if l.Rate > 0 && (s.Rate == 0 || l.Rate < s.Rate) {
			s.Rate = l.Rate // the narrowest
		}
	}
	return s
}

func (m *metrics) totals() totals {
	m.mu.Lock()
	defer m.mu.Unlock()
	t := totals{calls: m.total, attempts: m.attempts}
	for l, n := range m.calls {
		if l.status >= 400 || l.status == 0 {
			t.failures += n
		}
	}
	return t
}

func (h *history) add(at time.Time, t totals, s sample) {
	h.mu.Lock()
	defer h.mu.Unlock()
	s.At = at.UnixMilli()
	s.Calls, s.Failures = t.calls-h.before.calls, t.failures-h.before.failures
	s.Retries = max(0, t.attempts-h.before.attempts-s.Calls)
	h.before = t
	if len(h.samples) == maxSamples {
		h.samples = h.samples[1:]
	}
	h.samples = append(h.samples, s)
}

// since returns the samples after a time.
func (h *history) since(at int64) []sample {
	h.mu.Lock()
	defer h.mu.Unlock()
	for n, s := range h.samples {
		if s.At > at {
			return append([]sample(nil), h.samples[n:]...)
		}
	}
	return nil
}
