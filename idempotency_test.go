package apigw

import (
	"net/http"
	"testing"
)

func TestIdempotent(t *testing.T) {
	for _, c := range []struct {
		method, header    string
		idempotent, below bool
	}{
		{"", "", true, true}, {"GET", "", true, true}, {"HEAD", "", true, true}, {"OPTIONS", "", true, true}, {"TRACE", "", true, true},
		{"PUT", "", true, false}, {"DELETE", "", true, false}, {"POST", "", false, false}, {"PATCH", "", false, false},
		{"get", "", false, false}, {"CONNECT", "", false, false},
		{"POST", "Idempotency-Key", true, true}, {"POST", "x-idempotency-key", true, true}, {"PUT", "Idempotency-Key", true, true},
	} {
		req := &http.Request{Method: c.method, Header: http.Header{}}
		if c.header != "" {
			req.Header[c.header] = nil
		}
		if got := idempotent(req); got != c.idempotent {
			t.Errorf("%q with %q: idempotent %v, want %v", c.method, c.header, got, c.idempotent)
		}
		if got := replayedBelow(req); got != c.below {
			t.Errorf("%q with %q: replayed by net/http %v, want %v", c.method, c.header, got, c.below)
		}
	}
}
