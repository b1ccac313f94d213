package apigw

import (
	"fmt"
	"math/rand/v2"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// outgoing is a request as a program writes it down.
func outgoing(t testing.TB, method, rawURL string) *http.Request {
	t.Helper()
	u, err := url.Parse(rawURL)
	if err != nil {
		t.Fatal(err)
	}
	return (&http.Request{Method: method, URL: u, Header: http.Header{}}).WithContext(t.Context())
}

func servicesOf(t testing.TB, patterns ...string) *Services {
	t.Helper()
	p := Policies{Services: map[string]RetryPolicy{}}
	for _, pattern := range patterns {
		p.Services[pattern] = RetryPolicy{}
	}
	s := new(Services)
	if err := s.Set(p); err != nil {
		t.Fatal(err)
	}
	return s
}

func TestServicesMatch(t *testing.T) {
	services := servicesOf(t,
		"/",
		"GET /",
		"api.example.com/",
		"api.example.com/orders/",
		"GET api.example.com/orders/{id}",
		"GET api.example.com/orders/new",
		"POST api.example.com/orders/{id}/items/{$}",
		"api.example.com/files/{path...}",
		"Files.Example.com/a%2Fb/{x}",
		"[::1]/v6",
	)
	for _, tt := range []struct{ name, method, url, want string }{
		{"host before none", "PUT", "https://api.example.com/x", "api.example.com/"},
		{"other host", "PUT", "https://other.example.com/x", "/"},
		{"method before none", "GET", "https://other.example.com/x", "GET /"},
		{"HEAD is GET", "HEAD", "https://other.example.com/x", "GET /"},
		{"empty method is GET", "", "https://other.example.com/x", "GET /"},
		{"no path is the root", "PUT", "https://api.example.com", "api.example.com/"},
		{"query does not count", "PUT", "https://api.example.com?/orders/", "api.example.com/"},
		{"port does not count", "PUT", "https://api.example.com:8443/x", "api.example.com/"},
		{"host in capitals", "PUT", "https://API.Example.COM/x", "api.example.com/"},
		{"pattern in capitals", "PUT", "https://files.example.com/a%2Fb/c", "Files.Example.com/a%2Fb/{x}"},
		{"IPv6", "PUT", "http://[::1]/v6", "[::1]/v6"},
		{"IPv6 with port", "PUT", "http://[::1]:80/v6", "[::1]/v6"},
		{"below", "PUT", "https://api.example.com/orders/7/items", "api.example.com/orders/"},
		{"not redirected", "PUT", "https://api.example.com/orders", "api.example.com/"},
		{"literal before wildcard", "GET", "https://api.example.com/orders/new", "GET api.example.com/orders/new"},
		{"wildcard", "GET", "https://api.example.com/orders/7", "GET api.example.com/orders/{id}"},
		{"wildcard is one segment", "GET", "https://api.example.com/orders/7/x", "api.example.com/orders/"},
		{"escaped slash is no separator", "GET", "https://api.example.com/orders/7%2Fx", "GET api.example.com/orders/{id}"},
		{"exactly the slash", "POST", "https://api.example.com/orders/7/items/", "POST api.example.com/orders/{id}/items/{$}"},
		{"nothing after the slash", "POST", "https://api.example.com/orders/7/items/8", "api.example.com/orders/"},
		{"the rest", "GET", "https://api.example.com/files/a/b//c", "api.example.com/files/{path...}"},
		{"the rest is empty", "GET", "https://api.example.com/files/", "api.example.com/files/{path...}"},
		{"path is not cleaned", "PUT", "https://api.example.com/x/../orders/7", "api.example.com/"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if _, got, ok := services.Match(outgoing(t, tt.method, tt.url)); got != tt.want || !ok {
				t.Errorf("got %q, %t, want %q", got, ok, tt.want)
			}
		})
	}
}

func TestServicesMatchTheHostOfTheRequest(t *testing.T) {
	services := servicesOf(t, "a.example.com/", "b.example.com/")
	req := outgoing(t, "GET", "https://a.example.com/")
	req.Host = "b.example.com:443"
	if _, got, _ := services.Match(req); got != "b.example.com/" {
		t.Errorf("got %q, want that of Request.Host", got)
	}
}

