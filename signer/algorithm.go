package signer

import (
	"crypto/hmac"
	"crypto/sha1"
	"crypto/sha256"
	"encoding/base64"
	"hash"
	"net/http"
	"strings"
)

// Algorithm is the HMAC of a signature.
type Algorithm uint8

// The algorithms. The zero value is the default of the gateway; a request that
// uses it has no X-Ca-Signature-Method.
const (
	HmacSHA256 Algorithm = iota
	HmacSHA1
)

// String returns the word for X-Ca-Signature-Method, "unknown" for a value
// that is none of the constants.
func (a Algorithm) String() string {
	switch a {
	case HmacSHA256:
		return "HmacSHA256"
	case HmacSHA1:
		return "HmacSHA1"
	}
	return "unknown"
}

// ParseAlgorithm reads the value of X-Ca-Signature-Method in any letter case.
// The empty value is HmacSHA256, as for the gateway.
func ParseAlgorithm(word string) (Algorithm, bool) {
	switch {
	case word == "", strings.EqualFold(word, "HmacSHA256"):
		return HmacSHA256, true
	case strings.EqualFold(word, "HmacSHA1"):
		return HmacSHA1, true
	}
	return HmacSHA256, false
}

func (a Algorithm) hash() func() hash.Hash {
	if a == HmacSHA1 {
		return sha1.New
	}
	return sha256.New
}

// Signature returns the value of X-Ca-Signature for a string to sign: its
// HMAC in base64. An unknown algorithm counts as HmacSHA256.
func (a Algorithm) Signature(secret Secret, stringToSign string) string {
	return a.sign(secret, []byte(stringToSign))
}

func (a Algorithm) sign(secret Secret, message []byte) string {
	mac := hmac.New(a.hash(), []byte(secret))
	mac.Write(message)
	// The room behind the message, where there is any, saves an allocation.
	sum := mac.Sum(message[len(message):])
	var text [64]byte
	n := base64.StdEncoding.EncodedLen(len(sum))
	base64.StdEncoding.Encode(text[:n], sum)
	return string(text[:n])
}

// Verify checks the signature of a received request and returns the string
// that it computed, for the message of a refusal. Key, timestamp, nonce and
// Content-MD5 are for the caller to check. The signature is compared in
// constant time; an unknown X-Ca-Signature-Method never verifies.
//
// body is the complete body of r, needed where it is a form; r.Body is not
// read. Verify keeps no state and is safe for concurrent use.
func Verify(r *http.Request, body []byte, secret Secret, rules Rules) (stringToSign string, ok bool) {
	stringToSign = StringToSign(r, body, rules)
	word, _ := lookup(r.Header, "X-Ca-Signature-Method")
	algorithm, known := ParseAlgorithm(trim(word))
	got, _ := lookup(r.Header, "X-Ca-Signature")
	want := algorithm.Signature(secret, stringToSign)
	return stringToSign, known && hmac.Equal([]byte(trim(got)), []byte(want))
}
