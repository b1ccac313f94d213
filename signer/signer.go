package signer

import (
	"context"
	"io"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/apigw-go/apigw/internal/resign"
)

// Signer is an [http.RoundTripper] that puts the credentials of an application
// on requests and sends them through Base: a signature made of AppKey and
// AppSecret, or an AppCode. Put it under whatever repeats requests, so that
// every attempt has a nonce, a timestamp and a signature of its own.
//
// Only requests for Hosts carry credentials. Every other request, such as the
// next hop of a redirect, is sent without them, even without those that are
// already on it. One Signer under another therefore takes off what the upper
// one signed: for several applications choose a Signer by host, in a
// RoundTripper above them.
//
// AppKey with AppSecret, or AppCode, and Hosts must be set; what is missing or
// contradictory is reported by the first request, as an [*Error]. A Signer is
// safe for concurrent use. Do not change its fields after the first use, and
// do not copy it then.
type Signer struct {
	// AppKey and AppSecret identify the application and sign its requests.
	AppKey    string
	AppSecret Secret

	// AppCode, set instead of AppKey and AppSecret, is sent as
	// "Authorization: APPCODE <code>" and signs nothing. It is refused over
	// plain HTTP, see AllowPlainHTTP, and on a request that has an
	// Authorization of another kind.
	AppCode Secret

	// AllowPlainHTTP lets AppCode go out over plain HTTP to a host that is not
	// this machine. Everyone on the way can then read the code and use it,
	// because nothing else protects it. A signature does not need this field:
	// it never shows the secret.
	AllowPlainHTTP bool

	// Hosts are the hosts that may see the credentials: "api.example.com" for
	// the default port of the scheme, "api.example.com:8443" for that port,
	// "localhost:*" for any port, "*.example.com" for exactly one more label,
	// "[::1]:8080". Letter case and a trailing dot do not matter. Both the
	// host that is dialled (URL.Host) and one that Request.Host names instead
	// must match.
	Hosts []string

	// Algorithm is HmacSHA256 if zero.
	Algorithm Algorithm

	// Stage is sent as X-Ca-Stage if not empty: TEST, PRE or RELEASE. It
	// replaces one that is on the request.
	Stage string

	// SignedHeaders are further headers to sign, in any letter case, where a
	// request has them. X-Ca-Key, X-Ca-Nonce and X-Ca-Timestamp are always
	// signed, X-Ca-Stage, X-Ca-Signature-Method, X-Ca-Request-Mode and
	// X-Ca-Version when they are sent. Accept, Content-MD5, Content-Type and
	// Date are part of every signature and ignored here. Headers that
	// net/http or a proxy writes, such as Host and User-Agent, are refused.
	SignedHeaders []string

	// DecodedPath signs URL.Path, percent-decoded, instead of the path on the
	// wire. See [Rules].
	DecodedPath bool

	// KeepSlashes, with DecodedPath, leaves %2F and %5C as they are on the
	// wire. See [Rules].
	KeepSlashes bool

	// QueryFirst signs the query's value of a name that stands in the query
	// and in the form. See [Rules].
	QueryFirst bool

	// RawFormNames signs a name without "=" in a form as it was sent. See
	// [Rules].
	RawFormNames bool

	// Higress signs for Higress hmac-auth. It matters only for parameters that
	// have an empty value or a "+". See [Rules].
	Higress bool

	// Base sends the signed requests. If nil, http.DefaultTransport does.
	Base http.RoundTripper

	// Now tells the time of this machine. If nil, time.Now does. The offset to
	// the gateway's clock, once learned, is added to it.
	Now func() time.Time

	// NewNonce makes the value of X-Ca-Nonce, unique for each call and never
	// empty. If nil, it is a random UUID. It is called concurrently.
	NewNonce func() string

	clock clock
}

