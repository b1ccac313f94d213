package gatewaytest_test

import (
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/apigw-go/apigw/catalog"
	"github.com/apigw-go/apigw/gatewaytest"
)

func TestFlowControl(t *testing.T) {
	limit := gatewaytest.Limit{Calls: 2, Window: time.Minute}
	t.Run("lets calls through again when the window has passed", func(t *testing.T) {
		c := newClock()
		g := &gatewaytest.Gateway{Now: c.now, Routes: []gatewaytest.Route{{Pattern: "/", Auth: gatewaytest.AuthNone,
			Limit: limit}}}
		q := request{unsigned: true}
		for i, want := range []string{served, served, "403 Throttled by API Flow Control"} {
			if got := show(q.do(t, g)); got != want {
				t.Errorf("call %d: got %s, want %s", i+1, got, want)
			}
		}
		c.advance(time.Minute)
		if got := show(q.do(t, g)); got != served {
			t.Errorf("a minute later: got %s, want %s", got, served)
		}
	})
	t.Run("limits a domain", func(t *testing.T) {
		g := &gatewaytest.Gateway{
			Dialect: catalog.GenerationVPC, Now: newClock().now,
			DomainLimits: map[string]gatewaytest.Limit{"api.example.com": {Calls: 1, Window: time.Hour}},
		}
		request{}.do(t, g)
		want := "429 T429ID Throttled by INNER DOMAIN Flow Control, api.example.com is a test domain, only 1000 requests per day"
		if got := show(request{}.do(t, g)); got != want {
			t.Errorf("got %s, want %s", got, want)
		}
	})
}

func TestQuotaExpires(t *testing.T) {
	c := newClock()
	g := &gatewaytest.Gateway{Dialect: catalog.GenerationVPC, Now: c.now,
		Routes: []gatewaytest.Route{{Pattern: "/", Quota: &gatewaytest.Quota{Expires: epoch.Add(time.Hour)}}}}
	if got := show(request{}.do(t, g)); got != served {
		t.Errorf("before: got %s, want %s", got, served)
	}
	c.advance(time.Hour)
	if got, want := show(request{at: c.Time}.do(t, g)), "403 B403ME Api Market Subscription expired"; got != want {
		t.Errorf("after: got %s, want %s", got, want)
	}
}

// statuses sends a call for each element, as "app" or "app /path", and returns
// the texts of the refusals, "ok" for what passed.
func statuses(t *testing.T, g *gatewaytest.Gateway, calls ...string) []string {
	t.Helper()
	var got []string
	for _, c := range calls {
		app, path, _ := strings.Cut(c, " ")
		q := request{unsigned: true, path: path, header: map[string]string{"Authorization": "APPCODE " + app}}
		text := strings.TrimPrefix(show(q.do(t, g)), "403 Throttled by ")
		if strings.HasPrefix(text, "200 ") {
			text = "ok"
		}
		got = append(got, text)
	}
	return got
}

func TestSeveralLimitsAtOnce(t *testing.T) {
	second := func(n int) gatewaytest.Limit { return gatewaytest.Limit{Calls: n, Window: time.Second} }
	minute := func(n int) gatewaytest.Limit { return gatewaytest.Limit{Calls: n, Window: time.Minute} }
	const api, app, group = "API Flow Control", "APP Flow Control", "GROUP Flow Control"
	for name, tt := range map[string]struct {
		change func(*gatewaytest.Gateway)
		// The calls come at once, but for "wait", which lets a second pass.
		calls, want []string
	}{
		"per second and per minute": {
			func(g *gatewaytest.Gateway) { g.Routes[0].Limits = []gatewaytest.Limit{second(2), minute(3)} },
			[]string{"a", "a", "a", "wait", "a", "a"}, []string{"ok", "ok", api, "ok", api}},
		"Limit beside Limits": {
			func(g *gatewaytest.Gateway) {
				g.Routes[0].Limit, g.Routes[0].Limits = second(2), []gatewaytest.Limit{minute(1)}
			},
			[]string{"a", "a"}, []string{"ok", api}},
		"each application on one route": {
			func(g *gatewaytest.Gateway) { g.Routes[0].AppLimits = []gatewaytest.Limit{minute(1)} },
			[]string{"a", "a", "b", "a /other", "a /other"}, []string{"ok", app, "ok", "ok", "ok"}},
		"an application on all routes": {
			func(g *gatewaytest.Gateway) { g.Apps[0].Limits = []gatewaytest.Limit{minute(2)} },
			[]string{"a", "a /other", "a", "b"}, []string{"ok", "ok", app, "ok"}},
		"the group": {
			func(g *gatewaytest.Gateway) { g.GroupLimits = []gatewaytest.Limit{minute(2)} },
			[]string{"a", "b /other", "a", "b"}, []string{"ok", "ok", group, group}},
	} {
		t.Run(name, func(t *testing.T) {
			c := newClock()
			g := &gatewaytest.Gateway{
				Now:    c.now,
				Apps:   []gatewaytest.App{{AppKey: "1", AppCode: "a"}, {AppKey: "2", AppCode: "b"}},
				Routes: []gatewaytest.Route{{Pattern: "/items"}, {Pattern: "/"}},
			}
			tt.change(g)
			var got []string
			for _, call := range tt.calls {
				if call == "wait" {
					c.advance(time.Second)
					continue
				}
				got = append(got, statuses(t, g, call)...)
			}
			if !slices.Equal(got, tt.want) {
				t.Errorf("got %q, want %q", got, tt.want)
			}
		})
	}
}

