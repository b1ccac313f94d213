package gatewaytest_test

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/apigw-go/apigw/catalog"
	"github.com/apigw-go/apigw/gatewaytest"
	"github.com/apigw-go/apigw/signer"
)

// epoch is when the tests take place.
var epoch = time.Date(2026, 11, 24, 8, 0, 0, 0, time.UTC)

// request is a request as its test wants it, signed by hand.
type request struct {
	method, path, body string
	key                string
	secret             signer.Secret
	at                 time.Time
	nonce              string
	header             map[string]string
	unsigned           bool
}

// do sends q to g and returns the answer. What q leaves out is in order.
func (q request) do(t *testing.T, g *gatewaytest.Gateway) *http.Response {
	t.Helper()
	method, path := q.method, q.path
	if method == "" {
		method = "GET"
	}
	if path == "" {
		path = "/items"
	}
	req := httptest.NewRequest(method, "http://api.example.com"+path, strings.NewReader(q.body))
	for name, value := range q.header {
		req.Header.Set(name, value)
	}
	if !q.unsigned {
		key, secret, at := q.key, q.secret, q.at
		if key == "" {
			key, secret = gatewaytest.DefaultAppKey, gatewaytest.DefaultAppSecret
		}
		if at.IsZero() {
			at = epoch
		}
		req.Header.Set("X-Ca-Key", key)
		if req.Header.Get("X-Ca-Timestamp") == "" {
			req.Header.Set("X-Ca-Timestamp", fmt.Sprint(at.UnixMilli()))
		}
		if q.nonce != "" {
			req.Header.Set("X-Ca-Nonce", q.nonce)
		}
		req.Header.Set("X-Ca-Signature-Headers", "x-ca-key,x-ca-nonce,x-ca-timestamp")
		text := signer.StringToSign(req, []byte(q.body), signer.Rules{Higress: g.Dialect == catalog.GenerationHigress})
		req.Header.Set("X-Ca-Signature", signer.HmacSHA256.Signature(secret, text))
	}
	answer := httptest.NewRecorder()
	g.ServeHTTP(answer, req)
	return answer.Result()
}

// show puts an answer of the gateway into a line: status, code, text, body.
func show(resp *http.Response) string {
	body, _ := io.ReadAll(resp.Body)
	var line strings.Builder
	line.WriteString(fmt.Sprint(resp.StatusCode))
	for _, s := range []string{resp.Header.Get("X-Ca-Error-Code"), resp.Header.Get("X-Ca-Error-Message"),
		string(body)} {
		if s != "" {
			line.WriteString(" " + s)
		}
	}
	return line.String()
}

const served = `200 {"method":"GET","path":"/items","bytes":0}`

// clock is the gateway's, moved by the test.
type clock struct{ time.Time }

func (c *clock) now() time.Time          { return c.Time }
func (c *clock) advance(d time.Duration) { c.Time = c.Add(d) }

func newClock() *clock { return &clock{epoch} }

