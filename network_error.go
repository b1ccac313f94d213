package apigw

import (
	"cmp"
	"crypto/tls"
	"net"
	"net/http"
	"net/url"
	"strings"

	"github.com/apigw-go/apigw/catalog"
)

// notSent reports whether err proves that nothing of this sending of req left
// this program, or that the server said it did not look at it. Everything else
// may have run.
//
// The chain of an error can hold the error of somebody else: of an earlier
// sending of a Base that retries, of the source of the body, of a context. So
// the type of an error in the chain counts only in a place that net/http or
// http.Client of this request gives it. A method NotSent() bool counts wherever
// an error of the Base wraps it, since its author speaks of this request.
func notSent(req *http.Request, err error) bool {
	return proof{req: req, plain: true}.in(err, maxErrors)
}

// vouchesNotSent reports whether the author of err says that nothing was sent; the
// types of net and net/http do not count.
func vouchesNotSent(req *http.Request, err error) bool { return proof{req: req}.in(err, maxErrors) }

// proof looks for one that nothing was sent.
type proof struct {
	req *http.Request
	// plain says that only this request's own client stands above, so that
	// the types of net and net/http speak of this sending.
	plain bool
}

func (p proof) in(err error, depth int) bool {
	if err == nil || depth == 0 {
		return false
	}
	switch e := err.(type) {
	case *bodyError, *contextError:
		return false
	case *Error: // of a Transport below
		return e.Reached == catalog.ReachedNo
	case interface{ NotSent() bool }:
		return e.NotSent()
	case *url.Error:
		return p.sameRequest(e) && p.in(e.Err, depth-1)
	case interface{ Unwrap() []error }:
		return p.inAll(e.Unwrap(), depth-1)
	}
	if p.plain && (beforeSending(err) || p.refusedScheme(err)) {
		return true
	}
	wrapper, ok := err.(interface{ Unwrap() error })
	if !ok {
		return false
	}
	inner := wrapper.Unwrap()
	if inner == nil || mentionsRetries(err, inner) {
		return false
	}
	p.plain = false
	return p.in(inner, depth-1)
}

func (p proof) inAll(errs []error, depth int) bool {
	for _, err := range errs {
		if !p.in(err, depth) {
			return false
		}
	}
	return len(errs) > 0
}

// sameRequest reports whether http.Client speaks of this request, and not of a
// later one that a redirect led to.
func (p proof) sameRequest(e *url.Error) bool {
	return p.req.URL != nil && isURL(e.URL, p.req.URL) && strings.EqualFold(e.Op, cmp.Or(p.req.Method, http.MethodGet))
}

func (p proof) refusedScheme(err error) bool {
	return p.req.URL != nil && err.Error() == unsupportedScheme+p.req.URL.Scheme+`"`
}

const unsupportedScheme = `unsupported protocol scheme "`

// beforeSending knows the errors of net, crypto/tls and net/http themselves.
func beforeSending(err error) bool {
	switch e := err.(type) {
	case *net.OpError: // the last is that of net/http's SOCKS client
		return e.Op == "dial" || e.Op == "proxyconnect" || e.Op == "socks connect"
	case *tls.CertificateVerificationError:
		return true
	case tls.RecordHeaderError:
		return e.Conn != nil // of the first record; see its documentation
	}
	if err == http.ErrSchemeMismatch {
		return true
	}
	return refusedStream(err) || hasAnyPrefix(err.Error(), textsBeforeSending)
}

// textsBeforeSending are errors of net/http that have no type.
var textsBeforeSending = []string{
	"net/http: TLS handshake timeout",
	"http: nil Request.URL", "http: nil Request.Header", "http: no Host in request URL",
	"net/http: invalid method ", "net/http: invalid header field", "net/http: invalid trailer field",
}

// mentionsRetries reports whether err calls inner the last of several failures,
// as go-retryablehttp ("giving up after 4 attempt(s)"), failsafe-go ("retries
// exceeded") and their like do. What they wrap says nothing of those before it.
func mentionsRetries(err, inner error) bool {
	text := strings.ToLower(strings.Replace(err.Error(), inner.Error(), "", 1))
	for _, word := range []string{"giving up", "gave up", "attempt", "retry", "retries", "retried", "tries"} {
		if strings.Contains(text, word) {
			return true
		}
	}
	return false
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
