package inspect

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/url"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/apigw-go/apigw"
	"github.com/apigw-go/apigw/cmd/apigw/internal/proxy"
)

type roundTripFunc func(*http.Request) (*http.Response, error)

func (f roundTripFunc) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

// watched is an Inspector before a proxy whose API is a function.
func watched(t testing.TB, api roundTripFunc, change func(*Inspector)) (*Inspector, http.Handler) {
	t.Helper()
	u, err := url.Parse("https://api.example.com")
	if err != nil {
		t.Fatal(err)
	}
	i := &Inspector{Upstream: u.String(), Token: token}
	transport := &apigw.Transport{
		Base: api, Policy: apigw.RetryPolicy{InitialBackoff: time.Nanosecond, MaxBackoff: time.Nanosecond,
			MaxAttempts: 3},
		Budget: &apigw.RetryBudget{Unlimited: true}, OnAttempt: i.OnAttempt, OnRetry: i.OnRetry,
	}
	if change != nil {
		change(i)
	}
	return i, i.Wrap(proxy.New(proxy.Config{Upstream: u, Transport: transport, OnOutcome: i.OnOutcome}))
}

// A server that answers with long headers fills no more memory than promised,
// with those of refused attempts neither.
func TestLongHeadersKeepTheBoundOfMemory(t *testing.T) {
	const calls = 150
	for _, name := range []string{"X-Ca-Error-Message", "X-Ca-Error-Code", "X-Ca-Request-Id", "X-Anything"} {
		t.Run(name, func(t *testing.T) {
			n := 0
			i, handler := watched(t, func(r *http.Request) (*http.Response, error) {
				n++
				status, h := 503, http.Header{name: {fmt.Sprint(n) + strings.Repeat("x", 1<<20)}}
				if n%3 == 0 {
					status, h = 403, http.Header{"X-Ca-Error-Message": {"Unauthorized"}}
				}
				return &http.Response{StatusCode: status, ProtoMajor: 1, Header: h, Body: http.NoBody, Request: r}, nil
			}, nil)
			before := heap()
			for range calls {
				handler.ServeHTTP(httptest.NewRecorder(),
					httptest.NewRequest(http.MethodGet, "http://127.0.0.1/x", nil))
			}
			if grown := heap() - before; grown > maxBytes+(16<<20) {
				t.Errorf("%d MiB are kept, want at most %d", grown>>20, maxBytes>>20)
			}
			runtime.KeepAlive(i)
		})
	}
}

func heap() int64 {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc)
}

// The echo of a secret is on no part of the page, wherever in the request it
// stood and wherever the server put it. Bodies are what the user asked for with
// --bodies, but for the credentials.
func TestNoEchoOnThePage(t *testing.T) {
	const secret = "tops3cretappcode00"
	form := http.Header{"Content-Type": {"application/x-www-form-urlencoded"}}
	for place, c := range map[string]struct {
		target, body string
		header       http.Header
		bodies       bool // are the place itself
	}{
		"query":  {target: "/x?token=" + secret, bodies: true},
		"header": {header: http.Header{"X-My-Key": {secret}}},
		"cookie": {header: http.Header{"Cookie": {"session=" + secret}}},
		"Bearer": {header: http.Header{"Authorization": {"Bearer " + secret}}},
		"Basic":  {header: http.Header{"Authorization": {"Basic bWU6dG9wczNjcmV0YXBwY29kZTAw"}}},
		"form":   {header: form, body: "pin=" + secret, bodies: true},
		"JSON": {header: http.Header{"Content-Type": {"application/json"}},
			body: `{"pin":"` + secret + `"}`, bodies: true},
		"by a signer":               {},
		"by a signer, in the query": {},
	} {
		for _, bodies := range []bool{false, true} {
			t.Run(fmt.Sprint(place, ", bodies ", bodies), func(t *testing.T) {
				i, handler := watched(t, func(r *http.Request) (*http.Response, error) {
					sent := r.Clone(r.Context())
					if r.Body != nil {
						io.Copy(io.Discard, r.Body)
					}
					switch place {
					case "by a signer":
						sent.Header.Set("Authorization", "APPCODE "+secret)
					case "by a signer, in the query":
						sent.URL.RawQuery = "AppCode=" + secret
					}
					h := http.Header{}
					for _, name := range []string{"X-Ca-Error-Message", "X-Ca-Error-Code", "X-Ca-Request-Id",
						"Retry-After", "Server", "X-Apigw-Stop", "Location"} {
						h.Set(name, secret)
					}
					echo := `{"message":"` + secret + `"}`
					return &http.Response{
						StatusCode: 403, Status: "403 " + secret, ProtoMajor: 1, Header: h, Request: sent,
						Body: io.NopCloser(strings.NewReader(echo)), ContentLength: int64(len(echo)),
					}, nil
				}, func(i *Inspector) { i.Bodies = bodies })
				target := c.target
				if target == "" {
					target = "/x"
				}
				r := httptest.NewRequest(http.MethodPost, "http://127.0.0.1"+target, strings.NewReader(c.body))
				maps.Copy(r.Header, c.header)
				handler.ServeHTTP(httptest.NewRecorder(), r)
				d := i.ring.find(1).detail(i.explain)
				if bodies && c.bodies {
					d.RequestBody.Text, d.ResponseBody.Text = "", ""
				}
				text, err := json.Marshal(d)
				if err != nil {
					t.Fatal(err)
				}
				if strings.Contains(string(text), "tops3cret") {
					t.Errorf("the page gets %s", text)
				}
				if d.Status != 403 || len(d.Response) == 0 {
					t.Errorf("got %+v, want the answer 403", d)
				}
			})
		}
	}
}

