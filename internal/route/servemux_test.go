package route_test

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"github.com/apigw-go/apigw/internal/route"
)

// both holds the same patterns in a Table and in an http.ServeMux, the
// reference.
type both struct {
	table *route.Table[int]
	mux   *http.ServeMux
	names []string // of all wildcards
	found string   // what the handler that was called says about its request
}

func newBoth() *both { return &both{table: new(route.Table[int]), mux: http.NewServeMux()} }

// add adds a pattern to both, and fails the test if only one refuses it.
func (b *both) add(t *testing.T, pattern string) {
	t.Helper()
	err := b.table.Add(pattern, 0)
	var conflict *route.ConflictError
	if err != nil && !errors.As(err, &conflict) {
		return // a Table refuses more
	}
	refusal := func() (refusal any) {
		defer func() { refusal = recover() }()
		b.mux.HandleFunc(pattern, func(_ http.ResponseWriter, r *http.Request) {
			b.found = r.Pattern
			for _, name := range b.names {
				b.found += fmt.Sprintf(" %s=%q", name, r.PathValue(name))
			}
		})
		return nil
	}()
	if (err == nil) != (refusal == nil) {
		t.Errorf("%q: got %v, want %v", pattern, err, refusal)
	}
}

// compare fails the test unless both choose the same pattern with the same path
// values. It reports false where the mux redirects, which a Table does not.
func (b *both) compare(t *testing.T, req *http.Request) bool {
	t.Helper()
	incoming := req.Clone(t.Context())
	incoming.Host, b.found = req.URL.Host, ""
	if h, _ := b.mux.Handler(incoming); fmt.Sprintf("%T", h) == "*http.redirectHandler" {
		return false
	}
	b.mux.ServeHTTP(httptest.NewRecorder(), incoming)
	got := ""
	if match, ok := b.table.Find(req); ok {
		got = match.Pattern
		for _, name := range b.names {
			got += fmt.Sprintf(" %s=%q", name, match.PathValue(name))
		}
	}
	if got != b.found {
		t.Fatalf("%s %s (path %q, raw %q): got %s, want %s", req.Method, req.URL, req.URL.Path, req.URL.RawPath, got,
			b.found)
	}
	return true
}

func TestAgreesWithServeMux(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	pick := func(from ...string) string { return from[random.IntN(len(from))] }
	compared := 0
	for range 300 {
		b := newBoth()
		b.names = []string{"x0", "x1", "x2", "r", "z"}
		for range 1 + random.IntN(12) {
			var pattern strings.Builder
			pattern.WriteString(pick("", "", "GET ", "HEAD ", "POST ") + pick("", "a.com", "b.com") + "/")
			for i := range random.IntN(4) {
				pattern.WriteString(pick("a", "b", "ab", "a%2Fb", "%61", fmt.Sprintf("{x%d}", i)) + "/")
			}
			pattern.WriteString(pick("", "", "{$}", "{r...}", "c", "{z}"))
			b.add(t, pattern.String())
		}
		for range 100 {
			var rawURL strings.Builder
			rawURL.WriteString("http://" + pick("a.com", "a.com:80", "b.com", "c.com") + "/")
			for range random.IntN(5) {
				rawURL.WriteString(pick("a", "b", "ab", "a%2Fb", "%61", "c", "%E4%B8%AD", "a b") + "/")
			}
			rawURL.WriteString(pick("", "c", "a", "b", "%2F", "..", "?q=/a"))
			if b.compare(t, outgoing(t, pick("GET", "HEAD", "POST", "PUT"), rawURL.String())) {
				compared++
			}
		}
	}
	if compared < 20_000 {
		t.Errorf("got %d comparisons, want most of 30000", compared)
	}
}

func FuzzTable(f *testing.F) {
	f.Add("GET a.com/a/{x}", "a.com/{y...}", "/a/{$}", "GET", "a.com/a/b")
	f.Add("/a%2Fb/{x}", "POST /", "/{a}/{b}/", "POST", "h/a%2Fb/%7B")
	f.Add("/{$}", "b.com/", "HEAD /%zz", "HEAD", "b.com:80/%252F/ /")
	f.Add("/", " 0 /", "/0", "GET", "h/0")
	f.Fuzz(func(t *testing.T, p1, p2, p3, method, rawURL string) {
		u, err := url.Parse("http://" + rawURL)
		if err != nil || method == "" || method == http.MethodConnect || u.Host == "" ||
			u.Host != strings.ToLower(u.Host) ||
			strings.ContainsAny(u.Host, "[]") || strings.Count(u.Host, ":") > 1 ||
			strings.HasSuffix(u.Hostname(), ".") {
			return // where the two differ
		}
		b := newBoth()
		b.names = []string{"x", "y", "a", "b"}
		for _, pattern := range []string{p1, p2, p3} {
			host, _, _ := strings.Cut(pattern, "/")
			onlyMethod := host == strings.ToUpper(host) && strings.HasSuffix(host, " ")
			if onlyMethod || host == strings.ToLower(host) && !strings.HasSuffix(host, ".") {
				b.add(t, pattern)
			}
		}
		b.compare(t, &http.Request{Method: method, URL: u})
	})
}
