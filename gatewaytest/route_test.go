package gatewaytest_test

import (
	"crypto/tls"
	"fmt"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/apigw-go/apigw/catalog"
	"github.com/apigw-go/apigw/gatewaytest"
)

// tellRoute is a backend that says what a ServeMux would tell it.
var tellRoute = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
	fmt.Fprintf(w, "%s id=%s rest=%s", r.Pattern, r.PathValue("id"), r.PathValue("rest"))
})

func TestRoutesMatchThePathOnTheWire(t *testing.T) {
	open := func(pattern string) gatewaytest.Route {
		return gatewaytest.Route{Pattern: pattern, Auth: gatewaytest.AuthNone, Backend: tellRoute}
	}
	g := &gatewaytest.Gateway{Dialect: catalog.GenerationVPC, Routes: []gatewaytest.Route{
		open("/items/{id}"), open("GET /items/new"), open("/tree/"), open("/files/{id}/{rest...}"), open("/exact/{$}"),
		open("/public/"),
		open("other.example.com/"), {Pattern: "/admin/"},
	}}
	for _, tt := range []struct{ method, target, want string }{
		{"GET", "/items/1", "/items/{id} id=1 rest="},
		{"GET", "/items/b%2Fc", "/items/{id} id=b/c rest="},
		{"GET", "/items/%E4%BD%A0", "/items/{id} id=你 rest="},
		{"GET", "/items/new", "GET /items/new id= rest="},
		{"HEAD", "/items/new", "GET /items/new id= rest="},
		{"POST", "/items/new", "/items/{id} id=new rest="},
		{"GET", "/items/a/b", "404"},
		{"GET", "/tree//a/../b", "/tree/ id= rest="},
		{"GET", "/tree", "404"},
		{"GET", "/files/1/a/b%2Fc/d", "/files/{id}/{rest...} id=1 rest=a/b/c/d"},
		{"GET", "/exact/", "/exact/{$} id= rest="},
		{"GET", "/exact/more", "404"},
		{"GET", "http://OTHER.example.com:80/x", "other.example.com/ id= rest="},
		// The route with the Auth is the one that the path is below.
		{"GET", "/admin/..%2Fpublic/x", "400"},
		{"GET", "/admin/../public/x", "400"},
		{"GET", "/public/..%2Fadmin/x", "/public/ id= rest="},
	} {
		t.Run(tt.method+" "+tt.target, func(t *testing.T) {
			w := httptest.NewRecorder()
			g.ServeHTTP(w, httptest.NewRequest(tt.method, tt.target, nil))
			got := w.Body.String()
			if w.Code != 200 {
				got = fmt.Sprint(w.Code)
			}
			if got != tt.want {
				t.Errorf("got %q, want %q", got, tt.want)
			}
		})
	}
}

func TestBasePath(t *testing.T) {
	for _, base := range []string{"/v1", "/v1/"} {
		g := &gatewaytest.Gateway{Dialect: catalog.GenerationVPC, BasePath: base, Routes: []gatewaytest.Route{
			{Pattern: "/items/{id}", Auth: gatewaytest.AuthNone, Backend: tellRoute}}}
		for target, want := range map[string]string{
			"/v1/items/a%2Fb": "/items/{id} id=a/b rest=", "/items/a": "404", "/v10/items/a": "404", "/v1": "404",
			"/v1items/a": "404",
		} {
			w := httptest.NewRecorder()
			g.ServeHTTP(w, httptest.NewRequest("GET", target, nil))
			if got := w.Body.String(); got != want && fmt.Sprint(w.Code) != want {
				t.Errorf("%s: got %d %q, want %s", target, w.Code, got, want)
			}
		}
	}
}

func TestHTTPSOnly(t *testing.T) {
	for dialect, want := range map[catalog.Generation]string{
		catalog.GenerationClassic: "400 Invalid Url",
		catalog.GenerationVPC:     "403 I403PT Invalid protocol http unsupported",
	} {
		g := &gatewaytest.Gateway{Dialect: dialect, Routes: []gatewaytest.Route{{Pattern: "/",
			Auth: gatewaytest.AuthNone, HTTPSOnly: true}}}
		r := httptest.NewRequest("GET", "/items", nil)
		for encrypted, want := range map[bool]string{false: want, true: served} {
			r.TLS = nil
			if encrypted {
				r.TLS = new(tls.ConnectionState)
			}
			w := httptest.NewRecorder()
			g.ServeHTTP(w, r)
			if got := show(w.Result()); got != want {
				t.Errorf("TLS %v: got %s, want %s", encrypted, got, want)
			}
		}
	}
}

func TestTrailers(t *testing.T) {
	for name, rt := range map[string]gatewaytest.Route{
		"streamed": {}, "held": {Script: []gatewaytest.Outcome{{DripBytes: 3}}},
	} {
		for _, declared := range []bool{true, false} {
			rt.Pattern, rt.Auth = "/", gatewaytest.AuthNone
			rt.Backend = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				key := "X-Sum"
				if declared {
					w.Header().Set("Trailer", key)
				} else {
					key = http.TrailerPrefix + key
				}
				fmt.Fprint(w, "body of a request with ", r.Trailer.Get("X-In"))
				w.(http.Flusher).Flush()
				w.Header().Set(key, "42")
			})
			t.Run(fmt.Sprintf("%s/declared %v", name, declared), func(t *testing.T) {
				eachKind(t, func(t *testing.T, start func(http.Handler) *gatewaytest.Server, _ int) {
					s := start(&gatewaytest.Gateway{Routes: []gatewaytest.Route{rt}})
					defer s.Close()
					req, err := http.NewRequest("POST", s.URL, &oneByteAtATime{"abc"})
					if err != nil {
						t.Fatal(err)
					}
					req.Trailer = http.Header{"X-In": {"in"}}
					resp, err := s.Client().Do(req)
					if err != nil {
						t.Fatal(err)
					}
					defer resp.Body.Close()
					if got, want := show(resp), "200 body of a request with in"; got != want {
						t.Errorf("got %q, want %q", got, want)
					}
					if got := resp.Trailer.Get("X-Sum"); got != "42" {
						t.Errorf("trailer: got %q, want 42", got)
					}
				})
			})
		}
	}
}