// RoundTrip signs a clone of req and sends it through Base. It does not change
// req and closes its body, also when it fails.
//
// Where the gateway refuses the timestamp, RoundTrip takes the time from the
// Date of the response, keeps the difference for this and all later requests,
// and sends the request once more, if the body can be replayed and the
// difference is at least a minute.
//
// Where the gateway refuses the signature and tells the string it computed,
// the response carries a [*Diagnosis], see [FromResponse].
//
// A body that is not a form and has a GetBody is read twice, once for
// Content-MD5. A form is read into memory, since its parameters are signed.
// A form without GetBody may have up to 1 MiB; a longer one is refused.
func (s *Signer) RoundTrip(req *http.Request) (*http.Response, error) {
	out := cloned(req)
	signed, err := s.apply(out)
	if err != nil {
		closeBody(out)
		return nil, err
	}
	resp, err := s.base().RoundTrip(out)
	if err != nil || resp == nil || signed.text == nil {
		return resp, err
	}
	if timestampRefused(resp) && replayable(out) && s.clock.learn(resp, s.localNow(), signed.offset) {
		again := cloned(out)
		if resigned, err := s.replay(again); err == nil {
			discard(resp)
			out, signed = again, resigned
			if resp, err = s.base().RoundTrip(out); err != nil || resp == nil {
				return resp, err
			}
		}
	}
	s.attachDiagnosis(resp, out, signed)
	return resp, nil
}

// SendOnce is RoundTrip for a caller that retries: it sends req once and never
// again. Where a refusal taught the Signer something, such as the gateway's
// time, the next sending of the same request uses it. apigw.Transport calls it
// for a Signer that is its Base, so that each sending is one of its attempts.
func (s *Signer) SendOnce(req *http.Request) (*http.Response, error) {
	out := cloned(req)
	signed, err := s.apply(out)
	if err != nil {
		closeBody(out)
		return nil, err
	}
	resp, err := s.base().RoundTrip(out)
	if err != nil || resp == nil || signed.text == nil {
		return resp, err
	}
	if timestampRefused(resp) && s.clock.learn(resp, s.localNow(), signed.offset) {
		resign.Attach(resp, out, &resign.Note{Learned: true, Lesson: resign.Clock})
	}
	s.attachDiagnosis(resp, out, signed)
	return resp, nil
}

// cloned is a clone that shares the trailer: whoever made the request fills it in
// while the body is read.
func cloned(req *http.Request) *http.Request {
	out := req.Clone(req.Context())
	out.Trailer = req.Trailer
	return out
}

// replay gives a request that was sent before a fresh body and signature. When
// it fails there is nothing to close.
func (s *Signer) replay(req *http.Request) (signature, error) {
	if err := req.Context().Err(); err != nil {
		return signature{}, err
	}
	if req.GetBody != nil {
		body, err := req.GetBody()
		if err != nil {
			return signature{}, err
		}
		req.Body = body
	}
	signed, err := s.apply(req)
	if err != nil {
		closeBody(req)
	}
	return signed, err
}

// Sign puts the credentials on req itself, whose headers the caller must own.
// What an earlier signature left there, in whatever letter case, is replaced:
// nonce, timestamp and signature are new after every call. That makes Sign the
// hook for repeats of requests that were signed further up. A request for a
// host that is not in Hosts loses its credentials, without an error.
//
// Sign never sets Date and never adds an Accept; what is there is signed. It
// replaces the body only where it had to read a form that has no GetBody; the
// request has a GetBody then. The body is not closed otherwise. After an error
// the request must not be sent.
func (s *Signer) Sign(req *http.Request) error {
	_, err := s.apply(req)
	return err
}

// Renews reports whether RoundTrip would give req a nonce of its own, so that
// repeating it does not repeat a nonce: a signature is configured and the host
// of req is one of Hosts.
func (s *Signer) Renews(req *http.Request) bool {
	return s.check() == nil && s.AppCode == "" && req.URL != nil && s.covers(req)
}

// CloseIdleConnections closes the idle connections of Base, if it can.
func (s *Signer) CloseIdleConnections() {
	if c, ok := s.base().(interface{ CloseIdleConnections() }); ok {
		c.CloseIdleConnections()
	}
}

func (s *Signer) base() http.RoundTripper {
	if s.Base != nil {
		return s.Base
	}
	return http.DefaultTransport
}

func (s *Signer) localNow() time.Time {
	if s.Now != nil {
		return s.Now()
	}
	return time.Now()
}

func (s *Signer) rules() Rules {
	return Rules{
		Higress: s.Higress, DecodedPath: s.DecodedPath, KeepSlashes: s.KeepSlashes,
		QueryFirst: s.QueryFirst, RawFormNames: s.RawFormNames,
	}
}

