package route_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/apigw-go/apigw/internal/route"
)

func TestAddRefuses(t *testing.T) {
	for _, tt := range []struct {
		name     string
		patterns []string // the last one is refused
		want     string
	}{
		{"empty", []string{""}, `a pattern has a path: write "/" for a host, "/" for a path`},
		{"no path", []string{"POST api.example.com"},
			`a pattern has a path: write "api.example.com/" for a host, "/api.example.com" for a path`},
		{"scheme", []string{"https://api.example.com/"}, `a pattern has no scheme: leave out "https://"`},
		{"port", []string{"api.example.com:443/"},
			`host "api.example.com:443": a pattern names no port, it holds for all of them: write "api.example.com"`},
		{"dot and port", []string{"api.example.com.:443/"}, `host "api.example.com.:443": a pattern names no port`},
		{"blank before the method", []string{" GET /"}, `a pattern does not begin with a blank: write "GET /"`},
		{"wildcard in host", []string{"*.example.com/"},
			`host "*.example.com": there are no wildcards in hosts, name each one`},
		{"method in small letters", []string{"get /"}, `method "get": methods are in capitals, write "GET"`},
		{"not clean", []string{"/a//b/"}, `path "/a//b/" is not clean: write "/a/b/"`},
		{"dots", []string{"/a/../b"}, `path "/a/../b" is not clean: write "/b"`},
		{"query", []string{"GET a.example.com/orders?x=1"},
			`path "/orders?x=1": patterns know neither query nor fragment, write "/orders"`},
		{"fragment", []string{"/orders#top"},
			`path "/orders#top": patterns know neither query nor fragment, write "/orders"`},
		{"user", []string{"me@a.example.com/"},
			`host "me@a.example.com": a pattern names no user, write "a.example.com"`},
		{"blank in the path", []string{"/a b/c"}, `a path has no blank: write "/a%20b/c"`},
		{"bad escape", []string{"/100%/x"}, `path "/100%/x": invalid URL escape "%/x": write %25 for a percent sign`},
		{"bad method", []string{"G@T /"}, `at offset 0: invalid method "G@T"`},
		{"bad wildcard", []string{"/a{x}"}, `at offset 1: bad wildcard segment (must start with '{')`},
		{"rest in the middle", []string{"/{x...}/a"}, `at offset 1: {...} wildcard not at end`},
		{"the same name twice", []string{"/{x}/{x}"}, `duplicate wildcard name "x"`},
		{"same", []string{"/{a}", "/{b}"}, `conflicts with "/{a}": /{b} matches the same requests as /{a}`},
		{"same but for capitals", []string{"A.example.com/", "a.example.com/"},
			`conflicts with "A.example.com/": a.example.com/ matches the same requests as a.example.com/`},
		{"same but for the dot", []string{"a.example.com/", "a.example.com./"}, `conflicts with "a.example.com/"`},
		{"same but for the blanks", []string{"GET  /a", "GET /a"}, `conflicts with "GET  /a"`},
		{"neither more specific", []string{"/a/{x}", "/z", "/{y}/b"},
			`conflicts with "/a/{x}": /{y}/b and /a/{x} both match some paths, like "/a/b": take one out, or make it`},
		{"method against path", []string{"/a", "GET /{x}"},
			`conflicts with "/a": GET /{x} matches fewer methods than /a, but has a more general path pattern`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			last := len(tt.patterns) - 1
			table := tableOf(t, tt.patterns[:last]...)
			err := table.Add(tt.patterns[last], last)
			if err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Fatalf("got %v, want %s", err, tt.want)
			}
			if strings.Contains(err.Error(), "registered at") {
				t.Errorf("got %v, want no place in the source of this program", err)
			}
			var conflict *route.ConflictError
			if errors.As(err, &conflict) != (last > 0) || last > 0 && conflict.With != tt.patterns[0] {
				t.Errorf("got the conflict %+v, want with %q", conflict, tt.patterns[:last])
			}
		})
	}
}

// What is refused leaves nothing behind that a later pattern could conflict
// with, or that a request could find.
func TestRefusedPatternLeavesNothing(t *testing.T) {
	table := tableOf(t, "/a/{x}")
	if table.Add("/{y}/b", 1) == nil {
		t.Fatal("got no conflict")
	}
	if err := table.Add("/{y}/c/d", 2); err != nil {
		t.Errorf("got %v, want no conflict with what was refused", err)
	}
	if match, ok := table.Find(outgoing(t, "GET", "http://h/z/b")); ok {
		t.Errorf("got %q, want nothing", match.Pattern)
	}
}

func TestAddRefusesTooManyPatternsOfAHost(t *testing.T) {
	table := new(route.Table[int])
	for i := range route.MaxPerHost {
		if err := table.Add(fmt.Sprintf("/p%d/", i), i); err != nil {
			t.Fatal(err)
		}
	}
	err := table.Add("/one-more", 0)
	if err == nil || !strings.HasPrefix(err.Error(), "there are 4096 patterns without a host already") {
		t.Errorf("got %v, want a fault that names the most", err)
	}
	if err := table.Add("a.example.com/", 0); err != nil {
		t.Errorf("got %v, want a count per host", err)
	}
}
