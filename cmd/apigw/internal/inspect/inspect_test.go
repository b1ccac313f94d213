package inspect

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/apigw-go/apigw"
	"github.com/apigw-go/apigw/cmd/apigw/internal/proxy"
)

const token = "token-of-the-test"

// start puts an Inspector before a proxy to upstream. It returns the address of
// the proxy and a client of the page.
func start(t *testing.T, upstream http.HandlerFunc, change func(*Inspector)) (address string, i *Inspector,
	page func(method, path, body string) (int, string)) {
	t.Helper()
	api := httptest.NewServer(upstream)
	t.Cleanup(api.Close)
	u, err := proxy.ParseUpstream(api.URL)
	if err != nil {
		t.Fatal(err)
	}
	i = &Inspector{Upstream: api.URL, Token: token}
	transport := &apigw.Transport{
		Policy:    apigw.RetryPolicy{InitialBackoff: time.Millisecond, MaxBackoff: time.Millisecond},
		OnAttempt: i.OnAttempt, OnRetry: i.OnRetry,
	}
	i.Budgets = transport.Budgets
	if change != nil {
		change(i)
	}
	server := httptest.NewServer(i.Wrap(proxy.New(proxy.Config{Upstream: u, Transport: transport,
		OnOutcome: i.OnOutcome})))
	t.Cleanup(server.Close)
	handler := i.Handler()
	return server.URL, i, func(method, path, body string) (int, string) {
		r := httptest.NewRequest(method, "http://127.0.0.1:8078"+path, strings.NewReader(body))
		r.Header.Set(proxy.HeaderToken, token)
		r.Header.Set("Content-Type", "application/json")
		w := httptest.NewRecorder()
		handler.ServeHTTP(w, r)
		return w.Code, w.Body.String()
	}
}

func get(t *testing.T, method, url, body string, header http.Header) {
	t.Helper()
	req, err := http.NewRequest(method, url, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	maps.Copy(req.Header, header)
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	io.Copy(io.Discard, resp.Body)
	resp.Body.Close()
}

func open(t *testing.T, page func(method, path, body string) (int, string), id uint64) detail {
	t.Helper()
	code, text := page("GET", fmt.Sprintf("/api/calls/%d", id), "")
	var d detail
	if err := json.Unmarshal([]byte(text), &d); code != 200 || err != nil {
		t.Fatalf("call %d: %d %s %v", id, code, text, err)
	}
	return d
}

// done waits until the call with that id is over: the client has its answer a
// moment earlier.
func done(t *testing.T, i *Inspector, id uint64) {
	t.Helper()
	for range 2000 {
		if e := i.ring.find(id); e != nil && e.summary().Done {
			return
		}
		time.Sleep(time.Millisecond)
	}
	t.Fatalf("call %d does not end", id)
}

func TestCallIsShownWithItsAttempts(t *testing.T) {
	var calls int
	address, i, page := start(t, func(w http.ResponseWriter, r *http.Request) {
		if calls++; calls <= 2 {
			w.Header().Set("X-Ca-Error-Code", "D503BB")
			w.WriteHeader(503)
		}
	}, nil)
	get(t, "GET", address+"/v1/x", "", nil)
	done(t, i, 1)
	d := open(t, page, 1)
	if d.Status != 200 || d.Attempts != 3 || len(d.Timeline) != 3 || !d.Done {
		t.Errorf("got %+v", d)
	}
	if got, want := d.Timeline[0].Code, "D503BB"; got != want {
		t.Errorf("got code %q, want %q", got, want)
	}
	if d.Timeline[1].BeginMS <= d.Timeline[0].BeginMS {
		t.Errorf("attempts begin at %v and %v", d.Timeline[0].BeginMS, d.Timeline[1].BeginMS)
	}
}

// No secret of a request is on the page, whatever the server echoes.
func TestPageHoldsNoSecret(t *testing.T) {
	address, i, page := start(t, func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("X-Ca-Error-Message", "bad tops3cret-1 and tops3cret-2")
		w.Header().Set("X-Ca-Error-Code", "tops3cret-1")
		w.Header().Set("X-Ca-Request-Id", "tops3cret-2")
		w.Header().Set("Set-Cookie", "a=tops3cret-3")
		w.Header().Set("Retry-After", "tops3cret-1")
		w.WriteHeader(403)
		io.WriteString(w, "tops3cret-1")
	}, nil)
	get(t, "POST", address+"/v1/x?token=tops3cret-1", "tops3cret-2",
		http.Header{"X-Key": {"tops3cret-2"}, "Authorization": {"Bearer tops3cret-3"}})
	done(t, i, 1)
	_, text := page("GET", "/api/calls/1", "")
	changed, _, _ := i.ring.since(0)
	list, _ := json.Marshal(changed[0].summary())
	_, metrics := page("GET", "/metrics", "")
	for what, text := range map[string]string{"call": text, "list": string(list), "metrics": metrics} {
		if strings.Contains(text, "tops3cret") {
			t.Errorf("%s: %s", what, text)
		}
	}
}