func TestChecksOfCredentials(t *testing.T) {
	tests := []struct {
		name                  string
		q                     request
		classic, vpc, higress string
	}{
		{"signed", request{nonce: "a"}, served, served, served},
		{"signed without nonce", request{}, served, served, served},
		{"nothing", request{unsigned: true}, "400 Invalid AppKey", "400 I400MH Header `X-Ca-Key` is Required",
			"401 Invalid Key"},
		{"unknown key", request{key: "1"}, "400 Invalid AppKey", "400 A400IK Invalid AppKey", "401 Invalid Key"},
		{"no signature", request{unsigned: true, header: map[string]string{"X-Ca-Key": gatewaytest.DefaultAppKey}},
			"404 Empty Signature", "400 I400MH Header `X-Ca-Signature` is Required", "401 Empty Signature"},
		{"sixteen minutes slow", request{at: epoch.Add(-16 * time.Minute)},
			"400 Timestamp Expired", "403 S403TE X-Ca-Timestamp is expired", "400 Invalid Date"},
		{"sixteen minutes fast", request{at: epoch.Add(16 * time.Minute)},
			"400 Timestamp Expired", "403 S403TE X-Ca-Timestamp is expired", "400 Invalid Date"},
		{"fifteen minutes slow", request{at: epoch.Add(-15 * time.Minute)}, served, served, served},
		{"timestamp is a word", request{header: map[string]string{"X-Ca-Timestamp": "now"}},
			"400 Invalid Timestamp", "400 I400HD Invalid Header `X-Ca-Timestamp` is not a number of milliseconds",
			"400 Invalid Date"},
		{"digest of another body", request{method: "POST", body: "{}",
			header: map[string]string{"Content-Md5": "1B2M2Y8AsgTpgAmY7PhCfg=="}},
			"400 Invalid Content-MD5", "400 I400I5 Invalid Content-MD5 does not match the body",
			"400 Invalid Content-MD5"},
		{"wrong secret", request{key: gatewaytest.DefaultAppKey, secret: "wrong"},
			"400 Invalid Signature, Server StringToSign:`GET#####",
			"403 A403IS Invalid Signature, Server StringToSign:`GET#####",
			"400 Server StringToSign:`GET#####"},
		{"AppCode", request{unsigned: true,
			header: map[string]string{"Authorization": "APPCODE " + gatewaytest.DefaultAppCode}},
			served, served, "401 Invalid Key"},
		{"wrong AppCode", request{unsigned: true, header: map[string]string{"Authorization": "APPCODE wrong"}},
			"400 Invalid AppCode", "400 A400AC Invalid AppCode `not exists`", "401 Invalid Key"},
		{"stage of nobody", request{header: map[string]string{"X-Ca-Stage": "TEST"}}, "400 Invalid Url",
			"400 I400SG Invalid Stage", served},
		{"stage in small letters", request{header: map[string]string{"X-Ca-Stage": "release"}}, served, served, served},
		{"wrong path", request{path: "/nowhere"}, "400 Invalid Url", "404 I404NF API not found with `GET /nowhere`",
			"404"},
		{"wrong method", request{method: "DELETE"}, "400 Invalid Url", "404 I404NF API not found with `DELETE /items`",
			"404"},
		{"method of nobody", request{method: "BREW"}, "400 Invalid HttpMethod", "405 I405UM Unsupported Method `BREW`",
			"404"},
		{"body too large", request{method: "POST", body: "123456789"},
			"400 Invalid Request Body", "413 I413RL Request body too Large", "413 Request Body Too Large"},
	}
	for _, tt := range tests {
		for dialect, want := range map[catalog.Generation]string{catalog.GenerationClassic: tt.classic,
			catalog.GenerationVPC: tt.vpc, catalog.GenerationHigress: tt.higress} {
			t.Run(tt.name+"/"+dialect.String(), func(t *testing.T) {
				g := &gatewaytest.Gateway{
					Dialect: dialect, Now: newClock().now, Plugins: gatewaytest.Plugins{DateOffset: 15 * time.Minute},
					Routes: []gatewaytest.Route{{Pattern: "GET /items"}, {Pattern: "POST /items", MaxBody: 8}},
				}
				resp := tt.q.do(t, g)
				got := show(resp)
				if strings.Contains(want, "StringToSign") {
					got = got[:min(len(got), len(want))]
				}
				if got != want {
					t.Errorf("got %s, want %s", got, want)
				}
			})
		}
	}
}

func TestRefusalHasTheHeadersOfTheGateway(t *testing.T) {
	g := &gatewaytest.Gateway{Dialect: catalog.GenerationVPC, Now: newClock().now}
	resp := request{unsigned: true}.do(t, g)
	for name, want := range map[string]string{"Date": "Tue, 24 Nov 2026 08:00:00 GMT", "Content-Length": "0",
		"Content-Type": ""} {
		if got := resp.Header.Get(name); got != want {
			t.Errorf("%s: got %q, want %q", name, got, want)
		}
	}
	if got, want := resp.Header.Get("X-Ca-Request-Id"), g.Log()[0].RequestID; got != want || len(got) != 36 {
		t.Errorf("X-Ca-Request-Id: got %q, want the one of the log, %q", got, want)
	}
}