// A signature is what RoundTrip has to remember of one attempt.
type signature struct {
	text   []byte        // the string that was signed; nil where nothing was
	form   []byte        // the form whose parameters are part of it
	offset time.Duration // the clock offset in use
}

// apply puts the credentials on req, or takes them off for a foreign host. On
// an error req.Body is what the caller still has to close.
func (s *Signer) apply(req *http.Request) (signature, error) {
	if err := s.check(); err != nil {
		return signature{}, err
	}
	if req.URL == nil {
		return signature{}, refused("the request has no URL")
	}
	if req.Header == nil {
		req.Header = make(http.Header)
	}
	if !s.covers(req) {
		s.strip(req.Header)
		return signature{}, nil
	}
	if s.AppCode != "" {
		return signature{}, s.applyAppCode(req)
	}
	return s.applySignature(req)
}

// signatureHeaders belong to one signature and never outlive it.
var signatureHeaders = [...]string{
	"X-Ca-Key", "X-Ca-Nonce", "X-Ca-Timestamp",
	"X-Ca-Signature", "X-Ca-Signature-Headers", "X-Ca-Signature-Method",
}

// strip takes all that is for the gateway off a request for a host that must
// not see it.
func (s *Signer) strip(h http.Header) {
	for key := range h {
		if hasPrefixFold(key, "X-Ca-") {
			delete(h, key)
		}
	}
	if s.AppCode == "" {
		return
	}
	for key, values := range h {
		if sameName(key, "Authorization") && slices.ContainsFunc(values, func(v string) bool {
			return hasPrefixFold(trim(v), "APPCODE") && strings.Contains(v, string(s.AppCode))
		}) {
			delete(h, key)
		}
	}
}

func (s *Signer) applyAppCode(req *http.Request) error {
	if !s.AllowPlainHTTP && !sameName(req.URL.Scheme, "https") && !isLoopback(req.URL.Hostname()) {
		return &Error{Field: "AppCode", Reason: "is not sent over plain HTTP, where everyone on the way can read it; use https or set AllowPlainHTTP"}
	}
	if other, n := lookup(req.Header, "Authorization"); n > 1 || trim(other) != "" && !hasPrefixFold(trim(other), "APPCODE ") {
		return refused("the request has an Authorization of its own, which AppCode needs for itself; send one of the two")
	}
	// A nonce and a timestamp may stay: they are not part of a signature here.
	for _, name := range [...]string{"X-Ca-Key", "X-Ca-Signature", "X-Ca-Signature-Headers", "X-Ca-Signature-Method"} {
		remove(req.Header, name)
	}
	remove(req.Header, "Authorization")
	req.Header["Authorization"] = []string{"APPCODE " + string(s.AppCode)}
	if s.Stage != "" {
		remove(req.Header, "X-Ca-Stage")
		req.Header["X-Ca-Stage"] = []string{s.Stage}
	}
	return nil
}

func (s *Signer) applySignature(req *http.Request) (signature, error) {
	if req.Method == http.MethodConnect {
		return signature{}, refused("a CONNECT request has no path to sign")
	}
	h := req.Header
	// The default algorithm need not be named. Where the caller does, it stays
	// named; another one is left over from somebody else's signature.
	word, n := lookup(h, "X-Ca-Signature-Method")
	algorithm, known := ParseAlgorithm(trim(word))
	named := n == 1 && known && algorithm == s.Algorithm
	for _, name := range signatureHeaders {
		remove(h, name)
	}
	if s.Stage != "" {
		remove(h, "X-Ca-Stage")
	}
	var room [16]string
	names, err := s.presentNames(h, room[:0])
	if err != nil {
		return signature{}, err
	}
	form, err := prepareBody(req, s.rules())
	if err != nil {
		return signature{}, err
	}
	nonce := s.nonce()
	if nonce == "" {
		return signature{}, &Error{Field: "NewNonce", Reason: "returned a blank nonce; it must be unique for each call"}
	}
	offset := s.clock.offset()

	// One array for all the values keeps a signature at one allocation for
	// them; the capacities keep the neighbours safe from an append.
	values := new([7]string)
	next := 0
	set := func(name, value string) {
		values[next] = value
		h[name] = values[next : next+1 : next+1]
		next++
	}
	set("X-Ca-Key", s.AppKey)
	set("X-Ca-Nonce", nonce)
	set("X-Ca-Timestamp", strconv.FormatInt(s.localNow().Add(offset).UnixMilli(), 10))
	names = append(names, "x-ca-key", "x-ca-nonce", "x-ca-timestamp")
	if s.Stage != "" {
		set("X-Ca-Stage", s.Stage)
		names = append(names, "x-ca-stage")
	}
	if s.Algorithm != HmacSHA256 || named {
		set("X-Ca-Signature-Method", s.Algorithm.String())
		names = append(names, "x-ca-signature-method")
	}
	slices.Sort(names)
	names = slices.Compact(names)
	set("X-Ca-Signature-Headers", strings.Join(names, ","))

	path, query := urlTarget(req.URL, s.rules())
	text := appendStringToSign(make([]byte, 0, 512), req.Method, path, query, h, names, form, s.rules())
	set("X-Ca-Signature", s.Algorithm.sign(s.AppSecret, text))
	return signature{text: text, form: form, offset: offset}, nil
}

