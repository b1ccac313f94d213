package signer

import (
	"crypto/rand"
	"encoding/hex"
)

func (s *Signer) nonce() string {
	if s.NewNonce != nil {
		return trim(s.NewNonce())
	}
	return newUUID()
}

// newUUID returns a random (version 4) UUID.
func newUUID() string {
	var b [16]byte
	_, _ = rand.Read(b[:]) // never fails
	b[6] = b[6]&0x0f | 0x40
	b[8] = b[8]&0x3f | 0x80
	var text [36]byte
	at := 0
	for i, c := range b {
		if i == 4 || i == 6 || i == 8 || i == 10 {
			text[at] = '-'
			at++
		}
		hex.Encode(text[at:at+2], []byte{c})
		at += 2
	}
	return string(text[:])
}
