package route_test

import (
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"testing"

	"github.com/apigw-go/apigw/internal/route"
)

// outgoing is a request as a program writes it down.
func outgoing(t testing.TB, method, rawURL string) *http.Request {
	t.Helper()
	u, err := url.Parse(rawURL)
	if err != nil {
		t.Fatal(err)
	}
	return &http.Request{Method: method, URL: u}
}

func tableOf(t testing.TB, patterns ...string) *route.Table[int] {
	t.Helper()
	table := new(route.Table[int])
	for i, pattern := range patterns {
		if err := table.Add(pattern, i); err != nil {
			t.Fatal(err)
		}
	}
	return table
}

func TestFind(t *testing.T) {
	patterns := []string{
		"/",
		"GET /",
		"api.example.com/",
		"api.example.com/orders/",
		"GET api.example.com/orders/{id}",
		"GET api.example.com/orders/new",
		"POST api.example.com/orders/{id}/items/{$}",
		"api.example.com/files/{path...}",
		"Files.Example.com/a%2Fb/{x}",
		"dot.example.com./x",
		"[::1]/v6",
	}
	table := tableOf(t, patterns...)
	for _, tt := range []struct{ name, method, url, want string }{
		{"host before none", "PUT", "https://api.example.com/x", "api.example.com/"},
		{"other host", "PUT", "https://other.example.com/x", "/"},
		{"method before none", "GET", "https://other.example.com/x", "GET /"},
		{"HEAD is GET", "HEAD", "https://other.example.com/x", "GET /"},
		{"empty method is GET", "", "https://other.example.com/x", "GET /"},
		{"method in small letters is another", "get", "https://other.example.com/x", "/"},
		{"no path is the root", "PUT", "https://api.example.com", "api.example.com/"},
		{"query does not count", "PUT", "https://api.example.com?/orders/", "api.example.com/"},
		{"port does not count", "PUT", "https://api.example.com:8443/x", "api.example.com/"},
		{"empty port does not count", "PUT", "https://api.example.com:/x", "api.example.com/"},
		{"host in capitals", "PUT", "https://API.Example.COM/x", "api.example.com/"},
		{"host with a dot", "PUT", "https://api.example.com./x", "api.example.com/"},
		{"host with a dot and a port", "PUT", "https://API.example.com.:443/x", "api.example.com/"},
		{"pattern with a dot", "PUT", "https://dot.example.com/x", "dot.example.com./x"},
		{"pattern in capitals", "PUT", "https://files.example.com/a%2Fb/c", "Files.Example.com/a%2Fb/{x}"},
		{"IPv6", "PUT", "http://[::1]/v6", "[::1]/v6"},
		{"IPv6 with port", "PUT", "http://[::1]:80/v6", "[::1]/v6"},
		{"below", "PUT", "https://api.example.com/orders/7/items", "api.example.com/orders/"},
		{"not redirected", "PUT", "https://api.example.com/orders", "api.example.com/"},
		{"literal before wildcard", "GET", "https://api.example.com/orders/new", "GET api.example.com/orders/new"},
		{"wildcard", "GET", "https://api.example.com/orders/7", "GET api.example.com/orders/{id}"},
		{"wildcard is one segment", "GET", "https://api.example.com/orders/7/x", "api.example.com/orders/"},
		{"escaped slash is no separator", "GET", "https://api.example.com/orders/7%2Fx",
			"GET api.example.com/orders/{id}"},
		{"escaped letter", "GET", "https://api.example.com/order%73/new", "GET api.example.com/orders/new"},
		{"exactly the slash", "POST", "https://api.example.com/orders/7/items/",
			"POST api.example.com/orders/{id}/items/{$}"},
		{"nothing after the slash", "POST", "https://api.example.com/orders/7/items/8", "api.example.com/orders/"},
		{"the rest", "GET", "https://api.example.com/files/a/b//c", "api.example.com/files/{path...}"},
		{"the rest is empty", "GET", "https://api.example.com/files/", "api.example.com/files/{path...}"},
		{"path is not cleaned", "PUT", "https://api.example.com/x/../orders/7", "api.example.com/"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got, ok := table.Find(outgoing(t, tt.method, tt.url))
			if got.Pattern != tt.want || !ok || patterns[got.Value] != tt.want {
				t.Errorf("got %q, %d, %t, want %q", got.Pattern, got.Value, ok, tt.want)
			}
		})
	}
}

func TestFindTakesTheHostOfTheRequest(t *testing.T) {
	table := tableOf(t, "a.example.com/", "b.example.com/")
	req := outgoing(t, "GET", "https://a.example.com/")
	req.Host = "b.example.com:443"
	if got, _ := table.Find(req); got.Pattern != "b.example.com/" {
		t.Errorf("got %q, want that of Request.Host", got.Pattern)
	}
}

