package gatewaytest

import (
	"slices"
	"sync"
	"time"
)

// Record is what [Gateway.Log] remembers of a request. It has no credentials
// and no query.
type Record struct {
	Time         time.Time
	Method, Path string
	// Pattern is the one of the route, empty where no route matched.
	Pattern string
	// AppKey, Nonce and Identity are what the request said, true or not.
	AppKey, Nonce, Identity string
	RequestID               string
	// Outcome is "served" for an answer of the backend, the ID of the catalog
	// row of a refusal, or "dropped", with the place where a script asked for
	// it: "dropped after-backend". It is empty until that is decided, and is
	// set before the client can notice.
	Outcome string
	// Status is the one that was answered, 0 with no answer.
	Status int
	// Executed says that the backend ran.
	Executed bool
}

// Counts tells how many requests came and how often the backend ran for them.
type Counts struct {
	Received, Executed int
}

// maxIdentities bounds the memory of a gateway that serves for long.
const maxIdentities = 1 << 16

// counter is the gateway's memory of requests.
type counter struct {
	mu         sync.Mutex
	limit      int // of records
	total      Counts
	patterns   map[string]*Counts
	identities map[string]*Counts
	records    []*Record // ring, next is the oldest when it is full
	next       int
}

// Counts returns the counts over all requests.
func (g *Gateway) Counts() Counts {
	g.counts.mu.Lock()
	defer g.counts.mu.Unlock()
	return g.counts.total
}

// RouteCounts returns the counts of the route with that pattern; the empty
// pattern stands for requests that no route matched.
func (g *Gateway) RouteCounts(pattern string) Counts {
	g.counts.mu.Lock()
	defer g.counts.mu.Unlock()
	if n := g.counts.patterns[pattern]; n != nil {
		return *n
	}
	return Counts{}
}

// IdentityCounts returns the counts of the requests whose identity header,
// see [Gateway.IdentityHeader], has that value: more than one execution means
// that something ran twice. Only the first 65536 identities are counted.
func (g *Gateway) IdentityCounts(identity string) Counts {
	g.counts.mu.Lock()
	defer g.counts.mu.Unlock()
	if n := g.counts.identities[identity]; n != nil {
		return *n
	}
	return Counts{}
}

// Log returns the requests that arrived, oldest first, as many as
// [Gateway.LogLength] says.
func (g *Gateway) Log() []Record {
	c := &g.counts
	c.mu.Lock()
	defer c.mu.Unlock()
	log := make([]Record, 0, len(c.records))
	for _, r := range slices.Concat(c.records[c.next:], c.records[:c.next]) {
		log = append(log, *r)
	}
	return log
}

func (c *counter) arrive(r *Record) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.patterns == nil {
		c.patterns, c.identities = make(map[string]*Counts), make(map[string]*Counts)
	}
	if c.patterns[r.Pattern] == nil {
		c.patterns[r.Pattern] = new(Counts)
	}
	if c.identities[r.Identity] == nil && r.Identity != "" && len(c.identities) < maxIdentities {
		c.identities[r.Identity] = new(Counts)
	}
	c.each(r, func(n *Counts) { n.Received++ })
	if len(c.records) < c.limit {
		c.records = append(c.records, r)
		return
	}
	c.records[c.next] = r
	c.next = (c.next + 1) % len(c.records)
}

func (c *counter) execute(r *Record) {
	c.mu.Lock()
	defer c.mu.Unlock()
	r.Executed = true
	c.each(r, func(n *Counts) { n.Executed++ })
}

func (c *counter) settle(r *Record, outcome string, status int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	r.Outcome, r.Status = outcome, status
}

func (c *counter) each(r *Record, add func(*Counts)) {
	add(&c.total)
	add(c.patterns[r.Pattern])
	if n := c.identities[r.Identity]; n != nil {
		add(n)
	}
}
