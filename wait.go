package apigw

import (
	"errors"
	"net/http"
	"time"
)

// wait sleeps, unless the context ends first, or the request is cancelled; it
// returns the cause then.
func wait(req *http.Request, d time.Duration) error {
	ctx := req.Context()
	if ctx.Err() == nil && d > 0 {
		timer := time.NewTimer(d)
		defer timer.Stop()
		select {
		case <-timer.C:
		case <-ctx.Done():
		//lint:ignore SA1019 net/http obeys it, and so must a Transport
		case <-req.Cancel:
		}
	}
	switch {
	case ctx.Err() != nil:
		return causeOf(ctx)
	case cancelled(req):
		return errCancelled
	}
	return nil
}

var errCancelled = errors.New("net/http: request canceled")

// cancelled reports whether Request.Cancel was closed, which older programs use
// in place of a context.
func cancelled(req *http.Request) bool {
	select {
	//lint:ignore SA1019 net/http obeys it, and so must a Transport
	case <-req.Cancel:
		return true
	default:
		return false
	}
}
