package apigw

import (
	"net/http"
	"sync/atomic"
)

// answered says that a Transport got a response over HTTP/1, so that its Base may
// keep a connection. HTTP/2 sends again only what the server did not process, and
// a response of no version comes from no connection.
type answered struct{ atomic.Bool }

func (a *answered) note(resp *http.Response) {
	if resp.ProtoMajor == 1 && !resp.Close && !a.Load() { // the flag is shared by all who send
		a.Store(true)
	}
}

// doubt returns err, of base, so that it proves nothing if net/http may have
// sent req before: on a kept connection that died under a request which may run
// twice, it dials and sends it again by itself, and returns the error of that
// dial. A server that crashes looks like this. Any Base may send through
// net/http, so that of another one only its own word counts.
func (a *answered) doubt(base http.RoundTripper, req *http.Request, err error) error {
	t, ok := base.(*http.Transport)
	switch {
	case !a.Load() || !replayedBelow(req) || !notSent(req, err):
	case ok && t.DisableKeepAlives || !ok && vouchesNotSent(req, err):
	default:
		return &resentError{err}
	}
	return err
}

// resentError is the failure of what may have been the second sending.
type resentError struct{ error }

func (e *resentError) Unwrap() error { return e.error }
func (e *resentError) NotSent() bool { return false }
