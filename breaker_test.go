package apigw_test

import (
	"net/http"
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
