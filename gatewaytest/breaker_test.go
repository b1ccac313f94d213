package gatewaytest_test

import (
	"context"
	"net/http"
	"net/http/httptest"
	"testing"
	"testing/synctest"
	"time"

	"github.com/apigw-go/apigw/catalog"
	"github.com/apigw-go/apigw/gatewaytest"
)

func TestBreaker(t *testing.T) {
	// newGateway has a backend that fails as often as the script says.
	newGateway := func(c *clock, failures int) *gatewaytest.Gateway {
		return &gatewaytest.Gateway{Dialect: catalog.GenerationVPC, Now: c.now, Routes: []gatewaytest.Route{{
			Pattern: "/", Auth: gatewaytest.AuthNone, Breaker: &gatewaytest.Breaker{Failures: 2, OpenFor: time.Minute},
			Script: []gatewaytest.Outcome{{Status: 500, Times: failures}},
		}}}
	}
	const open = "503 D503CB Backend circuit breaker open, wait and try again"
	q := request{unsigned: true}
	t.Run("opens, lets a trial pass, closes", func(t *testing.T) {
		c := newClock()
		g := newGateway(c, 2)
		for i, want := range []string{"500", "500", open, open} {
			if got := show(q.do(t, g)); got != want {
				t.Errorf("call %d: got %s, want %s", i+1, got, want)
			}
		}
		c.advance(time.Minute)
		for range 2 {
			if got := show(q.do(t, g)); got != served {
				t.Errorf("a minute later: got %s, want %s", got, served)
			}
		}
	})
	t.Run("opens again where the trial fails", func(t *testing.T) {
		c := newClock()
		g := newGateway(c, -1)
		q.do(t, g)
		q.do(t, g)
		c.advance(time.Minute)
		if got, want := show(q.do(t, g))+"; "+show(q.do(t, g)), "500; "+open; got != want {
			t.Errorf("got %s, want %s", got, want)
		}
	})
	t.Run("a panicking backend is a failing one", func(t *testing.T) {
		g := newGateway(newClock(), 0)
		g.Routes[0].Script = nil
		g.Routes[0].Backend = http.HandlerFunc(func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) })
		for range 2 {
			func() {
				defer func() { _ = recover() }()
				q.do(t, g)
			}()
		}
		if got := show(q.do(t, g)); got != open {
			t.Errorf("got %s, want %s", got, open)
		}
	})
}

// call sends a request under a context and returns the status; 0 for a
// connection that was dropped.
func callWith(ctx context.Context, g *gatewaytest.Gateway) (status int) {
	defer func() {
		if recover() != nil {
			status = 0
		}
	}()
	w := httptest.NewRecorder()
	g.ServeHTTP(w, httptest.NewRequestWithContext(ctx, "GET", "/", nil))
	return w.Code
}

// Whatever way the backend takes, it must not leave the breaker busy for ever.
func TestBreakerIsFreeAfterEveryEnd(t *testing.T) {
	panics := http.HandlerFunc(func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) })
	for name, tt := range map[string]struct {
		trial gatewaytest.Route // what happens to the trial
		leave bool              // the client of the trial leaves
	}{
		"backend panics while it streams": {trial: gatewaytest.Route{Backend: panics}},
		"backend panics under a timeout":  {trial: gatewaytest.Route{Backend: panics, Timeout: time.Minute}},
		"client leaves":                   {trial: gatewaytest.Route{Latency: time.Hour}, leave: true},
		"client leaves under a timeout": {trial: gatewaytest.Route{Latency: time.Minute, Timeout: time.Hour},
			leave: true},
		"backend times out": {trial: gatewaytest.Route{Latency: time.Hour, Timeout: time.Second}},
		"connection drops behind it": {trial: gatewaytest.Route{Script: []gatewaytest.Outcome{{Status: 500},
			{Drop: gatewaytest.DropAfterBackend}}}},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				calls := 0
				rt := tt.trial
				rt.Pattern, rt.Auth, rt.Breaker = "/", gatewaytest.AuthNone, &gatewaytest.Breaker{OpenFor: time.Minute}
				if rt.Script == nil {
					rt.Script = []gatewaytest.Outcome{{Status: 500}}
				}
				inner := rt.Backend
				rt.Backend = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
					if calls++; calls == 1 && inner != nil {
						inner.ServeHTTP(w, r)
					}
				})
				g := &gatewaytest.Gateway{Routes: []gatewaytest.Route{rt}}
				opener, cancel := context.WithTimeout(t.Context(), 2*time.Hour)
				defer cancel()
				callWith(opener, g)
				time.Sleep(2 * time.Minute)
				ctx := t.Context()
				if tt.leave {
					var stop context.CancelFunc
					ctx, stop = context.WithTimeout(ctx, time.Second)
					defer stop()
				}
				callWith(ctx, g) // the trial
				time.Sleep(2 * time.Minute)
				received := g.Counts().Executed
				go callWith(t.Context(), g)
				synctest.Wait()
				if got := g.Counts().Executed; got != received+1 {
					t.Errorf("got %d more executions after the trial, want one", got-received)
				}
				time.Sleep(2 * time.Hour)
			})
		})
	}
}

