package main

import (
	"bytes"
	"strings"
	"testing"
	"time"
)

// A line shows no query that somebody wrote into the path, and ends no line.
func TestRequestLogShowsNoQuery(t *testing.T) {
	for path, want := range map[string]string{
		"/v1/x": "/v1/x  ", "/v1/x?token=tops3cret": "/v1/x?…  ", "/v1/x;id=tops3cret": "/v1/x;…  ", "/a\nGET /b": "/a\ufffdGET /b  ",
		"/" + strings.Repeat("x", 5000): "x…  ",
	} {
		var out bytes.Buffer
		l := &requestLog{in: &invocation{stderr: &out}}
		l.write("GET", path, "200", time.Now())
		if got := out.String(); !strings.Contains(got, want) || strings.Contains(got, "tops3cret") || strings.Count(got, "\n") != 1 {
			t.Errorf("%q: got %q, want %q in it", path, got, want)
		}
	}
}
