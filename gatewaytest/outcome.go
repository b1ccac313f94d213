package gatewaytest

import (
	"cmp"
	"fmt"
	"maps"
	"net"
	"net/http"
	"net/http/httptest"
	"strconv"
	"sync"
	"time"

	"github.com/apigw-go/apigw/catalog"
)

// Outcome is what a script makes of one request. The zero value is normal
// service, as if there were no script. Fields combine: a delay, then an error
// that has a body which drips.
//
// A request that fails authentication is refused as ever and uses its outcome
// up all the same, so that the n-th request of a route meets the n-th outcome.
type Outcome struct {
	// Error is the ID of a catalog row, "D504CO" or "classic.quota-expired",
	// of any dialect. It is answered right after authentication. Unless the
	// row says that the backend was not reached, the backend runs first and
	// its answer is thrown away: the worst case, so that a wrong retry shows
	// as a second execution. A row of a proxy that sent nothing runs it only if
	// Header has X-Envoy-Upstream-Service-Time, the mark of an answer that was
	// passed on.
	Error string
	// Params fill the parameters of the row's message in, and the values of
	// the headers that mark the row, as "x-ratelimit-reset:" with a colon. What
	// is missing gets a sample value.
	Params map[string]string
	// Status, if not 0, is the answer of a backend that stands in for the
	// route's: flow control, quota and circuit breaker count it, it carries
	// no code, and it counts as an execution. Beside an Error whose row may
	// have any status it is the status of that.
	Status int
	// Header is added to whatever answer there is.
	Header http.Header
	// RetryAfter is the Retry-After header, sent as it stands: seconds, a
	// date, or nonsense.
	RetryAfter string
	// Body is the body of the answer that Error or Status give. With neither
	// of them it has no effect.
	Body string
	// Delay passes after authentication and before anything else. A client
	// that goes away meanwhile ends it, and nothing runs.
	Delay time.Duration
	// Drop ends the connection without a (complete) answer.
	Drop Drop
	// Reset makes Drop send a TCP reset instead of closing, which loses what
	// the client has not read yet. On HTTP/2 it resets the stream and leaves
	// the connection. With Drop zero it means DropBeforeBackend.
	Reset bool
	// DripBytes, if not 0, is how many bytes of the body are sent at a time,
	// one portion at once and the next after each DripEvery.
	DripBytes int
	DripEvery time.Duration
	// Times is how many requests meet this outcome: 0 is once, a negative
	// number all that follow.
	Times int
}

// Drop says when a script ends a connection. On HTTP/2 all requests of the
// connection lose it, unless [Outcome.Reset] asks for the stream alone.
type Drop uint8

const (
	// NoDrop lets the request have its answer.
	NoDrop Drop = iota
	// DropOnArrival ends it before anything is looked at: the nonce of the
	// request stays unused.
	DropOnArrival
	// DropBeforeBackend ends it after all checks; the nonce is used up.
	DropBeforeBackend
	// DropAfterBackend ends it after the backend ran. The client cannot tell
	// this from the others.
	DropAfterBackend
	// DropInBody ends it after the header and half of the body, which needs a
	// body of two bytes or more.
	DropInBody
)

var dropNames = [...]string{"", "on-arrival", "before-backend", "after-backend", "in-body"}

func (d Drop) String() string {
	if int(d) < len(dropNames) {
		return cmp.Or(dropNames[d], "no drop")
	}
	return fmt.Sprintf("Drop(%d)", uint8(d))
}

func (o *Outcome) drop() Drop {
	if o.Drop == NoDrop && o.Reset {
		return DropBeforeBackend
	}
	return o.Drop
}

// check finds what cannot be performed.
func (o *Outcome) check() error {
	if o.Error != "" {
		entry, ok := catalog.ByID(o.Error)
		switch {
		case !ok:
			return fmt.Errorf("no row %q in the catalog", o.Error)
		case entry.Status == 0 && o.Status == 0:
			return fmt.Errorf("row %q has no status of its own: give one", o.Error)
		case entry.Status != 0 && o.Status != 0:
			return fmt.Errorf("error %q and status %d exclude each other: the row has its own status", o.Error,
				o.Status)
		}
	}
	if o.Status != 0 && (o.Status < 200 || o.Status > 999) {
		return fmt.Errorf("status %d is not between 200 and 999", o.Status)
	}
	if int(o.Drop) >= len(dropNames) {
		return fmt.Errorf("%v is not a place to drop at", o.Drop)
	}
	if o.DripBytes < 0 || o.DripEvery < 0 || o.Delay < 0 {
		return fmt.Errorf("negative drip or delay")
	}
	return nil
}

