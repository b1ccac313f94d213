package gatewaytest

import (
	"crypto/hmac"
	"crypto/sha1"
	"crypto/sha256"
	"encoding/base64"
	"net/http"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/apigw-go/apigw/signer"
)

// This file builds the string to sign a second time, on purpose apart from
// package signer: a fake that asks the signer what is right would agree with
// every mistake of it. The vectors of other people's clients hold both to the
// same facts, and a fuzz test compares the two.

// signedRequest is what a verifier sees of a request.
type signedRequest struct {
	method, path, query string
	header              http.Header
	form                string // the body, if its type names a form anywhere
}

// newSignedRequest takes the target from the wire, if the request came from
// a server, else from the URL.
func newSignedRequest(r *http.Request, body []byte) signedRequest {
	s := signedRequest{method: r.Method, header: r.Header}
	target := r.RequestURI
	if target == "" {
		target = r.URL.RequestURI()
	}
	s.path, s.query, _ = strings.Cut(target, "?")
	if scheme, rest, ok := strings.Cut(s.path, "://"); ok && !strings.HasPrefix(scheme, "/") {
		_, path, _ := strings.Cut(rest, "/") // the absolute form, as for a proxy
		s.path = "/" + path
	}
	if s.path == "" {
		s.path = "/"
	}
	if isForm(r.Header, HeadersHigress) {
		s.form = string(body)
	}
	return s
}

// isForm reports whether the type of the body is that of a form. Higress looks
// for it anywhere in the header, the documentation at the beginning.
func isForm(h http.Header, reading HeaderReading) bool {
	const form = "application/x-www-form-urlencoded"
	contentType := strings.ToLower(h.Get("Content-Type"))
	if reading == HeadersHigress {
		return strings.Contains(contentType, form)
	}
	return strings.HasPrefix(contentType, form)
}

// stringToSign builds the string of a reading.
func (s signedRequest) stringToSign(reading Reading) string {
	var b strings.Builder
	method := s.method
	if reading.Headers != HeadersHigress {
		method = strings.ToUpper(method)
	}
	b.WriteString(method + "\n")
	for _, name := range [...]string{"Accept", "Content-MD5", "Content-Type", "Date"} {
		b.WriteString(s.standardHeader(name, reading) + "\n")
	}
	for _, line := range s.headerLines(reading) {
		b.WriteString(line + "\n")
	}
	b.WriteString(signedPath(s.path, reading.Path))
	for i, p := range s.parameters(reading) {
		b.WriteByte("?&"[min(i, 1)])
		b.WriteString(p.name)
		if p.value != "" || reading.HigressParameters {
			b.WriteString("=" + p.value)
		}
	}
	return b.String()
}

// standardHeader returns a header that has a line of its own. A client whose
// Content-Type is changed on the way, such as the boundary of a multipart form,
// names the one that it signed.
func (s signedRequest) standardHeader(name string, reading Reading) string {
	if name == "Content-Type" && reading.Headers != HeadersHigress && len(s.header["X-Ca-Signed-Content-Type"]) > 0 {
		name = "X-Ca-Signed-Content-Type"
	}
	return s.headerValue(name, reading)
}

// headerValue is the first value of a header; Envoy hands all of them over,
// joined by commas.
func (s signedRequest) headerValue(name string, reading Reading) string {
	values := s.header[http.CanonicalHeaderKey(name)]
	switch {
	case len(values) == 0:
		return ""
	case reading.Headers == HeadersHigress:
		var all []string
		for _, v := range values {
			all = append(all, strings.Trim(v, " \t"))
		}
		return strings.Join(all, ",")
	}
	return strings.Trim(values[0], " \t")
}

// headerLines returns the lines of the listed headers in their order.
func (s signedRequest) headerLines(reading Reading) []string {
	list := s.headerValue("X-Ca-Signature-Headers", reading)
	var names []string
	for name := range strings.SplitSeq(list, ",") {
		if reading.Headers == HeadersHigress {
			name = strings.ToLower(name)
		} else {
			name = strings.Trim(name, " \t")
		}
		if name != "" && (reading.Headers == HeadersListed || !hasOwnPlace(name)) {
			names = append(names, name)
		}
	}
	slices.Sort(names) // by name, not by line: "a:" would stand behind "a-b:"
	if reading.Headers == HeadersDocumented {
		names = slices.Compact(names)
	}
	lines := make([]string, len(names))
	for i, name := range names {
		lines[i] = name + ":" + s.headerValue(name, reading)
	}
	return lines
}

