package signer

import (
	"fmt"
	"io"
)

// Secret is text that must not show. Formatted by any verb, encoded as text or
// as JSON, it is "***", so that printing a [Signer] or a configuration that
// holds one gives nothing away; string(s) is the text itself.
//
// Keep it in exported fields: package fmt does not ask the values of unexported
// fields how they want to be printed.
type Secret string

const masked = "***"

// String returns "***", or "" for an empty secret.
func (s Secret) String() string {
	if s == "" {
		return ""
	}
	return masked
}

// GoString is String: "%#v" shows nothing either.
func (s Secret) GoString() string { return s.String() }

// Format writes [Secret.String] whatever the verb, "%x" and "%d" included.
func (s Secret) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, s.String()) }

// MarshalText returns [Secret.String]; encoding/json and log/slog use it.
func (s Secret) MarshalText() ([]byte, error) { return []byte(s.String()), nil }
