package signer

import (
	"net/http"
	"net/url"
	"slices"
	"strings"
	"unicode/utf8"
)

// Rules selects the reading of the specification. The zero value is what the
// documentation of the cloud gateway says (help page 29475).
//
// The sources contradict each other. The vendor's plug-in for clients that move
// from the classic gateway to the newer one says that the classic one read like
// Rules{DecodedPath: true, KeepSlashes: true, QueryFirst: true,
// RawFormNames: true, ListedHeaders: true}.
type Rules struct {
	// Higress follows Higress hmac-auth: header names in lower case, repeated
	// headers joined by commas, HigressParameters and QueryFirst.
	Higress bool

	// HigressParameters reads query and form as Higress does: "k=" for an
	// empty value, "+" stands for itself, a name without "=" stays as sent.
	HigressParameters bool

	// DecodedPath takes the percent-decoded path instead of the one on the
	// wire. Several public signers do that; Higress refuses it.
	DecodedPath bool

	// KeepSlashes, with DecodedPath, leaves %2F and %5C in the path as they
	// are on the wire, in their letter case, as Undertow does. A path with a
	// broken escape, or that is not UTF-8 when decoded, is taken as sent.
	KeepSlashes bool

	// QueryFirst takes the query's value of a name that stands in the query
	// and in the form, as Higress always does. Without it the form's is taken.
	QueryFirst bool

	// RawFormNames leaves the name of a form parameter without "=" as it was
	// sent, neither percent nor plus decoded. HigressParameters imply it.
	RawFormNames bool

	// ListedHeaders gives Accept, Content-MD5, Content-Type and Date a line
	// among the signed headers too, where X-Ca-Signature-Headers lists them.
	// [Signer] never lists them.
	ListedHeaders bool
}

func (r Rules) higressParameters() bool { return r.Higress || r.HigressParameters }

func (r Rules) queryFirst() bool { return r.Higress || r.QueryFirst }

// StringToSign returns the string whose HMAC is the signature of r: what a
// verifier computes for a request that it received, and what was signed for a
// request that [Signer.Sign] has signed. It reads the header names from
// X-Ca-Signature-Headers; a name that is listed and was not sent counts as
// empty. Of a repeated header the first value counts (Higress: all of them,
// joined by commas).
//
// The body is looked at only where Content-Type announces a form; r.Body is
// never read. StringToSign accepts every request. What url.ParseQuery refuses
// is taken literally: ";" is an ordinary character, a broken escape is text.
//
// The result holds the values of all parameters, passwords included.
func StringToSign(r *http.Request, body []byte, rules Rules) string {
	path, query := target(r, rules)
	return string(appendStringToSign(nil, r.Method, path, query, r.Header, signedNames(r.Header, rules), body, rules))
}

// appendStringToSign is the one place where the string is put together. names
// are sorted, without duplicates and in the letter case to be written.
func appendStringToSign(
	dst []byte, method, path, query string, h http.Header, names []string, form []byte, rules Rules,
) []byte {
	if method == "" {
		method = http.MethodGet // as net/http sends it
	}
	dst = append(dst, strings.ToUpper(method)...)
	dst = append(dst, '\n')
	contentType := headerText(h, "Content-Type", rules)
	signedType := contentType
	if _, n := lookup(h, "X-Ca-Signed-Content-Type"); n > 0 && !rules.Higress {
		// The type as it was before a boundary was added to it: documented by
		// the vendor's migration plug-in for the classic gateway.
		signedType = headerText(h, "X-Ca-Signed-Content-Type", rules)
	}
	for _, v := range [...]string{
		headerText(h, "Accept", rules),
		headerText(h, "Content-Md5", rules),
		signedType,
		headerText(h, "Date", rules),
	} {
		dst = append(dst, v...)
		dst = append(dst, '\n')
	}
	for _, name := range names {
		dst = append(dst, name...)
		dst = append(dst, ':')
		dst = append(dst, headerText(h, name, rules)...)
		dst = append(dst, '\n')
	}
	if !isForm(contentType) {
		form = nil
	}
	return appendPathAndParameters(dst, path, query, string(form), rules)
}

// signedNames returns what X-Ca-Signature-Headers lists, ready for
// appendStringToSign.
func signedNames(h http.Header, rules Rules) []string {
	list, _ := lookup(h, "X-Ca-Signature-Headers")
	var names []string
	for name := range strings.SplitSeq(list, ",") {
		if name = trim(name); name == "" || neverInBlock(name, rules.ListedHeaders) {
			continue
		}
		if rules.Higress {
			name = strings.ToLower(name)
		}
		names = append(names, name)
	}
	slices.Sort(names)
	return slices.Compact(names)
}

// neverInBlock reports whether name is one of the headers that carry the
// signature, or, unless listed ones count, that have a line of their own.
func neverInBlock(name string, listed bool) bool {
	for i, n := range [...]string{
		"X-Ca-Signature", "X-Ca-Signature-Headers", "Accept", "Content-MD5", "Content-Type", "Date",
	} {
		if sameName(n, name) {
			return i < 2 || !listed
		}
	}
	return false
}

// target returns the path and the query that are signed for r. On a received
// request RequestURI is what was on the wire, byte for byte; a request to be
// sent has none, and its URL decides, as in net/http.
func target(r *http.Request, rules Rules) (path, query string) {
	if r.RequestURI == "" {
		return urlTarget(r.URL, rules)
	}
	path, query, _ = strings.Cut(r.RequestURI, "?")
	if _, rest, ok := strings.Cut(path, "://"); ok && path[0] != '/' {
		path = authorityCut(rest) // absolute form, as sent to a proxy
	}
	return readPath(path, rules), query
}

func urlTarget(u *url.URL, rules Rules) (path, query string) {
	if u == nil {
		return "/", ""
	}
	switch {
	case strings.HasPrefix(u.Opaque, "//"):
		path = authorityCut(u.Opaque[2:])
	case u.Opaque != "":
		path = u.Opaque
	default:
		path = u.EscapedPath()
	}
	return readPath(path, rules), u.RawQuery
}

// readPath returns the path to sign for the one on the wire.
func readPath(wire string, rules Rules) string {
	if wire == "" {
		return "/"
	}
	if !rules.DecodedPath || !strings.Contains(wire, "%") {
		return wire
	}
	decoded := decode(wire, false, rules.KeepSlashes)
	if rules.KeepSlashes && (brokenEscape(wire) || !utf8.ValidString(decoded)) {
		return wire
	}
	return decoded
}

// brokenEscape reports whether a "%" is not followed by two digits.
func brokenEscape(s string) bool {
	for i := strings.IndexByte(s, '%'); i >= 0; i = strings.IndexByte(s, '%') {
		if i+2 >= len(s) || !isHex(s[i+1]) || !isHex(s[i+2]) {
			return true
		}
		s = s[i+3:]
	}
	return false
}

// authorityCut returns the path of "authority/path".
func authorityCut(s string) string {
	if i := strings.IndexByte(s, '/'); i >= 0 {
		return s[i:]
	}
	return "/"
}
