package faults

import (
	"cmp"
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/Shopify/toxiproxy/v2"
	"github.com/apigw-go/apigw"
	"github.com/apigw-go/apigw/gatewaytest"
	"github.com/apigw-go/apigw/signer"
	"github.com/rs/zerolog"
	"go.uber.org/goleak"
)

var requests = flag.Int("requests", 5000, "number of requests through the proxies")

const workers = 64

// ways are the networks between client and gateway. A toxicity is the share of
// connections that are concerned. Limits cut the n-th byte of a connection,
// whatever it belongs to: 150 is within the head of the first response.
var ways = []struct{ name, toxics string }{
	{"clean", ``},
	{"latency and jitter", `{"type": "latency", "attributes": {"latency": 5, "jitter": 5}}`},
	{"bandwidth", `{"type": "bandwidth", "attributes": {"rate": 512}}`},
	{"reset before the gateway",
		`{"type": "reset_peer", "stream": "upstream", "toxicity": 0.3, "attributes": {"timeout": 2}}`},
	{"reset of the response", `{"type": "reset_peer", "toxicity": 0.3, "attributes": {"timeout": 2}}`},
	{"response lost, then closed", `{"type": "timeout", "toxicity": 0.2, "attributes": {"timeout": 50}}`},
	{"black hole", `{"type": "timeout", "toxicity": 0.1, "attributes": {"timeout": 0}}`},
	{"slow close", `{"type": "slow_close", "attributes": {"delay": 50}}`},
	{"cut in the head of the response", `{"type": "limit_data", "toxicity": 0.4, "attributes": {"bytes": 150}}`},
	{"cut in the body of the response", `{"type": "limit_data", "toxicity": 0.6, "attributes": {"bytes": 2500}}`},
	{"cut in the request", `{"type": "limit_data", "stream": "upstream", "toxicity": 0.3, "attributes": {"bytes": 900}}`},
	{"all at once", `{"type": "latency", "toxicity": 0.5, "attributes": {"latency": 3, "jitter": 3}}
		{"type": "slow_close", "toxicity": 0.3, "attributes": {"delay": 20}}
		{"type": "limit_data", "toxicity": 0.2, "attributes": {"bytes": 4000}}
		{"type": "reset_peer", "toxicity": 0.1, "attributes": {"timeout": 1}}`},
}

// way is one of them with its gateway, so that each gateway counts its own.
type way struct {
	name    string
	gateway *gatewaytest.Gateway
	server  *gatewaytest.Server
	proxy   *toxiproxy.Proxy
}

// startWays also returns what stops them.
func startWays(t *testing.T) (all []*way, stop func()) {
	t.Helper()
	api := toxiproxy.NewServer(toxiproxy.NewMetricsContainer(nil), zerolog.Nop())
	for i, w := range ways {
		g := &gatewaytest.Gateway{LogLength: 1, Routes: []gatewaytest.Route{{
			Pattern: "/", Auth: gatewaytest.AuthSignature, Backend: backend(uint64(i)),
		}}}
		s := gatewaytest.NewServer(g)
		p := toxiproxy.NewProxy(api, w.name, "127.0.0.1:0", s.Listener.Addr().String())
		if err := p.Start(); err != nil {
			t.Fatal(err)
		}
		for toxic := range strings.Lines(w.toxics) {
			if _, err := p.Toxics.AddToxicJson(strings.NewReader(toxic)); err != nil {
				t.Fatal(err)
			}
		}
		all = append(all, &way{w.name, g, s, p})
	}
	return all, func() {
		for _, w := range all {
			w.proxy.Stop()
			w.server.Close()
		}
	}
}

// padding makes answers long enough to be cut in their bodies.
var padding = strings.Repeat(" ", 1500)

// backend fails now and then by itself, and else reports what it got.
func backend(n uint64) http.Handler {
	var mu sync.Mutex
	r := rand.New(rand.NewPCG(*seed, n))
	return http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		mu.Lock()
		roll := r.IntN(50)
		mu.Unlock()
		if roll == 0 {
			w.WriteHeader(http.StatusBadGateway)
			return
		}
		body, _ := io.Copy(io.Discard, req.Body)
		fmt.Fprintf(w, `{"method": %q, "bytes": %d}%s`, req.Method, body, padding)
	})
}

// connections counts those that a client has open.
type connections struct{ open, made atomic.Int64 }

