package faults

import (
	"cmp"
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/apigw-go/apigw"
	"github.com/apigw-go/apigw/catalog"
	"github.com/apigw-go/apigw/signer"
	"go.uber.org/goleak"
)

var requests = flag.Int("requests", 5000, "number of requests through the proxies")

var workers = flag.Int("workers", 64, "how many goroutines send requests through the proxies")

// rotation signs with one of two pairs of keys. A caller that rotates its keys
// has both for a while.
type rotation struct {
	signers [2]*signer.Signer
	turn    atomic.Int64
}

func newRotation(base http.RoundTripper) *rotation {
	r := &rotation{}
	for i, app := range apps {
		r.signers[i] = &signer.Signer{
			AppKey: app.AppKey, AppSecret: app.AppSecret, Hosts: []string{"127.0.0.1:*"}, Base: base,
		}
	}
	return r
}

func (r *rotation) now() *signer.Signer { return r.signers[r.turn.Load()%2] }
func (r *rotation) RoundTrip(req *http.Request) (*http.Response, error) {
	return r.now().RoundTrip(req)
}
func (r *rotation) SendOnce(req *http.Request) (*http.Response, error) { return r.now().SendOnce(req) }
func (r *rotation) Renews(req *http.Request) bool                      { return r.now().Renews(req) }
func (r *rotation) SendsThrough() http.RoundTripper                    { return r.now().SendsThrough() }
func (r *rotation) CloseIdleConnections()                              { r.now().CloseIdleConnections() }

func TestFaultProxy(t *testing.T) {
	before := goleak.IgnoreCurrent()
	executed := make(executions, *requests+1)
	all, gateways, stop := startWays(t, &executed)
	counts := &connections{}
	// Few connections stay idle: those that no toxic has got would soon be
	// the only ones.
	base := &http.Transport{DialContext: counts.dial, MaxIdleConnsPerHost: 1}
	keys := newRotation(base)
	tr := &apigw.Transport{
		Base: keys,
		Policy: apigw.RetryPolicy{
			InitialBackoff: 5 * time.Millisecond, MaxBackoff: 50 * time.Millisecond,
			AttemptTimeout: 250 * time.Millisecond, MaxThrottleWait: 5 * time.Second,
		},
		// Enough for most retries, not for all.
		Budget: &apigw.RetryBudget{Ratio: 0.4},
	}
	run := &run{
		t: t, ways: all, gateways: gateways, keys: keys, executed: executed,
		client: &http.Client{Transport: tr}, total: map[string]int{}, refused: map[catalog.Class]int{},
	}
	started := time.Now()
	run.all(*requests)
	took := time.Since(started)

	run.client.CloseIdleConnections()
	stop()
	t.Run("none lost", run.noneLost)
	t.Run("none executed twice", run.noneTwice)
	t.Run("limits and clocks had an effect", func(t *testing.T) {
		for _, class := range []catalog.Class{catalog.ClassThrottled, catalog.ClassReplay} {
			if run.refused[class] == 0 {
				t.Errorf("no attempt was refused as %v", class)
			}
		}
	})
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
	t        *testing.T
	ways     []*way
	gateways []*gateway
	keys     *rotation
	executed executions
	client   *http.Client
	next     atomic.Int64

	mu       sync.Mutex
	total    map[string]int // outcomes
	refused  map[catalog.Class]int
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

// rotateEvery is how many requests are signed with the same keys.
const rotateEvery = 500

func (r *run) all(n int) {
	r.byWay = map[string]int{}
	r.done = make([]done, 0, n)
	for quarter := range 4 {
		for i, g := range r.gateways {
			g.ahead.Store(int64(clocks[i][quarter]))
		}
		limit := int64(n * (quarter + 1) / 4)
		var wg sync.WaitGroup
		for range *workers {
			wg.Go(func() {
				for {
					i := r.next.Add(1)
					if i > limit {
						r.next.Add(-1)
						return
					}
					if i%rotateEvery == 0 {
						r.keys.turn.Add(1)
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
	r.note(results[0].Attempts)
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

// note counts what the gateways refused, to know that limits and clocks had an
// effect.
func (r *run) note(attempts []apigw.Attempt) {
	for _, a := range attempts {
		if a.Status >= 400 {
			r.mu.Lock()
			r.refused[a.Class]++
			r.mu.Unlock()
		}
	}
}

func (r *run) noneLost(t *testing.T) {
	if got, want := len(r.done), *requests; got != want {
		t.Errorf("got %d ends, want %d", got, want)
	}
	for _, p := range r.problems[:min(len(r.problems), 20)] {
		t.Error(p)
	}
	for _, d := range r.done {
		if d.success && r.executed.of(d.id) == 0 {
			t.Errorf("request %s: success that the backend does not know of", d.id)
		}
	}
}

func (r *run) noneTwice(t *testing.T) {
	twice := 0
	for _, d := range r.done {
		n := r.executed.of(d.id)
		if n > 1 && !d.repeatable() {
			t.Errorf("request %s: %s over %q executed %d times", d.id, d.method, r.ways[d.way].name, n)
		}
		if n > 1 {
			twice++
		}
	}
	r.twice = twice
}

// memoryFlat compares what client and gateways keep after the first quarter with
// what they keep at the end. A gateway remembers nonces, up to a bound that only
// a long run reaches.
func (r *run) memoryFlat(t *testing.T) {
	const slack = 4 << 20 // for the sampling, and for pools
	if grown := r.heap[3].client - r.heap[0].client; grown > slack {
		t.Errorf("the client's heap grew by %d bytes from the first quarter to the end, want at most %d", grown, slack)
	}
	const noncesOfAGateway, bytesOfANonce = 1 << 16, 128
	attempts := 0
	for _, n := range r.byWay {
		attempts += n
	}
	nonces := int64(min(attempts, len(r.gateways)*noncesOfAGateway) * bytesOfANonce)
	if grown := r.heap[3].gateway - r.heap[0].gateway; grown > slack+nonces {
		t.Errorf("the gateways' heap grew by %d bytes from the first quarter to the end, want at most %d",
			grown, slack+nonces)
	}
}

func (r *run) report(took time.Duration, connections int64) {
	attempts := 0
	for _, n := range r.byWay {
		attempts += n
	}
	r.t.Logf("seed %d: %d requests, %d attempts, %d connections in %v by %d workers",
		*seed, len(r.done), attempts, connections, took.Round(time.Millisecond), *workers)
	r.t.Logf("attempts that were refused, by class: %v", r.refused)
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
		r.t.Logf("heap after quarter %d: %d KiB of the client, %d KiB of the gateways, %d KiB with proxies and test",
			quarter+1, h.client>>10, h.gateway>>10, h.all>>10)
	}
}
