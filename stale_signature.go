package apigw

import (
	"maps"
	"net/http"
	"strings"
)

// staleSignature is what the caller's signer put into a request. A hook that
// signs afresh must not find it there: signers that sign every X-Ca-* header
// would sign the old signature, too, and the gateway does not.
// https://www.alibabacloud.com/help/en/api-gateway, request signatures
type staleSignature http.Header

// takeSignature takes the signature out of h.
func takeSignature(h http.Header) staleSignature {
	var stale staleSignature
	for name, values := range h {
		if strings.EqualFold(name, "X-Ca-Signature") || strings.EqualFold(name, "X-Ca-Signature-Headers") {
			if stale == nil {
				stale = staleSignature{}
			}
			stale[name] = values
			delete(h, name)
		}
	}
	return stale
}

// putBack gives a request that the hook did not sign the signature that it had.
func (s staleSignature) putBack(req *http.Request) {
	if len(s) == 0 || headerValue(req.Header, "X-Ca-Signature") != "" {
		return
	}
	if req.Header == nil {
		req.Header = http.Header{}
	}
	maps.Copy(req.Header, s)
}
