package simulation

import (
	"errors"
	"net"
	"net/http"
	"sync"
	"time"
)

// Server is a model of a host that answers attempts on fake time: an
// [http.RoundTripper] shared by all clients. What it does is chosen by Answer.
type Server struct {
	// Answer decides on one attempt: its status, or an error where no
	// connection comes about, and how long that takes. It is called with mu
	// held, one attempt at a time.
	Answer func(now time.Time, chance float64) (status int, took time.Duration, err error)

	mu      sync.Mutex
	arrived *Series // attempts
}

// RoundTrip implements [http.RoundTripper].
func (s *Server) RoundTrip(req *http.Request) (*http.Response, error) {
	c := callOf(req)
	now := time.Now()
	s.mu.Lock()
	s.arrived.Add(now)
	status, took, err := s.Answer(now, c.random.Float64())
	s.mu.Unlock()
	c.attempts++
	if took > 0 {
		time.Sleep(onGrid(took))
	}
	if err != nil {
		return nil, err
	}
	return &http.Response{
		StatusCode: status,
		Proto:      "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
		Header:  http.Header{},
		Body:    http.NoBody,
		Request: req,
	}, nil
}

// failing answers every attempt with 503 after the given time.
func failing(after time.Duration) func(time.Time, float64) (int, time.Duration, error) {
	return func(time.Time, float64) (int, time.Duration, error) {
		return http.StatusServiceUnavailable, after, nil
	}
}

// blipping fails a share of all attempts, independently of each other.
func blipping(share float64) func(time.Time, float64) (int, time.Duration, error) {
	return func(_ time.Time, chance float64) (int, time.Duration, error) {
		if chance < share {
			return http.StatusServiceUnavailable, 5 * time.Millisecond, nil
		}
		return http.StatusOK, 5 * time.Millisecond, nil
	}
}

// station is a server with a capacity. It works off a backlog; what would wait
// longer than maxWait is refused with 503. Refusing is work too: reading and
// parsing the request, checking its signature, writing the answer. That work
// lies before the accepted requests' and is what lets retries keep the server
// down after the cause of the overload is gone. Past maxBacklog the kernel
// refuses connections, which costs nothing.
type station struct {
	capacity   float64       // accepted requests a second
	refusal    float64       // the work of a refusal, in parts of a request
	maxWait    time.Duration // what waits longer is refused
	maxBacklog time.Duration

	backlog time.Duration // of work, at
	at      time.Time
}

var errConnectionRefused = &net.OpError{Op: "dial", Net: "tcp", Err: errors.New("connection refused")}

func (s *station) answer(now time.Time, _ float64) (int, time.Duration, error) {
	s.backlog = max(0, s.backlog-now.Sub(s.at))
	s.at = now
	request := time.Duration(float64(time.Second) / s.capacity)
	switch {
	case s.backlog > s.maxBacklog:
		return 0, 0, errConnectionRefused
	case s.backlog > s.maxWait:
		s.backlog += time.Duration(s.refusal * float64(request))
		return http.StatusServiceUnavailable, 0, nil
	}
	s.backlog += request
	return http.StatusOK, s.backlog, nil
}
