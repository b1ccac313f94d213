package apigw

import (
	"net/http"
	"strings"
	"unicode"
)

// Both names are in use; net/http knows them, too.
const (
	headerIdempotencyKey  = "Idempotency-Key"
	headerXIdempotencyKey = "X-Idempotency-Key"
)

// idempotent reports whether a request may run twice: by its method (RFC 9110
// section 9.2.2), or because it carries a key by which the backend recognises a
// retry. A key without a value is none.
func idempotent(req *http.Request) bool {
	switch req.Method {
	case "", http.MethodGet, http.MethodHead, http.MethodPut, http.MethodDelete,
		http.MethodOptions, http.MethodTrace:
		return true
	}
	return hasKey(req.Header, headerIdempotencyKey) || hasKey(req.Header, headerXIdempotencyKey)
}

// hasKey reports whether a key has a value. It can stand in quotes: it is a string
// of RFC 8941 in draft-ietf-httpapi-idempotency-key-header, section 2.1.
func hasKey(h http.Header, name string) bool {
	return strings.TrimFunc(headerValue(h, name), quoteOrBlank) != ""
}

func quoteOrBlank(r rune) bool { return r == '"' || r == '\'' || unicode.IsSpace(r) }

// replayedBelow reports whether http.Transport sends such a request again by
// itself on a connection that dies, with the same nonce and without a trace. A
// key counts there even without a value.
func replayedBelow(req *http.Request) bool {
	if hasBody(req) && req.GetBody == nil {
		return false
	}
	switch req.Method {
	case "", http.MethodGet, http.MethodHead, http.MethodOptions, http.MethodTrace:
		return true
	}
	return hasHeader(req.Header, headerIdempotencyKey) || hasHeader(req.Header, headerXIdempotencyKey)
}
