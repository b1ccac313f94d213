package apigw

import (
	"io"
	"net/http"
)

func hasBody(req *http.Request) bool { return req.Body != nil && req.Body != http.NoBody }

// closeBody closes the body of a request that no Base got.
func closeBody(req *http.Request) {
	if req.Body != nil {
		closeWithin(req.Body)
	}
}

// withBody returns a copy of req that shares all but the body.
func withBody(req *http.Request, body io.ReadCloser) *http.Request {
	next := new(http.Request)
	*next = *req
	next.Body = body
	return next
}
