package apigw

import (
	"net/http"
	"strings"
)

// Headers of the gateway.
// https://www.alibabacloud.com/help/en/api-gateway/latest/troubleshooting
const (
	headerErrorCode    = "X-Ca-Error-Code"
	headerErrorMessage = "X-Ca-Error-Message"
	headerRequestID    = "X-Ca-Request-Id"

	headerNonce = "X-Ca-Nonce" // of a request
	headerKey   = "X-Ca-Key"   // of a request

	// Envoy sets it on answers of the backend only, never on its own: source
	// of its router filter, onUpstreamHeaders.
	headerServiceTime = "X-Envoy-Upstream-Service-Time"
)

// requestIDHeaders carry the id of a request, the gateway's own first: classic
// and VPC-type instances, the newer generations, Function Compute, and the
// tracing of Alibaba Cloud.
var requestIDHeaders = [...]string{headerRequestID, "X-Request-Id", "X-Fc-Request-Id", "Eagleeye-Traceid"}

// requestIDOf returns the id to give to support, empty if there is none.
func requestIDOf(h http.Header) string {
	// One look at the names tells which are there: most answers have one or none.
	var there [len(requestIDHeaders)]bool
	for k := range h {
		for i, name := range requestIDHeaders {
			there[i] = there[i] || len(k) == len(name) && strings.EqualFold(k, name)
		}
	}
	for i, name := range requestIDHeaders {
		if !there[i] {
			continue
		}
		if id := headerValue(h, name); id != "" {
			return id
		}
	}
	return ""
}

// headerValue returns the first value of a header that is not blank, trimmed.
// Name is in canonical form; the header may be spelled in any letter case,
// since SDKs and stubs do not always keep to it.
func headerValue(h http.Header, name string) string {
	if values, ok := h[name]; ok {
		if v := firstValue(values); v != "" {
			return v
		}
	}
	key, value := "", "" // of several spellings the first in order counts
	for k, values := range h {
		if len(k) == len(name) && strings.EqualFold(k, name) && (key == "" || k < key) {
			if v := firstValue(values); v != "" {
				key, value = k, v
			}
		}
	}
	return value
}

// maxValues of a header are looked at: a server may send a million.
const maxValues = 8

func firstValue(values []string) string {
	for _, v := range values[:min(len(values), maxValues)] {
		if v = strings.TrimSpace(v); v != "" {
			return v
		}
	}
	return ""
}

// hasSeveral reports whether one of the headers has more than one value, other
// than blank ones and the same again, in any letter case of its name.
func hasSeveral(h http.Header, names ...string) bool {
	first := make([]string, len(names)) // of each name
	for k, values := range h {
		for n, name := range names {
			if len(k) != len(name) || !strings.EqualFold(k, name) {
				continue
			}
			for i, v := range values {
				switch v = strings.TrimSpace(v); {
				case i == maxValues, v != "" && first[n] != "" && v != first[n]:
					return true
				case v != "":
					first[n] = v
				}
			}
		}
	}
	return false
}

// hasHeader reports whether h has name, in any letter case.
func hasHeader(h http.Header, name string) bool {
	if _, ok := h[name]; ok {
		return true
	}
	for k := range h {
		if len(k) == len(name) && strings.EqualFold(k, name) {
			return true
		}
	}
	return false
}
