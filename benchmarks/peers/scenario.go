package peers

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"maps"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
)

// Scenario is a call and what has to come of it.
type Scenario struct {
	Name   string
	method string
	path   string
	length int64 // of the body
	stream bool  // the body cannot be had again
	hidden bool  // nobody sees that the body is in memory
	status int
	// attempts that every client with retries has to make.
	attempts int64
}

// Scenarios are the cases that are timed.
var Scenarios = []Scenario{
	{Name: "GET 200", method: http.MethodGet, path: "/ok", status: 200, attempts: 1},
	{Name: "POST 1 KiB of bytes", method: http.MethodPost, path: "/ok", length: 1 << 10, status: 200, attempts: 1},
	{Name: "POST 1 KiB of a reader with GetBody", method: http.MethodPost, path: "/ok", length: 1 << 10, hidden: true,
		status: 200, attempts: 1},
	{Name: "POST 1 KiB without GetBody", method: http.MethodPost, path: "/ok", length: 1 << 10, stream: true,
		status: 200, attempts: 1},
	{Name: "GET 403", method: http.MethodGet, path: "/quota", status: 403, attempts: 1},
	{Name: "GET 503, then 200", method: http.MethodGet, path: "/flaky", status: 200, attempts: 2},
}

var kibibyte = bytes.Repeat([]byte("0123456789abcdef"), 64)

// Call returns the call of s against the server with the address base.
func (s Scenario) Call(base string) Call {
	c := Call{Method: s.method, URL: base + s.path, Length: s.length, Replayable: !s.stream}
	if s.length > 0 {
		c.Body = func() io.ReadSeeker { return bytes.NewReader(kibibyte) }
		if !s.stream && !s.hidden {
			c.Bytes = kibibyte
		}
	}
	return c
}

// answer is what stub and server say to a path: the same for both. Calls must
// come one after the other where the path is /flaky.
type answer struct {
	arrived atomic.Int64
	flaky   atomic.Int64 // calls of that path: the odd ones fail
}

const (
	okBody    = `{"city":"hz","weather":"rain","temperature":21}`
	requestID = "7C7E8DFD-5D26-4D4C-9D9A-1A0B2C3D4E5F"
)

func (a *answer) to(path string) (status int, header http.Header, body string) {
	a.arrived.Add(1)
	switch path {
	case "/quota":
		return 403, http.Header{"X-Ca-Request-Id": {requestID}, "X-Ca-Error-Code": {"B403MQ"},
			"X-Ca-Error-Message": {"Api Market Subscription quota exhausted"}}, ""
	case "/outage":
		return 503, http.Header{"X-Ca-Request-Id": {requestID}}, ""
	case "/flaky":
		if a.flaky.Add(1)%2 == 1 {
			return 503, http.Header{"X-Ca-Request-Id": {requestID}, "X-Ca-Error-Message": {"Service Unavailable"}}, ""
		}
	}
	return 200, http.Header{"X-Ca-Request-Id": {requestID}, "Content-Type": {"application/json"}}, okBody
}

// Stub answers in memory. It builds a response as http.Transport does, reads
// and closes the body of the request, and takes no time.
type Stub struct{ answer }

// RoundTrip implements [http.RoundTripper].
func (s *Stub) RoundTrip(req *http.Request) (*http.Response, error) {
	if req.Body != nil {
		_, err := io.Copy(io.Discard, req.Body)
		req.Body.Close()
		if err != nil {
			return nil, err
		}
	}
	status, header, body := s.to(req.URL.Path)
	resp := &http.Response{
		Status: http.StatusText(status), StatusCode: status,
		Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
		Header: header, Body: io.NopCloser(strings.NewReader(body)), ContentLength: int64(len(body)),
		Request: req,
	}
	if body == "" {
		resp.Body = http.NoBody // as http.Transport does
	}
	return resp, nil
}

// Loopback answers on a real socket.
type Loopback struct {
	answer
	*httptest.Server
	Base        *http.Transport // one for this server
	connections atomic.Int64
	padding     int // bytes in the body of a 503
}

// NewLoopback starts a server; Close ends it.
func NewLoopback(padding int) *Loopback {
	l := &Loopback{padding: padding}
	l.Server = httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		io.Copy(io.Discard, r.Body)
		status, header, body := l.to(r.URL.Path)
		maps.Copy(w.Header(), header)
		w.WriteHeader(status)
		if status == 503 && l.padding > 0 {
			w.Write(bytes.Repeat(kibibyte, l.padding/len(kibibyte)))
			return
		}
		io.WriteString(w, body)
	}))
	l.Config.ConnState = func(_ net.Conn, state http.ConnState) {
		if state == http.StateNew {
			l.connections.Add(1)
		}
	}
	l.Start()
	l.Base = http.DefaultTransport.(*http.Transport).Clone()
	l.Base.MaxIdleConnsPerHost = 64
	l.Base.Proxy = nil
	return l
}

// Close ends the server and its connections.
func (l *Loopback) Close() {
	l.Base.CloseIdleConnections()
	l.Server.Close()
}

// Check makes the call of s once and reports what is wrong with the outcome.
func (s Scenario) Check(p Peer, base http.RoundTripper, url string, a *answer) error {
	before := a.arrived.Load()
	status, err := p.New(base)(context.Background(), s.Call(url))
	attempts := a.arrived.Load() - before
	if p.Baseline {
		a.flaky.Store(0)
		return err
	}
	if err != nil || status != s.status || attempts != s.attempts {
		return fmt.Errorf("%s, %s: got status %d after %d attempts, error %v; want %d after %d", p.Name, s.Name, status,
			attempts, err, s.status, s.attempts)
	}
	return nil
}

// BenchmarkStub times s against the stub. The peer without retries makes
// two calls where the others make two attempts.
func (s Scenario) BenchmarkStub(b *testing.B, p Peer) {
	stub := &Stub{}
	s.benchmark(b, p, stub, "http://api.example.com", &stub.answer)
}

// BenchmarkLoopback times s against a server on the loopback interface.
func (s Scenario) BenchmarkLoopback(b *testing.B, p Peer) {
	l := NewLoopback(0)
	defer l.Close()
	s.benchmark(b, p, l.Base, l.URL, &l.answer)
}

func (s Scenario) benchmark(b *testing.B, p Peer, base http.RoundTripper, url string, a *answer) {
	if err := s.Check(p, base, url, a); err != nil {
		b.Fatal(err)
	}
	do, call, ctx := p.New(base), s.Call(url), context.Background()
	rounds := int64(1)
	if p.Baseline {
		rounds = s.attempts
	}
	b.ReportAllocs()
	for b.Loop() {
		var status int
		var err error
		for range rounds {
			status, err = do(ctx, call)
		}
		if err != nil || status != s.status {
			b.Fatalf("got status %d, error %v; want %d", status, err, s.status)
		}
	}
}

// BenchmarkThroughput lets many goroutines get from a server on the loopback
// interface at the same time.
func BenchmarkThroughput(b *testing.B, p Peer) {
	l := NewLoopback(0)
	defer l.Close()
	do, call := p.New(l.Base), Scenarios[0].Call(l.URL)
	b.SetParallelism(8)
	b.ReportAllocs()
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			if status, err := do(context.Background(), call); err != nil || status != 200 {
				b.Errorf("got status %d, error %v; want 200", status, err)
				return
			}
		}
	})
}
