package main

import (
	"strings"
	"testing"
)

// "No error" needs a status below 400 and no mark of one; what is not enough to
// say is not said.
func TestExplainNeverGivesAFalseAllClear(t *testing.T) {
	const id = "X-Ca-Request-Id: 7AD052CB-EE8B-4DFD-BBAF-EFB340E0A5AF\n"
	for _, c := range []struct {
		name, text      string
		id, retry, note string
		exit            int
	}{
		{name: "request id alone", text: id, id: "unknown", retry: "unknown", exit: exitUnknown},
		{name: "status of CGI", text: "Status: 503 Service Unavailable\n" + id, id: "unknown", retry: "retry",
			exit: exitUnknown},
		{name: "bare 403", text: "HTTP/1.1 403 Forbidden\n" + id + "\n", id: "unknown", retry: "unknown",
			exit: exitUnknown},
		{name: "bare 404", text: "HTTP/1.1 404 Not Found\n\n", id: "unknown", retry: "no", exit: exitUnknown},
		{name: "message OK alone", text: "X-Ca-Error-Message: OK\n", id: "unknown", retry: "unknown",
			exit: exitUnknown},
		{name: "other headers alone", text: "Server: Kaede/3.5.3.800\nContent-Length: 0\n", id: "unknown",
			retry: "unknown", exit: exitUnknown},
		{name: "success with a code", text: "HTTP/1.1 200 OK\nX-Ca-Error-Code: D503CB\n\n", id: "D503CB",
			retry: "unknown", note: "contradiction"},
		{name: "success with a known text", text: "HTTP/1.1 200 OK\nX-Ca-Error-Message: Quota Exhausted\n\n",
			id: "classic.quota-exhausted", retry: "unknown", note: "contradiction"},
		{name: "success with another text", text: "HTTP/1.1 200 OK\nX-Ca-Error-Message: cached\n\n", id: "unknown",
			retry: "unknown", note: "contradiction", exit: exitUnknown},
		{name: "redirect with a code", text: "HTTP/1.1 302 Found\nX-Ca-Error-Code: T429PR\n\n", id: "T429PR",
			retry: "unknown", note: "contradiction"},
		{name: "success with a reason phrase", text: "HTTP/1.1 201 Created\nX-Ca-Error-Message: Created\n\n",
			id: "none", retry: "no"},
		{name: "success", text: "HTTP/1.1 200 OK\nX-Ca-Error-Message: OK\n\n{}", id: "none", retry: "no"},
		{name: "success behind an error",
			text: "HTTP/1.1 503 S\nX-Ca-Error-Code: D503CB\nContent-Length: 0\n\nHTTP/1.1 200 OK\n\n", id: "none",
			retry: "no", note: "earlier answer"},
		{name: "backend's 404", text: "HTTP/1.1 404 Not Found\nX-Ca-Error-Message: Not Found\n\n{}", id: "unknown",
			retry: "no", note: "reason phrase", exit: exitUnknown},
		{name: "binary", text: "\x00\x01\x02\xff\xfe", id: "unknown", retry: "unknown", exit: exitUnknown},
	} {
		t.Run(c.name, func(t *testing.T) {
			got := runCommand([]string{"explain", "--json", "-"}, c.text, nil)
			x := decodeExplanation(t, got.stdout)
			if x.ID != c.id || x.Retry != c.retry || got.exit != c.exit {
				t.Errorf("got id %q, retry %q, exit %d, want %q, %q, %d", x.ID, x.Retry, got.exit, c.id, c.retry,
					c.exit)
			}
			if notes := strings.Join(x.Notes, "; "); c.note == "" && notes != "" || !strings.Contains(notes, c.note) {
				t.Errorf("notes: got %q, want %q in them", notes, c.note)
			}
		})
	}
}

func TestBareStatusListsTheCandidatesByClass(t *testing.T) {
	x := decodeExplanation(t, runCommand([]string{"explain", "--json", "403"}, "", nil).stdout)
	classes := map[string]bool{}
	for _, c := range x.Candidates {
		classes[c.Class] = len(c.IDs) > 0
	}
	for _, class := range []string{"throttled", "quota", "billing", "auth", "access-control"} {
		if !classes[class] {
			t.Errorf("got %v, want %s among them", x.Candidates, class)
		}
	}
	if x.Origin != "unknown" {
		t.Errorf("origin: got %q, want unknown: nobody is blamed", x.Origin)
	}
}

// The phrase of a status is no misspelling of a row.
func TestReasonPhrasesAreNotCorrected(t *testing.T) {
	got := runCommand([]string{"explain", "-"}, "HTTP/1.1 404 Not Found\nX-Ca-Error-Message: Not Found\n\n{}", nil)
	if got.stderr != "" {
		t.Errorf("got %q, want no suggestion", got.stderr)
	}
}
