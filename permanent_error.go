package apigw

import (
	"crypto/tls"
	"crypto/x509"
	"net"
	"net/http"
	"net/url"
	"reflect"
	"strings"
)

// permanent reports whether err will come again whatever the network does: a
// certificate is refused, the request cannot be sent as it is, or an error of
// the Base says so by a method Permanent() bool. What the source of a body or
// the cause of a context says is not about the request.
func permanent(err error) bool {
	for e := range wrappedBy(err, ofSomebodyElse) {
		if isPermanent(e) {
			return true
		}
	}
	return false
}

func ofSomebodyElse(err error) bool {
	switch err.(type) {
	case *bodyError, *contextError:
		return true
	}
	return false
}

// isPermanent judges one error of a chain, without what it wraps.
func isPermanent(err error) bool {
	switch e := err.(type) {
	case *Error: // of a Transport below
		return e.Stop == StopPermanent
	case *requestError:
		return true
	case interface{ Permanent() bool }:
		return e.Permanent()
	case *url.Error:
		return e.Op == "parse"
	case *net.OpError:
		return permanentOp(e)
	case *net.AddrError:
		return e.Err != "no suitable address found" // DNS may have another one later
	case *net.DNSError:
		return e.Err == "unknown port"
	case net.UnknownNetworkError, net.InvalidAddrError, url.InvalidHostError, url.EscapeError:
		return true
	}
	return badCertificate(err) || refusedToken(err) || err == http.ErrSchemeMismatch ||
		hasAnyPrefix(err.Error(), permanentTexts)
}

func badCertificate(err error) bool {
	switch e := err.(type) {
	case tls.RecordHeaderError:
		return e.Conn != nil // the server does not speak TLS; later ones are damage on the way
	case *tls.CertificateVerificationError, *tls.ECHRejectionError,
		x509.UnknownAuthorityError, x509.HostnameError, x509.CertificateInvalidError, x509.SystemRootsError,
		x509.ConstraintViolationError, x509.UnhandledCriticalExtension, x509.InsecureAlgorithmError:
		return true
	}
	return false
}

// permanentOp knows what a server says in TLS about our certificate, and what a
// SOCKS proxy says about us (RFC 1928 section 6, RFC 1929).
func permanentOp(e *net.OpError) bool {
	if e.Err == nil {
		return false
	}
	text := e.Err.Error()
	switch e.Op {
	case "remote error":
		return strings.Contains(text, "certificate")
	case "socks connect":
		for _, refusal := range []string{
			"not allowed by ruleset", "no acceptable authentication methods", "username/password",
			"command not supported", "address type not supported",
		} {
			if strings.Contains(text, refusal) {
				return true
			}
		}
	}
	return false
}

// permanentTexts are errors of net/http and its HTTP/2 that have no type. They
// say that the request is malformed, the last one that the server speaks TLS.
var permanentTexts = []string{
	"unsupported protocol scheme", "http2: unsupported scheme",
	"http: nil Request", "http: no Host in request URL", "http: invalid Host header", "http: Request.",
	"http: ContentLength=", "http2: request body larger than specified content length",
	"net/http: invalid ", "net/http: can't write control character in Request.URL",
	"http2: Request.URL is nil", "http2: invalid ", "http2: request header list larger than peer's advertised limit",
	"invalid Trailer key ", "invalid proxy address ",
	`malformed HTTP response "\x15\x03`,
}

// refusedToken reports whether err is the answer of a token endpoint that will
// not change: golang.org/x/oauth2's RetrieveError, known by its form and text.
// The codes are those of RFC 6749 section 5.2.
func refusedToken(err error) bool {
	text := err.Error()
	if !strings.HasPrefix(text, "oauth2: ") {
		return false
	}
	if text == "oauth2: token expired and refresh token is not set" {
		return true
	}
	code := ""
	if v := reflect.ValueOf(err); v.Kind() == reflect.Pointer && v.Elem().Kind() == reflect.Struct {
		if f := v.Elem().FieldByName("ErrorCode"); f.IsValid() && f.Kind() == reflect.String {
			code = f.String()
		}
	}
	for _, refusal := range []string{
		"invalid_grant", "invalid_client", "invalid_request", "invalid_scope",
		"unauthorized_client", "unsupported_grant_type",
	} {
		if code == refusal || strings.Contains(text, `"`+refusal+`"`) {
			return true
		}
	}
	return false
}

// requestError is a request that cannot be sent.
type requestError struct{ text string }

func (e *requestError) Error() string { return e.text }
