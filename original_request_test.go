package apigw

import (
	"context"
	"io"
	"net/http"
	"net/url"
	"reflect"
	"strings"
	"testing"
)

func arrivingRequest(t testing.TB) *http.Request {
	req := newRequest(t, http.MethodPut, "order")
	req.Header["X-Two"] = []string{"a", "b"}
	req.Header["User-Agent"] = nil // net/http sends none then
	req.Header["x-odd"] = []string{"c"}
	return req
}

// Whatever a Base does to the request, it comes back as it was.
func TestArrivedRequestIsRestored(t *testing.T) {
	for name, change := range map[string]func(*http.Request){
		"header set":      func(r *http.Request) { r.Header.Set("X-Ca-Nonce", "n1") },
		"header added to": func(r *http.Request) { r.Header.Add("X-Two", "c") },
		"header deleted":  func(r *http.Request) { delete(r.Header, "x-odd") },
		"value changed":   func(r *http.Request) { r.Header["X-Two"][1] = "c" },
		"names exchanged": func(r *http.Request) { delete(r.Header, "x-odd"); r.Header["X-Odd"] = []string{"c"} },
		"header nil":      func(r *http.Request) { r.Header = nil },
		"path":            func(r *http.Request) { r.URL.Path = "/v1" + r.URL.Path },
		"query":           func(r *http.Request) { r.URL.RawQuery = "" },
		"another URL":     func(r *http.Request) { r.URL = &url.URL{Scheme: "http", Host: "elsewhere.example"} },
		"URL nil":         func(r *http.Request) { r.URL = nil },
		"host":            func(r *http.Request) { r.Host = "elsewhere.example" },
		"method":          func(r *http.Request) { r.Method = http.MethodPost },
		"body taken":      func(r *http.Request) { r.Body = nil },
		"GetBody taken":   func(r *http.Request) { r.GetBody = nil },
		"length":          func(r *http.Request) { r.ContentLength = 7 },
		"another one in its place": func(r *http.Request) {
			*r = *r.WithContext(context.WithValue(r.Context(), requestKey{}, &perRequest{}))
		},
	} {
		t.Run(name, func(t *testing.T) {
			req := arrivingRequest(t)
			want := req.Clone(req.Context())
			var a originalRequest
			a.note(req, roundTripFunc(nil))
			defer a.release()
			for range 2 { // a copy can be changed as well
				change(req)
				restored := a.restored(req)
				if restored == req {
					t.Fatal("the change was not seen")
				}
				body, err := restored.GetBody()
				if err != nil {
					t.Fatal(err)
				}
				if b, _ := io.ReadAll(body); string(b) != "order" {
					t.Errorf("body %q, want order", b)
				}
				if !reflect.DeepEqual(restored.Header, want.Header) || *restored.URL != *want.URL ||
					restored.Host != want.Host ||
					restored.Method != want.Method || restored.ContentLength != want.ContentLength ||
					!hasBody(restored) ||
					restored.Context() != want.Context() {
					t.Errorf("got  %+v\nwant %+v", restored, want)
				}
				req = restored
			}
		})
	}
}

func TestArrivedRequestThatNobodyChanged(t *testing.T) {
	for name, base := range map[string]http.RoundTripper{"a foreign Base": roundTripFunc(nil),
		"net/http": &http.Transport{}} {
		req := arrivingRequest(t)
		var a originalRequest
		a.note(req, base)
		if a.restored(req) != req {
			t.Errorf("%s: got a copy, want the request itself", name)
		}
		a.release()
	}
}

// Contexts of any type can be compared.
type listContext struct {
	context.Context
	list []int
}

func TestArrivedRequestWithAnOddContext(t *testing.T) {
	req := arrivingRequest(t)
	req = req.WithContext(listContext{req.Context(), []int{1}})
	var a originalRequest
	a.note(req, roundTripFunc(nil))
	defer a.release()
	if a.restored(req) != req {
		t.Error("got a copy, want the request itself")
	}
}

func TestArrivingAllocatesNothing(t *testing.T) {
	if raceEnabled {
		return // a pool forgets on purpose then
	}
	req := arrivingRequest(t)
	for i := range 40 {
		req.Header["X-"+strings.Repeat("a", i)] = []string{"v"}
	}
	base := roundTripFunc(nil)
	got := testing.AllocsPerRun(1000, func() {
		var a originalRequest
		a.note(req, base)
		a.release()
	})
	if got > 0 {
		t.Errorf("%v allocations, want none", got)
	}
}

// Notes are used again, so nothing of a request may stay in them.
func TestNotesForget(t *testing.T) {
	n := new(headerNotes)
	n.note(http.Header{"Authorization": {"APPCODE tops3cret"}})
	names, values := n.names, n.values
	n.clear()
	if names[0] != "" || values[0] != "" {
		t.Errorf("the notes still hold %q: %q", names[0], values[0])
	}
}
