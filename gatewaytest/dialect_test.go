package gatewaytest_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/apigw-go/apigw/catalog"
	"github.com/apigw-go/apigw/gatewaytest"
)

// The backend's time is shown while it is still writing its answer.
func TestServiceLatency(t *testing.T) {
	slow := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		time.Sleep(2 * time.Second)
		fmt.Fprint(w, "head")
		w.(http.Flusher).Flush()
		time.Sleep(time.Hour)
	})
	for name, rt := range map[string]gatewaytest.Route{
		"streamed":                 {Backend: slow},
		"with a latency":           {Latency: 2 * time.Second},
		"under a timeout":          {Latency: 2 * time.Second, Timeout: time.Minute},
		"scripted":                 {Latency: 2 * time.Second, Script: []gatewaytest.Outcome{{Status: 503}}},
		"scripted error behind it": {Latency: 2 * time.Second, Script: []gatewaytest.Outcome{{Error: "D504TO"}}},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				rt.Pattern, rt.Auth = "/", gatewaytest.AuthNone
				r := httptest.NewRequest("GET", "/", nil)
				r.Header.Set("X-Ca-Request-Mode", "debug")
				w := httptest.NewRecorder()
				(&gatewaytest.Gateway{Dialect: catalog.GenerationVPC, Routes: []gatewaytest.Route{rt}}).ServeHTTP(w, r)
				if got, want := w.Result().Header.Get("X-Ca-Debug-Info"),
					`{"ServiceLatency":2000,"TotalLatency":2000}`; got != want {
					t.Errorf("got %s, want %s", got, want)
				}
			})
		})
	}
}

func TestRequestIDOfEachGeneration(t *testing.T) {
	for dialect, want := range map[catalog.Generation]string{
		catalog.GenerationUnknown: "X-Ca-Request-Id", catalog.GenerationClassic: "X-Ca-Request-Id",
		catalog.GenerationVPC: "X-Ca-Request-Id", catalog.GenerationHigress: "X-Request-Id",
	} {
		for _, auth := range []gatewaytest.Auth{gatewaytest.AuthNone, gatewaytest.AuthSignature} { // served, refused
			g := &gatewaytest.Gateway{Dialect: dialect, Routes: []gatewaytest.Route{{Pattern: "/", Auth: auth}}}
			h := request{unsigned: true}.do(t, g).Header
			if got := h.Get(want); len(got) != 36 || got != g.Log()[0].RequestID {
				t.Errorf("%v, %v: got %s: %q, want the id of the log, %q", dialect, auth, want, got,
					g.Log()[0].RequestID)
			}
			if other := h.Get(strings.Replace("X-Ca-Request-IdX-Request-Id", want, "", 1)); other != "" {
				t.Errorf("%v, %v: got the id of another generation too", dialect, auth)
			}
		}
	}
}

// Each generation says in its own words what all of them refuse.
func TestRefusalsOfEachGeneration(t *testing.T) {
	const newer, timeout, noRoute = "istio-envoy", "504 upstream request timeout", "404"
	for dialect, want := range map[catalog.Generation]struct {
		throttled, noRoute, timeout, noToken, server string
	}{
		catalog.GenerationClassic: {"403 Throttled by API Flow Control", "400 Invalid Url", "504 Async Service",
			"400 Invalid AppKey", ""},
		catalog.GenerationVPC: {"429 T429PA Throttled by API Flow Control",
			"404 I404NF API not found with `GET /nowhere`",
			"504 D504TO Backend service request timeout", "400 I400MH Header `X-Ca-Key` is Required", ""},
		catalog.GenerationHigress: {"429 Too many requests", noRoute, timeout,
			"401 Request denied by JWT Auth check. JWT is missing.", newer},
		catalog.GenerationEnvoy: {"429 local_rate_limited", noRoute, timeout, "401 Jwt is missing", newer},
		catalog.GenerationHigressAI: {"429 Too many requests", noRoute, timeout,
			"401 Request denied by JWT Auth check. JWT is missing.", newer},
		catalog.GenerationCloudNative: {"429 sample", noRoute, timeout,
			"401 Request denied by JWT Auth check. JWT is missing.", newer},
		catalog.GenerationAIGateway: {"429 Too many requests", noRoute, timeout,
			"401 Request denied by JWT Auth check. JWT is missing.", newer},
		catalog.GenerationFC: {`429 {"errorCode":"ResourceExhausted","errorMessage":"sample"}`,
			`404 {"errorCode":"DomainNameNotFound","errorMessage":"sample"}`, "200", served, ""},
	} {
		t.Run(dialect.String(), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				g := &gatewaytest.Gateway{Dialect: dialect, Plugins: gatewaytest.Plugins{Auth: gatewaytest.JWTAuth},
					Routes: []gatewaytest.Route{
						{Pattern: "/limited", Auth: gatewaytest.AuthNone, Limit: gatewaytest.Limit{Calls: 1,
							Window: time.Minute}},
						{Pattern: "/slow", Auth: gatewaytest.AuthNone, Latency: time.Minute, Timeout: time.Second},
						{Pattern: "/items"},
					}}
				call := func(path string) string {
					w := httptest.NewRecorder()
					g.ServeHTTP(w, httptest.NewRequest("GET", path, nil))
					if id := w.Header().Get(idHeader(dialect)); id == "" || w.Header().Get("Server") != want.server {
						t.Errorf("%s: got %s: %q and the server %q", path, idHeader(dialect), id,
							w.Header().Get("Server"))
					}
					return show(w.Result())
				}
				call("/limited")
				for path, want := range map[string]string{
					"/limited": want.throttled, "/nowhere": want.noRoute, "/slow": want.timeout, "/items": want.noToken,
				} {
					if got := call(path); got != want {
						t.Errorf("%s: got %s, want %s", path, got, want)
					}
				}
			})
		})
	}
}
