package apigw

import (
	"cmp"
	"net/http"
	"strings"

	"github.com/apigw-go/apigw/catalog"
	"github.com/apigw-go/apigw/internal/redact"
)

// failure is an Error with what goes with it, in one allocation.
type failure struct {
	Error
	context errorContext // carries the Error if it is attached to a response
	room    [1]Attempt   // most failing requests have one attempt
}

// newFailure describes what one attempt of req came to: a response of 400 or
// above, or the error of a Base. touched is the request with what the Base added
// to it in place, nil if it added nothing.
func newFailure(req, touched *http.Request, resp *http.Response, err error) *failure {
	f := &failure{Error: Error{Method: cmp.Or(req.Method, http.MethodGet), Err: err}}
	if req.URL != nil {
		f.Host, f.Path = req.URL.Host, req.URL.Path
	}
	if resp == nil {
		f.noResponse()
		f.secrets = redact.Of(req, touched)
		if notSent(req, err) {
			f.Reached = catalog.ReachedNo
		}
		return f
	}
	_, reason, _ := strings.Cut(resp.Status, " ")
	f.classify(received{status: resp.StatusCode, header: resp.Header, reason: reason})
	f.secrets = redact.Of(req, touched, resp.Request)
	if resp.Request != nil && resp.Request.Response != req.Response {
		// Something below followed a redirect, so an earlier link did run.
		f.Reached = catalog.ReachedMaybe
	}
	return f
}

// noResponse describes an Error where no status and no header say anything.
func (f *failure) noResponse() {
	f.Entry, f.Origin, f.Reached = catalog.NoResponse(), OriginNone, catalog.ReachedMaybe
}
