package apigw

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"reflect"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

// send sends n requests, one after each interval, and returns attempts and successes.
func send(t *testing.T, base *script, tr *Transport, n int, interval time.Duration) (attempts, successes int) {
	t.Helper()
	tr.Base = base
	if tr.Policy.NewBackOff == nil {
		tr.Policy = quick
	}
	for range n {
		resp, err := tr.RoundTrip(newRequest(t, http.MethodGet, ""))
		if err == nil {
			resp.Body.Close()
			if resp.StatusCode < 400 {
				successes++
			}
		}
		time.Sleep(interval)
	}
	return base.attempts(), successes
}

func TestBudgetInAnOutage(t *testing.T) {
	for _, n := range []int{100, 1000, 10000} {
		t.Run(fmt.Sprint(n), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				attempts, _ := send(t, serve(unavailable), &Transport{}, n, time.Millisecond)
				if got := float64(attempts) / float64(n); got > 1.2 {
					t.Errorf("%.3f attempts a request, want at most 1.2", got)
				}
			})
		})
	}
}

func TestBudgetInAnOutageAfterSuccess(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		tr := &Transport{}
		send(t, serve(ok), tr, 10000, 10*time.Millisecond)
		attempts, _ := send(t, serve(unavailable), tr, 10000, 10*time.Millisecond)
		if got := float64(attempts) / 10000; got > 1.2 {
			t.Errorf("%.3f attempts a request, want at most 1.2", got)
		}
	})
}

func TestBudgetLetsScatteredFailuresThrough(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		answers := slices.Repeat([]answer{ok}, 99)
		answers = append(answers, unavailable)
		base := serve(slices.Repeat(answers, 101)...)
		if _, successes := send(t, base, &Transport{}, 9999, 0); successes != 9999 {
			t.Errorf("%d of 9999 succeeded", successes)
		}
	})
}

func TestBudgetOfAQuietClient(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		attempts, _ := send(t, serve(unavailable), &Transport{}, 60, time.Minute)
		if want := 60 * 4; attempts != want {
			t.Errorf("%d attempts in an hour, want %d: each request keeps its retries", attempts, want)
		}
	})
}

// Retries that succeed cost nothing in the end.
func TestBudgetGivesBack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		base := serve(slices.Repeat([]answer{unavailable, ok}, 500)...)
		tr := &Transport{}
		if _, successes := send(t, base, tr, 500, 0); successes != 500 {
			t.Errorf("%d of 500 succeeded", successes)
		}
	})
}

func TestBudgetEndsTheAttemptsWithItsReason(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e := mustFail(
			t,
			&Transport{Base: serve(unavailable), Budget: &RetryBudget{Ratio: -1, Reserve: -1}},
			newRequest(t, http.MethodGet, ""),
		)
		if e.Stop != StopBudget || len(e.Attempts) != 1 {
			t.Errorf("stopped by %v after %d attempts, want budget-empty, 1", e.Stop, len(e.Attempts))
		}
	})
}

func TestBudgetIsCountedBeforeTheDelay(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		base := serve(unavailable)
		tr := &Transport{
			Base:   base,
			Policy: RetryPolicy{InitialBackoff: 10 * time.Second, Jitter: JitterNone},
			Budget: &RetryBudget{Ratio: -1, Reserve: 3},
		}
		var wg sync.WaitGroup
		for range 50 {
			wg.Go(func() {
				if resp, err := tr.RoundTrip(newRequest(t, http.MethodGet, "")); err == nil {
					resp.Body.Close()
				}
			})
		}
		synctest.Wait()
		if got := tr.Budgets()[0]; got.Available != 0 || got.Denied != 47 {
			t.Errorf("while three wait: %+v, want none available, 47 denied", got)
		}
		wg.Wait()
	})
}

func TestBudgetIsPerHost(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		tr := &Transport{
			Base:   serve(unavailable),
			Policy: quick,
			Budget: &RetryBudget{Ratio: -1, Reserve: 1, Refill: -1},
		}
		for _, host := range []string{"a.example", "b.example"} {
			for i, want := range []int{2, 1} {
				req := newRequest(t, http.MethodGet, "")
				req.URL.Host = host
				if e := mustFail(t, tr, req); len(e.Attempts) != want {
					t.Errorf("%s, request %d: %d attempts, want %d", host, i+1, len(e.Attempts), want)
				}
			}
		}
	})
}

func TestBudgetStates(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		tr := &Transport{}
		if got := tr.Budgets(); got != nil {
			t.Errorf("before any request: %+v", got)
		}
		send(t, serve(unavailable), tr, 100, 0)
		got := tr.Budgets()
		want := []BudgetState{{Host: "api.example.com", Requests: 100, Retries: 10, Available: 0, Denied: 97}}
		if !reflect.DeepEqual(got, want) {
			t.Errorf("got %+v, want %+v", got, want)
		}
	})
}

