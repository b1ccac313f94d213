package apigw

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"syscall"
	"testing"
	"testing/synctest"

	"github.com/apigw-go/apigw/catalog"
)

// refusal is an error of a Base that knows what it did.
type refusal struct {
	text    string
	wrapped error
	notSent bool
}

func (e *refusal) Error() string { return e.text }
func (e *refusal) Unwrap() error { return e.wrapped }
func (e *refusal) NotSent() bool { return e.notSent }

// lasting says by itself that it will come again.
type lasting struct{ permanent bool }

func (e lasting) Error() string   { return "lasting" }
func (e lasting) Permanent() bool { return e.permanent }

// lastOfMany is the error of a retrying Base with a type of its own.
type lastOfMany struct {
	text string
	last error
}

func (e *lastOfMany) Error() string { return e.text }
func (e *lastOfMany) Unwrap() error { return e.last }

// retrieveError has the form of the one of golang.org/x/oauth2.
type retrieveError struct{ ErrorCode, Body string }

func (e *retrieveError) Error() string {
	return "oauth2: cannot fetch token: 400 Bad Request\nResponse: " + e.Body
}

// Whose error is it, and what does it prove? Each one is what the Base returns
// for a POST.
func TestWhoseErrorItIs(t *testing.T) {
	const own, other = "http://api.example.com/v1/orders?token=tops3cret", "http://tokens.example.com/token"
	dial := &net.OpError{Op: "dial", Net: "tcp", Err: syscall.ECONNREFUSED}
	reset := &net.OpError{Op: "read", Net: "tcp", Err: syscall.ECONNRESET}
	dns := &net.DNSError{Err: "no such host", Name: "api.example.com", IsNotFound: true}
	local := &refusal{text: "the limiter is full", notSent: true}
	length := errors.New("http: ContentLength=9 with Body length 5")
	socks := func(text string) error { return &net.OpError{Op: "socks connect", Net: "tcp", Err: errors.New(text)} }
	goAway := func(last int) error {
		return fmt.Errorf("http2: server sent GOAWAY and closed the connection; "+
			"LastStreamID=%d, ErrCode=NO_ERROR, debug=%q", last, "")
	}
	bodyWasRead := func(code string) error {
		return fmt.Errorf("http2: Transport: cannot retry err [stream error: stream ID 3; %s; received from peer] "+
			"after Request.Body was written; define Request.GetBody to avoid this error", code)
	}
	tlsAlert := errors.New(`malformed HTTP response "\x15\x03\x01\x00\x02\x02"`)
	const no, maybe = catalog.ReachedNo, catalog.ReachedMaybe
	for name, c := range map[string]struct {
		err       error
		reached   catalog.Reached
		permanent bool
	}{
		// Proven: nothing was sent.
		"dial":                        {dial, no, false},
		"dial, no such host":          {&net.OpError{Op: "dial", Err: dns}, no, false},
		"dial of the proxy":           {&net.OpError{Op: "proxyconnect", Err: dial}, no, false},
		"SOCKS, host unreachable":     {socks("unknown error host unreachable"), no, false},
		"http.Client of the Base":     {&url.Error{Op: "Post", URL: own, Err: dial}, no, false},
		"TLS handshake timeout":       {errors.New("net/http: TLS handshake timeout"), no, false},
		"both dials joined":           {errors.Join(dial, &net.OpError{Op: "dial", Err: dns}), no, false},
		"both dials in one text":      {fmt.Errorf("%w; %w", dial, &net.OpError{Op: "dial", Err: dns}), no, false},
		"limiter":                     {local, no, false},
		"limiter, wrapped":            {fmt.Errorf("orders: %w", local), no, false},
		"limiter, wrapped twice":      {&lastOfMany{"orders", fmt.Errorf("client: %w", local)}, no, false},
		"limiter, by http.Client":     {&url.Error{Op: "Post", URL: own, Err: local}, no, false},
		"limiters joined":             {errors.Join(local, dial), no, false},
		"limiter around a dial":       {&refusal{"no", reset, true}, no, false},
		"a Transport below, not sent": {&Error{Err: dial, Reached: no}, no, false},
		"HTTP/2, no stream opened":    {errors.New("http2: client conn not usable"), no, false},
		"HTTP/2, GOAWAY above": {
			errors.New("http2: Transport received Server's graceful shutdown GOAWAY"), no, false,
		},
		"HTTP/2, GOAWAY before any": {
			goAway(0), no, false,
		},
		"HTTP/2, refused, body was read": {
			bodyWasRead("REFUSED_STREAM"), no, false,
		},

		// Proven, and it will come again.
		"certificate":           {certificateError(), no, true},
		"HTTP on an HTTPS port": {http.ErrSchemeMismatch, no, true},
		"no TLS at all": {
			tls.RecordHeaderError{Msg: "first record does not look like a TLS handshake", Conn: &net.TCPConn{}}, no,
			true,
		},
		"invalid port": {
			&net.OpError{Op: "dial", Err: &net.AddrError{Err: "invalid port", Addr: "99999"}}, no, true,
		},
		"unknown port": {
			&net.OpError{Op: "dial", Err: &net.DNSError{Err: "unknown port", Name: "tcp/htp"}}, no, true,
		},
		"no host":                {errors.New("http: no Host in request URL"), no, true},
		"header":                 {errors.New(`net/http: invalid header field value for "X-Order"`), no, true},
		"method":                 {errors.New(`net/http: invalid method "P OST"`), no, true},
		"scheme of this request": {errors.New(`unsupported protocol scheme "http"`), no, true},
		"SOCKS, password":        {socks("username/password authentication failed"), no, true},
		"SOCKS, ruleset":         {socks("unknown error connection not allowed by ruleset"), no, true},
		"wrong, and not sent":    {errors.Join(local, &refusal{"", lasting{true}, true}), no, true},

		// Not proven, and it may be better next time.
		"connection reset":           {reset, maybe, false},
		"reset in a dial's text":     {fmt.Errorf("dial tcp: %w", reset), maybe, false},
		"unexpected EOF":             {io.ErrUnexpectedEOF, maybe, false},
		"dial and reset joined":      {errors.Join(dial, reset), maybe, false},
		"reset and dial in one text": {fmt.Errorf("%w after %w", reset, dial), maybe, false},
		"limiter and reset joined":   {errors.Join(local, reset), maybe, false},
		"nothing joined":             {fmt.Errorf("x: %w", errors.Join()), maybe, false},
		"go-retryablehttp": {
			fmt.Errorf("POST %s giving up after 5 attempt(s): %w", own, dial), maybe, false,
		},
		"go-retryablehttp, http.Client": {
			fmt.Errorf("POST x giving up after 5 attempt(s): %w", &url.Error{Op: "Post", URL: own, Err: dial}), maybe,
			false,
		},
		"failsafe-go": {
			&lastOfMany{"retries exceeded. last result: <nil>, last error: dial", dial}, maybe, false,
		},
		"retrier, its last was a limiter": {fmt.Errorf("gave up after 3 attempts: %w", local), maybe, false},
		"retrier that says little":        {&lastOfMany{"order failed", dial}, maybe, false},
		"wrapper that says nothing":       {fmt.Errorf("orders: %w", dial), maybe, false},
		"dial of another URL":             {&url.Error{Op: "Post", URL: other, Err: dial}, maybe, false},
		"dial of a redirect to itself":    {&url.Error{Op: "Get", URL: own, Err: dial}, maybe, false},
		"limiter of another URL":          {&url.Error{Op: "Post", URL: other, Err: local}, maybe, false},
		"DNS alone":                       {dns, maybe, false},
		"ECONNREFUSED alone":              {syscall.ECONNREFUSED, maybe, false},
		"may have been sent":              {&refusal{"tried twice", dial, false}, maybe, false},
		"a Transport below, maybe sent":   {&Error{Err: dial, Reached: maybe}, maybe, false},
		"the source of the body":          {&bodyError{dial}, maybe, false},
		"the limiter of the source":       {&bodyError{local}, maybe, false},
		"the certificate of the source":   {&bodyError{certificateError()}, maybe, false},
		"a sibling's certificate":         {&contextError{certificateError(), io.EOF}, maybe, false},
		"a damaged TLS record": {
			tls.RecordHeaderError{Msg: "received record with version 6a76 when expecting version 303"}, maybe, false,
		},
		"a phrase that nobody proves":  {errors.New("Bad Gateway"), maybe, false},
		"a refusal that nobody proves": {errors.New("Proxy Authentication Required"), maybe, false},
		"a text within a text":         {errors.New("log: http: ContentLength=9 with Body length 5"), maybe, false},
		"HTTP/2, GOAWAY later": {
			goAway(5), maybe, false,
		},
		"HTTP/2, protocol error": {
			bodyWasRead("PROTOCOL_ERROR"), maybe, false,
		},
		"not permanent, it says": {lasting{false}, maybe, false},
		"no address of this family": {
			&net.AddrError{Err: "no suitable address found", Addr: "api.example.com"}, maybe, false,
		},
		"token endpoint has trouble": {&retrieveError{"", "<html>"}, maybe, false},

		// Not proven, and it will come again.
		"length": {length, maybe, true},
		"length, connection broken": {
			fmt.Errorf("net/http: HTTP/1.x transport connection broken: %w", length), maybe, true,
		},
		"length, write error": {fmt.Errorf("write error: %w", length), maybe, true},
		"length, HTTP/2": {
			errors.New("http2: request body larger than specified content length"), maybe, true,
		},
		"length, by http.Client": {&url.Error{Op: "Post", URL: own, Err: length}, maybe, true},
		"header, wrapped": {
			fmt.Errorf("mw: %w", errors.New(`net/http: invalid header field name "X Order"`)), maybe, true,
		},
		"header, HTTP/2": {
			fmt.Errorf("http2: %w", errors.New(`invalid HTTP header name "x y"`)), maybe, true,
		},
		"our certificate": {
			&net.OpError{Op: "remote error", Err: errors.New("tls: bad certificate")}, maybe, true,
		},
		"certificate, wrapped": {fmt.Errorf("orders: %w", certificateError()), maybe, true},
		"scheme of a later link": {
			&url.Error{Op: "Get", URL: "ftp://x/", Err: errors.New(`unsupported protocol scheme "ftp"`)}, maybe, true,
		},
		"URL of the Base": {
			&url.Error{Op: "parse", URL: "http://x:y/", Err: errors.New(`invalid port ":y" after host`)}, maybe, true,
		},
		"it says so":                {fmt.Errorf("orders: %w", lasting{true}), maybe, true},
		"it says so, joined":        {errors.Join(reset, lasting{true}), maybe, true},
		"invalid_grant":             {&retrieveError{"invalid_grant", ""}, maybe, true},
		"invalid_grant in the body": {&retrieveError{"", `{"error":"invalid_grant"}`}, maybe, true},
		"no refresh token":          {errors.New("oauth2: token expired and refresh token is not set"), maybe, true},
		"a request of a server": {
			fmt.Errorf("%w in client requests", errors.New("http: Request.RequestURI can't be set")), maybe, true,
		},
		"TLS on an HTTP port": {
			fmt.Errorf("net/http: HTTP/1.x transport connection broken: %w", tlsAlert), maybe, true,
		},
		"permanent in a retrier": {fmt.Errorf("giving up after 2 attempts: %w", certificateError()), maybe, true},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				base := roundTripFunc(func(*http.Request) (*http.Response, error) { return nil, c.err })
				_, err := (&Transport{Base: base}).RoundTrip(newRequest(t, http.MethodPost, "order"))
				var e *Error
				if !errors.As(err, &e) {
					t.Fatal(err)
				}
				stop := StopMayHaveRun
				switch {
				case c.permanent:
					stop = StopPermanent
				case c.reached == no:
					stop = StopMaxAttempts
				}
				if e.Reached != c.reached || e.Stop != stop {
					t.Errorf("reached %v, stopped by %v; want %v, %v", e.Reached, e.Stop, c.reached, stop)
				}
			})
		})
	}
}

