package apigw

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"net/http/httptrace"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/apigw-go/apigw/internal/resign"
)

// walkWorld is a Base with all that a Base may do, well or badly, and a backend that
// counts what really ran. Its choices follow from a seed.
type walkWorld struct {
	mu     sync.Mutex // the world's goroutines use the random numbers as well
	random *rand.Rand
	over   chan struct{} // what is stuck gets free when the walk is over

	content string    // of the request's body
	latest  time.Time // no attempt may begin later; zero for no limit
	ran     int       // how often the backend ran
	sent    int
	nonces  map[string]int
	answers []*walkBody // bodies of responses
	given   map[*http.Response]*walkBody
	faults  []string
	story   []string
}

var errWalkPanic = errors.New("the world panics")

func (w *walkWorld) n(max int) int {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.random.IntN(max)
}

// one chooses among things.
func one[T any](w *walkWorld, things ...T) T { return things[w.n(len(things))] }

func (w *walkWorld) chance(percent int) bool { return w.n(100) < percent }

func (w *walkWorld) fault(format string, args ...any) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.faults = append(w.faults, fmt.Sprintf(format, args...))
}

func (w *walkWorld) tell(format string, args ...any) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.story = append(w.story, fmt.Sprintf(format, args...))
}

// run lets the backend run, or not.
func (w *walkWorld) run(yes bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if yes {
		w.ran++
		w.story = append(w.story, "ran")
	}
}

// RoundTrip is one sending.
func (w *walkWorld) RoundTrip(req *http.Request) (*http.Response, error) {
	w.mu.Lock()
	w.sent++
	w.mu.Unlock()
	w.tell("send %d", w.sent)
	if now := time.Now(); w.sent > 1 && !w.latest.IsZero() && now.After(w.latest) {
		w.fault("attempt %d began %v too late", w.sent, now.Sub(w.latest))
	}
	w.look(req)
	w.change(req)
	bodyDone := w.readBody(req)
	resp, err := w.answer(req)
	if body := bodyOf(resp); body != nil {
		body.closed = bodyDone // net/http lets go of the request's body then
	} else {
		bodyDone()
	}
	return resp, err
}

// signingWorld is a walkWorld with a signer above it: it renews the nonce of each
// attempt, and refusals teach it something.
type signingWorld struct{ *walkWorld }

func (s signingWorld) Renews(*http.Request) bool { return true }

func (s signingWorld) SendOnce(req *http.Request) (*http.Response, error) {
	out := req.Clone(req.Context())
	out.Header.Set("X-Ca-Nonce", fmt.Sprint("signed", s.n(1<<30)))
	resp, err := s.walkWorld.RoundTrip(out)
	if err == nil && resp != nil && resp.StatusCode == 403 && s.chance(50) {
		s.tell("learns from it")
		resign.Attach(resp, out, &resign.Note{Learned: true, Lesson: one(s.walkWorld, resign.Clock, resign.Reading)})
	}
	return resp, err
}

func bodyOf(resp *http.Response) *walkBody {
	if resp == nil {
		return nil
	}
	b, _ := resp.Body.(*walkBody)
	return b
}

// look checks what no attempt may carry.
func (w *walkWorld) look(req *http.Request) {
	if nonce := req.Header.Get("X-Ca-Nonce"); nonce != "" {
		if w.nonces[nonce]++; w.nonces[nonce] > 1 {
			w.fault("nonce %s was sent twice", nonce)
		}
	}
	if strings.HasPrefix(req.URL.Path, "/v1/v1") {
		w.fault("path %s", req.URL.Path)
	}
	if req.Header.Get("X-Added") != "" {
		w.fault("an attempt carries what the Base added to an earlier one")
	}
}

// change does what no Base may do to a request.
func (w *walkWorld) change(req *http.Request) {
	if w.chance(70) {
		return
	}
	w.tell("changes the request")
	if req.Header == nil {
		req.Header = http.Header{}
	}
	req.Header.Set("X-Added", "yes")
	if req.Header.Get("X-Ca-Nonce") == "" {
		nonce := fmt.Sprint("base", w.sent)
		w.nonces[nonce]++
		req.Header.Set("X-Ca-Nonce", nonce)
	}
	switch w.n(4) {
	case 0:
		req.URL.Path = "/v1" + req.URL.Path
	case 1:
		u := *req.URL
		u.Path = "/v1" + u.Path
		req.URL = &u
	case 2:
		req.Host = "changed.example"
	}
}

// readBody reads as much as it likes, now or while the answer is on its way. It
// returns what lets go of the body.
func (w *walkWorld) readBody(req *http.Request) (done func()) {
	body := req.Body
	if body == nil {
		return func() {}
	}
	var closed atomic.Bool
	closeOnce := func() {
		if !closed.Swap(true) {
			body.Close()
		}
	}
	check := func(got []byte, err error) {
		whole := string(got) == w.content
		if !strings.HasPrefix(w.content, string(got)) ||
			err == io.EOF && !whole && req.ContentLength >= 0 && w.content != "" {
			w.fault("the body sent is %.20q and %v, want %.20q", got, err, w.content)
		}
	}
	switch w.n(4) {
	case 0: // not at all
	case 1:
		got, err := w.readWithin(struct {
			io.Reader
			io.Closer
		}{io.LimitReader(body, 3), body})
		if len(got) == 3 {
			err = nil // there may be more
		}
		check(got, err)
	case 2:
		got, err := w.readWithin(body)
		check(got, err)
	case 3:
		read := make(chan struct{})
		go func() {
			defer close(read)
			got, err := io.ReadAll(body)
			if err == nil {
				err = io.EOF
			}
			check(got, err)
			closeOnce()
		}()
		return func() { // as HTTP/2 does
			closeOnce()
			<-read
		}
	}
	closeOnce()
	return closeOnce
}

