package signer

import (
	"fmt"
	"io"
)

// Secret is text that must not show. Formatted by any verb, encoded as text,
// JSON, XML, YAML or gob, it is "***", so that printing a [Signer] or a
// configuration that holds one gives nothing away; string(s) is the text itself.
// What was encoded so cannot be used again: a Signer refuses "***".
//
// A Secret is a string, and some code does not ask it how it wants to be shown:
//   - package fmt, where it is in an unexported field: keep it in exported ones;
//   - encoding/json, where it is the key of a map: key maps by AppKey;
//   - what prints values by reflection, as tools that show the difference of
//     two values in tests do: compare string(a) == string(b), and print neither.
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

// MarshalText returns [Secret.String]; encoding/json, encoding/xml and log/slog
// use it.
func (s Secret) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

// GobEncode returns [Secret.String].
func (s Secret) GobEncode() ([]byte, error) { return []byte(s.String()), nil }

// GobDecode takes text as it is.
func (s *Secret) GobDecode(text []byte) error {
	*s = Secret(text)
	return nil
}