func TestServicesWithoutMatch(t *testing.T) {
	withDefault := new(Services)
	if err := withDefault.Set(Policies{Default: &RetryPolicy{MaxAttempts: 9}, Services: map[string]RetryPolicy{"/a": {}}}); err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		name     string
		services *Services
		url      *url.URL
		want     int
		ok       bool
	}{
		{"default", withDefault, &url.URL{Path: "/b"}, 9, true},
		{"no default", servicesOf(t, "/a"), &url.URL{Path: "/b"}, 0, false},
		{"zero", new(Services), &url.URL{Path: "/b"}, 0, false},
		{"nil", nil, &url.URL{Path: "/b"}, 0, false},
		{"no URL", servicesOf(t, "/"), nil, 0, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			policy, pattern, ok := tt.services.Match(&http.Request{URL: tt.url})
			if policy.MaxAttempts != tt.want || pattern != "" || ok != tt.ok {
				t.Errorf("got %d, %q, %t, want %d, \"\", %t", policy.MaxAttempts, pattern, ok, tt.want, tt.ok)
			}
		})
	}
}

func TestServicesRefuse(t *testing.T) {
	for _, tt := range []struct {
		name     string
		patterns []string
		want     string
	}{
		{"empty", []string{""}, `a pattern has a path: write "/" for a host, "/" for a path`},
		{"no path", []string{"POST api.example.com"}, `a pattern has a path: write "api.example.com/" for a host, "/api.example.com" for a path`},
		{"scheme", []string{"https://api.example.com/"}, `a pattern has no scheme: leave out "https://"`},
		{"port", []string{"api.example.com:443/"}, `host "api.example.com:443": a pattern names no port, it holds for all of them: write "api.example.com"`},
		{"blank before the method", []string{" GET /"}, `a pattern does not begin with a blank: write "GET /"`},
		{"wildcard in host", []string{"*.example.com/"}, `host "*.example.com": there are no wildcards in hosts, name each one`},
		{"method in small letters", []string{"get /"}, `method "get": methods are in capitals, write "GET"`},
		{"not clean", []string{"/a//b/"}, `path "/a//b/" is not clean: write "/a/b/"`},
		{"dots", []string{"/a/../b"}, `path "/a/../b" is not clean: write "/b"`},
		{"query", []string{"GET a.example.com/orders?x=1"}, `path "/orders?x=1": patterns know neither query nor fragment, write "/orders"`},
		{"fragment", []string{"/orders#top"}, `path "/orders#top": patterns know neither query nor fragment, write "/orders"`},
		{"user", []string{"me@a.example.com/"}, `host "me@a.example.com": a pattern names no user, write "a.example.com"`},
		{"bad method", []string{"G@T /"}, `at offset 0: invalid method "G@T"`},
		{"bad wildcard", []string{"/a{x}"}, `at offset 1: bad wildcard segment (must start with '{')`},
		{"rest in the middle", []string{"/{x...}/a"}, `at offset 1: {...} wildcard not at end`},
		{"same", []string{"/{a}", "/{b}"}, `service "/{b}": conflicts with "/{a}": /{b} matches the same requests as /{a}`},
		{"same but for capitals", []string{"A.example.com/", "a.example.com/"}, `service "a.example.com/": conflicts with "A.example.com/": a.example.com/ matches the same requests as a.example.com/`},
		{"neither more specific", []string{"/a/{x}", "/{y}/b"}, `service "/{y}/b": conflicts with "/a/{x}": /{y}/b and /a/{x} both match some paths, like "/a/b": take one out, or make it more specific`},
		{"method against path", []string{"/a", "GET /{x}"}, `service "GET /{x}": conflicts with "/a": GET /{x} matches fewer methods than /a, but has a more general path pattern`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			p := Policies{Services: map[string]RetryPolicy{}}
			for _, pattern := range tt.patterns {
				p.Services[pattern] = RetryPolicy{}
			}
			err := new(Services).Set(p)
			if err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("got %v, want %s", err, tt.want)
			}
		})
	}
}

func TestServicesKeepWhatWasInForce(t *testing.T) {
	services := servicesOf(t, "/a")
	err := services.Set(Policies{
		Default:  &RetryPolicy{MaxAttempts: -1},
		Services: map[string]RetryPolicy{"/b": {BackoffMultiplier: 0.5}, "c": {}},
	})
	for _, want := range []string{"default policy: MaxAttempts is -1", `service "/b": BackoffMultiplier is 0.5`, `service "c": a pattern has a path`} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want it to hold %s", err, want)
		}
	}
	if _, got, _ := services.Match(outgoing(t, "GET", "http://h/a")); got != "/a" {
		t.Errorf("got %q, want the pattern from before", got)
	}
}

func TestServicesKeepNothingOfTheCaller(t *testing.T) {
	codes := []int{503}
	services := new(Services)
	if err := services.Set(Policies{Services: map[string]RetryPolicy{"/": {RetryableStatusCodes: codes}}}); err != nil {
		t.Fatal(err)
	}
	codes[0] = 500
	got, _, _ := services.Match(outgoing(t, "GET", "http://h/"))
	got.RetryableStatusCodes[0]++
	if got, _, _ = services.Match(outgoing(t, "GET", "http://h/")); !slices.Equal(got.RetryableStatusCodes, []int{503}) {
		t.Errorf("got %v, want [503]", got.RetryableStatusCodes)
	}
}

