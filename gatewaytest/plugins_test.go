package gatewaytest_test

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/apigw-go/apigw/catalog"
	"github.com/apigw-go/apigw/gatewaytest"
)

func TestReplayProtection(t *testing.T) {
	c := newClock()
	nonce := func(g *gatewaytest.Gateway, header, value string) string {
		g.Now = c.now
		r := httptest.NewRequest("GET", "/items", nil)
		if header != "" {
			r.Header.Set(header, value)
		}
		w := httptest.NewRecorder()
		g.ServeHTTP(w, r)
		return line(w)
	}
	open := func(p gatewaytest.ReplayProtection) *gatewaytest.Gateway {
		g := higress(gatewaytest.Plugins{Replay: &p})
		g.Routes[0].Auth = gatewaytest.AuthNone
		return g
	}
	const used = "429 Replay Attack Detected"
	g := open(gatewaytest.ReplayProtection{})
	for i, tt := range []struct {
		header, value string
		after         time.Duration
		want          string
	}{
		{"", "", 0, "400 Missing Required Header"},
		{"X-Higress-Nonce", "short", 0, "400 Invalid Nonce"},
		{"X-Higress-Nonce", strings.Repeat("x", 129), 0, "400 Invalid Nonce"},
		{"X-Higress-Nonce", "12345678", 0, served},
		{"X-Higress-Nonce", "12345678", 15 * time.Minute, used},
		{"X-Higress-Nonce", "12345678", time.Second, served},
	} {
		c.advance(tt.after)
		if got := nonce(g, tt.header, tt.value); got != tt.want {
			t.Errorf("call %d: got %s, want %s", i+1, got, tt.want)
		}
	}
	g = open(gatewaytest.ReplayProtection{Header: "X-Mse-Nonce", Optional: true, Base64: true, TTL: time.Second,
		MinLength: 4})
	for i, tt := range []struct {
		value, want string
	}{{"", served}, {"!!!!", "400 Invalid Nonce"}, {"YWJj", served}, {"YWJj", used}} {
		header := "X-Mse-Nonce"
		if tt.value == "" {
			header = ""
		}
		if got := nonce(g, header, tt.value); got != tt.want {
			t.Errorf("configured, call %d: got %s, want %s", i+1, got, tt.want)
		}
	}
	g = higress(gatewaytest.Plugins{Replay: &gatewaytest.ReplayProtection{}})
	if got := nonce(g, "X-Higress-Nonce", "of a stranger") + "; " + nonce(g, "X-Higress-Nonce",
		"of a stranger"); got != "401 Invalid Key; "+used {
		t.Errorf("before the credentials: got %s, want them looked at last", got)
	}
}

func TestLimitsOfTheNewerGeneration(t *testing.T) {
	for row, want := range map[string]struct {
		status       int
		body         string
		header, wait string // which names the time, and what it says
	}{
		"": {429, "Too many requests", "X-Ratelimit-Reset", "60"},
		"higress.too-many-requests-200": {200, `{"code":-1,"msg":"Too many requests"}`, "X-Ratelimit-Reset",
			"60"},
		"higress.rate-limited":       {429, "rate_limited", "X-Ratelimit-Reset", ""},
		"higress-ai.too-many-tokens": {429, "Too many requests", "X-Tokenratelimit-Reset", "60"},
		"higress-ai.overloaded": {429, "Exceeded maximum request limit from ai-load-balancer.",
			"X-Ratelimit-Reset", ""},
		"envoy.local-rate-limited":             {429, "local_rate_limited", "X-Ratelimit-Reset", ""},
		"envoy.rate-limited":                   {429, "", "X-Envoy-Ratelimited", "true"},
		"apig-cloud-native.throttled":          {429, "sample", "X-Ratelimit-Reset", ""},
		"apig-cloud-native.throttled-redirect": {302, "", "Location", "https://example.com/busy"},
	} {
		t.Run(row, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				g := higress(gatewaytest.Plugins{Throttled: row, ShowQuota: true})
				g.Now = nil
				g.Routes[0].Auth, g.Routes[0].Limits = gatewaytest.AuthNone, []gatewaytest.Limit{{Calls: 2,
					Window: time.Minute}}
				call := func() *httptest.ResponseRecorder {
					w := httptest.NewRecorder()
					g.ServeHTTP(w, httptest.NewRequest("GET", "/items", nil))
					return w
				}
				for _, remaining := range []string{"1", "0"} {
					h := call().Header()
					if h.Get("X-Ratelimit-Limit") != "2" || h.Get("X-Ratelimit-Remaining") != remaining ||
						h.Get("X-Envoy-Upstream-Service-Time") != "0" {
						t.Errorf("passed: got %v, want %s of 2 remaining and a service time", h, remaining)
					}
				}
				w := call()
				h := w.Header()
				if w.Code != want.status || w.Body.String() != want.body || h.Get(want.header) != want.wait {
					t.Errorf("got %d %q, %s: %q; want %+v", w.Code, w.Body.String(), want.header, h.Get(want.header),
						want)
				}
				if h.Get("X-Ratelimit-Remaining") != "0" || h.Get("X-Envoy-Upstream-Service-Time") != "" ||
					h.Get("X-Ca-Request-Id") != "" {
					t.Errorf("refused: got %v", h)
				}
				time.Sleep(time.Minute)
				if got := call().Code; got != 200 {
					t.Errorf("a minute later: got %d, want 200", got)
				}
			})
		})
	}
}

