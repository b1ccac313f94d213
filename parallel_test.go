package apigw

import (
	"net/http"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"
)

// sharedBase answers many goroutines at once, with the mark of a service time,
// which the Transport takes note of.
func sharedBase() http.RoundTripper {
	header := http.Header{headerServiceTime: {"3"}}
	return roundTripFunc(func(req *http.Request) (*http.Response, error) {
		return &http.Response{StatusCode: http.StatusOK, Header: header, Body: http.NoBody, Request: req}, nil
	})
}

func callMany(t testing.TB, rt http.RoundTripper, goroutines, calls int) {
	var running sync.WaitGroup
	for range goroutines {
		running.Go(func() {
			req := newRequest(t, http.MethodGet, "")
			for range calls {
				resp, err := rt.RoundTrip(req)
				if err != nil {
					t.Error(err)
					return
				}
				resp.Body.Close()
			}
		})
	}
	running.Wait()
}

// contended counts how often a goroutine waited for a lock that a function of
// this package held.
func contended(t *testing.T) (n int64) {
	records := make([]runtime.BlockProfileRecord, 1000)
	found, ok := runtime.MutexProfile(records)
	if !ok {
		t.Fatalf("%d records do not fit", found)
	}
	for _, r := range records[:found] {
		frames := runtime.CallersFrames(r.Stack())
		for top := true; ; top = false {
			frame, more := frames.Next()
			if top && strings.HasPrefix(frame.Function, "runtime.") {
				break // a lock of the runtime, for memory or for waking others
			}
			if strings.HasPrefix(frame.Function, "sync.(*Pool).") {
				break // which makes its parts anew after a collection
			}
			own := strings.HasPrefix(frame.Function, "github.com/apigw-go/apigw.(")
			if own && !strings.HasSuffix(frame.File, "_test.go") {
				n += r.Count
				t.Log(frame.Function)
				break
			}
			if !more {
				break
			}
		}
	}
	return n
}

// The success path takes no lock: 32 goroutines leave nothing in the profile of
// contended locks. A Transport that does lock shows there.
func TestSuccessTakesNoLock(t *testing.T) {
	defer runtime.SetMutexProfileFraction(runtime.SetMutexProfileFraction(1))
	tr := &Transport{Base: sharedBase()}
	callMany(t, tr, 1, 1) // the first call adds the host
	before := contended(t)
	callMany(t, tr, 32, 2000)
	if got := contended(t) - before; got != 0 {
		t.Errorf("%d waits for a lock, want none", got)
	}
	// The measure itself is measured: a lock of this package that many wait for.
	budget := &RetryBudget{}
	var running sync.WaitGroup
	budget.mu.Lock()
	for i := range 4 {
		running.Go(func() { budget.addHost(string(rune('a'+i)), 0) })
	}
	time.Sleep(20 * time.Millisecond)
	budget.mu.Unlock()
	running.Wait()
	if got := contended(t) - before; got == 0 {
		t.Error("a contended lock does not show in the profile")
	}
}

// BenchmarkParallel is for its profiles as well:
//
//	go test -run '^$' -bench Parallel -mutexprofile mutex.out .
func BenchmarkParallel(b *testing.B) {
	for _, c := range []struct {
		name string
		rt   http.RoundTripper
	}{
		{"bare", sharedBase()},
		{"apigw", &Transport{Base: sharedBase()}},
		{"apigw, pacer on", &Transport{Base: sharedBase(), Policy: RetryPolicy{MaxThrottleWait: time.Minute}}},
	} {
		b.Run(c.name, func(b *testing.B) {
			b.ReportAllocs()
			b.SetParallelism(32 / runtime.GOMAXPROCS(0))
			b.RunParallel(func(pb *testing.PB) {
				req := newRequest(b, http.MethodGet, "")
				for pb.Next() {
					resp, err := c.rt.RoundTrip(req)
					if err != nil {
						b.Error(err)
						return
					}
					resp.Body.Close()
				}
			})
		})
	}
}
