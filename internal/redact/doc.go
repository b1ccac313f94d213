// Package redact takes out of a text what must not be shown: the secrets of a
// request that somebody on the way echoed, query strings, passwords in URLs,
// strings to sign, and control characters.
//
// A list of places where a secret can turn up is never complete, so this works
// the other way round: whatever a request carried counts as a secret unless it
// is known to be harmless, and everything that came from the wire passes
// [Masker.Text], [Masker.Code], [Masker.RequestID], [Masker.Body] or [Masker.Err] before it is
// shown.
package redact