func TestPolicyPrecedence(t *testing.T) {
	services := new(Services)
	if err := services.Set(Policies{Services: map[string]RetryPolicy{"GET a.example.com/": {MaxAttempts: 2}}}); err != nil {
		t.Fatal(err)
	}
	tr := &Transport{Policy: RetryPolicy{MaxAttempts: 3}, Services: services}
	chosen := outgoing(t, "GET", "http://a.example.com/")
	for _, tt := range []struct {
		name string
		req  *http.Request
		want int
	}{
		{"Policy", outgoing(t, "GET", "http://b.example.com/"), 3},
		{"Services before Policy", chosen, 2},
		{"WithPolicy before Services", chosen.WithContext(WithPolicy(t.Context(), RetryPolicy{MaxAttempts: 5})), 5},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if got, _ := tr.policyFor(tt.req); got.MaxAttempts != tt.want {
				t.Errorf("got %d attempts, want %d", got.MaxAttempts, tt.want)
			}
		})
	}
}

func TestRequestInFlightKeepsItsPolicy(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		services := new(Services)
		set := func(attempts int) {
			if err := services.Set(Policies{Services: map[string]RetryPolicy{"/": {MaxAttempts: attempts}}}); err != nil {
				t.Fatal(err)
			}
		}
		set(3)
		attempts := 0
		tr := &Transport{Services: services, Base: roundTripFunc(func(req *http.Request) (*http.Response, error) {
			attempts++
			return &http.Response{StatusCode: 503, Header: http.Header{}, Body: http.NoBody, Request: req}, nil
		})}
		tr.OnRetry = func(*http.Request, Attempt, time.Duration) { set(1) }
		for _, want := range []int{3, 1} {
			attempts = 0
			resp, err := tr.RoundTrip(outgoing(t, "GET", "http://h/"))
			if err != nil {
				t.Fatal(err)
			}
			resp.Body.Close()
			if attempts != want {
				t.Errorf("got %d attempts, want %d", attempts, want)
			}
		}
	})
}

func TestServicesAreReplacedWhileInUse(t *testing.T) {
	services := servicesOf(t, "/")
	tr := &Transport{Services: services, Base: roundTripFunc(func(req *http.Request) (*http.Response, error) {
		return &http.Response{StatusCode: 200, Header: http.Header{}, Body: http.NoBody, Request: req}, nil
	})}
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			for range 200 {
				if _, err := tr.RoundTrip(outgoing(t, "GET", "http://h/a")); err != nil {
					t.Error(err)
				}
				if _, _, ok := services.Match(outgoing(t, "GET", "http://h/a")); !ok {
					t.Error("got no policy, want always one")
				}
			}
		})
	}
	for i := range 200 {
		p := Policies{Services: map[string]RetryPolicy{"/": {MaxAttempts: 1 + i%3}, fmt.Sprintf("/%d", i): {}}}
		if err := services.Set(p); err != nil {
			t.Error(err)
		}
	}
	wg.Wait()
}

// agree fails the test unless services and mux, which hold the same patterns,
// choose the same one. It reports false where mux redirects, which services do
// not.
func agree(t *testing.T, table *serviceTable, mux *http.ServeMux, req *http.Request) bool {
	t.Helper()
	incoming := *req
	incoming.Host = req.URL.Host
	h, want := mux.Handler(&incoming)
	if fmt.Sprintf("%T", h) == "*http.redirectHandler" {
		return false
	}
	got := ""
	if s := table.find(req); s != nil {
		got = s.pattern
	}
	if got != want {
		t.Fatalf("%s %s (path %q, raw %q): got %q, want %q of %q",
			req.Method, req.URL, req.URL.Path, req.URL.RawPath, got, want, table.patterns)
	}
	return true
}

// addBoth adds a pattern to both, and fails the test if only one refuses it.
func addBoth(t *testing.T, table *serviceTable, mux *http.ServeMux, pattern string) {
	t.Helper()
	err := table.add(pattern, RetryPolicy{})
	if err != nil && !strings.Contains(err.Error(), "conflicts") {
		return // refuses more than mux does
	}
	refusal := func() (refusal any) {
		defer func() { refusal = recover() }()
		mux.Handle(pattern, http.NotFoundHandler())
		return nil
	}()
	if (err == nil) != (refusal == nil) {
		t.Errorf("%q: got %v, want %v", pattern, err, refusal)
	}
}