func (c *connections) dial(ctx context.Context, network, address string) (net.Conn, error) {
	conn, err := new(net.Dialer).DialContext(ctx, network, address)
	if err != nil {
		return nil, err
	}
	c.open.Add(1)
	c.made.Add(1)
	return &countedConn{Conn: conn, counts: c}, nil
}

type countedConn struct {
	net.Conn
	counts *connections
	once   sync.Once
}

func (c *countedConn) Close() error {
	c.once.Do(func() { c.counts.open.Add(-1) })
	return c.Conn.Close()
}

func TestFaultProxy(t *testing.T) {
	if most := 60_000 * len(ways); *requests > most {
		t.Fatalf("%d requests: a gateway tells 65536 of them apart, so that %d is the most", *requests, most)
	}
	before := goleak.IgnoreCurrent()
	all, stop := startWays(t)
	counts := &connections{}
	// Few connections stay idle: those that no toxic has got would soon be
	// the only ones.
	base := &http.Transport{DialContext: counts.dial, MaxIdleConnsPerHost: 1}
	tr := &apigw.Transport{
		Base: &signer.Signer{
			AppKey: gatewaytest.DefaultAppKey, AppSecret: gatewaytest.DefaultAppSecret,
			Hosts: []string{"127.0.0.1:*"}, Base: base,
		},
		Policy: apigw.RetryPolicy{InitialBackoff: 5 * time.Millisecond, MaxBackoff: 50 * time.Millisecond,
			AttemptTimeout: 250 * time.Millisecond},
		// Enough for most repetitions, not for all.
		Budget: &apigw.RetryBudget{Ratio: 0.4},
	}
	run := &run{t: t, ways: all, client: &http.Client{Transport: tr}, total: map[string]int{}}
	started := time.Now()
	run.all(*requests)
	took := time.Since(started)

	run.client.CloseIdleConnections()
	stop()
	t.Run("none lost", run.noneLost)
	t.Run("none executed twice", run.noneTwice)
	t.Run("nothing left", func(t *testing.T) {
		// What toxiproxy forgets in the middle of a toxic is its own affair.
		if err := goleak.Find(before,
			goleak.IgnoreAnyFunction("github.com/Shopify/toxiproxy/v2/toxics.(*ToxicStub).Run"),
			goleak.IgnoreAnyFunction("github.com/Shopify/toxiproxy/v2.(*ToxicLink).read"),
			goleak.IgnoreAnyFunction("github.com/Shopify/toxiproxy/v2.(*ToxicLink).write")); err != nil {
			t.Error(err)
		}
		if n := counts.open.Load(); n != 0 {
			t.Errorf("got %d open connections, want 0", n)
		}
	})
	t.Run("memory", run.memoryFlat)
	run.report(took, counts.made.Load())
}

// run is the traffic and what became of it.
type run struct {
	t      *testing.T
	ways   []*way
	client *http.Client
	next   atomic.Int64

	mu       sync.Mutex
	total    map[string]int // outcomes
	byWay    map[string]int // attempts
	done     []done
	twice    int // executed more than once, and allowed to
	problems []string
	heap     []heap // after each quarter
}

type done struct {
	order
	way      int
	success  bool
	attempts int
}

func (r *run) all(n int) {
	r.byWay = map[string]int{}
	r.done = make([]done, 0, n)
	for quarter := range 4 {
		limit := int64(n * (quarter + 1) / 4)
		var wg sync.WaitGroup
		for range workers {
			wg.Go(func() {
				for {
					i := r.next.Add(1)
					if i > limit {
						r.next.Add(-1)
						return
					}
					r.one(i)
				}
			})
		}
		wg.Wait()
		r.client.CloseIdleConnections()
		r.heap = append(r.heap, measureHeap())
	}
}

// one sends the i-th request, which depends on the seed only.
func (r *run) one(i int64) {
	draw := rand.New(rand.NewPCG(*seed, uint64(i)))
	d := done{order: drawOrder(draw, strconv.FormatInt(i, 10)), way: draw.IntN(len(r.ways))}
	name, problem := r.send(&d)
	r.mu.Lock()
	defer r.mu.Unlock()
	r.total[name]++
	r.byWay[r.ways[d.way].name] += d.attempts
	r.done = append(r.done, d)
	if problem != nil {
		r.problems = append(r.problems, fmt.Sprintf("request %s over %q: %v", d.id, r.ways[d.way].name, problem))
	}
}