// A URL with Opaque is sent as that, not as its Path.
func TestFindTakesTheOpaquePath(t *testing.T) {
	table := tableOf(t, "/", "/a/{x}", "/a%2Fb/{$}")
	for _, tt := range []struct{ opaque, want string }{
		{"//h/a/b%2Fc", "/a/{x}"},
		{"//h/a%2Fb/", "/a%2Fb/{$}"},
		{"/a/b?x=/y", "/a/{x}"},
		{"//h", "/"},
		{"///a/b", "/a/{x}"},
		{"/a/%zz", "/a/{x}"},
		{"", "/"},
	} {
		req := &http.Request{URL: &url.URL{Scheme: "http", Host: "h", Opaque: tt.opaque}}
		if got, _ := table.Find(req); got.Pattern != tt.want {
			t.Errorf("%q: got %q, want %q", tt.opaque, got.Pattern, tt.want)
		}
	}
}

func TestFindWithoutMatch(t *testing.T) {
	for _, tt := range []struct {
		name  string
		table *route.Table[int]
		url   *url.URL
	}{
		{"no pattern", tableOf(t, "/a", "b.example.com/"), &url.URL{Host: "h", Path: "/b"}},
		{"empty table", new(route.Table[int]), &url.URL{Path: "/"}},
		{"no URL", tableOf(t, "/"), nil},
		{"longer than a name can be", tableOf(t, "a.example.com/"),
			&url.URL{Host: fmt.Sprintf("%0300d", 1), Path: "/"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if got, ok := tt.table.Find(&http.Request{URL: tt.url}); ok {
				t.Errorf("got %q, want none", got.Pattern)
			}
		})
	}
}

func TestPathValues(t *testing.T) {
	for _, tt := range []struct {
		pattern, url string
		want         map[string]string
	}{
		{"/", "http://h/a", map[string]string{}},
		{"/a/{$}", "http://h/a/", map[string]string{}},
		{"/a/{x}/{y}", "http://h/a/%E4%B8%AD/2%2F3", map[string]string{"x": "中", "y": "2/3"}},
		{"/a%2Fb/{x}/", "http://h/a%2Fb/c/d", map[string]string{"x": "c"}},
		{"/{x}/{rest...}", "http://h/a/b%2Fc//d/", map[string]string{"x": "a", "rest": "b/c//d/"}},
		{"/{x}/{rest...}", "http://h/a/", map[string]string{"x": "a", "rest": ""}},
		{"/{rest...}", "http://h/", map[string]string{"rest": ""}},
		{"/{rest...}", "http://h", map[string]string{"rest": ""}},
	} {
		t.Run(tt.pattern, func(t *testing.T) {
			match, ok := tableOf(t, tt.pattern).Find(outgoing(t, "GET", tt.url))
			if got := maps.Collect(match.PathValues()); !ok || !maps.Equal(got, tt.want) {
				t.Errorf("got %q, %t, want %q", got, ok, tt.want)
			}
			if got := match.PathValue("x"); got != tt.want["x"] {
				t.Errorf("x: got %q, want %q", got, tt.want["x"])
			}
		})
	}
}

// twoHundred are the patterns of a program with many services.
func twoHundred(t testing.TB) *route.Table[int] {
	var patterns []string
	for i := range 40 {
		host := fmt.Sprintf("service-%d.api.example.com", i)
		patterns = append(patterns, host+"/", "GET "+host+"/v1/orders/{id}", "POST "+host+"/v1/orders",
			host+"/v1/orders/{id}/items/{item}", fmt.Sprintf("/v%d/status", i))
	}
	return tableOf(t, patterns...)
}

var manyCases = []struct{ name, method, url, want string }{
	{"literal", "POST", "https://service-7.api.example.com/v1/orders", "POST service-7.api.example.com/v1/orders"},
	{"wildcards", "PUT", "https://service-7.api.example.com:8443/v1/orders/42/items/1",
		"service-7.api.example.com/v1/orders/{id}/items/{item}"},
	{"prefix", "HEAD", "https://service-7.api.example.com/v2/orders/42/items/1", "service-7.api.example.com/"},
	{"any host", "GET", "https://other.example.com/v7/status", "/v7/status"},
	{"escaped", "GET", "https://Service-7.api.example.com/v1/orders/a%2Fb",
		"GET service-7.api.example.com/v1/orders/{id}"},
	{"none", "GET", "https://other.example.com/v1/orders/42", ""},
}

func TestFindAllocatesNothing(t *testing.T) {
	table := twoHundred(t)
	for _, tt := range manyCases {
		t.Run(tt.name, func(t *testing.T) {
			req := outgoing(t, tt.method, tt.url)
			if match, _ := table.Find(req); match.Pattern != tt.want {
				t.Fatalf("got %q, want %q", match.Pattern, tt.want)
			}
			if got := testing.AllocsPerRun(100, func() { table.Find(req) }); got != 0 {
				t.Errorf("got %v allocations, want 0", got)
			}
		})
	}
}

func BenchmarkFind(b *testing.B) {
	table := twoHundred(b)
	for _, tt := range manyCases {
		b.Run(tt.name, func(b *testing.B) {
			req := outgoing(b, tt.method, tt.url)
			b.ReportAllocs()
			for b.Loop() {
				table.Find(req)
			}
		})
	}
}
