package apigw

import (
	"maps"
	"math"
	"net/http"
	"net/netip"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

// hops knows the hosts whose proxy marks the answers of the backend with the
// time that it took (x-envoy-upstream-service-time). On such a host an answer
// without the mark is the proxy's own. It is learned from successes, and only
// where nobody on the way could have added the mark. The zero value knows none.
type hops struct {
	hosts atomic.Pointer[map[string]*hop] // copied to add one: hosts are few
	mu    sync.Mutex                      // guards the copying
	// full is until when no host takes the place of another one. Else a client
	// of many hosts would copy the table with every success.
	full atomic.Int64
}

// hop is what the successes of a host showed, by the monotonic clock.
type hop struct {
	shown  atomic.Int64 // the latest success with the mark
	lacked atomic.Int64 // the latest success without it
}

// What is known is bounded in number and in time.
const (
	maxHops     = 256
	maxHopName  = 256
	hopLifetime = time.Hour
	hopInterval = time.Second // between two that take the place of others
	never       = math.MinInt64
)

// learn takes note of a success.
func (t *hops) learn(req *http.Request, resp *http.Response) {
	hosts := t.hosts.Load()
	marked := firstValue(resp.Header[headerServiceTime]) != ""
	// Proxies answer redirects and preflight requests by themselves.
	if !marked && (hosts == nil || resp.StatusCode/100 != 2 || req.Method == http.MethodOptions) {
		return
	}
	u := answeredBy(req, resp)
	h := t.find(hosts, u)
	now := int64(monotonic())
	switch {
	case h != nil && !marked:
		h.lacked.Store(now)
	case !marked || !trusted(u, resp):
	case h != nil:
		h.shown.Store(now)
	default:
		t.add(u, now)
	}
}

// shows reports whether the host that answered marks all that its backend
// answers.
func (t *hops) shows(req *http.Request, resp *http.Response) bool {
	u := answeredBy(req, resp)
	h := t.find(t.hosts.Load(), u)
	if h == nil || !trusted(u, resp) { // the name of a host is the same with and without TLS
		return false
	}
	now := int64(monotonic())
	recent := func(at int64) bool { return at != never && now-at < int64(hopLifetime) }
	return recent(h.shown.Load()) && !recent(h.lacked.Load())
}

func (t *hops) find(hosts *map[string]*hop, u *url.URL) *hop {
	if hosts == nil || u == nil {
		return nil
	}
	var space [64]byte // on the stack: most names fit
	return (*hosts)[string(appendHost(space[:0], u))]
}

func (t *hops) add(u *url.URL, now int64) {
	if until := t.full.Load(); until != 0 && now < until {
		return
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	next := make(map[string]*hop)
	if old := t.hosts.Load(); old != nil {
		next = maps.Clone(*old)
	}
	name := string(appendHost(nil, u))
	if next[name] != nil || len(name) > maxHopName {
		return
	}
	if len(next) >= maxHops {
		delete(next, stalest(next))
		t.full.Store(now + int64(hopInterval))
	}
	h := new(hop)
	h.shown.Store(now)
	h.lacked.Store(never)
	next[name] = h
	t.hosts.Store(&next)
}

// stalest returns the host that showed nothing for the longest time.
func stalest(hosts map[string]*hop) (name string) {
	var oldest int64
	for n, h := range hosts {
		if at := max(h.shown.Load(), h.lacked.Load()); name == "" || at < oldest {
			name, oldest = n, at
		}
	}
	return name
}

// answeredBy returns the URL that the response came from. A Base may have
// changed it.
func answeredBy(req *http.Request, resp *http.Response) *url.URL {
	if resp.Request != nil && resp.Request.URL != nil {
		return resp.Request.URL
	}
	return req.URL
}

// trusted reports whether nobody between here and the host could have changed
// the answer: TLS that was verified, or this machine. "LOCALHOST" is not counted:
// net/http asks a proxy for it.
func trusted(u *url.URL, resp *http.Response) bool {
	if strings.EqualFold(u.Scheme, "https") {
		return resp.TLS == nil || len(resp.TLS.VerifiedChains) > 0
	}
	name := u.Hostname()
	if !strings.HasPrefix(name, "127.") && !strings.Contains(name, ":") {
		return name == "localhost"
	}
	addr, err := netip.ParseAddr(name)
	return err == nil && addr.Unmap().IsLoopback()
}
