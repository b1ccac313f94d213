package main

import (
	"cmp"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/apigw-go/apigw/signer"
)

// The titles of the two parts that sign prints. "explain --signed" finds the
// string by them, so they are the same in every language.
const (
	stringToSignTitle = "# string to sign"
	escapedTitle      = stringToSignTitle + ", with Go's escapes"
	headersTitle      = "# headers"
)

// signature is what --json prints. Scripts read it: names and types stay.
type signature struct {
	StringToSign string            `json:"string_to_sign"`
	Signature    string            `json:"signature"`
	Headers      map[string]string `json:"headers"`
}

// signFlags are the flags of sign.
type signFlags struct {
	request     *requestSpec
	credentials *credentials
	profile     *profileFlags
	rules       *signingRules

	timestamp, nonce, like string
	asJSON, asCurl         bool
}

// runSign signs as a Transport's signer would, with a clock and a nonce that can
// be set, so that another program's signature can be compared with it.
func runSign(in *invocation, args []string) int {
	fs := in.flags("sign")
	f := signFlags{request: requestFlags(fs), credentials: keyFlags(fs), profile: addProfileFlags(fs),
		rules: ruleFlags(fs)}
	fs.BoolVar(&f.asJSON, "json", false, "")
	fs.BoolVar(&f.asCurl, "curl", false, "")
	fs.StringVar(&f.timestamp, "timestamp", "", "")
	fs.StringVar(&f.nonce, "nonce", "", "")
	fs.StringVar(&f.like, "like", "", "")
	rest, ok, code := in.parse(fs, args, 1)
	switch {
	case !ok:
		return code
	case len(rest) == 0:
		return in.misuse("no URL; see `apigw sign -h` for examples")
	case f.asJSON && f.asCurl:
		return in.misuse("--json and --curl exclude each other; give one")
	}
	if err := f.profile.apply(in, f.credentials, f.request, nil); err != nil {
		return in.fault(err)
	}
	req, err := f.request.build(in, rest[0])
	if err != nil {
		return in.fault(err)
	}
	if f.credentials.key == "" {
		return in.misuse("no AppKey; give --key KEY, and the secret that belongs to it in APIGW_APP_SECRET or " +
			"--secret-file FILE")
	}
	printed, err := f.sign(in, req)
	if err != nil {
		return in.fault(err)
	}
	switch {
	case f.asJSON:
		in.json(printed)
	case f.asCurl:
		fmt.Fprintln(in.stdout, curlCommand(req, f.request))
	default:
		in.writeSignature(printed)
	}
	return exitOK
}

// sign signs req and returns what is printed of it.
func (f *signFlags) sign(in *invocation, req *http.Request) (signature, error) {
	s, err := f.credentials.signer(in, req)
	if err != nil {
		return signature{}, err
	}
	var model likeness
	if f.like != "" {
		if model, err = in.readLikeness(f.like); err != nil {
			return signature{}, err
		}
		model.prepare(req)
	}
	if err := f.rules.apply(in, s, req.Header.Get("X-Ca-Signature-Method")); err != nil {
		return signature{}, err
	}
	s.SignedHeaders = append(s.SignedHeaders, model.names...)
	// A flag goes before -H, and that before the string of the gateway.
	nonce := cmp.Or(f.nonce, req.Header.Get("X-Ca-Nonce"), model.nonce)
	if nonce != "" {
		s.NewNonce = func() string { return nonce }
	}
	if timestamp := cmp.Or(f.timestamp, req.Header.Get("X-Ca-Timestamp"), model.timestamp); timestamp != "" {
		ms, err := strconv.ParseInt(timestamp, 10, 64)
		if err != nil || ms < 0 {
			return signature{}, in.errorf("--timestamp %q is no number of milliseconds since 1970, such as "+
				"1525872629832",
				shorten(timestamp))
		}
		s.Now = func() time.Time { return time.UnixMilli(ms) }
	}
	if err := s.Sign(req); err != nil {
		return signature{}, err
	}
	model.spell(req.Header)
	text := signer.StringToSign(req, f.request.body, f.rules.rules)
	if f.like != "" {
		req.Header.Set("X-Ca-Signature", s.Algorithm.Signature(s.AppSecret, text))
	}
	printed := signature{StringToSign: text, Signature: req.Header.Get("X-Ca-Signature"),
		Headers: make(map[string]string, len(req.Header))}
	for name, values := range req.Header {
		printed.Headers[name] = strings.Join(values, ", ")
	}
	return printed, nil
}

// writeSignature prints the bytes that were signed, unless one of them could
// move the cursor of a terminal: then they are escaped, which readSigned undoes.
func (in *invocation) writeSignature(s signature) {
	title, text := stringToSignTitle, s.StringToSign
	if !isPlainText(text) {
		title, text = escapedTitle, escapeText(text)
	}
	fmt.Fprintf(in.stdout, "%s\n%s\n%s\n", title, text, headersTitle)
	for _, name := range slices.Sorted(maps.Keys(s.Headers)) {
		fmt.Fprintf(in.stdout, "%s: %s\n", cmp.Or(wireNames[name], name), printable(s.Headers[name]))
	}
}

// wireNames are the usual spellings where Go's canonical form differs.
var wireNames = map[string]string{http.CanonicalHeaderKey("Content-MD5"): "Content-MD5"}