func TestBodiesAreKeptOnlyIfAsked(t *testing.T) {
	for name, c := range map[string]struct {
		bodies bool
		want   string
	}{"off": {false, ""}, "on": {true, "the body"}} {
		t.Run(name, func(t *testing.T) {
			address, i, page := start(t, func(w http.ResponseWriter, r *http.Request) { io.Copy(w, r.Body) },
				func(i *Inspector) { i.Bodies = c.bodies })
			get(t, "PUT", address+"/", "the body", nil)
			done(t, i, 1)
			d := open(t, page, 1)
			if d.RequestBody.Text != c.want || d.ResponseBody.Text != c.want || d.RequestBody.Bytes != 8 ||
				d.ResponseBody.Bytes != 8 {
				t.Errorf("got %+v and %+v, want %q", d.RequestBody, d.ResponseBody, c.want)
			}
		})
	}
}

func TestLongBodyIsCut(t *testing.T) {
	address, i, page := start(t, func(w http.ResponseWriter, r *http.Request) { io.Copy(io.Discard, r.Body) },
		func(i *Inspector) { i.Bodies = true })
	get(t, "PUT", address+"/", strings.Repeat("x", MaxBody+1), nil)
	done(t, i, 1)
	d := open(t, page, 1)
	if !d.RequestBody.Cut || len(d.RequestBody.Text) != MaxBody || d.Replayable {
		t.Errorf("got cut %v, %d bytes, replayable %v", d.RequestBody.Cut, len(d.RequestBody.Text), d.Replayable)
	}
}

func TestReplay(t *testing.T) {
	type seen struct{ method, target, key, body string }
	for name, c := range map[string]struct {
		change string
		bodies bool
		status int
		want   seen
	}{
		"as it was":      {`{}`, true, 200, seen{"PUT", "/a?b=c", "tops3cret", "body"}},
		"another method": {`{"method":"POST"}`, true, 200, seen{"POST", "/a?b=c", "tops3cret", "body"}},
		"another target": {`{"target":"/x%2Fy?z"}`, true, 200, seen{"PUT", "/x%2Fy?z", "tops3cret", "body"}},
		"another body":   {`{"body":"other"}`, false, 200, seen{"PUT", "/a?b=c", "tops3cret", "other"}},
		"masked header": {`{"headers":[{"name":"X-Key","value":"","masked":true}]}`, true, 200,
			seen{"PUT", "/a?b=c", "tops3cret", "body"}},
		"changed header": {`{"headers":[{"name":"X-Key","value":"new"}]}`, true, 200,
			seen{"PUT", "/a?b=c", "new", "body"}},
		"body not kept":   {`{}`, false, 409, seen{}},
		"no path":         {`{"target":"http://evil.example/"}`, true, 409, seen{}},
		"two lines":       {`{"target":"/a\r\nX: y"}`, true, 409, seen{}},
		"no method":       {`{"method":"A B"}`, true, 409, seen{}},
		"no JSON":         {`{`, true, 400, seen{}},
		"something else":  {`{"upstream":"http://evil.example"}`, true, 400, seen{}},
		"line in a value": {`{"headers":[{"name":"X-Key","value":"a\r\nb"}]}`, true, 200, seen{}},
	} {
		t.Run(name, func(t *testing.T) {
			var got seen
			address, i, page := start(t, func(w http.ResponseWriter, r *http.Request) {
				body, _ := io.ReadAll(r.Body)
				got = seen{r.Method, r.RequestURI, r.Header.Get("X-Key"), string(body)}
			}, func(i *Inspector) { i.Bodies = c.bodies })
			get(t, "PUT", address+"/a?b=c", "body", http.Header{"X-Key": {"tops3cret"}})
			done(t, i, 1)
			got = seen{}
			code, text := page("POST", "/api/calls/1/replay", c.change)
			if code != c.status {
				t.Fatalf("got %d %s, want %d", code, text, c.status)
			}
			if got != c.want {
				t.Errorf("got %+v, want %+v", got, c.want)
			}
			if code == 200 {
				if d := open(t, page, 2); d.ReplayOf != 1 {
					t.Errorf("replay of %d, want 1", d.ReplayOf)
				}
			}
		})
	}
}