func TestClientThatLeavesIsNoFailure(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := &gatewaytest.Gateway{Routes: []gatewaytest.Route{{
			Pattern: "/", Auth: gatewaytest.AuthNone, Breaker: &gatewaytest.Breaker{},
			Backend: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				select {
				case <-r.Context().Done():
					w.WriteHeader(503) // nobody reads this
				case <-time.After(time.Minute):
				}
			}),
		}}}
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		callWith(ctx, g)
		if got := callWith(t.Context(), g); got != 200 {
			t.Errorf("got %d, want 200: the breaker must be closed", got)
		}
	})
}

func TestDocumentedBreaker(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := gatewaytest.DocumentedBreaker()
		b.Failures = 3
		g := &gatewaytest.Gateway{Dialect: catalog.GenerationVPC, Routes: []gatewaytest.Route{{
			Pattern: "/", Auth: gatewaytest.AuthNone, Breaker: b, Latency: time.Second, Timeout: 2 * time.Second,
			Script: []gatewaytest.Outcome{{Status: 500, Times: 10}},
			Backend: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				if r.Header.Get("Slow") != "" {
					<-r.Context().Done()
				}
			}),
		}}}
		for range 10 {
			callWith(t.Context(), g)
		}
		if got := callWith(t.Context(), g); got != 200 {
			t.Fatalf("after ten answers with 500: got %d, want 200: timeouts alone count", got)
		}
		slow := func() int {
			w, r := httptest.NewRecorder(), httptest.NewRequest("GET", "/", nil)
			r.Header.Set("Slow", "1")
			g.ServeHTTP(w, r)
			return w.Code
		}
		for i, want := range []int{504, 504, 504, 503} {
			if got := slow(); got != want {
				t.Errorf("slow call %d: got %d, want %d", i+1, got, want)
			}
		}
		time.Sleep(90 * time.Second)
		results := make(chan int, 5)
		for range 5 { // three trials at once, the others find it busy
			go func() { results <- callWith(t.Context(), g) }()
		}
		count := map[int]int{}
		for range 5 {
			count[<-results]++
		}
		if count[200] != 3 || count[503] != 2 {
			t.Errorf("five calls at once after the breaker was open: got %v, want three of 200 and two of 503", count)
		}
		if got := callWith(t.Context(), g); got != 200 {
			t.Errorf("after the trials: got %d, want 200", got)
		}
	})
}

func TestBreakerFallback(t *testing.T) {
	b := &gatewaytest.Breaker{Fallback: http.HandlerFunc(func(w http.ResponseWriter,
		_ *http.Request) {
		w.WriteHeader(418)
	})}
	g := &gatewaytest.Gateway{Routes: []gatewaytest.Route{{Pattern: "/", Auth: gatewaytest.AuthNone, Breaker: b,
		Script: []gatewaytest.Outcome{{Status: 500}}}}}
	callWith(t.Context(), g)
	if got := callWith(t.Context(), g); got != 418 {
		t.Errorf("got %d, want 418", got)
	}
	if got, want := g.Log()[1].Outcome, "fallback"; got != want || g.Counts().Executed != 1 {
		t.Errorf("got the outcome %q and %+v, want %q and one execution", got, g.Counts(), want)
	}
}
