package apigw

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"net"
	"net/http"
	"net/url"
	"strings"
	"time"
)

// notConnected reports whether err says that no connection was made for req, so
// that nothing can have been sent. Not so where a Base followed a redirect and
// the connection was that of a later link. A *net.DNSError alone may come from
// the source of the body; the dialer of package net wraps its own.
func notConnected(req *http.Request, err error) bool {
	var u *url.Error
	if errors.As(err, &u) && req.URL != nil && !isURL(u.URL, req.URL) {
		return false
	}
	var op *net.OpError
	if errors.As(err, &op) {
		return op.Op == "dial" || op.Op == "proxyconnect" || op.Op == "socks connect"
	}
	return err.Error() == "net/http: TLS handshake timeout"
}

// isURL reports whether text, of a *url.Error, is u. http.Client writes three
// stars for a password.
func isURL(text string, u *url.URL) bool {
	if _, ok := u.User.Password(); ok {
		shown := *u
		shown.User = nil
		text = strings.Replace(text, u.User.Username()+":***@", "", 1)
		return text == shown.String() || text == u.String()
	}
	return text == u.String()
}

// permanent reports whether err will come again whatever the network does:
// the certificate is refused, or the request cannot be sent as it is.
func permanent(err error) bool {
	var (
		verification *tls.CertificateVerificationError
		authority    x509.UnknownAuthorityError
		hostname     x509.HostnameError
		invalid      x509.CertificateInvalidError
		record       tls.RecordHeaderError
		malformed    *requestError
	)
	if errors.As(err, &verification) || errors.As(err, &authority) || errors.As(err, &hostname) ||
		errors.As(err, &invalid) || errors.As(err, &record) || errors.As(err, &malformed) || errors.Is(err, http.ErrSchemeMismatch) {
		return true
	}
	var p interface{ Permanent() bool } // as of the signer, for a wrong configuration
	if errors.As(err, &p) && p.Permanent() {
		return true
	}
	var op *net.OpError
	if errors.As(err, &op) && op.Op == "remote error" && strings.Contains(op.Err.Error(), "certificate") {
		return true // the server refuses ours
	}
	// net/http has no types for these.
	text := err.Error()
	for _, begin := range []string{
		"unsupported protocol scheme", "http: nil Request", "http: no Host in request URL", "http: Request.Method",
		"net/http: invalid header field", "net/http: invalid method", "net/http: invalid trailer field", "http: invalid Host header",
		"http: Request.ContentLength=", "http: ContentLength=",
	} {
		if strings.HasPrefix(text, begin) {
			return true
		}
	}
	return false
}

// requestError is a request that cannot be sent.
type requestError struct{ text string }

func (e *requestError) Error() string { return e.text }

// contextError is why a context ended. It answers for the cause and for
// context.Canceled or context.DeadlineExceeded.
type contextError struct{ cause, err error }

func (e *contextError) Error() string   { return e.cause.Error() }
func (e *contextError) Unwrap() []error { return []error{e.cause, e.err} }
func (e *contextError) Timeout() bool   { return errors.Is(e.err, context.DeadlineExceeded) }

// causeOf returns why ctx ended.
func causeOf(ctx context.Context) error {
	cause, err := context.Cause(ctx), ctx.Err()
	if errors.Is(cause, err) {
		return cause
	}
	return &contextError{cause, err}
}

// attemptTimeoutError says that AttemptTimeout passed.
type attemptTimeoutError struct{ after time.Duration }

func (e *attemptTimeoutError) Error() string {
	return "no response head within the attempt timeout of " + e.after.String()
}
func (e *attemptTimeoutError) Timeout() bool   { return true }
func (e *attemptTimeoutError) Temporary() bool { return true }
func (e *attemptTimeoutError) Is(target error) bool {
	return target == context.DeadlineExceeded
}

// ended returns why ctx ended, nil if it did not. A deadline that passed counts
// before the context's own timer fires: that of http.Client.Timeout may have
// cancelled the request a moment earlier.
func ended(ctx context.Context, now time.Time) error {
	if ctx.Err() != nil {
		return causeOf(ctx)
	}
	if deadline, ok := ctx.Deadline(); ok && !now.Before(deadline) {
		return context.DeadlineExceeded
	}
	return nil
}
