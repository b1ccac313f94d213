package main

import (
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/apigw-go/apigw/catalog"
)

// rowAnswer is a response that belongs to the row, as curl -si prints it. It is
// false for rows that another answer can look like.
func rowAnswer(e catalog.Entry) (text string, ok bool) {
	if e.Place == catalog.PlaceNowhere || e.Status < 100 {
		return "", false
	}
	message := strings.Replace(e.Fill(func(string) string { return "sample" }), "%s", "sample", 1)
	var b strings.Builder
	fmt.Fprintf(&b, "HTTP/1.1 %d %s\r\nServer: x\r\n", e.Status, http.StatusText(e.Status))
	for name, value := range e.MarkHeaders() {
		fmt.Fprintf(&b, "%s: %s\r\n", name, strings.TrimSuffix(value, "sample")) // of "text/plain*"
	}
	body := ""
	switch e.Place {
	case catalog.PlaceHeader:
		if e.Code != "" {
			fmt.Fprintf(&b, "X-Ca-Error-Code: %s\r\n", e.Code)
		}
		if message != "" {
			fmt.Fprintf(&b, "X-Ca-Error-Message: %s\r\n", message)
		}
	case catalog.PlaceBody:
		body = message
	}
	fmt.Fprintf(&b, "Content-Length: %d\r\n\r\n%s", len(body), body)
	return b.String(), true
}

// Every row of the catalog is recognised in a whole answer, whatever generation
// it belongs to.
func TestExplainRecognisesEveryRow(t *testing.T) {
	rows := 0
	for e := range catalog.All() {
		text, ok := rowAnswer(e)
		if !ok || e.NeedsProof() {
			continue
		}
		rows++
		got := runCommand([]string{"explain", "--json", "-"}, text, nil)
		x := decodeExplanation(t, got.stdout)
		if row, _ := catalog.ByID(x.ID); x.ID != e.ID &&
			(row.Class != e.Class || row.Status != e.Status || row.Message != e.Message) {
			t.Errorf("%s: got %q, exit %d\n%s", e.ID, x.ID, got.exit, text)
		}
	}
	if rows < 200 {
		t.Errorf("got %d rows, want those of all generations", rows)
	}
}

// The texts of bodies are found in logs, which have no heads.
func TestExplainFindsBodiesInLogs(t *testing.T) {
	for _, c := range []struct{ text, id string }{
		{`2026-11-25T08:00:00Z ERROR upstream said: upstream connect error or disconnect/reset before headers. reset reason: connection failure`, "envoy.connection-failure"},
		{`{"level":"error","msg":"call failed","status":503,"body":"no healthy upstream"}`,
			"envoy.no-healthy-upstream"},
		{`requests.exceptions.HTTPError: 503 Server Error: no healthy upstream`, "envoy.no-healthy-upstream"},
		{`no healthy upstream`, "envoy.no-healthy-upstream"},
		{`{"message":"client request can't be validated: Invalid signature"}`, ""},
		{`call failed: 401 {"message":"client request can't be validated: Invalid keyId"}`, ""},
		{`Request denied by Key Auth check. No Key Authentication information found.`, ""},
		{`error: Request denied by ai quota check, No quota left`, ""},
		{"< HTTP/2 503\n< server: istio-envoy\n<\nupstream connect error or disconnect/reset before headers. reset reason: overflow\n* Connection left intact", "envoy.overflow"},
		{`{"status":429,"headers":{"x-fc-request-id":"1"},"body":"{\"errorCode\":\"ResourceExhausted\",\"errorMessage\":\"too many\"}"}`, ""},
	} {
		got := runCommand([]string{"explain", "--json", "-"}, c.text, nil)
		x := decodeExplanation(t, got.stdout)
		if c.id == "" && x.ID == catalog.UnknownID || c.id != "" && x.ID != c.id || got.exit != exitOK {
			t.Errorf("%s: got %q, exit %d, want %q", c.text, x.ID, got.exit, c.id)
		}
		if x.BackendReached == "no" {
			t.Errorf("%s: got backend reached no: a body proves nothing", c.text)
		}
	}
}

// A refusal in the dress of a success is no all-clear.
func TestExplainSeesThroughTheDressOfASuccess(t *testing.T) {
	for _, c := range []struct{ text, id string }{
		{"HTTP/1.1 200 OK\nX-Fc-Error-Type: UnhandledInvocationError\n\n{}", "fc.unhandled-error"},
		{"HTTP/1.1 200 OK\nX-RateLimit-Reset: 3\nContent-Type: application/json\n\n{\"code\":-1,\"msg\":\"Too many requests\"}", "higress.too-many-requests-200"},
	} {
		got := runCommand([]string{"explain", "--json", "-"}, c.text, nil)
		if x := decodeExplanation(t, got.stdout); x.ID != c.id || len(x.Notes) == 0 {
			t.Errorf("%q: got %q, notes %q, want %q and a note", c.text, x.ID, x.Notes, c.id)
		}
	}
}
