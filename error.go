package apigw

import (
	"time"

	"github.com/apigw-go/apigw/catalog"
	"github.com/apigw-go/apigw/internal/redact"
)

// Error is a failure that the gateway, the backend or the network reported,
// with all that is known about it. [FromResponse] finds it on a response; an
// error returned by [Transport.RoundTrip] is one too, with Err set.
//
// It is not changed after it was handed out. Reading it is safe for concurrent
// use.
type Error struct {
	// Entry is what the catalog says: meaning, remedy, class, who can fix
	// it. A general entry with the ID "unknown" if no row fits.
	Entry catalog.Entry
	// Code is X-Ca-Error-Code, empty on classic instances, or the known code in
	// the JSON body of a service on top of the gateway.
	Code catalog.Code
	// Status is 0 without a response. Where Stop is StopNonceUsed, all this is
	// the first failure, not the refusal of the nonce that came back at last.
	Status int
	// Message is X-Ca-Error-Message as received, or the text of a body that
	// the catalog knows. It can hold query strings, and on a refused
	// signature form values: do not log it.
	Message   string
	Params    []catalog.Param // the varying parts of Message, if it is known
	RequestID string          // of the gateway, to be given to support
	Origin    Origin
	// Inferred says that the code is not in the catalog and that Entry
	// follows from the code's shape.
	Inferred bool
	// Reached says whether the backend may have run the request. It can
	// differ from Entry.Reached if the text says more than the code.
	Reached catalog.Reached

	// Method, Host and Path are the request's. There is no query.
	Method, Host, Path string

	Attempts []Attempt
	Stop     StopReason // why there was no further attempt; 0 if none was decided
	Err      error      // the cause where there is no response, else nil
	// NeededWait is how long the call would have had to wait, at least, where
	// Stop is StopPaced or StopQuotaHeld; else 0.
	NeededWait time.Duration

	// secrets are taken out of every text that is shown. They are collected
	// at once, since the caller may change its request later.
	secrets redact.Secrets
	// withheld is why the request went out without credentials, as the
	// signer below says it; empty if it did not. Else the gateway's "Invalid
	// AppKey" would send the user after a ghost.
	withheld string
}

// entry is Entry, also in an Error that a test made by hand.
func (e *Error) entry() catalog.Entry {
	if e.Entry.ID == "" {
		return catalog.ByStatus(e.Status)
	}
	return e.Entry
}

// Is reports whether target is the sentinel of e's class, or an Error with the
// same code.
func (e *Error) Is(target error) bool {
	switch t := target.(type) {
	case *classSentinel:
		return t.has(e.entry().Class)
	case *Error:
		return t.Code != "" && t.Code == e.Code
	}
	return false
}

// Unwrap returns e.Err.
func (e *Error) Unwrap() error { return e.Err }

// Timeout reports whether the cause is a timeout; net/http asks for it.
func (e *Error) Timeout() bool {
	for err := range wrappedBy(e.Err, nil) {
		if t, ok := err.(interface{ Timeout() bool }); ok {
			return t.Timeout()
		}
	}
	return false
}
