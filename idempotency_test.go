package apigw

import (
	"net/http"
	"testing"
)

func TestIdempotent(t *testing.T) {
	for _, c := range []struct {
		method, header, value string
		idempotent, below     bool
	}{
		{method: "", idempotent: true, below: true},
		{method: "GET", idempotent: true, below: true},
		{method: "HEAD", idempotent: true, below: true},
		{method: "OPTIONS", idempotent: true, below: true},
		{method: "TRACE", idempotent: true, below: true},
		{method: "PUT", idempotent: true},
		{method: "DELETE", idempotent: true},
		{method: "POST"},
		{method: "PATCH"},
		{method: "get"},
		{method: "CONNECT"},
		{"POST", "Idempotency-Key", "k", true, true},
		{"POST", "x-idempotency-key", "k", true, true},
		{"PUT", "Idempotency-Key", "k", true, true},
		// A key that a template left empty says nothing to the backend.
		{"POST", "Idempotency-Key", "", false, true},
		{"POST", "X-Idempotency-Key", " ", false, true},
		{"POST", "Idempotency-Key", `""`, false, true},
		{"POST", "Idempotency-Key", `" "`, false, true},
		{"POST", "Idempotency-Key", `"k"`, true, true},
		{"POST", "Idempotency-Keys", "k", false, false},
	} {
		req := &http.Request{Method: c.method, Header: http.Header{}}
		if c.header != "" {
			req.Header[c.header] = []string{c.value}
		}
		if got := idempotent(req); got != c.idempotent {
			t.Errorf("%q with %q: idempotent %v, want %v", c.method, c.header, got, c.idempotent)
		}
		if got := replayedBelow(req); got != c.below {
			t.Errorf("%q with %q: replayed by net/http %v, want %v", c.method, c.header, got, c.below)
		}
	}
}
