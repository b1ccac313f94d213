package apigw

import (
	"cmp"
	"net/http"

	"github.com/apigw-go/apigw/catalog"
	"github.com/apigw-go/apigw/internal/redact"
	"github.com/apigw-go/apigw/internal/resign"
)

// failure is an Error with what goes with it, in one allocation.
type failure struct {
	Error
	context errorContext // carries the Error if it is attached to a response
	room    [1]Attempt   // most failing requests have one attempt
}

// newFailure describes an attempt of req that Base gave an error for, or that
// did not come about. touched is the request with what the Base added
// to it in place, nil if it added nothing.
func newFailure(req, touched *http.Request, err error) *failure {
	f := failureOf(req)
	f.Err = err
	f.Entry, f.Origin, f.Reached = catalog.NoResponse(), OriginNone, catalog.ReachedMaybe
	f.secrets = redact.Of(req, touched)
	if notSent(req, err) {
		f.Reached = catalog.ReachedNo
	}
	return f
}

// newRefusal describes an attempt that was answered with a failure. seen is what
// the response shows.
func newRefusal(req, touched *http.Request, resp *http.Response, seen received) *failure {
	f := failureOf(req)
	f.classify(seen)
	f.secrets = redact.Of(req, touched, resp.Request)
	if f.Message != "" { // which can echo what a form or JSON held
		f.secrets.AddBody(cmp.Or(resp.Request, req))
	}
	if note := resign.FromResponse(resp); note != nil {
		f.withheld = note.Withheld
	}
	if resp.Request != nil && resp.Request.Response != req.Response {
		// Something below followed a redirect, so an earlier link did run.
		f.Reached = catalog.ReachedMaybe
	}
	return f
}

func failureOf(req *http.Request) *failure {
	f := &failure{Error: Error{Method: cmp.Or(req.Method, http.MethodGet)}}
	if req.URL != nil {
		f.Host, f.Path = req.URL.Host, req.URL.Path
	}
	return f
}