// presentNames appends, in lower case, the names of the headers to sign that
// the caller put on the request. Lower case is valid for every verifier, and
// Higress takes nothing else. All signed headers get the value that is on the
// wire: HTTP/1 trims it, HTTP/2 would not.
func (s *Signer) presentNames(h http.Header, names []string) ([]string, error) {
	for _, name := range [...]string{"Accept", "Content-Md5", "Content-Type", "Date"} {
		if _, err := single(h, name); err != nil {
			return nil, err
		}
	}
	for _, name := range [...]string{"x-ca-request-mode", "x-ca-stage", "x-ca-version"} {
		present, err := single(h, name)
		if err != nil {
			return nil, err
		}
		if present {
			names = append(names, name)
		}
	}
	for _, name := range s.SignedHeaders {
		if neverInBlock(name, false) {
			continue
		}
		present, err := single(h, name)
		if err != nil {
			return nil, err
		}
		if present {
			names = append(names, strings.ToLower(name))
		}
	}
	return names, nil
}

// single reports whether a header is there, and trims it. Several values are
// refused: some verifiers sign the first of them, others all, joined.
func single(h http.Header, name string) (present bool, err error) {
	value, n := lookup(h, name)
	if n > 1 {
		return false, refused("header " + http.CanonicalHeaderKey(name) + " has several values or spellings and is signed; send one")
	}
	if trimmed := trim(value); n == 1 && trimmed != value {
		for key, values := range h {
			if sameName(key, name) && len(values) == 1 {
				h[key] = []string{trimmed}
			}
		}
	}
	return n == 1, nil
}

// discard reads the rest of a refused response, so that its connection can be
// used again, and closes it. Size and time are bounded: a body that drips must
// not hold up the second attempt.
func discard(resp *http.Response) {
	const maxBytes, maxTime = 4 << 10, 100 * time.Millisecond
	closeEarly := time.AfterFunc(maxTime, func() { resp.Body.Close() })
	_, _ = io.CopyN(io.Discard, resp.Body, maxBytes)
	if closeEarly.Stop() {
		resp.Body.Close()
	}
}

type diagnosisKey struct{}

func (s *Signer) attachDiagnosis(resp *http.Response, sent *http.Request, signed signature) {
	message := resp.Header.Get("X-Ca-Error-Message")
	if resp.StatusCode < 400 || message == "" {
		return
	}
	text := string(signed.text)
	d, ok := diagnose(text, requestFields(text, sent, string(signed.form), s.rules()), message)
	if !ok {
		return
	}
	if resp.Request == nil {
		resp.Request = sent
	}
	resp.Request = resp.Request.WithContext(context.WithValue(resp.Request.Context(), diagnosisKey{}, d))
}

// FromResponse returns the diagnosis of a refused signature. It is false for a
// response that no Signer sent, and for one that does not tell the gateway's
// string to sign. It survives wrappers that replace the body of the response.
func FromResponse(resp *http.Response) (*Diagnosis, bool) {
	if resp == nil || resp.Request == nil {
		return nil, false
	}
	d, ok := resp.Request.Context().Value(diagnosisKey{}).(*Diagnosis)
	return d, ok
}
