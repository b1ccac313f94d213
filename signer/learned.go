package signer

import (
	"net/http"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

// Learned is what refusals taught a [Signer] about one host.
type Learned struct {
	// Host is the scheme and the authority that was dialled, such as
	// "https://api.example.com", followed by the Host header where the request
	// named another one.
	Host string

	// ClockOffset is added to the time of this machine; zero for none.
	ClockOffset time.Duration

	// Rules are signed with in place of those of the Signer, if not nil.
	Rules *Rules
}

// Learned returns what refusals taught s, sorted by host; nil for nothing. It
// is a copy, and safe to call at any time.
func (s *Signer) Learned() []Learned { return s.memory.all() }

// Forget drops all that refusals taught s. It is safe to call at any time.
func (s *Signer) Forget() { s.memory.clear() }

// maxHosts bounds what is remembered: with a wildcard in Hosts a server can
// redirect to any number of names.
const maxHosts = 256

// memory holds what was learned, by host. The zero value is empty. Reading it
// costs nothing as long as it is.
type memory struct {
	count atomic.Int32 // of hosts
	mu    sync.Mutex
	hosts map[string]Learned
}

// of returns what is known about the host of a request.
func (m *memory) of(req *http.Request) Learned {
	if m.count.Load() == 0 {
		return Learned{}
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.hosts[hostKey(req)]
}

// change changes what is known about the host of a request. What is empty
// afterwards is forgotten.
func (m *memory) change(req *http.Request, change func(*Learned)) {
	key := hostKey(req)
	m.mu.Lock()
	defer m.mu.Unlock()
	known := m.hosts[key]
	known.Host = key
	change(&known)
	switch {
	case known == Learned{Host: key}:
		delete(m.hosts, key)
	case m.hosts == nil:
		m.hosts = map[string]Learned{key: known}
	default:
		if _, there := m.hosts[key]; !there && len(m.hosts) >= maxHosts {
			for other := range m.hosts { // any one: it is learned again by one refusal
				delete(m.hosts, other)
				break
			}
		}
		m.hosts[key] = known
	}
	m.count.Store(int32(len(m.hosts)))
}

func (m *memory) clear() {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.hosts = nil
	m.count.Store(0)
}

func (m *memory) all() []Learned {
	m.mu.Lock()
	defer m.mu.Unlock()
	var all []Learned
	for _, l := range m.hosts {
		if l.Rules != nil {
			rules := *l.Rules
			l.Rules = &rules
		}
		all = append(all, l)
	}
	slices.SortFunc(all, func(a, b Learned) int { return strings.Compare(a.Host, b.Host) })
	return all
}

// hostKey names the gateway that a request goes to: one name whatever its
// spelling, and the tenant where one address serves several.
func hostKey(req *http.Request) string {
	host, port := splitAuthority(req.URL.Host)
	key := strings.ToLower(req.URL.Scheme) + "://" + strings.ToLower(strings.TrimSuffix(host, "."))
	if port != "" && port != defaultPort(req.URL.Scheme) {
		key += ":" + port
	}
	if req.Host != "" && !sameName(req.Host, req.URL.Host) {
		key += " " + strings.ToLower(req.Host)
	}
	return key
}
