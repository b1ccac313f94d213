package signer

import (
	"net/http"
	"testing"
)

type idleCloser struct {
	http.RoundTripper
	closed bool
}

func (c *idleCloser) CloseIdleConnections() { c.closed = true }

func TestCloseIdleConnectionsReachesBase(t *testing.T) {
	base := &idleCloser{}
	(&http.Client{Transport: &Signer{Base: base}}).CloseIdleConnections()
	if !base.closed {
		t.Error("Base was not told, want it told")
	}
	(&Signer{Base: roundTripFunc(nil)}).CloseIdleConnections() // cannot, and must not panic
}

// wrapper is what people put around a RoundTripper.
type wrapper struct{ base http.RoundTripper }

func (w *wrapper) RoundTrip(req *http.Request) (*http.Response, error) { return w.base.RoundTrip(req) }

func (w *wrapper) CloseIdleConnections() {
	w.base.(interface{ CloseIdleConnections() }).CloseIdleConnections()
}

// A Signer without a Base may be part of http.DefaultTransport itself.
func TestSignerWithinDefaultTransport(t *testing.T) {
	start, n := startTransport, 0
	startTransport = roundTripFunc(func(req *http.Request) (*http.Response, error) {
		n++
		return answer{status: 200}.response(req), nil
	})
	before := http.DefaultTransport
	defer func() { startTransport, http.DefaultTransport = start, before }()
	s := testSigner()
	for name, rt := range map[string]http.RoundTripper{"itself": s, "wrapped": &wrapper{s},
		"wrapped twice": &wrapper{&wrapper{s}}} {
		t.Run(name, func(t *testing.T) {
			n, s.self = 0, selfReference{}
			http.DefaultTransport = rt
			http.DefaultTransport.(interface{ CloseIdleConnections() }).CloseIdleConnections() // ends
			for range 3 {
				resp, err := http.DefaultTransport.RoundTrip(newRequest(t, "GET", "https://api.example.com/", ""))
				if err != nil || resp.StatusCode != 200 {
					t.Fatalf("got %v, %v, want 200", resp, err)
				}
			}
			if n != 3 {
				t.Errorf("three requests were sent %d times", n)
			}
		})
	}
}

// Whoever replaced http.DefaultTransport by something else is asked.
func TestSignerUsesDefaultTransport(t *testing.T) {
	before := http.DefaultTransport
	defer func() { http.DefaultTransport = before }()
	n := 0
	http.DefaultTransport = roundTripFunc(func(req *http.Request) (*http.Response, error) {
		n++
		return answer{status: 200}.response(req), nil
	})
	if _, err := testSigner().RoundTrip(newRequest(t, "GET", "https://api.example.com/", "")); err != nil || n != 1 {
		t.Errorf("got %v after %d sendings, want one", err, n)
	}
}