// breakConnection ends the connection of a request and does not return. It is
// left to net/http where it can do it, so that its bookkeeping stays right.
func breakConnection(w http.ResponseWriter, r *http.Request, reset bool) {
	conn, _ := r.Context().Value(connKey{}).(net.Conn)
	switch {
	case reset && r.ProtoMajor == 1:
		setLinger(conn)
	case !reset && r.ProtoMajor == 2 && conn != nil:
		conn.Close()
	}
	// Closes an HTTP/1 connection, and resets an HTTP/2 stream.
	panic(http.ErrAbortHandler)
}

// setLinger makes the next close of a connection, also one below TLS, a reset.
func setLinger(c net.Conn) {
	if under, ok := c.(interface{ NetConn() net.Conn }); ok {
		c = under.NetConn()
	}
	if l, ok := c.(interface{ SetLinger(int) error }); ok {
		l.SetLinger(0)
	}
}

// wait says, after a time, whether the client is still there.
func wait(r *http.Request, d time.Duration) bool {
	if d <= 0 {
		return r.Context().Err() == nil
	}
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return true
	case <-r.Context().Done():
		return false
	}
}

// sendBody sends a complete answer at the pace that the outcome asks for. The
// header map of w is filled already.
func (o *Outcome) sendBody(w http.ResponseWriter, r *http.Request, status int, body []byte, trailer http.Header) {
	if !bodyAllowed(status) {
		body, trailer = nil, nil
	} else if len(trailer) == 0 {
		w.Header().Set("Content-Length", strconv.Itoa(len(body)))
	}
	w.WriteHeader(status)
	if r.Method == http.MethodHead {
		body = nil
	}
	half := o.drop() == DropInBody
	if half {
		body = body[:len(body)/2]
	}
	control := http.NewResponseController(w)
	for size := cmp.Or(o.DripBytes, len(body)); len(body) > 0; {
		n := min(size, len(body))
		if _, err := w.Write(body[:n]); err != nil {
			return // the client is gone
		}
		body = body[n:]
		if o.DripBytes == 0 {
			break
		}
		control.Flush()
		if len(body) > 0 && !wait(r, o.DripEvery) {
			breakConnection(w, r, false)
		}
	}
	if half {
		control.Flush()
		breakConnection(w, r, o.Reset)
	}
	maps.Copy(w.Header(), trailer)
}

func bodyAllowed(status int) bool {
	return status >= 200 && status != http.StatusNoContent && status != http.StatusNotModified
}

// record keeps the answer of a backend to be sent later, or never.
type record struct {
	*httptest.ResponseRecorder
}

func newRecord() record { return record{httptest.NewRecorder()} }

// copyTo sends header and body to w at the outcome's pace.
func (c record) copyTo(w http.ResponseWriter, r *http.Request, o *Outcome) {
	answer := c.Result()
	maps.Copy(w.Header(), answer.Header)
	w.Header().Del("Trailer")
	for name := range answer.Trailer {
		w.Header().Add("Trailer", name)
		w.Header().Del("Content-Length") // HTTP/1.1 has trailers only behind chunks
	}
	o.sendBody(w, r, answer.StatusCode, c.Body.Bytes(), answer.Trailer)
}

// scriptState is the place that a route has reached in its script.
type scriptState struct {
	mu       sync.Mutex
	outcomes []Outcome
	at, done int // the current outcome and how many requests met it
}

func (s *scriptState) next() Outcome {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.at >= len(s.outcomes) {
		return Outcome{}
	}
	o := s.outcomes[s.at]
	if s.done++; o.Times >= 0 && s.done >= max(o.Times, 1) {
		s.at, s.done = s.at+1, 0
	}
	return o
}

func (s *scriptState) reset() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.at, s.done = 0, 0
}