func TestSuccessSaysOK(t *testing.T) {
	resp := request{}.do(t, &gatewaytest.Gateway{SayOK: true, Now: newClock().now})
	if got := resp.Header.Get("X-Ca-Error-Message"); got != "OK" {
		t.Errorf("got %q, want OK", got)
	}
}

func TestNonce(t *testing.T) {
	const used = "400 Nonce Used"
	t.Run("refused the second time", func(t *testing.T) {
		g := &gatewaytest.Gateway{Now: newClock().now}
		request{nonce: "n"}.do(t, g)
		if got := show(request{nonce: "n"}.do(t, g)); got != used {
			t.Errorf("got %s, want %s", got, used)
		}
	})
	t.Run("is free again after fifteen minutes", func(t *testing.T) {
		c := newClock()
		g := &gatewaytest.Gateway{Now: c.now}
		request{nonce: "n"}.do(t, g)
		c.advance(15*time.Minute + time.Second)
		if got := show(request{nonce: "n", at: c.Time}.do(t, g)); got != served {
			t.Errorf("got %s, want %s", got, served)
		}
	})
	t.Run("is not used up by a wrong signature", func(t *testing.T) {
		g := &gatewaytest.Gateway{Now: newClock().now}
		request{nonce: "n", key: gatewaytest.DefaultAppKey, secret: "wrong"}.do(t, g)
		if got := show(request{nonce: "n"}.do(t, g)); got != served {
			t.Errorf("got %s, want %s", got, served)
		}
	})
	t.Run("belongs to its key", func(t *testing.T) {
		g := twoApps()
		request{nonce: "n", key: "first", secret: "1"}.do(t, g)
		if got := show(request{nonce: "n", key: "second", secret: "2"}.do(t, g)); got != served {
			t.Errorf("got %s, want %s", got, served)
		}
	})
	t.Run("of two copies at once one is served", func(t *testing.T) {
		g := &gatewaytest.Gateway{Now: newClock().now}
		var wg sync.WaitGroup
		for range 8 {
			wg.Go(func() { request{nonce: "n"}.do(t, g) })
		}
		wg.Wait()
		if got, want := g.Counts(), (gatewaytest.Counts{Received: 8, Executed: 1}); got != want {
			t.Errorf("got %+v, want %+v", got, want)
		}
	})
}

func twoApps() *gatewaytest.Gateway {
	return &gatewaytest.Gateway{
		Now: newClock().now,
		Apps: []gatewaytest.App{{AppKey: "first", AppSecret: "1", User: "u"}, {AppKey: "second", AppSecret: "2",
			User: "u"}},
	}
}

func TestTwoApps(t *testing.T) {
	first, second := request{key: "first", secret: "1"}, request{key: "second", secret: "2"}
	t.Run("each has its secret", func(t *testing.T) {
		got := show(request{key: "first", secret: "2"}.do(t, twoApps()))
		if !strings.HasPrefix(got, "400 Invalid Signature") {
			t.Errorf("got %s, want 400 Invalid Signature", got)
		}
	})
	t.Run("one is not authorized", func(t *testing.T) {
		g := twoApps()
		g.Apps[1].Unauthorized = true
		if got, want := show(first.do(t, g))+"; "+show(second.do(t, g)), served+"; 403 Unauthorized"; got != want {
			t.Errorf("got %s, want %s", got, want)
		}
	})
	t.Run("one is authorized for another route", func(t *testing.T) {
		g := twoApps()
		g.Apps[1].Patterns = []string{"/other"}
		if got, want := show(second.do(t, g)), "403 Unauthorized"; got != want {
			t.Errorf("got %s, want %s", got, want)
		}
	})
	t.Run("each has its limit", func(t *testing.T) {
		g := twoApps()
		g.Apps[0].Limit = gatewaytest.Limit{Calls: 1, Window: time.Minute}
		first.do(t, g)
		got := show(first.do(t, g)) + "; " + show(second.do(t, g))
		if want := "403 Throttled by APP Flow Control; " + served; got != want {
			t.Errorf("got %s, want %s", got, want)
		}
	})
	t.Run("both share the limit of their user", func(t *testing.T) {
		g := twoApps()
		g.UserLimits = map[string]gatewaytest.Limit{"u": {Calls: 1, Window: time.Minute}}
		first.do(t, g)
		if got, want := show(second.do(t, g)), "403 Throttled by USER Flow Control"; got != want {
			t.Errorf("got %s, want %s", got, want)
		}
	})
	t.Run("each has its quota", func(t *testing.T) {
		g := twoApps()
		g.Routes = []gatewaytest.Route{{Pattern: "/", Quota: &gatewaytest.Quota{Calls: 1}}}
		first.do(t, g)
		got := show(first.do(t, g)) + "; " + show(second.do(t, g))
		if want := "403 Quota Exhausted; " + served; got != want {
			t.Errorf("got %s, want %s", got, want)
		}
	})
}

