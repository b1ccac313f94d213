package apigw

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/zap"
	"go.uber.org/zap/zaptest/observer"
)

func TestPacerAsALimiter(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var p Pacer
		place, err := p.Acquire(t.Context(), "orders", time.Time{}, false)
		if err != nil {
			t.Fatal(err)
		}
		p.Done(place, OutcomeRefused)
		var none *NoPlaceError
		if _, err := p.Acquire(t.Context(), "orders", time.Now(), false); !errors.As(err, &none) || none.Needed <= 0 {
			t.Errorf("got %v, want a NoPlaceError that says how long", err)
		}
		if _, err := p.Acquire(t.Context(), "items", time.Now(), false); err != nil {
			t.Errorf("another key: got %v", err)
		}
		start := time.Now()
		place, err = p.Acquire(t.Context(), "orders", time.Time{}, true)
		if took := time.Since(start); err != nil || took != quarter {
			t.Errorf("got %v after %v, want a place after %v", err, took, quarter)
		}
		p.Done(place, OutcomePassed)
		p.Done(Place{}, OutcomePassed) // nobody's
		if s := p.States(); len(s) != 2 || s[1].Key != "orders" || s[1].Refused != 1 || s[1].Rate <= 0 ||
			s[1].Window != time.Second {
			t.Errorf("states %+v, want items, and orders with a limit", s)
		}
	})
}

func TestPacerHooks(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := &Pacer{
			Key:      func(req *http.Request) string { return req.Header.Get("Tenant") },
			Declared: func(*http.Request) RateLimit { return RateLimit{1, time.Minute} },
		}
		tr := &Transport{Base: serve(ok), Limiter: p, Policy: RetryPolicy{MaxThrottleWait: time.Second}}
		for tenant, want := range map[string]int{"a": 1, "b": 1} {
			passed := 0
			for range 3 {
				req := newRequest(t, http.MethodGet, "")
				req.Header.Set("Tenant", tenant)
				if resp, err := tr.RoundTrip(req); err == nil {
					resp.Body.Close()
					passed++
				}
			}
			if passed != want {
				t.Errorf("tenant %s: %d passed, want %d", tenant, passed, want)
			}
		}
		var got []string
		for _, s := range tr.Limits() {
			got = append(got, s.Key)
		}
		if want := []string{"a | 1/min", "b | 1/min"}; !slices.Equal(got, want) {
			t.Errorf("keys %q, want %q", got, want)
		}
	})
}

func TestPacerForgets(t *testing.T) {
	for _, refusal := range []answer{limited, {status: 429, code: "T429IN"}} {
		synctest.Test(t, func(t *testing.T) {
			tr := &Transport{Base: serve(refusal), Limiter: &Pacer{},
				Policy: RetryPolicy{MaxThrottleWait: time.Millisecond}}
			mustFail(t, tr, newRequest(t, http.MethodGet, ""))
			tr.Base = serve(ok)
			if _, err := tr.RoundTrip(newRequest(t, http.MethodGet, "")); !errors.Is(err, ErrThrottled) {
				t.Fatalf("got %v, want one held back", err)
			}
			known := keys(tr)
			if len(known) != 1 {
				t.Fatalf("limits of %q, want one", known)
			}
			p := tr.Limiter.(*Pacer)
			p.Reset("of nobody")
			p.Reset(known[0])
			mustPass(t, tr, newRequest(t, http.MethodGet, ""))
			if got := keys(tr); got != nil {
				t.Errorf("limits of %q, want none", got)
			}
		})
	}
}

func TestPacerHasBounds(t *testing.T) {
	var p Pacer
	for i := range 2 * maxLanes {
		place, err := p.Acquire(context.Background(), fmt.Sprint(i), time.Time{}, false)
		if err != nil {
			t.Fatal(err)
		}
		p.Done(place, OutcomePassed)
	}
	s := p.States()
	if len(s) != maxLanes+1 || s[0].Key != otherLanes {
		t.Errorf("%d keys, the first %q, want %d and %q", len(s), s[0].Key, maxLanes+1, otherLanes)
	}
}

func TestNilPacerPacesNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var p *Pacer
		tr := &Transport{Base: serve(ok), Limiter: p, Policy: RetryPolicy{Limit: RateLimit{1, time.Hour}}}
		mustPass(t, tr, newRequest(t, http.MethodGet, ""))
		mustPass(t, tr, newRequest(t, http.MethodGet, ""))
		if got := tr.Limits(); got != nil {
			t.Errorf("limits %v, want none", got)
		}
	})
}

func TestLogsALimit(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		core, logs := observer.New(zap.InfoLevel)
		var text bytes.Buffer
		g := newLimitedGateway(100, time.Second, 1)
		tr := &Transport{Base: g, Policy: RetryPolicy{MaxThrottleWait: time.Minute}, Logger: zap.New(core)}
		tr.Slog = slog.New(slog.NewTextHandler(&syncWriter{Writer: &text}, nil))
		jobs(t, tr, 50, 2000, func(int) *http.Request { return newRequest(t, http.MethodGet, "") })
		lines := logs.FilterMessage("apigw: call limit learned").All()
		if len(lines) != 1 {
			t.Fatalf("%d lines, want one for a limit that does not change", len(lines))
		}
		fields := lines[0].ContextMap()
		if rate, _ := fields["calls_per_second"].(float64); rate < 80 || rate > 120 {
			t.Errorf("%v calls a second, want about 100", fields["calls_per_second"])
		}
		if n := strings.Count(text.String(), "call limit learned"); n != 1 {
			t.Errorf("slog has %d lines, want one", n)
		}
		if strings.Contains(text.String(), "tops3cret") {
			t.Error("a line shows the query")
		}
	})
}

func TestOutcomeNames(t *testing.T) {
	for o, want := range map[Outcome]string{
		OutcomeUnknown: "unknown", OutcomePassed: "passed", OutcomeRefused: "refused", OutcomeUnsent: "unsent",
		9: "Outcome(9)",
	} {
		if got := o.String(); got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
}
