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
	headersTitle      = "# headers"
)

// signature is what --json prints. Scripts read it: names and types stay.
type signature struct {
	StringToSign string            `json:"string_to_sign"`
	Signature    string            `json:"signature"`
	Headers      map[string]string `json:"headers"`
}

// runSign signs as a Transport's signer would, with a clock and a nonce that can
// be set, so that another program's signature can be compared with it.
func runSign(in *invocation, args []string) int {
	fs := in.flags("sign")
	request := requestFlags(fs)
	credentials := keyFlags(fs)
	asJSON := fs.Bool("json", false, "")
	timestamp := fs.String("timestamp", "", "")
	nonce := fs.String("nonce", "", "")
	algorithm := fs.String("algorithm", "", "")
	headers := fs.String("signed-headers", "", "")
	higress := fs.Bool("higress", false, "")
	decodedPath := fs.Bool("decoded-path", false, "")
	rest, ok, code := in.parse(fs, args, 1)
	if !ok {
		return code
	}
	if len(rest) == 0 {
		return in.misuse("no URL; see `apigw sign -h` for examples")
	}
	req, err := request.build(in, rest[0])
	if err != nil {
		return in.misuse("%v", err)
	}
	if credentials.key == "" {
		return in.misuse("no AppKey; give --key KEY, and the secret that belongs to it in APIGW_APP_SECRET or --secret-file FILE")
	}
	s, err := credentials.signer(in, req)
	if err != nil {
		return in.misuse("%v", err)
	}
	// -H 'X-Ca-Signature-Method: HmacSHA1' says it too.
	word := cmp.Or(*algorithm, req.Header.Get("X-Ca-Signature-Method"))
	method, ok := signer.ParseAlgorithm(word)
	if !ok {
		return in.misuse("--algorithm %q is not known; give HmacSHA256 or HmacSHA1", shorten(word))
	}
	s.Algorithm, s.Higress, s.DecodedPath = method, *higress, *decodedPath
	if *headers != "" {
		for name := range strings.SplitSeq(*headers, ",") {
			s.SignedHeaders = append(s.SignedHeaders, strings.TrimSpace(name))
		}
	}
	// -H says these, too.
	*nonce = cmp.Or(*nonce, req.Header.Get("X-Ca-Nonce"))
	*timestamp = cmp.Or(*timestamp, req.Header.Get("X-Ca-Timestamp"))
	if *nonce != "" {
		s.NewNonce = func() string { return *nonce }
	}
	if *timestamp != "" {
		ms, err := strconv.ParseInt(*timestamp, 10, 64)
		if err != nil || ms < 0 {
			return in.misuse("--timestamp %q is no number of milliseconds since 1970, such as 1525872629832", shorten(*timestamp))
		}
		s.Now = func() time.Time { return time.UnixMilli(ms) }
	}
	if err := s.Sign(req); err != nil {
		return in.misuse("%s", safeText(err))
	}
	printed := signature{
		StringToSign: signer.StringToSign(req, request.body, signer.Rules{Higress: *higress, DecodedPath: *decodedPath}),
		Signature:    req.Header.Get("X-Ca-Signature"),
		Headers:      make(map[string]string, len(req.Header)),
	}
	for name, values := range req.Header {
		printed.Headers[name] = strings.Join(values, ", ")
	}
	if *asJSON {
		in.json(printed)
		return exitOK
	}
	// Not made printable: these are the bytes that were signed.
	fmt.Fprintf(in.stdout, "%s\n%s\n%s\n", stringToSignTitle, printed.StringToSign, headersTitle)
	for _, name := range slices.Sorted(maps.Keys(printed.Headers)) {
		fmt.Fprintf(in.stdout, "%s: %s\n", cmp.Or(wireNames[name], name), printed.Headers[name])
	}
	return exitOK
}

// wireNames are the usual spellings where Go's canonical form differs.
var wireNames = map[string]string{http.CanonicalHeaderKey("Content-MD5"): "Content-MD5"}
