package apigw

import (
	"net/http"
	"sync/atomic"
)

// answered says that a Transport got a response, so that its Base may keep a
// connection.
type answered struct{ atomic.Bool }

func (a *answered) note() {
	if !a.Load() { // the flag is shared by all who send
		a.Store(true)
	}
}

// doubt returns err, of t, so that it proves nothing if t may have sent req
// before: on a kept connection that died under a request which may run twice,
// net/http dials and sends it again by itself, and returns the error of that
// dial. A server that crashes looks like this.
func (a *answered) doubt(t *http.Transport, req *http.Request, err error) error {
	resends := a.Load() && !t.DisableKeepAlives && replayedBelow(req)
	if !resends || !notSent(req, err) || permanent(err) {
		return err
	}
	return &resentError{err}
}

// resentError is the failure of what may have been the second sending.
type resentError struct{ error }

func (e *resentError) Unwrap() error { return e.error }
func (e *resentError) NotSent() bool { return false }
