package apigw

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"
)

// roundTripFunc is a Base made of a function.
type roundTripFunc func(*http.Request) (*http.Response, error)

func (f roundTripFunc) RoundTrip(req *http.Request) (*http.Response, error) { return f(req) }

// answer is what a scripted Base does with one attempt.
type answer struct {
	status  int
	code    string
	message string
	header  http.Header
	body    string
	err     error
	delay   time.Duration
}

// notSentText proves that the gateway sent nothing to the backend: it had no free
// connection. It comes with status 504.
const notSentText = "Backend service connect failed `Connection lease request time out`"

var (
	ok          = answer{status: 200, body: "fine"}
	unavailable = answer{status: 504, message: notSentText}
	internal    = answer{status: 500, message: "Internal Error"}
	quota       = answer{status: 403, message: "Quota Exhausted"}
	throttled   = answer{status: 403, message: "Throttled by API Flow Control"}
	nonceIsUsed = answer{status: 400, message: "Nonce Used"}
	dialFailed  = answer{err: &net.OpError{Op: "dial", Err: errors.New("refused")}}
	reset       = answer{err: &net.OpError{Op: "read", Err: errors.New("connection reset")}}
)

// script is a Base that answers attempts in turn, the last answer for ever. It
// reads and closes request bodies as a Base must.
type script struct {
	answers []answer

	mu     sync.Mutex
	at     []time.Duration // since the first attempt
	start  time.Time
	bodies []string
	seen   []*http.Request
}

func serve(answers ...answer) *script { return &script{answers: answers} }

func (s *script) RoundTrip(req *http.Request) (*http.Response, error) {
	body := ""
	if req.Body != nil {
		b, _ := io.ReadAll(req.Body)
		req.Body.Close()
		body = string(b)
	}
	s.mu.Lock()
	if len(s.at) == 0 {
		s.start = time.Now()
	}
	a := s.answers[min(len(s.at), len(s.answers)-1)]
	s.at = append(s.at, time.Since(s.start))
	s.bodies = append(s.bodies, body)
	s.seen = append(s.seen, req)
	s.mu.Unlock()
	if a.delay > 0 {
		select {
		case <-time.After(a.delay):
		case <-req.Context().Done():
			return nil, context.Cause(req.Context())
		}
	}
	if a.err != nil {
		return nil, a.err
	}
	h := http.Header{}
	if a.header != nil {
		h = a.header.Clone()
	}
	if a.code != "" {
		h.Set(headerErrorCode, a.code)
	}
	if a.message != "" {
		h.Set(headerErrorMessage, a.message)
	}
	return &http.Response{
		StatusCode: a.status, Header: h, Request: req, ProtoMajor: 1, ProtoMinor: 1,
		Body: io.NopCloser(strings.NewReader(a.body)), ContentLength: int64(len(a.body)),
	}, nil
}

func (s *script) attempts() int { return len(s.at) }

func newRequest(t testing.TB, method, body string) *http.Request {
	t.Helper()
	var r io.Reader
	if body != "" {
		r = strings.NewReader(body)
	}
	req, err := http.NewRequestWithContext(t.Context(), method, "http://api.example.com/v1/orders?token=tops3cret", r)
	if err != nil {
		t.Fatal(err)
	}
	return req
}

// mustFail sends req and returns the failure attached to its response.
func mustFail(t testing.TB, tr *Transport, req *http.Request) *Error {
	t.Helper()
	resp, err := tr.RoundTrip(req)
	if err != nil {
		t.Fatalf("no response: %v", err)
	}
	defer resp.Body.Close()
	e, found := FromResponse(resp)
	if !found {
		t.Fatalf("status %d without an Error", resp.StatusCode)
	}
	return e
}
