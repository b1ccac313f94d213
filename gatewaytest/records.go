package gatewaytest

import (
	"hash/maphash"
	"slices"
	"strings"
	"sync"
	"time"
)

// Record is what [Gateway.Log] remembers of a request. It has no credentials
// and no query. Texts of the request are cut off at 256 bytes.
type Record struct {
	Time         time.Time
	Method, Path string
	// Pattern is the one of the route, empty if no route matched.
	Pattern string
	// AppKey, Nonce and Identity are what the request said, true or not.
	AppKey, Nonce, Identity string
	RequestID               string
	// Outcome is "served" for an answer of the backend, the ID of the catalog
	// row of a refusal, or "dropped", with the place if a script asked for
	// it: "dropped after-backend". It is empty until that is decided, and is
	// set before the client can notice.
	Outcome string
	// Status is the one that was answered, 0 with no answer.
	Status int
	// Executed says that the backend ran.
	Executed bool
}

// Counts says how many requests came and how often the backend ran for them.
type Counts struct {
	Received, Executed int
}

// maxIdentities bounds the memory of a gateway that serves for long.
const maxIdentities = 1 << 16

// maxText bounds what is remembered of a text that a client sent. A header may
// have a megabyte.
const maxText = 256

// short returns a copy of a text, cut off. A copy also of a short one: net/http
// cuts method, path and headers out of larger texts, which would stay in memory
// with them.
func short(s string) string { return strings.Clone(s[:min(len(s), maxText)]) }

// counter is the gateway's memory of requests.
type counter struct {
	mu       sync.Mutex
	limit    int // of records
	total    Counts
	patterns map[string]*Counts
	// identities are kept as hashes, since they may be long. Few are counted
	// twice, so the numbers stand in the map.
	seed       maphash.Seed
	identities map[uint64]identityCounts
	records    []*Record // ring, next is the oldest when it is full
	next       int
}

type identityCounts struct{ received, executed uint32 }

// Counts returns the counts over all requests.
func (g *Gateway) Counts() Counts {
	c := &g.state().counts
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.total
}

// RouteCounts returns the counts of the route with that pattern; the empty
// pattern stands for requests that no route matched.
func (g *Gateway) RouteCounts(pattern string) Counts {
	c := &g.state().counts
	c.mu.Lock()
	defer c.mu.Unlock()
	if n := c.patterns[pattern]; n != nil {
		return *n
	}
	return Counts{}
}

// IdentityCounts returns the counts of the requests whose identity header,
// see [Gateway.IdentityHeader], has that value: more than one execution means
// that something ran twice. Only the first 65536 identities are counted.
func (g *Gateway) IdentityCounts(identity string) Counts {
	c := &g.state().counts
	c.mu.Lock()
	defer c.mu.Unlock()
	if identity == "" || c.identities == nil {
		return Counts{}
	}
	n := c.identities[maphash.String(c.seed, identity)]
	return Counts{Received: int(n.received), Executed: int(n.executed)}
}

// Log returns the requests that arrived, oldest first, as many as
// [Gateway.LogLength] says.
func (g *Gateway) Log() []Record {
	c := &g.state().counts
	c.mu.Lock()
	defer c.mu.Unlock()
	log := make([]Record, 0, len(c.records))
	for _, r := range slices.Concat(c.records[c.next:], c.records[:c.next]) {
		log = append(log, *r)
	}
	return log
}

func (c *counter) prepare() {
	if c.patterns == nil {
		c.patterns, c.identities = make(map[string]*Counts), make(map[uint64]identityCounts)
		c.seed = maphash.MakeSeed()
	}
}

// arrive counts a request. Its Record must not hold long texts.
func (c *counter) arrive(r *Record, identity string) (id uint64) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.prepare()
	if c.patterns[r.Pattern] == nil {
		c.patterns[r.Pattern] = new(Counts) // one for each route, and one
	}
	c.patterns[r.Pattern].Received++
	c.total.Received++
	if identity != "" {
		id = maphash.String(c.seed, identity)
		n, known := c.identities[id]
		if known || len(c.identities) < maxIdentities {
			n.received++
			c.identities[id] = n
		}
	}
	if len(c.records) < c.limit {
		c.records = append(c.records, r)
		return id
	}
	c.records[c.next] = r
	c.next = (c.next + 1) % len(c.records)
	return id
}

// execute counts a run of the backend. identity is what arrive returned.
func (c *counter) execute(r *Record, identity uint64) {
	c.mu.Lock()
	defer c.mu.Unlock()
	r.Executed = true
	c.total.Executed++
	if n := c.patterns[r.Pattern]; n != nil { // else Reset was called meanwhile
		n.Executed++
	}
	if n, known := c.identities[identity]; known && r.Identity != "" {
		n.executed++
		c.identities[identity] = n
	}
}

func (c *counter) settle(r *Record, outcome string, status int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	r.Outcome, r.Status = outcome, status
}

// end returns the record as it stays. A request without an outcome had a backend
// that panicked, which drops the connection.
func (c *counter) end(r *Record) Record {
	c.mu.Lock()
	defer c.mu.Unlock()
	if r.Outcome == "" {
		r.Outcome = "dropped"
	}
	return *r
}

func (c *counter) reset() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.total, c.patterns, c.identities, c.records, c.next = Counts{}, nil, nil, nil, 0
}
