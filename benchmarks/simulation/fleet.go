// Package simulation runs thousands of clients, each with an [apigw.Transport]
// and a retry budget of its own, against a model of a server that fails, and
// shows what retries do to the server and to the clients.
//
// It has to run in a bubble of testing/synctest: an hour passes in seconds
// there. Two runs with the same seed give the same figures to the last digit,
// because no two things ever happen at the same instant: see onGrid.
package simulation

import (
	"context"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"net/http"
	"net/url"
	"sync"
	"time"

	"github.com/apigw-go/apigw"
	"github.com/aws/aws-sdk-go-v2/aws/retry"
)

// Every client has its own instants: a hundred of them, 1 ns apart, in each
// millisecond, one for each request that it can have under way. All delays are
// whole milliseconds. So the order of events does not depend on the scheduler.
const (
	grid  = time.Millisecond
	lanes = 100
)

// MaxClients is how many clients have instants of their own.
const MaxClients = int(grid) / lanes

// onGrid rounds up to whole milliseconds.
func onGrid(d time.Duration) time.Duration { return (d + grid - 1).Truncate(grid) }

// Rule is a way to bound retries. The transport, its policy of four attempts
// with full jitter from 250 ms and the server are the same under all rules.
type Rule int

const (
	// Budget is apigw's default budget.
	Budget Rule = iota
	// Unbounded is four attempts and nothing else.
	Unbounded
	// AWS is the retry quota of the AWS SDKs up to 2026, run by the
	// SDK's own code: a bucket of 500 tokens, 5 for a retry (10 after a
	// timeout, of which there are none here), given back when the retry
	// succeeds, 1 back for a success without a retry.
	AWS
	// AWS2026 is the same with the price of 14 that aws-sdk-go-v2 charges
	// since v1.48.0.
	AWS2026
)

// Rules are all rules.
var Rules = []Rule{Budget, Unbounded, AWS, AWS2026}

func (r Rule) String() string {
	return [...]string{"apigw budget", "no budget", "AWS 500/5", "AWS 500/14"}[r]
}

// Fleet is a number of clients that behave alike.
type Fleet struct {
	Clients int
	Rule    Rule
	Seed    uint64
	// Rate says how many requests a second a client begins at a time since
	// the start, on average, with random distances. The requests come from
	// outside: they do not wait for one another.
	Rate func(since time.Duration) float64
	// Regular keeps the distances between half the average and one and a
	// half. Otherwise they are exponential, so that all requests together
	// are a Poisson process.
	Regular bool
	// Lasts says for how long requests begin. Those under way then are
	// waited for.
	Lasts  time.Duration
	Server *Server
}

// Outcome is what a run came to.
type Outcome struct {
	Requests, Attempts, Succeeded int
	// Begun counts requests, Sent attempts, Good successes, by the second.
	Begun, Sent, Good *Series
	// FewestAttempts of all requests that failed in the end; 0 if none did.
	FewestAttempts int
}

// Amplification is attempts per request.
func (o *Outcome) Amplification() float64 { return float64(o.Attempts) / float64(o.Requests) }

// Success is the share of requests that succeeded.
func (o *Outcome) Success() float64 { return float64(o.Succeeded) / float64(o.Requests) }

// Series counts events by the second since start.
type Series struct {
	start  time.Time
	Counts []int
}

// Add counts an event. It is not safe for concurrent use.
func (s *Series) Add(now time.Time) {
	second := int(now.Sub(s.start) / time.Second)
	for len(s.Counts) <= second {
		s.Counts = append(s.Counts, 0)
	}
	s.Counts[second]++
}

// At returns the count of a second.
func (s *Series) At(second int) int {
	if second < len(s.Counts) {
		return s.Counts[second]
	}
	return 0
}

// Run lets the fleet work. It must be called in a bubble of testing/synctest.
func (f Fleet) Run() (*Outcome, error) {
	if f.Clients > MaxClients {
		return nil, fmt.Errorf("%d clients: only %d have instants of their own", f.Clients, MaxClients)
	}
	start := time.Now()
	o := &Outcome{Begun: &Series{start: start}, Sent: &Series{start: start}, Good: &Series{start: start}}
	f.Server.arrived = o.Sent
	var mu sync.Mutex
	var failed error
	done := func(c *call, status int, err error) {
		mu.Lock()
		defer mu.Unlock()
		o.Requests++
		o.Attempts += c.attempts
		o.Begun.Add(c.begun)
		switch {
		case err != nil && !errors.Is(err, errConnectionRefused):
			failed = err
		case status == http.StatusOK:
			o.Succeeded++
			o.Good.Add(time.Now())
		case o.FewestAttempts == 0 || c.attempts < o.FewestAttempts:
			o.FewestAttempts = c.attempts
		}
	}
	var wg sync.WaitGroup
	for i := range f.Clients {
		wg.Go(func() { newClient(&f, i).run(start, &wg, done) })
	}
	wg.Wait()
	return o, failed
}

