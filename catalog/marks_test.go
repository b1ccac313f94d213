package catalog

import (
	"maps"
	"testing"
)

func TestMarks(t *testing.T) {
	type header = map[string][]string
	for _, c := range []struct {
		mark   string
		header header
		empty  bool
		want   bool
	}{
		{"x-a", header{"X-A": {"1"}}, false, true},
		{"x-a", header{"X-A": {" "}}, false, false},
		{"x-a", nil, false, false},
		{"!x-a", nil, false, true},
		{"!x-a", header{"x-A": {"1"}}, false, false},
		{"!x-a", header{"x-A": {""}}, false, true},
		{"x-a: one", header{"X-A": {"ONE"}}, false, true},
		{"x-a: one", header{"X-A": {"one more"}}, false, false},
		{"x-a: one*", header{"X-A": {"One more"}}, false, true},
		{"x-a: one|two", header{"X-A": {"two"}}, false, true},
		{"x-a: one|two", header{"X-A": {"three"}}, false, false},
		{"x-a; !x-b", header{"X-A": {"1"}}, false, true},
		{"x-a; !x-b", header{"X-A": {"1"}, "X-B": {"1"}}, false, false},
		{"empty-body", nil, true, true},
		{"empty-body", header{"Empty-Body": {"1"}}, false, false},
		{"x-a: two", header{"X-A": {"one", "two"}}, false, true},
	} {
		if got := fulfilled(parseMark(c.mark), c.header, c.empty); got != c.want {
			t.Errorf("%q of %v, empty %v: got %v, want %v", c.mark, c.header, c.empty, got, c.want)
		}
	}
}

func TestMarkHeaders(t *testing.T) {
	for mark, want := range map[string]map[string]string{
		"":                              nil,
		"!x-a; empty-body":              nil,
		"x-a; server: one|two; !x-b":    {"x-a": "1", "server": "one"},
		"www-authenticate: Key realm=*": {"www-authenticate": "Key realm=sample"},
	} {
		e := Entry{Mark: mark}
		if got := e.MarkHeaders(); !maps.Equal(got, want) {
			t.Errorf("%q: got %v, want %v", mark, got, want)
		}
	}
}
