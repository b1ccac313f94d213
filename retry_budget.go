package apigw

import (
	"maps"
	"math"
	"net/url"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

// RetryBudget bounds what retries add to the load of a host that fails. Each
// request to a host earns a share of a retry, which lapses after five to ten
// seconds; on top of that a small reserve, refilled slowly, keeps the retries
// of a client that sends little. A retry is paid before its delay, so that many
// waiting requests cannot overdraw the budget, and gets its price back if it
// succeeds. So only retries that fail are bounded: if an attempt succeeds with
// probability p, Ratio/(1-p) retries for each request are possible.
//
// The zero value is the default budget: with it the attempts of a host in a
// lasting outage, of a minute or more, stay at 1.2 for each request or below once
// a client sends one request a second, while scattered failures are all retried.
//
// Spellings of one host share its budget: letter case, the default port of the
// scheme and a dot at the end do not count.
//
// A budget may be shared by several Transports. It is safe for concurrent use;
// counting a request takes no lock. Do not change its fields after first use,
// and do not copy it.
type RetryBudget struct {
	// Ratio is how many retries each request earns. 0 means 0.1; a negative
	// number none.
	Ratio float64
	// Reserve is how many retries a host starts with and saves up at most.
	// 0 means 10; a negative number none.
	Reserve int
	// Refill is how many retries a second flow back into the reserve. 0
	// means 0.1; a negative number none.
	Refill float64
	// Unlimited switches the budget off.
	Unlimited bool

	mu    sync.Mutex // guards writing hosts
	hosts atomic.Pointer[hostBudgets]
}

// BudgetState is what a budget knows of one host.
type BudgetState struct {
	Host      string
	Requests  int     // of the last 5 to 10 seconds
	Retries   int     // paid with what they earned, and not successful so far
	Available float64 // retries that would be permitted now
	Denied    uint64  // retries refused since the start
}

// maxBudgetHosts bounds the memory of a client that talks to ever new hosts.
// The hosts beyond share one budget until others are idle.
const (
	maxBudgetHosts = 1024
	otherHosts     = "(other hosts)"
)

// States returns the state of every host seen, ordered by host.
func (b *RetryBudget) States() []BudgetState {
	m := b.hosts.Load()
	if m == nil {
		return nil
	}
	now := monotonic()
	states := make([]BudgetState, 0, len(m.all))
	for host, h := range m.all {
		states = append(states, h.state(b, host, now))
	}
	slices.SortFunc(states, func(x, y BudgetState) int { return strings.Compare(x.Host, y.Host) })
	return states
}

// request counts a request that is sent for the first time.
func (b *RetryBudget) request(u *url.URL, now time.Duration) {
	if !b.Unlimited {
		h := b.host(u, now)
		h.requests.add(now - h.born)
	}
}

// grant says what a retry was paid with.
type grant uint8

const (
	denied grant = iota
	free         // by a budget without limits
	paidByShare
	paidByReserve
)

// retry pays for a retry, if the host's budget has room for it.
func (b *RetryBudget) retry(u *url.URL, now time.Duration) grant {
	if b.Unlimited {
		return free
	}
	return b.host(u, now).take(b, now)
}

// refund gives the price of a retry back that succeeded or never came.
func (b *RetryBudget) refund(u *url.URL, now time.Duration, paid grant) {
	if paid == paidByShare || paid == paidByReserve {
		b.host(u, now).giveBack(b, now, paid)
	}
}

func (b *RetryBudget) host(u *url.URL, now time.Duration) *hostBudget {
	var space [64]byte // on the stack: most names fit
	host := appendHost(space[:0], u)
	m := b.hosts.Load()
	if h := m.get(host); h != nil {
		return h
	}
	if m != nil && len(m.all) > maxBudgetHosts && now < m.fullUntil {
		return m.all[otherHosts]
	}
	return b.addHost(string(host), now)
}

func (b *RetryBudget) addHost(host string, now time.Duration) *hostBudget {
	b.mu.Lock()
	defer b.mu.Unlock()
	next := &hostBudgets{all: map[string]*hostBudget{}}
	if old := b.hosts.Load(); old != nil {
		*next = hostBudgets{firstHost: old.firstHost, first: old.first, all: maps.Clone(old.all)}
	}
	if len(next.all) >= maxBudgetHosts && next.all[host] == nil {
		next.dropIdle(b, now)
	}
	if len(next.all) >= maxBudgetHosts {
		host = otherHosts
		next.fullUntil = now + slotLength
	}
	if h := next.all[host]; h != nil {
		b.hosts.Store(next)
		return h
	}
	h := &hostBudget{born: now, reserve: b.reserve(), refilled: now}
	next.all[host] = h
	if next.first == nil {
		next.firstHost, next.first = host, h
	}
	b.hosts.Store(next)
	return h
}

// hostBudgets is copied to add a host: hosts are few and found often. Most
// clients have a single one, so that the first is found without hashing.
type hostBudgets struct {
	firstHost string
	first     *hostBudget
	all       map[string]*hostBudget
	fullUntil time.Duration // when it is worth looking for idle hosts again
}

// dropIdle drops the hosts that would get the same budget if they came anew, so
// that a server which redirects to ever new names uses up no place for long.
func (m *hostBudgets) dropIdle(b *RetryBudget, now time.Duration) {
	maps.DeleteFunc(m.all, func(host string, h *hostBudget) bool { return host != m.firstHost && h.isIdle(b, now) })
}

func (m *hostBudgets) get(host []byte) *hostBudget {
	switch {
	case m == nil:
		return nil
	case m.firstHost == string(host):
		return m.first
	}
	return m.all[string(host)]
}

func (b *RetryBudget) ratio() float64 {
	if b.Ratio == 0 {
		return 0.1
	}
	return max(0, b.Ratio)
}

func (b *RetryBudget) reserve() float64 {
	if b.Reserve == 0 {
		return 10
	}
	return float64(max(0, b.Reserve))
}

func (b *RetryBudget) refill() float64 {
	if b.Refill == 0 {
		return 0.1
	}
	return max(0, b.Refill)
}

type hostBudget struct {
	// born is where the slots begin, so that those of many clients do not end
	// at the same moment.
	born     time.Duration
	requests window

	mu       sync.Mutex // retries are rare; the success path does not come here
	retries  tally
	reserve  float64
	refilled time.Duration
	denied   uint64
}

// take spends the share that the requests earned first, then the reserve.
func (h *hostBudget) take(b *RetryBudget, now time.Duration) grant {
	h.mu.Lock()
	defer h.mu.Unlock()
	if float64(h.retries.sum(now-h.born)+1) <= b.ratio()*float64(h.requests.sum(now-h.born)) {
		h.retries.add(now-h.born, 1)
		return paidByShare
	}
	if h.refill(b, now); h.reserve >= 1 {
		h.reserve--
		return paidByReserve
	}
	h.denied++
	return denied
}

func (h *hostBudget) giveBack(b *RetryBudget, now time.Duration, paid grant) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if paid == paidByShare {
		h.retries.add(now-h.born, -1)
		return
	}
	h.reserve = min(b.reserve(), h.reserve+1)
}

// isIdle reports that nothing of the host counts any more.
func (h *hostBudget) isIdle(b *RetryBudget, now time.Duration) bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.refill(b, now)
	return h.requests.sum(now-h.born) == 0 && h.retries.sum(now-h.born) == 0 && h.reserve >= b.reserve()
}

func (h *hostBudget) refill(b *RetryBudget, now time.Duration) {
	if elapsed := now - h.refilled; elapsed > 0 {
		h.reserve = min(b.reserve(), h.reserve+b.refill()*elapsed.Seconds())
		h.refilled = now
	}
}

func (h *hostBudget) state(b *RetryBudget, host string, now time.Duration) BudgetState {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.refill(b, now)
	age := now - h.born
	s := BudgetState{Host: host, Requests: h.requests.sum(age), Retries: h.retries.sum(age), Denied: h.denied}
	s.Available = math.Floor(max(0, b.ratio()*float64(s.Requests)-float64(s.Retries))) + math.Floor(h.reserve)
	return s
}