func TestBudgetBoundsItsMemory(t *testing.T) {
	var b RetryBudget
	for i := range 3 * maxBudgetHosts {
		b.request(hostURL(fmt.Sprintf("host-%d.example", i)), 0)
	}
	if got, want := len(b.States()), maxBudgetHosts+1; got != want {
		t.Errorf("%d hosts kept, want %d", got, want)
	}
}

// A host that answers another 500 does not work.
func TestBudgetKeepsThePriceOfAnotherServerError(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		base := serve(slices.Repeat([]answer{{status: 500, code: "X500ER"}, {status: 500, code: "X500ED"}}, 600)...)
		if attempts, _ := send(t, base, &Transport{}, 600, time.Second); attempts > 740 {
			t.Errorf("%d attempts for 600 requests that all failed", attempts)
		}
	})
}

func TestBudgetGivenBackLateIsNoGain(t *testing.T) {
	b := &RetryBudget{Reserve: -1, Refill: -1}
	for range 100 {
		b.request(hostURL("h"), 0)
	}
	for range 10 {
		b.retry(hostURL("h"), 0)
	}
	for range 10 {
		b.refund(hostURL("h"), slotLength, paidByShare)
	}
	for range 100 {
		b.request(hostURL("h"), 2*slotLength)
	}
	got := 0
	for b.retry(hostURL("h"), 2*slotLength) != denied {
		got++
	}
	if got != 10 {
		t.Errorf("%d retries for 100 requests, want 10", got)
	}
}

func TestBudgetGivesRetriesThatNeverCameBack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		tr := &Transport{
			Base:   serve(unavailable),
			Policy: RetryPolicy{Jitter: JitterNone},
			Budget: &RetryBudget{Ratio: -1, Refill: -1},
		}
		for range 10 {
			ctx, cancel := context.WithCancel(t.Context())
			time.AfterFunc(time.Millisecond, cancel)
			if _, err := tr.RoundTrip(newRequest(t, http.MethodGet, "").WithContext(ctx)); err == nil {
				t.Error("not cancelled")
			}
		}
		if got := tr.Budgets()[0].Available; got != 10 {
			t.Errorf("%v available after delays that were cancelled, want 10", got)
		}
	})
}

func TestBudgetOfTooManyHostsIsFoundAtOnce(t *testing.T) {
	if raceEnabled {
		return // the detector allocates
	}
	var b RetryBudget
	for i := range maxBudgetHosts + 1 {
		b.request(hostURL(fmt.Sprint("h", i)), 0)
	}
	another := hostURL("another")
	if got := testing.AllocsPerRun(100, func() { b.request(another, 0) }); got > 0 {
		t.Errorf("%v allocations to count a request, want none", got)
	}
}

func hostURL(host string) *url.URL { return &url.URL{Scheme: "https", Host: host} }

// Spellings of one host share its budget, at no cost for the success path.
func TestBudgetIsPerRealHost(t *testing.T) {
	var b RetryBudget
	for _, host := range []string{"api.example.com", "API.example.com", "api.example.com:443", "api.example.com."} {
		u := hostURL(host)
		if got := testing.AllocsPerRun(100, func() { b.request(u, 0) }); got > 0 {
			t.Errorf("%s: %v allocations for a request, want none", host, got)
		}
	}
	if got := b.States(); len(got) != 1 || got[0].Host != "api.example.com" {
		t.Errorf("got %+v, want one host", got)
	}
}

// A host that nobody calls any more leaves its place to another.
func TestIdleHostsLeave(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var b RetryBudget
		at := func(n int) *url.URL { return &url.URL{Scheme: "https", Host: fmt.Sprintf("h%d.example", n)} }
		for n := range maxBudgetHosts + 10 {
			b.request(at(n), monotonic())
		}
		if got, want := len(b.States()), maxBudgetHosts+1; got != want {
			t.Fatalf("got %d hosts, want %d", got, want)
		}
		time.Sleep(time.Minute)
		b.request(at(99999), monotonic())
		var hosts []string
		for _, s := range b.States() {
			hosts = append(hosts, s.Host)
		}
		if want := []string{"h0.example", "h99999.example"}; !slices.Equal(hosts, want) {
			t.Errorf("got %d hosts %.80q, want %q", len(hosts), hosts, want)
		}
	})
}

// The figures of docs/operating.md: calls of a burst fail together, so their
// retries are asked for before one of them could succeed and give back its price.
func TestBudgetInABurst(t *testing.T) {
	for calls, want := range map[int]int{10: 10, 100: 20, 1000: 110} {
		t.Run(fmt.Sprint(calls), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				base := serve(append(slices.Repeat([]answer{unavailable}, calls), ok)...)
				tr := &Transport{Base: base}
				var saved atomic.Int64
				var burst sync.WaitGroup
				for range calls {
					burst.Go(func() {
						resp, err := tr.RoundTrip(newRequest(t, http.MethodGet, ""))
						if err == nil && resp.StatusCode < 400 {
							saved.Add(1)
						}
					})
				}
				burst.Wait()
				if got := int(saved.Load()); got != want {
					t.Errorf("%d of %d were saved by a retry, want %d", got, calls, want)
				}
			})
		})
	}
}