// What happens behind the plug-ins shows in Envoy's words.
func TestEnvoyInsideTheNewerGeneration(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := &gatewaytest.Gateway{Dialect: catalog.GenerationHigress, Routes: []gatewaytest.Route{
			{Pattern: "/slow", Auth: gatewaytest.AuthNone, Latency: time.Minute, Timeout: time.Second},
			{Pattern: "/broken", Auth: gatewaytest.AuthNone, Breaker: &gatewaytest.Breaker{},
				Script: []gatewaytest.Outcome{{Status: 500}}},
			{Pattern: "/bought", Auth: gatewaytest.AuthNone, Quota: &gatewaytest.Quota{Calls: 1}},
		}}
		for _, tt := range []struct {
			path, want string
			passed     bool // to the backend, which has answered
		}{
			{"/slow", "504 upstream request timeout", false},
			{"/broken", "500", true},
			{"/broken", "503 no healthy upstream", false},
			{"/bought", `200 {"method":"GET","path":"/bought","bytes":0}`, true},
			{"/bought", "403 Request denied by ai quota check, No quota left", false},
			{"/nowhere", "404", false},
		} {
			w := httptest.NewRecorder()
			g.ServeHTTP(w, httptest.NewRequest("GET", tt.path, nil))
			if got := line(w); got != tt.want {
				t.Errorf("%s: got %s, want %s", tt.path, got, tt.want)
			}
			if got := w.Header().Get("X-Envoy-Upstream-Service-Time"); (got != "") != tt.passed {
				t.Errorf("%s: got the service time %q", tt.path, got)
			}
			if got := w.Header().Get("Server"); got != "istio-envoy" {
				t.Errorf("%s: got the server %q", tt.path, got)
			}
		}
		g = &gatewaytest.Gateway{Dialect: catalog.GenerationHigress, Plugins: gatewaytest.Plugins{NoEnvoyHeaders: true},
			Routes: []gatewaytest.Route{{Pattern: "/", Auth: gatewaytest.AuthNone}}}
		w := httptest.NewRecorder()
		g.ServeHTTP(w, httptest.NewRequest("GET", "/", nil))
		if got := w.Header().Get("X-Envoy-Upstream-Service-Time"); got != "" {
			t.Errorf("got the service time %q where Envoy sends none", got)
		}
	})
}

// A script names any row of any generation; what comes with the row comes by
// itself, and a header that would deny it can be added.
func TestScriptedRowsOfTheNewerGenerations(t *testing.T) {
	const serviceTime = "X-Envoy-Upstream-Service-Time"
	for name, tt := range map[string]struct {
		outcome  gatewaytest.Outcome
		want     string
		header   map[string]string
		executed int
	}{
		"reset": {gatewaytest.Outcome{Error: "envoy.connection-termination"},
			"503 upstream connect error or disconnect/reset before headers. reset reason: connection termination",
			map[string]string{serviceTime: "", "X-Ca-Request-Id": "", "Content-Type": "text/plain"}, 1},
		"no healthy upstream": {gatewaytest.Outcome{Error: "envoy.no-healthy-upstream"}, "503 no healthy upstream",
			map[string]string{serviceTime: ""}, 0},
		"passed on by another Envoy": {gatewaytest.Outcome{Error: "envoy.no-healthy-upstream",
			Header: http.Header{serviceTime: {"7"}}},
			"503 no healthy upstream", map[string]string{serviceTime: "7"}, 1},
		"overflow": {gatewaytest.Outcome{Error: "envoy.overflow"},
			"503 upstream connect error or disconnect/reset before headers. reset reason: overflow",
			map[string]string{"X-Envoy-Overloaded": "true"}, 0},
		"reset time": {gatewaytest.Outcome{Error: "higress.too-many-requests",
			Params: map[string]string{"x-ratelimit-reset:": "30"}},
			"429 Too many requests", map[string]string{"X-Ratelimit-Reset": "30"}, 0},
		"function failed": {gatewaytest.Outcome{Error: "fc.unhandled-error", Body: `{"errorMessage":"boom"}`},
			`200 {"errorMessage":"boom"}`,
			map[string]string{"X-Fc-Error-Type": "UnhandledInvocationError"}, 1},
		"function throttled": {gatewaytest.Outcome{Error: "fc.resource-exhausted",
			Params: map[string]string{"Message": "too \"many\"\n"}},
			`429 {"errorCode":"ResourceExhausted","errorMessage":"too \"many\"\n"}`,
			map[string]string{"Content-Type": "application/json"}, 0},
		"answer of a model is billed": {gatewaytest.Outcome{Error: "higress-ai.response-body-failed",
			Params: map[string]string{"Reason": "eof"}},
			"500 failed to process response body: eof", nil, 1},
		"any status": {gatewaytest.Outcome{Error: "envoy.upstream-answer", Status: 404, Body: "not here"},
			"404 not here", map[string]string{serviceTime: "1"}, 1},
	} {
		t.Run(name, func(t *testing.T) {
			for _, dialect := range []catalog.Generation{catalog.GenerationClassic, catalog.GenerationHigress} {
				g := scripted(tt.outcome)
				g.Dialect = dialect
				w := httptest.NewRecorder()
				g.ServeHTTP(w, httptest.NewRequest("POST", "/items", nil))
				if got := line(w); got != tt.want {
					t.Errorf("%v: got %s, want %s", dialect, got, tt.want)
				}
				for name, want := range tt.header {
					if got := w.Header().Get(name); got != want {
						t.Errorf("%v: %s: got %q, want %q", dialect, name, got, want)
					}
				}
				entry, _ := catalog.ByID(tt.outcome.Error)
				if id := w.Header().Get(idHeader(entry.Generation)); len(id) != 36 || id != g.Log()[0].RequestID {
					t.Errorf("%v: got the id %q, want that of the log", dialect, id)
				}
				if got := g.Counts().Executed; got != tt.executed {
					t.Errorf("%v: got %d executions, want %d", dialect, got, tt.executed)
				}
			}
		})
	}
}
