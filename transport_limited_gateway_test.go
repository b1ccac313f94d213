package apigw

import (
	"io"
	"math/rand/v2"
	"net/http"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// limitedGateway admits so many calls in each window, and takes its time.
type limitedGateway struct {
	calls   int
	window  time.Duration
	refusal answer
	phase   time.Duration

	mu       sync.Mutex
	start    time.Time
	index    time.Duration
	count    int
	admitted int
	refused  int
	rng      *rand.Rand
}

func newLimitedGateway(calls int, window time.Duration, seed uint64) *limitedGateway {
	rng := rand.New(rand.NewPCG(seed, 4))
	return &limitedGateway{
		calls: calls, window: window, refusal: limited, rng: rng, start: time.Now(),
		phase: time.Duration(rng.Int64N(int64(window))),
	}
}

func (g *limitedGateway) trip() time.Duration {
	g.mu.Lock()
	defer g.mu.Unlock()
	return 2500*time.Microsecond + time.Duration(g.rng.Int64N(int64(22500*time.Microsecond)))
}

func (g *limitedGateway) admit() bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	if i := (time.Since(g.start) + g.phase) / g.window; i != g.index {
		g.index, g.count = i, 0
	}
	if g.count >= g.calls {
		g.refused++
		return false
	}
	g.count++
	g.admitted++
	return true
}

func (g *limitedGateway) RoundTrip(req *http.Request) (*http.Response, error) {
	time.Sleep(g.trip())
	a := ok
	if !g.admit() {
		a = g.refusal
	}
	time.Sleep(g.trip())
	return respond(req, a), nil
}

// jobs does so many jobs with some workers and returns how many failed.
func jobs(t *testing.T, tr *Transport, workers, n int, request func(int) *http.Request) (failed int) {
	t.Helper()
	var wg sync.WaitGroup
	var next, bad atomic.Int64
	for range workers {
		wg.Go(func() {
			for i := next.Add(1); i <= int64(n); i = next.Add(1) {
				resp, err := tr.RoundTrip(request(int(i)))
				if err != nil {
					t.Log(err)
				}
				if err != nil || resp.StatusCode != 200 {
					bad.Add(1)
				}
				if err == nil {
					resp.Body.Close()
				}
			}
		})
	}
	wg.Wait()
	return int(bad.Load())
}

func respond(req *http.Request, a answer) *http.Response {
	resp, _ := serve(a).RoundTrip(req)
	return resp
}

// mustPass sends a request that succeeds.
func mustPass(t *testing.T, tr *Transport, req *http.Request) {
	t.Helper()
	resp, err := tr.RoundTrip(req)
	if err != nil {
		t.Fatal(err)
	}
	resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		t.Fatalf("status %d, want 200", resp.StatusCode)
	}
}

// closeCounter is a body that counts how often it is closed.
type closeCounter struct {
	io.Reader
	closed int
}

func (b *closeCounter) Close() error { b.closed++; return nil }

// syncWriter is for what several goroutines write.
type syncWriter struct {
	mu sync.Mutex
	io.Writer
}

func (w *syncWriter) Write(p []byte) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.Writer.Write(p)
}