func TestServicesAgreeWithServeMux(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	pick := func(from ...string) string { return from[random.IntN(len(from))] }
	compared := 0
	for range 300 {
		table, mux := newServiceTable(), http.NewServeMux()
		for range 1 + random.IntN(12) {
			var pattern strings.Builder
			pattern.WriteString(pick("", "", "GET ", "HEAD ", "POST ") + pick("", "a.com", "b.com") + "/")
			for i := range random.IntN(4) {
				pattern.WriteString(pick("a", "b", "ab", "a%2Fb", "%61", fmt.Sprintf("{x%d}", i)) + "/")
			}
			pattern.WriteString(pick("", "", "{$}", "{r...}", "c", "{z}"))
			addBoth(t, table, mux, pattern.String())
		}
		for range 200 {
			var rawURL strings.Builder
			rawURL.WriteString("http://" + pick("a.com", "a.com:80", "b.com", "c.com") + "/")
			for range random.IntN(5) {
				rawURL.WriteString(pick("a", "b", "ab", "a%2Fb", "%61", "c", "%E4%B8%AD", "a b") + "/")
			}
			rawURL.WriteString(pick("", "c", "a", "b", "%2F", "..", "?q=/a"))
			if agree(t, table, mux, outgoing(t, pick("GET", "HEAD", "POST", "PUT"), rawURL.String())) {
				compared++
			}
		}
	}
	if compared < 40_000 {
		t.Errorf("got %d comparisons, want most of 60000", compared)
	}
}

func FuzzServices(f *testing.F) {
	f.Add("GET a.com/a/{x}", "a.com/{y...}", "/a/{$}", "GET", "a.com/a/b")
	f.Add("/a%2Fb/{x}", "POST /", "/{a}/{b}/", "POST", "h/a%2Fb/%7B")
	f.Add("/{$}", "b.com/", "HEAD /%zz", "HEAD", "b.com:80/%252F/ /")
	f.Add("/", " 0 /", "/0", "GET", "h/0")
	f.Fuzz(func(t *testing.T, p1, p2, p3, method, rawURL string) {
		u, err := url.Parse("http://" + rawURL)
		if err != nil || method == "" || method == http.MethodConnect || u.Host == "" || u.Host != strings.ToLower(u.Host) ||
			strings.ContainsAny(u.Host, "[]") || strings.Count(u.Host, ":") > 1 {
			return // where the two differ
		}
		table, mux := newServiceTable(), http.NewServeMux()
		for _, pattern := range []string{p1, p2, p3} {
			if pattern == strings.ToLower(pattern) || !strings.Contains(pattern, ".") {
				addBoth(t, table, mux, pattern)
			}
		}
		agree(t, table, mux, &http.Request{Method: method, URL: u})
	})
}

// twoHundred are the patterns of a program with many services.
func twoHundred(t testing.TB) *Services {
	var patterns []string
	for i := range 40 {
		host := fmt.Sprintf("service-%d.api.example.com", i)
		patterns = append(patterns, host+"/", "GET "+host+"/v1/orders/{id}", "POST "+host+"/v1/orders",
			host+"/v1/orders/{id}/items/{item}", fmt.Sprintf("/v%d/status", i))
	}
	return servicesOf(t, patterns...)
}

var servicesCases = []struct{ name, method, url, want string }{
	{"literal", "POST", "https://service-7.api.example.com/v1/orders", "POST service-7.api.example.com/v1/orders"},
	{"wildcards", "PUT", "https://service-7.api.example.com:8443/v1/orders/42/items/1", "service-7.api.example.com/v1/orders/{id}/items/{item}"},
	{"prefix", "HEAD", "https://service-7.api.example.com/v2/orders/42/items/1", "service-7.api.example.com/"},
	{"any host", "GET", "https://other.example.com/v7/status", "/v7/status"},
	{"escaped", "GET", "https://Service-7.api.example.com/v1/orders/a%2Fb", "GET service-7.api.example.com/v1/orders/{id}"},
	{"none", "GET", "https://other.example.com/v1/orders/42", ""},
}

func TestServicesAllocateNothing(t *testing.T) {
	if raceEnabled {
		t.Log("the race detector allocates by itself")
		return
	}
	services := twoHundred(t)
	for _, tt := range servicesCases {
		t.Run(tt.name, func(t *testing.T) {
			req := outgoing(t, tt.method, tt.url)
			if got := testing.AllocsPerRun(100, func() { services.find(req) }); got != 0 {
				t.Errorf("got %v allocations, want 0", got)
			}
		})
	}
}

func BenchmarkServices(b *testing.B) {
	services := twoHundred(b)
	for _, tt := range servicesCases {
		b.Run(tt.name, func(b *testing.B) {
			req := outgoing(b, tt.method, tt.url)
			if _, got, _ := services.Match(req); got != tt.want {
				b.Fatalf("got %q, want %q", got, tt.want)
			}
			b.ReportAllocs()
			for b.Loop() {
				services.find(req)
			}
		})
	}
}