// hasOwnPlace reports whether a header is in the string anyway, or carries the
// signature.
func hasOwnPlace(name string) bool {
	switch strings.ToLower(name) {
	case "accept", "content-md5", "content-type", "date", "x-ca-signature", "x-ca-signature-headers":
		return true
	}
	return false
}

func signedPath(path string, reading PathReading) string {
	switch reading {
	case PathDecoded:
		return unescape(path, false)
	case PathKeepsSlashes:
		return keepSlashes(path)
	}
	return path
}

// keepSlashes decodes all escapes but those of slash and backslash.
func keepSlashes(path string) string {
	var b strings.Builder
	for i := 0; i < len(path); i++ {
		if path[i] != '%' {
			b.WriteByte(path[i])
			continue
		}
		c, ok := escaped(path[i:])
		if !ok {
			return path
		}
		if c == '/' || c == '\\' {
			b.WriteString(path[i : i+3])
		} else {
			b.WriteByte(c)
		}
		i += 2
	}
	if !utf8.ValidString(b.String()) {
		return path
	}
	return b.String()
}

type parameter struct{ name, value string }

// parameters returns those of query and form, sorted by the bytes of their
// names; the first one of a name counts.
func (s signedRequest) parameters(reading Reading) []parameter {
	query, form := parseParameters(s.query, reading, false), []parameter(nil)
	if isForm(s.header, reading.Headers) {
		form = parseParameters(s.form, reading, true)
	}
	all := slices.Concat(form, query)
	if reading.QueryFirst {
		all = slices.Concat(query, form)
	}
	slices.SortStableFunc(all, func(a, b parameter) int { return strings.Compare(a.name, b.name) })
	return slices.CompactFunc(all, func(a, b parameter) bool { return a.name == b.name })
}

func parseParameters(encoded string, reading Reading, form bool) []parameter {
	if encoded == "" {
		return nil
	}
	pieces := strings.Split(encoded, "&")
	if last := len(pieces) - 1; pieces[last] == "" {
		pieces = pieces[:last] // nothing begins behind a last "&"
	}
	var params []parameter
	for _, piece := range pieces {
		name, value, pair := strings.Cut(piece, "=")
		switch plus := !reading.HigressParameters; {
		case plus && piece == "":
			continue // Higress counts it as an empty name
		case !pair && (!plus || form && reading.BareFormNames):
		default:
			name, value = unescape(name, plus), unescape(value, plus)
		}
		params = append(params, parameter{name, value})
	}
	return params
}

// unescape decodes percent escapes, and "+" if that stands for a blank. A
// broken escape stays as it is.
func unescape(s string, plus bool) string {
	if !strings.ContainsAny(s, "%+") {
		return s
	}
	b := make([]byte, 0, len(s))
	for i := 0; i < len(s); i++ {
		c, ok := escaped(s[i:])
		switch {
		case ok:
			i += 2
		case s[i] == '+' && plus:
			c = ' '
		default:
			c = s[i]
		}
		b = append(b, c)
	}
	return string(b)
}

// escaped returns the byte of the escape that s begins with.
func escaped(s string) (byte, bool) {
	if len(s) < 3 || s[0] != '%' {
		return 0, false
	}
	const digits = "0123456789abcdef0123456789ABCDEF"
	high, low := strings.IndexByte(digits, s[1]), strings.IndexByte(digits, s[2])
	return byte(high%16<<4 | low%16), high >= 0 && low >= 0
}

// verify checks the signature of a request under several readings. It returns
// the string of the first one, for the text of a refusal.
func verify(s signedRequest, secret signer.Secret, readings []Reading) (shown string, ok bool) {
	given := strings.Trim(s.header.Get("X-Ca-Signature"), " \t")
	for i, reading := range readings {
		text := s.stringToSign(reading)
		if i == 0 {
			shown = text
		}
		want, known := signature(s.header.Get("X-Ca-Signature-Method"), secret, text,
			readings[0].Headers == HeadersHigress)
		if known && hmac.Equal([]byte(given), []byte(want)) {
			return shown, true
		}
	}
	return shown, false
}

// signature computes the HMAC that X-Ca-Signature-Method asks for. Higress
// knows one word and takes every other one for SHA-256.
func signature(method string, secret signer.Secret, text string, higress bool) (string, bool) {
	method = strings.Trim(method, " \t")
	hash, known := sha256.New, true
	switch {
	case higress && method != "HmacSHA1":
	case strings.EqualFold(method, "HmacSHA1"):
		hash = sha1.New
	case method != "" && !strings.EqualFold(method, "HmacSHA256"):
		known = false
	}
	mac := hmac.New(hash, []byte(secret))
	mac.Write([]byte(text))
	return base64.StdEncoding.EncodeToString(mac.Sum(nil)), known
}
