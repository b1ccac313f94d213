package gatewaytest_test

import (
	"net/http"
	"net/http/httptest"
	"slices"
	"strconv"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/apigw-go/apigw/catalog"
	"github.com/apigw-go/apigw/gatewaytest"
)

var anyone = request{unsigned: true}

func TestScriptGivesOneOutcomeARequest(t *testing.T) {
	g := scripted(gatewaytest.Outcome{Error: "classic.service-unavailable", Times: 2}, gatewaytest.Outcome{},
		gatewaytest.Outcome{Error: "D504CO", Params: map[string]string{"Reason": "Connection is closed"}})
	for i, want := range []string{
		"503 Service Unavailable", "503 Service Unavailable", served,
		"504 D504CO Backend service connect failed `Connection is closed`", served,
	} {
		if got := show(anyone.do(t, g)); got != want {
			t.Errorf("request %d: got %s, want %s", i+1, got, want)
		}
	}
}

func TestRefusedCallerUsesItsOutcomeUp(t *testing.T) {
	g := &gatewaytest.Gateway{Now: newClock().now, Routes: []gatewaytest.Route{{Pattern: "/",
		Script: []gatewaytest.Outcome{{Status: 500}}}}}
	got := show(anyone.do(t, g)) + "; " + show(request{}.do(t, g))
	if want := "400 Invalid AppKey; " + served; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

func TestScriptedFailureUsesTheNonceUp(t *testing.T) {
	g := &gatewaytest.Gateway{Now: newClock().now, Routes: []gatewaytest.Route{{Pattern: "/",
		Script: []gatewaytest.Outcome{{Error: "classic.service-unavailable"}}}}}
	got := show(request{nonce: "n"}.do(t, g)) + "; " + show(request{nonce: "n"}.do(t, g))
	if want := "503 Service Unavailable; 400 Nonce Used"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

// A row that does not exclude an execution executes: the worst case.
func TestScriptedErrorExecutesUnlessTheRowExcludesIt(t *testing.T) {
	for id, want := range map[string]int{"classic.service-unavailable": 1, "D504CO": 0, "classic.internal-error": 1,
		"D504TO": 1, "T429PA": 0} {
		g := scripted(gatewaytest.Outcome{Error: id})
		anyone.do(t, g)
		if got := g.Counts().Executed; got != want {
			t.Errorf("%s: got %d executions, want %d", id, got, want)
		}
	}
}

func TestScriptedHeadersAndBody(t *testing.T) {
	g := scripted(gatewaytest.Outcome{Error: "T429PA", RetryAfter: "soon", Header: http.Header{"X-Seen": {"a", "b"}},
		Body: "slow down"})
	resp := anyone.do(t, g)
	if got := resp.Header.Get("Retry-After"); got != "soon" {
		t.Errorf("Retry-After: got %q, want %q", got, "soon")
	}
	if got := strings.Join(resp.Header["X-Seen"], ","); got != "a,b" {
		t.Errorf("X-Seen: got %q, want %q", got, "a,b")
	}
	if got, want := show(resp), "429 T429PA Throttled by API Flow Control slow down"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestLogTellsHowRequestsEnded(t *testing.T) {
	g := scripted(gatewaytest.Outcome{Error: "D504CO"}, gatewaytest.Outcome{Drop: gatewaytest.DropOnArrival},
		gatewaytest.Outcome{Status: 404})
	inBubble(t, g, func(t *testing.T, s *gatewaytest.Server) {
		client := &http.Client{Transport: s.Transport()}
		defer client.CloseIdleConnections()
		for range 3 {
			_ = post(client, s.URL+"/a?secret=1") // fails as scripted
		}
		var got []string
		for _, r := range g.Log() {
			got = append(got, r.Method+" "+r.Path+" "+r.Outcome+" "+strconv.Itoa(r.Status))
		}
		want := "POST /a D504CO 504; POST /a dropped on-arrival 0; POST /a served 404"
		if got := strings.Join(got, "; "); got != want {
			t.Errorf("got %s, want %s", got, want)
		}
	})
}

// A scripted body belongs to the scripted answer, not to a refusal in its place.
func TestRefusalInPlaceOfTheScriptHasNoBody(t *testing.T) {
	g := &gatewaytest.Gateway{Routes: []gatewaytest.Route{{
		Pattern: "/", Auth: gatewaytest.AuthNone, Limit: gatewaytest.Limit{Calls: 1, Window: time.Hour},
		Script: []gatewaytest.Outcome{{Status: 200, Body: "done", Times: -1}},
	}}}
	for _, want := range []string{"done", ""} {
		w := httptest.NewRecorder()
		g.ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/", nil))
		if got := w.Body.String(); got != want {
			t.Errorf("%d: got body %q, want %q", w.Code, got, want)
		}
	}
}

func TestBackendTimeout(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := &gatewaytest.Gateway{Dialect: catalog.GenerationVPC, Routes: []gatewaytest.Route{{
			Pattern: "/", Auth: gatewaytest.AuthNone, Latency: time.Minute, Timeout: 10 * time.Second}}}
		start := time.Now()
		if got, want := show(anyone.do(t, g)), "504 D504TO Backend service request timeout"; got != want {
			t.Errorf("got %s, want %s", got, want)
		}
		if got, want := time.Since(start), 10*time.Second; got != want {
			t.Errorf("got %v on the clock, want %v", got, want)
		}
		if got := g.Counts().Executed; got != 1 {
			t.Errorf("got %d executions, want 1", got)
		}
	})
}

func TestLatencyPassesBeforeTheAnswer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := &gatewaytest.Gateway{Routes: []gatewaytest.Route{{Pattern: "/", Auth: gatewaytest.AuthNone,
			Latency: time.Minute}}}
		start := time.Now()
		if got := show(anyone.do(t, g)); got != served {
			t.Errorf("got %s, want %s", got, served)
		}
		if got := time.Since(start); got != time.Minute {
			t.Errorf("got %v on the clock, want 1m", got)
		}
	})
}

func TestOnEnd(t *testing.T) {
	var got []string
	g := scripted(gatewaytest.Outcome{Error: "T429PA"}, gatewaytest.Outcome{Drop: gatewaytest.DropAfterBackend},
		gatewaytest.Outcome{Status: 404})
	g.Routes[0].Backend = http.HandlerFunc(func(http.ResponseWriter, *http.Request) { panic("backend") })
	g.OnEnd = func(r gatewaytest.Record) {
		got = append(got, r.Outcome+" "+strconv.Itoa(r.Status)+" "+strconv.FormatBool(r.Executed))
	}
	for range 4 {
		callWith(t.Context(), g)
	}
	want := []string{"T429PA 429 false", "dropped 0 true", "served 404 true", "dropped 0 true"}
	if !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
	if last := g.Log()[3]; last.Outcome != "dropped" {
		t.Errorf("got %+v in the log, want it dropped", last)
	}
}