// client is one program with a transport of its own.
type client struct {
	fleet     *Fleet
	number    int
	random    *rand.Rand
	transport *apigw.Transport
	bucket    *retry.Standard // nil but under the rules of AWS
}

func newClient(f *Fleet, number int) *client {
	c := &client{fleet: f, number: number, random: rand.New(rand.NewPCG(f.Seed, uint64(number)))}
	c.transport = &apigw.Transport{Base: f.Server}
	switch f.Rule {
	case Budget:
	case Unbounded:
		c.transport.Budget = &apigw.RetryBudget{Unlimited: true}
	case AWS, AWS2026:
		c.transport.Budget = &apigw.RetryBudget{Unlimited: true}
		c.bucket = retry.NewStandard(func(o *retry.StandardOptions) {
			if f.Rule == AWS {
				o.RetryCost = 5
			}
		})
	}
	return c
}

// run begins requests until the fleet's time is over.
func (c *client) run(start time.Time, wg *sync.WaitGroup, done func(*call, int, error)) {
	next := time.Duration(0)
	for n := 0; ; n++ {
		next += c.gap(next)
		if next >= c.fleet.Lasts {
			return
		}
		lane := time.Duration(c.number*lanes + n%lanes)
		time.Sleep(time.Until(start.Add(next.Truncate(grid) + lane)))
		seed := uint64(c.number)<<32 | uint64(n)
		wg.Go(func() {
			k := &call{client: c, begun: time.Now(), random: rand.New(rand.NewPCG(c.fleet.Seed, seed|1<<63))}
			status, err := k.send()
			done(k, status, err)
		})
	}
}

// gap draws the distance to the next request; the first one is drawn like the
// others, so that the clients do not begin together.
func (c *client) gap(since time.Duration) time.Duration {
	draw := 0.5 + c.random.Float64()
	if !c.fleet.Regular {
		draw = c.random.ExpFloat64()
	}
	return onGrid(time.Duration(math.Round(draw / c.fleet.Rate(since) * float64(time.Second))))
}

// call is one request of a client. It travels in the request's context, and it
// is the [apigw.BackOff] of the request.
type call struct {
	client   *client
	begun    time.Time
	random   *rand.Rand
	attempts int
	retries  int
	release  func(error) error // of the token of the latest retry
}

type callKey struct{}

func callOf(req *http.Request) *call { return req.Context().Value(callKey{}).(*call) }

var target = &url.URL{Scheme: "http", Host: "api.example.com", Path: "/"}

var errFailed = errors.New("failed")

// send makes the request and settles with the bucket.
func (k *call) send() (status int, err error) {
	// The default policy with the delays drawn from the seed.
	policy := apigw.RetryPolicy{NewBackOff: func() apigw.BackOff { return k }}
	ctx := apigw.WithPolicy(context.WithValue(context.Background(), callKey{}, k), policy)
	req := (&http.Request{Method: http.MethodGet, URL: target, Header: http.Header{},
		Host: target.Host}).WithContext(ctx)
	resp, err := k.client.transport.RoundTrip(req)
	if resp != nil {
		status = resp.StatusCode
		resp.Body.Close()
	}
	if b := k.client.bucket; b != nil && status == http.StatusOK {
		if k.release == nil {
			k.release, _ = b.GetAttemptToken(context.Background())
		}
		k.release(nil)
	}
	return status, err
}

// NextBackOff draws the delay as the default policy does, on the grid. Under
// the rules of AWS it asks the bucket first.
func (k *call) NextBackOff() time.Duration {
	if b := k.client.bucket; b != nil {
		release, err := b.GetRetryToken(context.Background(), errFailed)
		if err != nil {
			return -1
		}
		k.release = release
	}
	bound := 250 * time.Millisecond << k.retries
	k.retries++
	return time.Duration(k.random.Int64N(int64(bound/grid))+1) * grid
}
