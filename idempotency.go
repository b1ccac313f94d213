package apigw

import "net/http"

// idempotent reports whether a request may run twice: by its method (RFC 9110
// section 9.2.2), or because it carries a key by which the backend recognises
// a retry, as net/http judges it.
func idempotent(req *http.Request) bool {
	switch req.Method {
	case "", http.MethodGet, http.MethodHead, http.MethodPut, http.MethodDelete,
		http.MethodOptions, http.MethodTrace:
		return true
	}
	return hasIdempotencyKey(req.Header)
}

func hasIdempotencyKey(h http.Header) bool {
	return hasHeader(h, "Idempotency-Key") || hasHeader(h, "X-Idempotency-Key")
}

// replayedBelow reports whether http.Transport retries such a request by
// itself on a connection that dies, with the same nonce and without a trace.
func replayedBelow(req *http.Request) bool {
	if req.Body != nil && req.Body != http.NoBody && req.GetBody == nil {
		return false
	}
	switch req.Method {
	case "", http.MethodGet, http.MethodHead, http.MethodOptions, http.MethodTrace:
		return true
	}
	return hasIdempotencyKey(req.Header)
}
