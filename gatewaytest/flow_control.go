package gatewaytest

import (
	"maps"
	"slices"
	"strings"
	"sync"
	"time"
)

// Quota is a package of purchased calls. Every application has its own; the
// callers of a route with [AuthNone] share one.
type Quota struct {
	// Calls is how many there are. If 0, they do not run out.
	Calls int
	// Expires is when they expire. If zero, they do not.
	Expires time.Time
}

// flowControl holds the limits that do not belong to a route. The
// configuration names all that is limited, so it does not grow.
type flowControl struct {
	group   []*limiter
	apps    map[*App][]*limiter
	users   map[string][]*limiter
	domains map[string][]*limiter
}

func newFlowControl(g *Gateway, apps []App) flowControl {
	f := flowControl{
		group: newLimiters(g.GroupLimits...), apps: make(map[*App][]*limiter),
		users: make(map[string][]*limiter), domains: make(map[string][]*limiter),
	}
	for i := range apps {
		f.apps[&apps[i]] = newLimiters(append([]Limit{apps[i].Limit}, apps[i].Limits...)...)
	}
	for user, limit := range g.UserLimits {
		f.users[user] = newLimiters(limit)
	}
	for name, limit := range g.DomainLimits {
		name = hostname(name)
		f.domains[name] = append(f.domains[name], newLimiters(limit)...)
	}
	return f
}

func (f *flowControl) reset() {
	all := [][]*limiter{f.group}
	for _, m := range []map[string][]*limiter{f.users, f.domains} {
		all = slices.AppendSeq(all, maps.Values(m))
	}
	for _, l := range slices.Concat(slices.AppendSeq(all, maps.Values(f.apps))...) {
		l.reset()
	}
}

// checkFlow applies limits and quota.
func (c *call) checkFlow() *refusal {
	now := c.g.now()
	if ref := c.checkLimits(now); ref != nil {
		return ref
	}
	q := c.route.Quota
	switch {
	case q == nil:
	case !q.Expires.IsZero() && !now.Before(q.Expires):
		return c.refuse(quotaExpired)
	case q.Calls > 0 && !c.route.quota.spend(c.app.key(), q.Calls):
		return c.refuse(quotaExhausted)
	}
	return nil
}

// checkLimits asks one limit after the other, from the smallest circle to the
// largest.
func (c *call) checkLimits(now time.Time) *refusal {
	flow, rt := &c.state.flow, c.route
	if ref := c.take(rt.limits, now, throttledAPI); ref != nil {
		return ref
	}
	if c.app != nil {
		const description = "APP Flow Control"
		if ref := c.take(rt.perApp[c.app], now, throttledApp, "Description", description); ref != nil {
			return ref
		}
		if ref := c.take(flow.apps[c.app], now, throttledApp, "Description", description); ref != nil {
			return ref
		}
		if ref := c.take(flow.users[c.app.User], now, throttledUser); ref != nil {
			return ref
		}
	}
	if ref := c.take(flow.group, now, throttledGroup); ref != nil {
		return ref
	}
	if len(flow.domains) == 0 {
		return nil
	}
	return c.take(flow.domains[hostname(c.r.Host)], now, throttledDomain, "Domain", c.hostWithoutPort())
}

// take counts the call in each of the limits, up to the one that refuses it.
func (c *call) take(limits []*limiter, now time.Time, why reason, params ...string) *refusal {
	for _, l := range limits {
		v, ok := l.take(now)
		if !ok {
			return c.refuseThrottled(v, why, params...)
		}
		c.admitted(v)
	}
	return nil
}

func (c *call) hostWithoutPort() string {
	host, _, _ := strings.Cut(c.r.Host, ":")
	return host
}

// quotaState counts what applications have used of a route's quota.
type quotaState struct {
	mu   sync.Mutex
	used map[string]int // by AppKey
}

func (s *quotaState) spend(app string, calls int) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.used[app] >= calls {
		return false
	}
	if s.used == nil {
		s.used = make(map[string]int)
	}
	s.used[app]++
	return true
}

func (s *quotaState) reset() {
	s.mu.Lock()
	defer s.mu.Unlock()
	clear(s.used)
}

// key is empty if nobody authenticated.
func (a *App) key() string {
	if a == nil {
		return ""
	}
	return a.AppKey
}