func TestNetworkErrors(t *testing.T) {
	for name, c := range map[string]struct {
		answer answer
		method string
		stop   StopReason
	}{
		"connection not made, POST": {dialFailed, http.MethodPost, StopMaxAttempts},
		"no such host, POST": {
			answer{err: &net.OpError{Op: "dial", Err: &net.DNSError{Err: "no such host"}}}, http.MethodPost,
			StopMaxAttempts,
		},
		"connection broke, GET":  {reset, http.MethodGet, StopMaxAttempts},
		"connection broke, POST": {reset, http.MethodPost, StopMayHaveRun},
		"unexpected EOF, PUT":    {answer{err: io.ErrUnexpectedEOF}, http.MethodPut, StopMaxAttempts},
		"TLS handshake timeout, POST": {
			answer{err: errors.New("net/http: TLS handshake timeout")}, http.MethodPost, StopMaxAttempts,
		},
		"our certificate refused": {
			answer{err: &net.OpError{Op: "remote error", Err: errors.New("tls: bad certificate")}},
			http.MethodGet, StopPermanent,
		},
		"certificate refused": {answer{err: certificateError()}, http.MethodGet, StopPermanent},
		"scheme": {
			answer{err: errors.New(`unsupported protocol scheme "ftp"`)}, http.MethodGet, StopPermanent,
		},
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
