package apigw

import (
	"cmp"
	"net/http"

	"github.com/apigw-go/apigw/catalog"
)

// describe fills e from what one attempt came to.
func (e *Error) describe(req *http.Request, resp *http.Response, err error) {
	*e = Error{Method: cmp.Or(req.Method, http.MethodGet), Err: err}
	if req.URL != nil {
		e.Host, e.Path = req.URL.Host, req.URL.Path
	}
	if resp == nil {
		e.Entry, e.Origin, e.Reached = catalog.NoResponse(), OriginNone, catalog.ReachedMaybe
		if notConnected(req, err) {
			e.Reached = catalog.ReachedNo
		}
		return
	}
	e.classify(resp.StatusCode, resp.Header)
	if resp.Request != nil && resp.Request.Response != req.Response {
		// Something below followed a redirect, so an earlier link did run.
		e.Reached = catalog.ReachedMaybe
	}
	if e.Message != "" && e.Entry.ID == catalog.UnknownID {
		e.shown = showUnknown(e.Message, secretsOf(req, resp)...)
	}
}
