package signer

import (
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"
)

// A signature is what RoundTrip has to remember of one sending.
type signature struct {
	text     []byte        // the string that was signed; nil where nothing was
	form     []byte        // the form whose parameters are part of it
	offset   time.Duration // the clock offset in use
	rules    Rules         // the reading in use
	learned  *Rules        // the same, where it was learned
	withheld denial        // why there are no credentials
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
	if d := s.denies(req); d.reason != allowed {
		s.strip(req)
		return signature{withheld: d}, nil
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

func (s *Signer) applySignature(req *http.Request) (signature, error) {
	if req.Method == http.MethodConnect {
		return signature{}, refused("a CONNECT request has no path to sign")
	}
	h := req.Header
	named := s.namesAlgorithm(h)
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
	form, err := prepareBody(req)
	if err != nil {
		return signature{}, err
	}
	nonce := s.nonce()
	if nonce == "" {
		return signature{}, &Error{Field: "NewNonce", Reason: "returned a blank nonce; it must be unique for each call"}
	}
	learned := s.memory.of(req)
	now, offset := timestamp(s.localNow(), learned.ClockOffset)
	signed := signature{form: form, offset: offset, rules: s.rules(), learned: learned.Rules}
	if learned.Rules != nil {
		signed.rules = *learned.Rules
	}

	set := headerSetter{h: h, values: new([7]string)}
	set.value("X-Ca-Key", s.AppKey)
	set.value("X-Ca-Nonce", nonce)
	set.value("X-Ca-Timestamp", strconv.FormatInt(now.UnixMilli(), 10))
	names = append(names, "x-ca-key", "x-ca-nonce", "x-ca-timestamp")
	if s.Stage != "" {
		set.value("X-Ca-Stage", s.Stage)
		names = append(names, "x-ca-stage")
	}
	if s.Algorithm != HmacSHA256 || named {
		set.value("X-Ca-Signature-Method", s.Algorithm.String())
		names = append(names, "x-ca-signature-method")
	}
	slices.Sort(names)
	names = slices.Compact(names)
	set.value("X-Ca-Signature-Headers", strings.Join(names, ","))

	path, query := urlTarget(req.URL, signed.rules)
	signed.text = appendStringToSign(make([]byte, 0, 512), req.Method, path, query, h, names, form, signed.rules)
	set.value("X-Ca-Signature", s.Algorithm.sign(s.AppSecret, signed.text))
	return signed, nil
}

// headerSetter sets header values. One array for all of them keeps a signature
// at one allocation for them; the capacities keep the neighbours safe from an
// append.
type headerSetter struct {
	h      http.Header
	values *[7]string
	next   int
}

func (s *headerSetter) value(name, value string) {
	s.values[s.next] = value
	s.h[name] = s.values[s.next : s.next+1 : s.next+1]
	s.next++
}

// namesAlgorithm reports whether the request names the algorithm in use. The
// default one need not be named, but stays if it is; another one is left over
// from somebody else's signature.
func (s *Signer) namesAlgorithm(h http.Header) bool {
	word, n := lookup(h, "X-Ca-Signature-Method")
	algorithm, known := ParseAlgorithm(trim(word))
	return n == 1 && known && algorithm == s.Algorithm
}

// presentNames appends, in lower case, the names of the headers to sign that
// the caller put on the request. Lower case is valid for the verifiers known
// here, and Higress takes nothing else. All signed headers get the value that is
// on the wire: HTTP/1 trims it, HTTP/2 would not.
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
		return false, refused("header " + http.CanonicalHeaderKey(name) +
			" has several values or spellings and is signed; send one")
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
