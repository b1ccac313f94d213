package apigw_test

import (
	"net/http"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/apigw-go/apigw"
	"github.com/apigw-go/apigw/catalog"
	"github.com/apigw-go/apigw/gatewaytest"
)

// An open breaker stays open for 90 s. Attempts within seconds save no call and
// empty the budget, which other failures of the host then lack.
func TestOpenBreakerIsNotRetriedWithinSeconds(t *testing.T) {
	for name, c := range map[string]struct {
		policy   apigw.RetryPolicy
		stop     apigw.StopReason
		attempts int
		took     time.Duration
	}{
		"default": {apigw.RetryPolicy{}, apigw.StopRetryAfter, 1, 0},
		"a policy that can wait": {
			apigw.RetryPolicy{MaxRetryAfter: 2 * time.Minute, Jitter: apigw.JitterNone}, apigw.StopUnknown, 2,
			90*time.Second + 250*time.Millisecond,
		},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				failing := true
				srv := gatewaytest.NewMemoryServer(&gatewaytest.Gateway{
					Dialect: catalog.GenerationVPC,
					Routes: []gatewaytest.Route{{
						Pattern: "/", Auth: gatewaytest.AuthNone, Breaker: &gatewaytest.Breaker{},
						Backend: http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
							if failing {
								w.WriteHeader(500)
							}
						}),
					}},
				})
				defer srv.Close()
				opener, err := srv.Client().Post(srv.URL+"/orders", "text/plain", nil)
				if err != nil {
					t.Fatal(err)
				}
				opener.Body.Close()
				failing = false

				tr := &apigw.Transport{Base: srv.Client().Transport, Policy: c.policy}
				start := time.Now()
				var last apigw.Result
				tr.OnDone = func(_ *http.Request, r apigw.Result) { last = r }
				resp, err := (&http.Client{Transport: tr}).Post(srv.URL+"/orders", "text/plain", nil)
				if err != nil {
					t.Fatal(err)
				}
				resp.Body.Close()
				stop := apigw.StopUnknown
				if e, ok := apigw.FromResponse(resp); ok {
					stop = e.Stop
				}
				if stop != c.stop || len(last.Attempts) != c.attempts || time.Since(start) != c.took {
					t.Errorf("got %v, %d attempts in %v; want %v, %d in %v", stop, len(last.Attempts),
						time.Since(start), c.stop, c.attempts, c.took)
				}
			})
		})
	}
}

// impatient makes the gateway ask for attempts within milliseconds, as if the
// catalog did not know how long a breaker is open.
type impatient struct{ http.RoundTripper }

func (b impatient) RoundTrip(req *http.Request) (*http.Response, error) {
	resp, err := b.RoundTripper.RoundTrip(req)
	if err == nil && resp.StatusCode == http.StatusServiceUnavailable {
		resp.Header.Set("Retry-After-Ms", "1")
	}
	return resp, err
}

// The measurement behind that: two calls a second for ten minutes, and a backend
// that fails for the first thirty seconds of them.
func TestRetriesOfAnOpenBreakerSaveNothing(t *testing.T) {
	type figures struct{ succeeded, sent, denied int }
	measure := func(t *testing.T, wrap func(http.RoundTripper) http.RoundTripper) (f figures) {
		synctest.Test(t, func(t *testing.T) {
			start := time.Now()
			g := &gatewaytest.Gateway{Dialect: catalog.GenerationVPC, Routes: []gatewaytest.Route{{
				Pattern: "/", Auth: gatewaytest.AuthNone, Breaker: &gatewaytest.Breaker{Failures: 5},
				Backend: http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
					if time.Since(start) < 30*time.Second {
						w.WriteHeader(500)
					}
				}),
			}}}
			srv := gatewaytest.NewMemoryServer(g)
			defer srv.Close()
			tr := &apigw.Transport{Base: wrap(srv.Client().Transport)}
			var succeeded atomic.Int64
			var calls sync.WaitGroup
			for range 2 * 600 {
				calls.Go(func() {
					resp, err := (&http.Client{Transport: tr}).Get(srv.URL + "/orders")
					if err != nil {
						t.Error(err)
						return
					}
					resp.Body.Close()
					if resp.StatusCode == 200 {
						succeeded.Add(1)
					}
				})
				time.Sleep(500 * time.Millisecond)
			}
			calls.Wait()
			f.succeeded = int(succeeded.Load())
			f.sent, f.denied = g.Counts().Received, int(tr.Budgets()[0].Denied)
		})
		return f
	}
	at := measure(t, func(base http.RoundTripper) http.RoundTripper { return base })
	four := measure(t, func(base http.RoundTripper) http.RoundTripper { return impatient{base} })
	t.Logf("stop at once: %+v; four attempts: %+v", at, four)
	if four.succeeded > at.succeeded*101/100 || four.denied < 100 || at.denied > 10 {
		t.Errorf("stop at once: %+v, four attempts: %+v; want no more successes, and an empty budget, of the latter",
			at, four)
	}
}