func (r *run) send(d *done) (name string, problem error) {
	req, err := d.request("http://" + r.ways[d.way].proxy.Listen + "/v1/orders?q=1")
	if err != nil {
		return "request", err
	}
	ctx, cancel := context.WithTimeout(r.t.Context(), 10*time.Second)
	defer cancel()
	ctx, recorder := apigw.WithRecorder(ctx)
	resp, err := r.client.Do(req.WithContext(ctx))
	results := recorder.Results()
	if len(results) != 1 {
		return "results", fmt.Errorf("got %d results, want 1", len(results))
	}
	d.attempts = len(results[0].Attempts)
	if err != nil {
		gwErr, ok := errors.AsType[*apigw.Error](err)
		if !ok || gwErr.Stop == apigw.StopUnknown {
			return "error", fmt.Errorf("got %T %v, want an *apigw.Error with a reason", err, err)
		}
		return outcome(nil, gwErr), nil
	}
	defer resp.Body.Close()
	gwErr, _ := apigw.FromResponse(resp)
	answer, err := io.ReadAll(resp.Body)
	switch {
	case resp.StatusCode >= 400 && gwErr == nil:
		return "status", fmt.Errorf("status %d without a decoded error", resp.StatusCode)
	case gwErr != nil && (errors.Is(gwErr, apigw.ErrSignature) || errors.Is(gwErr, apigw.ErrAuth)):
		return "refused", gwErr
	case gwErr != nil:
		return outcome(resp, gwErr), nil
	case err != nil:
		// The caller reads the body, after RoundTrip; it sees the cut.
		return "success, body cut", nil
	}
	d.success = true
	return "success", d.checkEcho([]byte(strings.TrimSpace(string(answer))))
}

func (r *run) noneLost(t *testing.T) {
	if got, want := len(r.done), *requests; got != want {
		t.Errorf("got %d ends, want %d", got, want)
	}
	for _, p := range r.problems[:min(len(r.problems), 20)] {
		t.Error(p)
	}
	for _, d := range r.done {
		if counts := r.ways[d.way].gateway.IdentityCounts(d.id); d.success && counts.Executed == 0 {
			t.Errorf("request %s: success that the backend does not know of", d.id)
		}
	}
}

func (r *run) noneTwice(t *testing.T) {
	twice := 0
	for _, d := range r.done {
		counts := r.ways[d.way].gateway.IdentityCounts(d.id)
		if counts.Executed > 1 && !d.repeatable() {
			t.Errorf("request %s: %s over %q executed %d times", d.id, d.method, r.ways[d.way].name, counts.Executed)
		}
		if counts.Executed > 1 {
			twice++
		}
	}
	r.twice = twice
}

// memoryFlat compares what the client keeps after the first quarter with what
// it keeps at the end. The fake gateways remember every request and nonce, so
// that the heap as a whole grows.
func (r *run) memoryFlat(t *testing.T) {
	const slack = 4 << 20 // for the sampling, and for pools
	if grown := r.heap[3].client - r.heap[0].client; grown > slack {
		t.Errorf("the client's heap grew by %d bytes from the first quarter to the end, want at most %d", grown, slack)
	}
}

func (r *run) report(took time.Duration, connections int64) {
	attempts := 0
	for _, n := range r.byWay {
		attempts += n
	}
	r.t.Logf("seed %d: %d requests, %d attempts, %d connections in %v by %d workers",
		*seed, len(r.done), attempts, connections, took.Round(time.Millisecond), workers)
	r.t.Logf("%s; %d of all executed more than once, and allowed to", counted(r.total), r.twice)
	names := make([]string, 0, len(r.byWay))
	for name := range r.byWay {
		names = append(names, name)
	}
	slices.SortFunc(names, func(a, b string) int { return cmp.Or(r.byWay[b]-r.byWay[a], strings.Compare(a, b)) })
	sent := map[string]int{}
	for _, d := range r.done {
		sent[r.ways[d.way].name]++
	}
	for _, name := range names {
		r.t.Logf("%-32s %6d requests %6d attempts", name, sent[name], r.byWay[name])
	}
	for quarter, h := range r.heap {
		r.t.Logf("heap after quarter %d: %d KiB of the client, %d KiB with gateways and proxies", quarter+1,
			h.client>>10, h.all>>10)
	}
}