func TestDomainLimitInAnyCase(t *testing.T) {
	g := &gatewaytest.Gateway{Routes: []gatewaytest.Route{{Pattern: "/", Auth: gatewaytest.AuthNone}},
		DomainLimits: map[string]gatewaytest.Limit{"API.Example.com": {Calls: 2, Window: time.Hour}}}
	for i, host := range []string{"api.example.com", "api.EXAMPLE.com.:8080", "Api.Example.Com:80",
		"other.example.com"} {
		w, r := httptest.NewRecorder(), httptest.NewRequest("GET", "/", nil)
		r.Host = host
		g.ServeHTTP(w, r)
		if want := []int{200, 200, 403, 200}[i]; w.Code != want {
			t.Errorf("%s: got %d, want %d", host, w.Code, want)
		}
	}
}

func TestReset(t *testing.T) {
	g := &gatewaytest.Gateway{
		Now:         newClock().now,
		GroupLimits: []gatewaytest.Limit{{Calls: 5, Window: time.Hour, Kind: gatewaytest.SlidingLog}},
		Routes: []gatewaytest.Route{{
			Pattern: "/", Quota: &gatewaytest.Quota{Calls: 3}, Breaker: &gatewaytest.Breaker{Failures: 1},
			Limits: []gatewaytest.Limit{{Calls: 4, Window: time.Hour, Kind: gatewaytest.TokenBucket}},
			Script: []gatewaytest.Outcome{{Error: "classic.service-unavailable"}, {Status: 500}},
		}},
	}
	run := func() (got []string) {
		for _, nonce := range []string{"a", "b", "b", "c", "d", "e"} {
			got = append(got, show(request{nonce: nonce, header: map[string]string{"X-Test-Request": "i"}}.do(t, g)))
		}
		return got
	}
	first := run()
	g.Reset()
	if got := (gatewaytest.Counts{}); g.Counts() != got || g.RouteCounts("/") != got || g.IdentityCounts("i") != got ||
		len(g.Log()) != 0 {
		t.Errorf("got %+v %+v %+v and %d records, want none", g.Counts(), g.RouteCounts("/"), g.IdentityCounts("i"),
			len(g.Log()))
	}
	if again := run(); !slices.Equal(again, first) {
		t.Errorf("after Reset: got %q, want %q as the first time", again, first)
	}
	if want := []string{"503 Service Unavailable", "500", "400 Nonce Used"}; !slices.Equal(first[:3], want) {
		t.Errorf("got %q first, want %q", first[:3], want)
	}
}

func TestResetBesideRequests(t *testing.T) {
	g := &gatewaytest.Gateway{GroupLimits: []gatewaytest.Limit{{Calls: 50, Window: time.Hour}},
		Routes: []gatewaytest.Route{{
			Pattern: "/", Auth: gatewaytest.AuthNone, Breaker: &gatewaytest.Breaker{Failures: 3},
			Quota: &gatewaytest.Quota{Calls: 40}, Script: []gatewaytest.Outcome{{Status: 500, Times: 5}},
		}}}
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			for i := range 100 {
				if i%10 == 9 {
					g.Reset()
				}
				request{unsigned: true, header: map[string]string{"X-Test-Request": "i"}}.do(t, g)
			}
		})
	}
	wg.Wait()
	g.Reset()
	if got := g.Counts(); got != (gatewaytest.Counts{}) {
		t.Errorf("got %+v, want none", got)
	}
}