func TestPageNeedsItsToken(t *testing.T) {
	i := &Inspector{Token: token, Remote: true}
	handler := i.Handler()
	for path, want := range map[string]int{
		"/": 401, "/app.js": 401, "/api/config": 401, "/api/events": 401, "/api/calls/1": 401, "/metrics": 401,
		"/healthz":      200,
		"/?token=wrong": 401, "/?token=" + token: 303, "/app.js?token=" + token: 401,
	} {
		w := httptest.NewRecorder()
		handler.ServeHTTP(w, httptest.NewRequest(http.MethodGet, "http://127.0.0.1:8078"+path, nil))
		if w.Code != want {
			t.Errorf("%s: got %d, want %d", path, w.Code, want)
		}
		if got := w.Header().Get("Content-Security-Policy"); !strings.HasPrefix(got, "default-src 'none'") {
			t.Errorf("%s: policy %q", path, got)
		}
	}
}

func TestCookieOpensThePage(t *testing.T) {
	i := &Inspector{Token: token}
	handler := i.Handler()
	w := httptest.NewRecorder()
	handler.ServeHTTP(w, httptest.NewRequest(http.MethodGet, "http://127.0.0.1:8078/?token="+token, nil))
	cookie := w.Result().Cookies()[0]
	if !cookie.HttpOnly || cookie.SameSite != http.SameSiteStrictMode || cookie.Value == token {
		t.Errorf("cookie %+v", cookie)
	}
	r := httptest.NewRequest(http.MethodGet, "http://127.0.0.1:8078/", nil)
	r.AddCookie(cookie)
	w = httptest.NewRecorder()
	handler.ServeHTTP(w, r)
	if w.Code != http.StatusOK || !strings.Contains(w.Body.String(), "<title>apigw proxy</title>") {
		t.Errorf("got %d %.80s", w.Code, w.Body)
	}
}

func TestEventsSendWhatChanges(t *testing.T) {
	address, i, _ := start(t, func(http.ResponseWriter, *http.Request) {}, nil)
	server := httptest.NewServer(i.Handler())
	defer server.Close()
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	req, _ := http.NewRequestWithContext(ctx, http.MethodGet, server.URL+"/api/events", nil)
	req.Header.Set(proxy.HeaderToken, token)
	get(t, "GET", address+"/one", "", nil)
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	var text strings.Builder
	buf := make([]byte, 4096)
	for !strings.Contains(text.String(), `"path":"/one"`) { // hangs if it never comes
		n, err := resp.Body.Read(buf)
		if err != nil {
			t.Fatal(err)
		}
		text.Write(buf[:n])
	}
}

func TestRingKeepsItsBounds(t *testing.T) {
	var r ring
	for n := range 3 * maxEntries {
		r.add(func(e *entry) { e.target = "/" + fmt.Sprint(n) })
	}
	if got, want := len(r.entries), maxEntries; got != want {
		t.Errorf("got %d entries, want %d", got, want)
	}
	for range 100 {
		e := r.add(func(*entry) {})
		r.change(e, func() { e.responseBody.data = make([]byte, 2<<20) })
	}
	if r.bytes > maxBytes {
		t.Errorf("%d bytes are kept, want at most %d", r.bytes, maxBytes)
	}
	if got := len(r.sizes); got != len(r.entries) {
		t.Errorf("%d sizes for %d entries", got, len(r.entries))
	}
}

func TestMetrics(t *testing.T) {
	address, i, page := start(t, func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/quota" {
			w.Header().Set("X-Ca-Error-Code", "B403MQ")
			w.WriteHeader(403)
		}
	}, nil)
	get(t, "GET", address+"/", "", nil)
	get(t, "GET", address+"/quota", "", nil)
	done(t, i, 2)
	_, text := page("GET", "/metrics", "")
	for _, want := range []string{
		`apigw_calls_total{status="200",class="",stop=""} 1`,
		`apigw_calls_total{status="403",class="quota",stop="not-retryable"} 1`,
		"apigw_attempts_total 2", "apigw_calls_in_flight 0", "apigw_call_duration_seconds_count 2",
	} {
		if !strings.Contains(text, want+"\n") {
			t.Errorf("%s is not in\n%s", want, text)
		}
	}
}
