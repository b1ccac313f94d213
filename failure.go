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
		e.Entry, e.Origin, e.Reached = &noResponse, OriginNone, catalog.ReachedMaybe
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

// noResponse stands where no status and no header tell anything.
var noResponse = catalog.Entry{
	ID: catalog.UnknownID, Retry: catalog.RetrySoon, Reached: catalog.ReachedMaybe,
	ReachedWhy: "no response arrived",
	Meaning:    catalog.Text{EN: "no response arrived", ZH: "没有收到响应"},
	Remedy:     catalog.Text{EN: "look at the cause", ZH: "查看具体原因"},
}
