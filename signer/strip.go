package signer

import "net/http"

// strip takes all that is for the gateway off a request for a host that must
// not see it.
func (s *Signer) strip(req *http.Request) {
	for key := range req.Header {
		if hasPrefixFold(key, "X-Ca-") {
			delete(req.Header, key)
		}
	}
	if s.AppCode != "" {
		s.stripAppCode(req)
	}
}
