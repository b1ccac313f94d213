package retryable_test

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"
)

// answer is what a scripted Base does with one attempt.
type answer struct {
	status  int
	code    string
	message string
	header  http.Header
	err     error
	delay   time.Duration
}

var (
	ok = answer{status: 200}
	// Nothing was sent to the backend.
	unavailable = answer{status: 504, message: "Backend service connect failed `Connection lease request time out`"}
	internal    = answer{status: 500, message: "Internal Error"}
	quota       = answer{status: 403, message: "Quota Exhausted"}
	throttled   = answer{status: 403, message: "Throttled by API Flow Control"}
	nonceIsUsed = answer{status: 400, message: "Nonce Used"}
	dialFailed  = answer{err: &net.OpError{Op: "dial", Err: errors.New("refused")}}
	reset       = answer{err: &net.OpError{Op: "read", Err: errors.New("connection reset")}}
)

// script is a Base that answers attempts in turn, the last answer for ever. It
// serves one request at a time.
type script struct {
	answers []answer
	at      []time.Duration // of each attempt, since the first
	bodies  []string
	idle    int // calls of CloseIdleConnections
	start   time.Time
}

func serve(answers ...answer) *script { return &script{answers: answers} }

// renewingBase is a signer, for what the Transport asks it.
type renewingBase struct{ *script }

func (renewingBase) Renews(*http.Request) bool { return true }

func (s *script) CloseIdleConnections() { s.idle++ }

func (s *script) RoundTrip(req *http.Request) (*http.Response, error) {
	if len(s.at) == 0 {
		s.start = time.Now()
	}
	a := s.answers[min(len(s.at), len(s.answers)-1)]
	s.at = append(s.at, time.Since(s.start))
	body := ""
	if req.Body != nil {
		b, _ := io.ReadAll(req.Body)
		req.Body.Close()
		body = string(b)
	}
	s.bodies = append(s.bodies, body)
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
		h.Set("X-Ca-Error-Code", a.code)
	}
	if a.message != "" {
		h.Set("X-Ca-Error-Message", a.message)
	}
	return &http.Response{
		StatusCode: a.status, Header: h, Request: req, ProtoMajor: 1, ProtoMinor: 1, Body: http.NoBody,
	}, nil
}

func newRequest(t testing.TB, method, body string) *http.Request {
	t.Helper()
	var r io.Reader
	if body != "" {
		r = strings.NewReader(body)
	}
	req, err := http.NewRequestWithContext(t.Context(), method, "http://api.example.com/v1/orders?n=1", r)
	if err != nil {
		t.Fatal(err)
	}
	return req
}