func TestFailingBackendPassesThroughWithoutCode(t *testing.T) {
	g := &gatewaytest.Gateway{Dialect: catalog.GenerationVPC, Now: newClock().now,
		Routes: []gatewaytest.Route{{Pattern: "/",
			Backend: http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
				http.Error(w, "no stock",
					http.StatusConflict)
			})}}}
	if got, want := show(request{}.do(t, g)), "409 no stock\n"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestRoutesMatchWithoutRedirect(t *testing.T) {
	g := &gatewaytest.Gateway{Dialect: catalog.GenerationVPC, Now: newClock().now, Routes: []gatewaytest.Route{
		{Pattern: "/tree/", Auth: gatewaytest.AuthNone}, {Pattern: "GET other.example.com/",
			Auth: gatewaytest.AuthNone}}}
	for path, want := range map[string]int{"/tree/": 200, "/tree//a/../b": 200, "/tree/a%2Fb": 200, "/tree": 404,
		"/": 404} {
		if got := (request{unsigned: true, path: path}).do(t, g).StatusCode; got != want {
			t.Errorf("%s: got %d, want %d", path, got, want)
		}
	}
}

func TestGatewayPanicsOnUnusableConfiguration(t *testing.T) {
	for name, routes := range map[string][]gatewaytest.Route{
		"invalid pattern":   {{Pattern: "no slash"}},
		"the same twice":    {{Pattern: "/a"}, {Pattern: "/a"}},
		"unknown row":       {{Pattern: "/", Script: []gatewaytest.Outcome{{Error: "classic.nothing"}}}},
		"error with status": {{Pattern: "/", Script: []gatewaytest.Outcome{{Error: "D504CO", Status: 200}}}},
	} {
		t.Run(name, func(t *testing.T) {
			defer func() {
				if recover() == nil {
					t.Error("got no panic")
				}
			}()
			gatewaytest.NewMemoryServer(&gatewaytest.Gateway{Routes: routes}).Close()
		})
	}
}

func TestCountsAndLogUnderConcurrency(t *testing.T) {
	const callers = 16
	g := &gatewaytest.Gateway{LogLength: 10, IdentityHeader: "X-Order", Routes: []gatewaytest.Route{{Pattern: "/",
		Auth: gatewaytest.AuthNone}}}
	var wg sync.WaitGroup
	for i := range callers {
		wg.Go(func() {
			for range 2 {
				request{unsigned: true, header: map[string]string{"X-Order": fmt.Sprint(i)}}.do(t, g)
				g.Log()
			}
		})
	}
	wg.Wait()
	if got, want := g.RouteCounts("/"), (gatewaytest.Counts{Received: 32, Executed: 32}); got != want {
		t.Errorf("route: got %+v, want %+v", got, want)
	}
	if got, want := g.IdentityCounts("7"), (gatewaytest.Counts{Received: 2, Executed: 2}); got != want {
		t.Errorf("identity: got %+v, want %+v", got, want)
	}
	if got := len(g.Log()); got != 10 {
		t.Errorf("log: got %d records, want 10", got)
	}
}