// Nothing from the network is markup: not for a browser that would take an
// answer for a page, and not for the script.
func TestNothingFromTheNetworkIsMarkup(t *testing.T) {
	const markup = `<img src=x onerror=alert(1)>`
	i, handler := watched(t, func(r *http.Request) (*http.Response, error) {
		h := http.Header{}
		for _, name := range []string{"X-Ca-Error-Message", "X-Ca-Error-Code", "X-Ca-Request-Id", "Server", markup} {
			h[name] = []string{markup}
		}
		return &http.Response{StatusCode: 403, Status: "403 " + markup, ProtoMajor: 1, Header: h, Request: r,
			Body: io.NopCloser(strings.NewReader(markup))}, nil
	}, func(i *Inspector) { i.Bodies = true })
	r := httptest.NewRequest(http.MethodPost, "http://127.0.0.1/x", strings.NewReader(markup))
	r.Method, r.RequestURI, r.URL.Path = markup, "/"+markup, "/"+markup
	r.Header[markup], r.Header["Accept"] = []string{markup}, []string{markup}
	handler.ServeHTTP(httptest.NewRecorder(), r)
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
	defer cancel()
	for _, path := range []string{"/api/calls/1", "/api/events", "/api/config", "/metrics"} {
		r := httptest.NewRequestWithContext(ctx, http.MethodGet, "http://127.0.0.1"+path, nil)
		r.Header.Set(proxy.HeaderToken, token)
		w := httptest.NewRecorder()
		i.Handler().ServeHTTP(w, r)
		if w.Code != 200 || strings.Contains(w.Body.String(), "<") {
			t.Errorf("%s: %d %s", path, w.Code, w.Body)
		}
		for name, want := range map[string]string{"X-Content-Type-Options": "nosniff", "Cache-Control": "no-store"} {
			if got := w.Header().Get(name); got != want {
				t.Errorf("%s: %s is %q, want %q", path, name, got, want)
			}
		}
		if kind := w.Header().Get("Content-Type"); kind == "" || strings.Contains(kind, "html") {
			t.Errorf("%s: Content-Type is %q", path, kind)
		}
	}
	fs.WalkDir(static, "static", func(path string, e fs.DirEntry, err error) error {
		if err != nil || e.IsDir() {
			return err
		}
		text, err := static.ReadFile(path)
		for _, sink := range []string{"innerHTML", "outerHTML", "insertAdjacent", "document.write", "eval(",
			"Function(", "DOMParser", "srcdoc", "javascript:"} {
			if strings.Contains(string(text), sink) {
				t.Errorf("%s has %s, by which a text could become markup", path, sink)
			}
		}
		return err
	})
}

