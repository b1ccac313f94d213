package roundtrippertest

import (
	"errors"
	"io"
	"net/http"
	"sync/atomic"
)

// http2Checks are about faults that only HTTP/2 has.
var http2Checks = []Check{
	{Name: "HTTP/2: RST_STREAM survived", Retry: true, run: resetStream},
	{Name: "HTTP/2: GOAWAY survived", run: goAway},
}

// resetStream: an aborted stream is an error without a response, and the
// connection stays good.
func resetStream(e *env) error {
	var attempts atomic.Int64
	s, base := e.start(func(w http.ResponseWriter, r *http.Request) {
		if attempts.Add(1) == 1 {
			panic(http.ErrAbortHandler)
		}
		io.WriteString(w, r.Proto)
	}, true)
	_, got, err := e.get(base, e.request(http.MethodGet, s.URL, nil))
	return errors.Join(err, want("body", got, "HTTP/2.0"))
}

// goAway: a server that wants to get rid of a connection says so, and the next
// request needs a new one. http.Transport does that; nothing above may keep it
// from it.
func goAway(e *env) error {
	s, base := e.start(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Connection", "close") // the HTTP/2 server makes a GOAWAY of it
		io.WriteString(w, r.Proto)
	}, true)
	for range 3 {
		_, got, err := e.get(base, e.request(http.MethodGet, s.URL, nil))
		if err := errors.Join(err, want("body", got, "HTTP/2.0")); err != nil {
			return err
		}
	}
	return nil
}
