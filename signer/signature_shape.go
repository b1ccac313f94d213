package signer

import (
	"encoding/base64"
	"encoding/hex"
	"net/http"
	"strings"
)

// Lengths of an HMAC in bytes.
const sha1Bytes, sha256Bytes = 20, 32

// signatureFindings looks at a signature over the right string: what was made of
// it may be wrong, too.
func signatureFindings(h http.Header) []Finding {
	given, n := lookup(h, "X-Ca-Signature")
	word, _ := lookup(h, "X-Ca-Signature-Method")
	algorithm, known := ParseAlgorithm(trim(word))
	if n == 0 || !known {
		return nil
	}
	want := sha256Bytes
	if algorithm == HmacSHA1 {
		want = sha1Bytes
	}
	code := ""
	switch got, shape := hmacBytes(trim(given)); {
	case shape != "":
		code = shape
	case got == want:
		return nil
	case got == sha1Bytes && trim(word) == "":
		code = "sha1-signature"
	case got == sha1Bytes, got == sha256Bytes:
		code = "method-not-used"
	default:
		code = "signature-shape"
	}
	return []Finding{{Code: code, Part: PartSignature}}
}

// hmacBytes returns the length of the HMAC in a signature, or the mistake in how
// it is written.
func hmacBytes(given string) (n int, shape string) {
	if digest, err := hex.DecodeString(given); err == nil && (len(digest) == sha1Bytes || len(digest) == sha256Bytes) {
		return len(digest), "signature-hex"
	}
	if strings.ContainsAny(given, "%-_") {
		return 0, "signature-escaped"
	}
	digest, err := base64.StdEncoding.DecodeString(given)
	if err != nil {
		return 0, ""
	}
	if raw, err := hex.DecodeString(string(digest)); err == nil && (len(raw) == sha1Bytes || len(raw) == sha256Bytes) {
		return len(raw), "signature-of-hex"
	}
	return len(digest), ""
}
