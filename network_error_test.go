package apigw

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"io"
	"net"
	"net/http"
	"net/url"
	"testing"
	"testing/synctest"
)

func TestNetworkErrors(t *testing.T) {
	for name, c := range map[string]struct {
		answer answer
		method string
		stop   StopReason
	}{
		"connection not made, POST":    {dialFailed, http.MethodPost, StopMaxAttempts},
		"no such host, POST":           {answer{err: &net.OpError{Op: "dial", Err: &net.DNSError{Err: "no such host"}}}, http.MethodPost, StopMaxAttempts},
		"connection broke, GET":        {reset, http.MethodGet, StopMaxAttempts},
		"connection broke, POST":       {reset, http.MethodPost, StopMayHaveRun},
		"unexpected EOF, PUT":          {answer{err: io.ErrUnexpectedEOF}, http.MethodPut, StopMaxAttempts},
		"TLS handshake timeout, POST":  {answer{err: errors.New("net/http: TLS handshake timeout")}, http.MethodPost, StopMaxAttempts},
		"our certificate refused":      {answer{err: &net.OpError{Op: "remote error", Err: errors.New("tls: bad certificate")}}, http.MethodGet, StopPermanent},
		"certificate refused":          {answer{err: certificateError()}, http.MethodGet, StopPermanent},
		"scheme":                       {answer{err: errors.New(`unsupported protocol scheme "ftp"`)}, http.MethodGet, StopPermanent},
		"http spoken on an https port": {answer{err: http.ErrSchemeMismatch}, http.MethodGet, StopPermanent},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				base := serve(c.answer)
				resp, err := (&Transport{Base: base}).RoundTrip(newRequest(t, c.method, ""))
				var e *Error
				if resp != nil || !errors.As(err, &e) {
					t.Fatalf("got %v, %v, want an *Error alone", resp, err)
				}
				if e.Stop != c.stop {
					t.Errorf("stopped by %v, want %v", e.Stop, c.stop)
				}
				if !errors.Is(err, c.answer.err) {
					t.Errorf("%v does not wrap %v", err, c.answer.err)
				}
				if e.Origin != OriginNone || e.Status != 0 {
					t.Errorf("origin %v, status %d, want none and 0", e.Origin, e.Status)
				}
			})
		})
	}
}

// certificateError is what a server with an unknown authority causes.
func certificateError() error {
	return &tls.CertificateVerificationError{Err: x509.UnknownAuthorityError{}}
}

// A Base that follows redirects dials again after the POST ran.
func TestDialOfALaterLinkIsNoDial(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		base := serve(answer{err: &url.Error{Op: "Get", URL: "http://elsewhere.example/", Err: dialFailed.err}})
		_, err := (&Transport{Base: base}).RoundTrip(newRequest(t, http.MethodPost, ""))
		var e *Error
		if !errors.As(err, &e) || e.Stop != StopMayHaveRun || base.attempts() != 1 {
			t.Errorf("got %v after %d attempts, want may-have-run after one", err, base.attempts())
		}
	})
}
