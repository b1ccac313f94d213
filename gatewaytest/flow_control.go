package gatewaytest

import (
	"net"
	"sync"
	"time"

	"github.com/apigw-go/apigw/catalog"
)

// Limit is a flow control: so many calls in a window of time. The zero value
// limits nothing. A window begins with its first call and is not sliding, as
// the gateway counts per second, minute, hour or day.
type Limit struct {
	Calls  int
	Window time.Duration
}

// Quota is a package of purchased calls. Every application has its own; the
// callers of a route with [AuthNone] share one.
type Quota struct {
	// Calls is how many there are. If 0, they do not run out.
	Calls int
	// Expires is when they expire. If zero, they do not.
	Expires time.Time
}

// Breaker is a circuit breaker: it opens after failures of the backend, lets
// nothing pass for a while, then one call as a trial. If that succeeds it
// closes, else it opens again. A failure is a status from 500 or a timeout.
type Breaker struct {
	// Failures opens it, as many in a row, or as many within Within, if that
	// is not 0. If 0, one failure opens it.
	Failures int
	Within   time.Duration
	// OpenFor is how long nothing passes. If 0, 90 seconds, as on the
	// gateway.
	OpenFor time.Duration
}

// flowControl counts the calls of all limits and quotas.
type flowControl struct {
	mu      sync.Mutex
	windows map[any]*window
	quotas  map[quotaID]int
}

type window struct {
	start time.Time
	calls int
}

// The keys of windows say what is limited.
type (
	appID    string
	userID   string
	domainID string
	quotaID  struct {
		route *route
		app   string
	}
)

// check applies limits, quota and breaker. A call that one of them refuses
// counts for those before it.
func (f *flowControl) check(c *call) *refusal {
	g, rt, now := c.g, c.route, c.g.now()
	if g.Dialect == catalog.GenerationHigress {
		return nil
	}
	if ref := f.checkLimits(c, now); ref != nil {
		return ref
	}
	if q := rt.Quota; q != nil {
		if !q.Expires.IsZero() && !now.Before(q.Expires) {
			return refuse(g.Dialect, quotaExpired)
		}
		if q.Calls > 0 && !f.spend(quotaID{rt, appKey(c.app)}, q.Calls) {
			return refuse(g.Dialect, quotaExhausted)
		}
	}
	switch rt.breaker.admit(rt.Breaker, now) {
	case breakerIsOpen:
		return refuse(g.Dialect, breakerOpen, "Reason", "wait and try again")
	case breakerIsTrying:
		return refuse(g.Dialect, breakerBusy)
	}
	return nil
}

func (f *flowControl) checkLimits(c *call, now time.Time) *refusal {
	g := c.g
	if !f.take(c.route, c.route.Limit, now) {
		return refuse(g.Dialect, throttledAPI)
	}
	if c.app != nil {
		if !f.take(appID(c.app.AppKey), c.app.Limit, now) {
			return refuse(g.Dialect, throttledApp, "Description", "APP Flow Control")
		}
		if !f.take(userID(c.app.User), g.UserLimits[c.app.User], now) {
			return refuse(g.Dialect, throttledUser)
		}
	}
	host := c.r.Host
	if name, _, err := net.SplitHostPort(host); err == nil {
		host = name
	}
	if !f.take(domainID(host), g.DomainLimits[host], now) {
		return refuse(g.Dialect, throttledDomain, "Domain", host)
	}
	return nil
}

func appKey(a *App) string {
	if a == nil {
		return ""
	}
	return a.AppKey
}

// take counts a call, if the window has room for it.
func (f *flowControl) take(id any, l Limit, now time.Time) bool {
	if l.Calls <= 0 || l.Window <= 0 {
		return true
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	w := f.windows[id]
	if w == nil || now.Sub(w.start) >= l.Window {
		if f.windows == nil {
			f.windows = make(map[any]*window)
		}
		w = &window{start: now}
		f.windows[id] = w // one per thing limited by the configuration
	}
	if w.calls >= l.Calls {
		return false
	}
	w.calls++
	return true
}

func (f *flowControl) spend(id quotaID, calls int) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.quotas[id] >= calls {
		return false
	}
	if f.quotas == nil {
		f.quotas = make(map[quotaID]int)
	}
	f.quotas[id]++
	return true
}

type breakerPosition uint8

const (
	breakerIsClosed breakerPosition = iota
	breakerIsOpen
	breakerIsTrying
)

// breakerState is a [Breaker] in use.
type breakerState struct {
	mu       sync.Mutex
	position breakerPosition
	opened   time.Time
	failures []time.Time // of the closed breaker, at most Breaker.Failures
}

// admit says breakerIsClosed to a call that may pass, the trial included.
func (s *breakerState) admit(b *Breaker, now time.Time) breakerPosition {
	if b == nil {
		return breakerIsClosed
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	openFor := b.OpenFor
	if openFor <= 0 {
		openFor = 90 * time.Second
	}
	if s.position == breakerIsOpen && now.Sub(s.opened) >= openFor {
		s.position = breakerIsTrying
		return breakerIsClosed
	}
	return s.position
}

// report tells how an admitted call went.
func (s *breakerState) report(b *Breaker, now time.Time, ok bool) {
	if b == nil {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case s.position == breakerIsOpen:
		// A call from before it opened.
	case ok && (s.position == breakerIsTrying || b.Within <= 0):
		s.position, s.failures = breakerIsClosed, nil
	case ok:
	default:
		s.failures = append(s.failures, now)
		for b.Within > 0 && now.Sub(s.failures[0]) > b.Within {
			s.failures = s.failures[1:]
		}
		if s.position == breakerIsTrying || len(s.failures) >= b.Failures {
			s.position, s.opened, s.failures = breakerIsOpen, now, nil
		}
	}
}