// readWithin reads a body to its end, but not for ever: a server gives up.
func (w *walkWorld) readWithin(body io.ReadCloser) (got []byte, err error) {
	timer := time.AfterFunc(20*time.Second, func() { body.Close() })
	defer timer.Stop()
	if got, err = io.ReadAll(body); err == nil {
		err = io.EOF
	}
	return got, err
}

// answer waits, lets the backend run or not, and says something about it. What
// proves that nothing ran is only said if that is so.
func (w *walkWorld) answer(req *http.Request) (*http.Response, error) {
	delay := time.Duration(w.n(1500)) * time.Millisecond
	if w.chance(5) {
		delay = time.Hour
	}
	connected := w.chance(80)
	trace := httptrace.ContextClientTrace(req.Context())
	if trace != nil && trace.GetConn != nil {
		trace.GetConn("api.example.com:80")
		if connected {
			trace.GotConn(httptrace.GotConnInfo{})
		}
	}
	select {
	case <-time.After(delay):
	case <-req.Context().Done():
		w.run(connected && w.chance(50))
		return nil, context.Cause(req.Context()) // as net/http does
	case <-w.over:
		return nil, errors.New("too late")
	}
	switch {
	case !connected:
		w.tell("no connection")
		return nil, w.unsent(req)
	case w.chance(3):
		w.run(w.chance(50))
		panic(errWalkPanic)
	case w.chance(35):
		w.run(w.chance(50))
		return w.brokenAnswer(req)
	}
	return w.response(req), nil
}

// unsent are errors that prove that nothing was sent.
func (w *walkWorld) unsent(req *http.Request) error {
	dial := &net.OpError{Op: "dial", Net: "tcp", Err: syscall.ECONNREFUSED}
	return one[error](w,
		dial,
		&net.OpError{Op: "dial", Net: "tcp", Err: &net.DNSError{Err: "no such host", Name: "api.example.com"}},
		errors.New("net/http: TLS handshake timeout"),
		&url.Error{Op: urlOp(req.Method), URL: req.URL.String(), Err: dial},
		saysNotSent{errors.New("breaker open")},
		fmt.Errorf("limiter: %w", saysNotSent{errors.New("no token")}),
		errors.Join(dial, dial),
	)
}

func urlOp(method string) string { return method[:1] + strings.ToLower(method[1:]) }

type saysNotSent struct{ error }

func (saysNotSent) NotSent() bool { return true }

type saysPermanent struct{ error }

func (saysPermanent) Permanent() bool { return true }

// brokenAnswer are errors after which nobody knows what ran, however much some
// look like a dial.
func (w *walkWorld) brokenAnswer(req *http.Request) (*http.Response, error) {
	dial := &net.OpError{Op: "dial", Net: "tcp", Err: syscall.ECONNREFUSED}
	reset := &net.OpError{Op: "read", Net: "tcp", Err: syscall.ECONNRESET}
	err := one[error](w,
		reset, io.EOF, io.ErrUnexpectedEOF, context.DeadlineExceeded, context.Canceled,
		errors.New("http: server closed idle connection"),
		errors.Join(dial, reset),
		fmt.Errorf("giving up after 4 attempt(s): %w", dial),
		&url.Error{Op: "Get", URL: "http://elsewhere.example/", Err: dial},
		fmt.Errorf("reading the body: %w", &net.OpError{Op: "read", Err: dial}),
		saysPermanent{errors.New("no such key")},
		&net.DNSError{Err: "no such host", Name: "source.example"},
	)
	w.tell("fails with %v", err)
	switch w.n(10) {
	case 0: // both, which is against the contract
		return w.withBody(&http.Response{StatusCode: 200, Header: http.Header{}}), err
	case 1:
		return nil, nil
	}
	return nil, err
}

// response is an answer of the gateway or of the backend.
func (w *walkWorld) response(req *http.Request) *http.Response {
	h := http.Header{}
	resp := &http.Response{Header: h, Request: one(w, req, nil)}
	kind := w.n(8)
	switch kind {
	case 0, 1:
		resp.StatusCode = 200
		w.run(true)
	case 2: // refused in front of the backend
		a := one(w,
			answer{
				status: 504, code: "D504CO",
				message: "Backend service connect failed `Timeout connecting to 10.0.0.1:80`",
			},
			answer{status: 403, message: "Quota Exhausted"},
			answer{status: 403, code: "A403IS"},
			answer{status: 403, message: "Throttled by API Flow Control"},
			answer{status: 400, message: "Nonce Used"},
		)
		resp.StatusCode = a.status
		h.Set(headerErrorMessage, a.message)
		if a.code != "" {
			h.Set(headerErrorCode, a.code)
		}
	case 3: // the gateway does not know
		resp.StatusCode = one(w, 500, 504)
		h.Set(
			headerErrorMessage,
			one(w, "Internal Error", "Backend service request timed out", "Failed To Invoke Backend Service"),
		)
		w.run(w.chance(50))
	case 4: // the backend's status as a text
		resp.StatusCode = one(w, 500, 502, 503, 504, 404)
		h.Set(headerErrorMessage, http.StatusText(resp.StatusCode))
		w.run(w.chance(50))
	default:
		resp.StatusCode = one(w, 500, 502, 503, 504, 429, 404, 403)
		w.run(w.chance(50))
	}
	if w.chance(10) {
		h.Set("Retry-After", one(w, "1", "20", "86400", "soon"))
	}
	w.tell("answers %d %q", resp.StatusCode, h.Get(headerErrorMessage)+h.Get(headerErrorCode))
	return w.withBody(resp)
}
