package apigw

import "net/http"

// sendOnce sends req through base. A signer that could send again by itself is
// asked not to: the Transport decides on retries, counts and shows them.
func sendOnce(base http.RoundTripper, req *http.Request) (*http.Response, error) {
	if s, ok := base.(interface {
		SendOnce(*http.Request) (*http.Response, error)
	}); ok {
		return s.SendOnce(req)
	}
	return base.RoundTrip(req)
}

// renews reports that base gives each attempt of req a nonce of its own, as
// signer.Signer does.
func renews(base http.RoundTripper, req *http.Request) bool {
	r, ok := base.(interface{ Renews(*http.Request) bool })
	return ok && r.Renews(req)
}

// closeIdle closes the connections of base that carry no request, if it can.
func closeIdle(base http.RoundTripper) {
	if c, ok := base.(interface{ CloseIdleConnections() }); ok {
		c.CloseIdleConnections()
	}
}
