package apigw

import (
	"fmt"
	"hash/maphash"
	"maps"
	"net/http"
	"strings"
)

// maxLanes bounds the memory of a client that makes up keys. Those beyond share
// one lane.
const (
	maxLanes   = 1024
	otherLanes = "(other keys)"
)

// laneOf returns the lane of a request.
func (p *Pacer) laneOf(req *http.Request, policy *RetryPolicy) *lane {
	limit := policy.Limit
	if p.Declared != nil {
		limit = p.Declared(req)
	}
	if p.Key != nil {
		return p.lane(laneKey{custom: p.Key(req), limit: limit})
	}
	var space [64]byte // on the stack: most names fit
	host := appendHost(space[:0], req.URL)
	credential := credentialHash(req.Header)
	if t := p.lanes.Load(); t != nil {
		k := &t.first.key
		if k.custom == "" && k.host == string(host) && k.credential == credential &&
			k.scope == policy.LimitScope && k.limit == limit {
			return t.first
		}
		l := t.all[laneKey{host: string(host), credential: credential, scope: policy.LimitScope, limit: limit}]
		if l != nil {
			return l
		}
	}
	return p.lane(laneKey{host: string(host), credential: credential, scope: policy.LimitScope, limit: limit})
}

// laneTable is copied to add a lane: lanes are few and found often. Most clients
// have a single one, so that the first is found without hashing.
type laneTable struct {
	first *lane
	all   map[laneKey]*lane
}

// lane returns the lane of a key.
func (p *Pacer) lane(key laneKey) *lane {
	if t := p.lanes.Load(); t != nil && t.all[key] != nil {
		return t.all[key]
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	var now laneTable
	if t := p.lanes.Load(); t != nil {
		now = *t
	}
	if len(now.all) >= maxLanes {
		key = laneKey{custom: otherLanes}
	}
	if l := now.all[key]; l != nil {
		return l
	}
	next := laneTable{now.first, maps.Clone(now.all)}
	if next.all == nil {
		next.all = map[laneKey]*lane{}
	}
	l := p.newLane(key)
	next.all[key] = l
	if next.first == nil {
		next.first = l
	}
	p.lanes.Store(&next)
	return l
}

// nameOf returns a name for states and logs. A credential is shown as the number
// of the caller, in the order in which they came.
func (p *Pacer) nameOf(key laneKey) string {
	parts := []string{key.host}
	if key.custom != "" {
		parts[0] = key.custom
	}
	if key.credential != 0 {
		if p.callers == nil {
			p.callers = map[uint64]int{}
		}
		n := p.callers[key.credential]
		if n == 0 {
			n = len(p.callers) + 1
			p.callers[key.credential] = n
		}
		parts = append(parts, fmt.Sprintf("caller %d", n))
	}
	if key.scope != "" {
		parts = append(parts, key.scope)
	}
	if !key.limit.none() {
		parts = append(parts, key.limit.String())
	}
	return strings.Join(parts, " | ")
}

var credentialSeed = maphash.MakeSeed()

// credentialHash tells callers apart within this process. A credential that a
// signer below the Transport adds is not seen, and need not be: mostly all
// calls have the same.
func credentialHash(h http.Header) uint64 {
	c := credentialOf(h)
	if c == "" {
		return 0
	}
	return max(1, maphash.String(credentialSeed, c))
}

// credentialOf returns the AppKey or the AppCode of a request, empty if it has
// none.
func credentialOf(h http.Header) string {
	if key := headerValue(h, headerKey); key != "" {
		return key
	}
	kind, code, _ := strings.Cut(headerValue(h, "Authorization"), " ")
	if strings.EqualFold(kind, "APPCODE") {
		return strings.TrimSpace(code)
	}
	return ""
}
