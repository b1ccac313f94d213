package apigw

import (
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"github.com/apigw-go/apigw/catalog"
)

// quotaHold answers calls here after the gateway said that the quota is used up
// or an account owes money: each further call would be refused too, and some are
// paid for. Once the time is over, a single call asks again.
type quotaHold struct {
	closed atomic.Bool // so that most calls take no lock

	mu      sync.Mutex
	entry   catalog.Entry // of the refusal
	since   time.Duration
	until   time.Duration
	probing bool
}

// heldError answers a call in place of the gateway.
type heldError struct {
	entry catalog.Entry
	age   time.Duration // of the refusal
	left  time.Duration // until a call asks again
}

func (e *heldError) Error() string {
	return fmt.Sprintf("answered by apigw: the gateway refused such a call %v ago (%s); asking again in %v",
		e.age.Round(time.Second), e.entry.Meaning.EN, e.left.Round(time.Second))
}

// enter lets a call go, as a probe if it is the one that asks again.
func (h *quotaHold) enter(now time.Duration) (probe bool, err error) {
	if !h.closed.Load() {
		return false, nil
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.closed.Load() && (now < h.until || h.probing) {
		return false, &heldError{h.entry, now - h.since, max(0, h.until-now)}
	}
	h.probing = h.closed.Load()
	return h.probing, nil
}

// refused holds calls back for a while.
func (h *quotaHold) refused(entry catalog.Entry, now, hold time.Duration) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.closed.Store(true)
	h.entry, h.since, h.until, h.probing = entry, now, now+hold, false
}

// passed lets calls go again.
func (h *quotaHold) passed() {
	if !h.closed.Load() {
		return
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	h.closed.Store(false)
	h.probing = false
}

// lost lets the next call ask.
func (h *quotaHold) lost() {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.probing = false
}

// quotaGone reports a refusal that lasts until somebody pays or buys.
func (e *Error) quotaGone() bool {
	return e.Origin == OriginGateway && (e.Entry.Class == catalog.ClassQuota || e.Entry.Class == catalog.ClassBilling)
}
