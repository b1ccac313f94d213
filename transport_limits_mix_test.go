package apigw

import (
	"context"
	"errors"
	"math/rand/v2"
	"net/http"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/apigw-go/apigw/catalog"
)

// A POST that a call limit refused is sent again only where the row proves that
// it did not run.
func TestThrottledPostRunsOnce(t *testing.T) {
	for e := range catalog.All() {
		if e.Class != catalog.ClassThrottled {
			continue
		}
		synctest.Test(t, func(t *testing.T) {
			base := serve(answer{status: e.Status, code: string(e.Code), message: e.Message}, ok)
			tr := &Transport{Base: base, Policy: RetryPolicy{MaxThrottleWait: time.Minute}}
			resp, err := tr.RoundTrip(newRequest(t, http.MethodPost, "order"))
			if err != nil {
				t.Fatal(err)
			}
			resp.Body.Close()
			sure := e.Reached == catalog.ReachedNo && e.Confidence == catalog.ConfidenceHigh
			if base.attempts() > 1 && !sure {
				t.Errorf("%s, %v confidence: sent %d times, want once", e.ID, e.Confidence, base.attempts())
			}
		})
	}
}

// Calls end in any way at any moment, hooks and Base panic: no call outlives its
// context, nobody waits at the end, and the gate opens.
func TestAnyMixThroughTheTransport(t *testing.T) {
	for seed := range uint64(12) {
		synctest.Test(t, func(t *testing.T) {
			rng := rand.New(rand.NewPCG(seed, 77))
			var mu sync.Mutex
			draw := func(n int64) int64 {
				mu.Lock()
				defer mu.Unlock()
				return rng.Int64N(n)
			}
			tr := &Transport{Policy: RetryPolicy{MaxThrottleWait: 5 * time.Second}}
			if seed%3 == 0 {
				tr.Policy.AttemptTimeout = time.Second
			}
			if seed%4 == 0 {
				tr.Policy.Limit = RateLimit{Calls: 30}
			}
			if seed%5 == 0 {
				tr.Policy.QuotaHold = time.Second
			}
			tr.PrepareRetry = func(*http.Request) error {
				if draw(20) == 0 {
					panic("prepare")
				}
				if draw(20) == 0 {
					return errors.New("prepare")
				}
				time.Sleep(time.Duration(draw(int64(100 * time.Millisecond))))
				return nil
			}
			tr.OnAttempt = func(*http.Request, Attempt) {
				if draw(40) == 0 {
					panic("hook")
				}
			}
			calm := false
			tr.Base = roundTripFunc(func(req *http.Request) (*http.Response, error) {
				if calm {
					return respond(req, ok), nil
				}
				select {
				case <-time.After(time.Duration(draw(int64(300 * time.Millisecond)))):
				case <-req.Context().Done():
					return nil, context.Cause(req.Context())
				}
				switch draw(12) {
				case 0:
					return nil, errors.New("broken")
				case 1:
					panic("base")
				case 2:
					select {
					case <-time.After(time.Duration(draw(int64(30 * time.Second)))):
					case <-req.Context().Done():
						return nil, context.Cause(req.Context())
					}
					return respond(req, ok), nil
				case 3, 4, 5:
					return respond(req, limited), nil
				case 6:
					return respond(req, answer{status: 429, code: "T429IN"}), nil // of the whole host
				case 7:
					return respond(req, unavailable), nil
				case 8:
					return respond(req, throttled), nil
				case 9:
					return respond(req, quota), nil
				case 10:
					return nil, notSentError{}
				}
				return respond(req, ok), nil
			})
			var wg sync.WaitGroup
			for range 300 {
				wg.Go(func() {
					defer func() { _ = recover() }()
					time.Sleep(time.Duration(draw(int64(10 * time.Second))))
					ctx, cancel := context.WithCancel(t.Context())
					defer cancel()
					d := time.Duration(draw(int64(8 * time.Second)))
					if draw(2) == 0 {
						defer time.AfterFunc(d, cancel).Stop()
					} else {
						ctx, cancel = context.WithTimeout(ctx, d)
						defer cancel()
					}
					method := []string{"GET", "POST"}[draw(2)]
					begin := time.Now()
					resp, err := tr.RoundTrip(newRequest(t, method, "").WithContext(ctx))
					if took := time.Since(begin); took > d+200*time.Millisecond {
						t.Errorf("took %v of %v: %v", took, d, err)
					}
					if err == nil {
						resp.Body.Close()
					}
				})
			}
			wg.Wait()
			calm = true
			tr.PrepareRetry, tr.OnAttempt = nil, nil
			tr.Policy.MaxThrottleWait = time.Hour // what was learned of such a gateway can be slow
			time.Sleep(time.Minute)               // the next probe is due by then
			for _, s := range tr.Limits() {
				if s.Waiting != 0 {
					t.Errorf("waiting %+v", s)
				}
			}
			start := time.Now()
			for range 20 {
				mustPass(t, tr, newRequest(t, "GET", ""))
			}
			if took := time.Since(start); took > time.Hour {
				t.Errorf("seed %d: 20 calls took %v %+v", seed, took, tr.Limits())
			}
		})
	}
}
