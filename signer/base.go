package signer

import (
	"context"
	"net/http"
	"sync/atomic"
)

// startTransport is http.DefaultTransport before anybody replaced it.
var startTransport = http.DefaultTransport

// A selfReference notices that http.DefaultTransport leads to the Signer whose
// Base is nil, as after http.DefaultTransport = &apigw.Transport{Base: signer}.
type selfReference struct {
	found   atomic.Bool
	closing atomic.Bool
}

// passing marks the context of a request that a Signer sends through
// http.DefaultTransport. If it comes back, that is a circle.
type passing struct{ s *Signer }

// send passes a request to Base.
func (s *Signer) send(req *http.Request) (*http.Response, error) {
	base := s.base()
	_, plain := base.(*http.Transport) // it contains nobody
	if s.Base != nil || plain || s.circular() {
		return base.RoundTrip(req)
	}
	ctx := req.Context()
	if ctx.Value(passing{s}) != nil {
		s.self.found.Store(true)
		return startTransport.RoundTrip(req)
	}
	return base.RoundTrip(req.WithContext(context.WithValue(ctx, passing{s}, true)))
}

// SendsThrough returns what sends the signed requests. apigw.Transport asks for
// it, to know what an error of the network proves.
func (s *Signer) SendsThrough() http.RoundTripper { return s.base() }

func (s *Signer) base() http.RoundTripper {
	switch {
	case s.Base != nil:
		return s.Base
	case s.circular():
		return startTransport
	}
	return http.DefaultTransport
}

// circular reports whether http.DefaultTransport is known to lead here.
func (s *Signer) circular() bool {
	return s.self.found.Load() || http.DefaultTransport == http.RoundTripper(s)
}

// CloseIdleConnections closes the idle connections of Base, if it can.
func (s *Signer) CloseIdleConnections() {
	base := s.base()
	if s.Base == nil {
		// In a circle the call comes back here.
		if !s.self.closing.CompareAndSwap(false, true) {
			base = startTransport
		} else {
			defer s.self.closing.Store(false)
		}
	}
	if c, ok := base.(interface{ CloseIdleConnections() }); ok {
		c.CloseIdleConnections()
	}
}
