package signer

import (
	"fmt"
	"net/http"
	"time"
)

// Signer is an [http.RoundTripper] that puts the credentials of an application
// on requests and sends them through Base: a signature made of AppKey and
// AppSecret, or an AppCode. Put it under whatever retries requests, so that
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

	// AppCodeParameter sends AppCode as the query parameter of this name
	// instead, and leaves Authorization to the caller. Empty means the header.
	// See [DefaultAppCodeParameter].
	AppCodeParameter string

	// AllowPlainHTTP lets AppCode go out over plain HTTP to a host that is not
	// this machine. Everyone on the way can then read the code and use it,
	// because nothing else protects it. A signature needs it in one case only:
	// where a redirect leads from https to http.
	AllowPlainHTTP bool

	// LearnOverPlainHTTP lets a refusal that came over plain HTTP from another
	// machine, or over TLS that was not verified, teach the Signer. Everyone on
	// the way can then set its clock, within the bounds of [Learned].
	LearnOverPlainHTTP bool

	// Hosts are the hosts that may see the credentials: "api.example.com" for
	// the default port of the scheme, "api.example.com:8443" for that port,
	// "localhost:*" for any port, "*.example.com" for exactly one more label,
	// "[::1]:8080". Letter case and a trailing dot do not matter. Both the
	// host that is dialled (URL.Host) and one that Request.Host names instead
	// must match, with their ports: through a proxy it is Request.Host that
	// is reached. Names are in ASCII ("xn--..."); a host in other letters is
	// none of Hosts.
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

	// The reading to sign with until a refusal shows another one, see [Rules]
	// and [Learned]. The zero values are the documentation's.
	//
	// DecodedPath signs the percent-decoded path instead of the one on the
	// wire, KeepSlashes with it leaves %2F and %5C as they are. Higress signs
	// for Higress hmac-auth. HigressParameters, QueryFirst and RawFormNames are
	// parts of it, for gateways that have one and not the others.
	DecodedPath       bool
	KeepSlashes       bool
	Higress           bool
	HigressParameters bool
	QueryFirst        bool
	RawFormNames      bool

	// Base sends the signed requests. If nil, http.DefaultTransport does; where
	// that leads back to this Signer, the one that the program started with.
	Base http.RoundTripper

	// Now is the time of this machine. If nil, time.Now is. The offset to the
	// gateway's clock, once learned, is added to it.
	Now func() time.Time

	// NewNonce makes the value of X-Ca-Nonce, unique for each call and never
	// empty. If nil, it is a random UUID. It is called concurrently.
	NewNonce func() string

	memory memory
	self   selfReference
}

// Sign puts the credentials on req itself, whose headers the caller must own.
// What an earlier signature left there, in whatever letter case, is replaced:
// nonce, timestamp and signature are new after every call. That makes Sign the
// hook for retries of requests that were signed further up. A request for a
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
// another attempt does not send a nonce twice: a signature is configured and the host
// of req is one of Hosts.
func (s *Signer) Renews(req *http.Request) bool {
	return s.check() == nil && s.AppCode == "" && req.URL != nil && s.denies(req).reason == allowed
}

func (s *Signer) localNow() time.Time {
	if s.Now != nil {
		return s.Now()
	}
	return time.Now()
}

// rules are those that the fields ask for.
func (s *Signer) rules() Rules {
	return Rules{
		DecodedPath: s.DecodedPath, KeepSlashes: s.KeepSlashes,
		Higress: s.Higress, HigressParameters: s.HigressParameters, QueryFirst: s.QueryFirst,
		RawFormNames: s.RawFormNames,
	}
}

// Format writes the settings that name things, whatever the verb. What was
// learned and what Base holds does not show.
func (s *Signer) Format(f fmt.State, _ rune) {
	if s == nil {
		fmt.Fprint(f, "<nil>")
		return
	}
	fmt.Fprintf(f, "signer.Signer{AppKey: %q, AppSecret: %v, AppCode: %v, Hosts: %q, Stage: %q}",
		s.AppKey, s.AppSecret, s.AppCode, s.Hosts, s.Stage)
}
