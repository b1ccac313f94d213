package main

import (
	"net/http"
	"slices"
	"strings"
)

// brokenMarks are what programs say of a transfer that ended too early, in lower
// case: Go, Python, Node and browsers, Java.
var brokenMarks = []string{"unexpected eof", "incompleteread", "incomplete_chunked", "premature close",
	"premature end", "premature eof", "connection reset", "econnreset"}

// brokenLines begin the line that curl and this command write behind a body.
var brokenLines = []string{"\ncurl: (", "\napigw call: the body broke off"}

// unfinished reports whether a text that has a status of success tells that the
// call did not end with it.
func unfinished(q question) bool {
	a := &q.answer
	if a.Status <= 0 || a.Status >= 400 {
		return false
	}
	if a.Status < 200 && a.Status != http.StatusSwitchingProtocols {
		return true
	}
	text := strings.ToLower(q.report.Text)
	// The answer of a proxy to CONNECT. What follows in the tunnel counts.
	if a.Status == http.StatusOK && len(a.Header) == 0 && strings.Contains(text, " 200 connection established") {
		return true
	}
	// What stands before the answer is about an earlier call.
	for range statusLine(q) - 1 {
		_, text, _ = strings.Cut(text, "\n")
	}
	// A body may speak of anything, but for a line that ends it.
	return containsAny(text, brokenLines) ||
		containsAny(strings.Replace(text, strings.ToLower(string(a.Body)), "", 1), brokenMarks)
}

func containsAny(text string, marks []string) bool {
	return slices.ContainsFunc(marks, func(mark string) bool { return strings.Contains(text, mark) })
}

// statusLine is the line in which the status stands, 1 where nobody knows.
func statusLine(q question) int {
	for _, f := range q.answer.Facts {
		if f.Name == "status" {
			return max(f.Place.Line, 1)
		}
	}
	return 1
}