// Whoever sends a replay from another page, or without the token, sends none.
func TestReplayIsOurs(t *testing.T) {
	calls := 0
	i, handler := watched(t, func(r *http.Request) (*http.Response, error) {
		calls++
		return &http.Response{StatusCode: 200, ProtoMajor: 1, Header: http.Header{}, Body: http.NoBody, Request: r}, nil
	}, nil)
	handler.ServeHTTP(httptest.NewRecorder(), httptest.NewRequest(http.MethodPost, "http://127.0.0.1/x", nil))
	page := proxy.Guard{}.Wrap(i.Handler())
	json := http.Header{"Content-Type": {"application/json"}, proxy.HeaderToken: {token}}
	with := func(name, value string) http.Header {
		h := json.Clone()
		h.Set(name, value)
		return h
	}
	for name, c := range map[string]struct {
		method, host, body string
		header             http.Header
		want               int
	}{
		"ours": {"POST", "127.0.0.1:8078", "{}", json, 200},
		"no token": {"POST", "127.0.0.1:8078", "{}", http.Header{"Content-Type": {"application/json"}},
			401},
		"wrong token": {"POST", "127.0.0.1:8078", "{}", with(proxy.HeaderToken, "token-of-the-tesT"), 401},
		"empty token": {"POST", "127.0.0.1:8078", "{}", with(proxy.HeaderToken, ""), 401},
		"token in the query": {"POST", "127.0.0.1:8078", "{}", http.Header{"Content-Type": {"application/json"}},
			401},
		"form of another page": {"POST", "127.0.0.1:8078", "{}", with("Content-Type", "text/plain"), 415},
		"JSON with a charset": {"POST", "127.0.0.1:8078", "{}",
			with("Content-Type", "application/json;x=text/plain"), 415},
		"origin of another page": {"POST", "127.0.0.1:8078", "{}", with("Origin", "http://127.0.0.1:3000"), 403},
		"opaque origin":          {"POST", "127.0.0.1:8078", "{}", with("Origin", "null"), 403},
		"cross-site":             {"POST", "127.0.0.1:8078", "{}", with("Sec-Fetch-Site", "cross-site"), 403},
		"same site":              {"POST", "127.0.0.1:8078", "{}", with("Sec-Fetch-Site", "same-site"), 403},
		"rebinding":              {"POST", "evil.example:8078", "{}", json, 421},
		"GET":                    {"GET", "127.0.0.1:8078", "", json, 405},
		"unknown field":          {"POST", "127.0.0.1:8078", `{"host":"evil.example"}`, json, 400},
		"target of another host": {"POST", "127.0.0.1:8078", `{"target":"http://evil.example/"}`, json, 409},
		"target without a slash": {"POST", "127.0.0.1:8078", `{"target":"x"}`, json, 409},
		"target with a line":     {"POST", "127.0.0.1:8078", `{"target":"/x\r\nA: b"}`, json, 409},
		"method with a line":     {"POST", "127.0.0.1:8078", `{"method":"GET / HTTP/1.1\r\nA: b"}`, json, 409},
		"too long": {"POST", "127.0.0.1:8078", `{"body":"` + strings.Repeat("x", 2<<20) + `"}`, json,
			400},
		"second document":        {"POST", "127.0.0.1:8078", `{"method":"GET"}{"method":"PUT"}`, json, 400},
		"call that is not there": {"POST", "127.0.0.1:8078", "{}", json, 404},
	} {
		t.Run(name, func(t *testing.T) {
			path := "/api/calls/1/replay"
			switch name {
			case "token in the query":
				path += "?token=" + token
			case "call that is not there":
				path = "/api/calls/999/replay"
			}
			before := calls
			r := httptest.NewRequest(c.method, "http://"+c.host+path, strings.NewReader(c.body))
			maps.Copy(r.Header, c.header)
			w := httptest.NewRecorder()
			page.ServeHTTP(w, r)
			if w.Code != c.want || (calls > before) != (c.want == 200) {
				t.Errorf("got %d and %d calls, want %d: %s", w.Code, calls-before, c.want, w.Body)
			}
		})
	}
}

// An Inspector without a token lets nobody in.
func TestNoTokenIsNoWayIn(t *testing.T) {
	i, _ := watched(t, nil, func(i *Inspector) { i.Token = "" })
	for _, h := range []http.Header{{}, {"Authorization": {"Bearer "}}, {proxy.HeaderToken: {""}},
		{"Cookie": {"apigw_inspect_=" + i.session()}}} {
		r := httptest.NewRequest(http.MethodGet, "http://127.0.0.1/api/config?token=", nil)
		r.Header = h
		w := httptest.NewRecorder()
		i.Handler().ServeHTTP(w, r)
		if w.Code != http.StatusUnauthorized {
			t.Errorf("%v: got %d, want 401", h, w.Code)
		}
	}
}

// Events end when the page leaves, and when it stops to read.
func TestEventsEndWithThePage(t *testing.T) {
	i, _ := watched(t, nil, nil)
	ctx, leave := context.WithCancel(t.Context())
	ended := make(chan bool)
	go func() {
		i.serveEvents(httptest.NewRecorder(), httptest.NewRequestWithContext(ctx, http.MethodGet, "/api/events", nil))
		close(ended)
	}()
	leave()
	select {
	case <-ended:
	case <-time.After(5 * time.Second):
		t.Error("the events of a page that left do not end")
	}
}
