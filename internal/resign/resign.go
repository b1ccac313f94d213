// Package resign carries what a signer has to say to whoever retries above it.
// A signer that learns from a refusal does not send again behind the back of a
// retrying transport: it leaves a [Note] on the response, and the transport
// decides, counts and shows the next sending.
package resign

import (
	"context"
	"net/http"
	"time"
)

// What a refusal can teach.
const (
	Clock   = "clock"   // the gateway's time
	Reading = "reading" // how the gateway reads path and parameters
)

// Note is what a signer says about one response. It is not changed after it
// was attached, and safe for concurrent use.
type Note struct {
	// Learned says that this response is a refusal which taught the signer
	// something: the same request, signed afresh, is not the same sending.
	Learned bool

	// Lesson is Clock or Reading where Learned is true, else empty. A request
	// can need both, one after the other; needing one twice is a loop.
	Lesson string

	// Refused lists the sendings before this response, oldest first: those
	// that the signer sent once more by itself, because nothing above it
	// called SendOnce. Nil for none.
	Refused []Refusal

	// Withheld says in one sentence why the request went out without
	// credentials, such as "no credentials were sent: host 127.0.0.1:8080 is
	// not in Hosts". Empty where they were sent.
	Withheld string
}

// Refusal is one sending that the gateway refused and the signer resent.
type Refusal struct {
	Status   int
	Header   http.Header   // of the refused response
	Start    time.Time     // when it was sent
	Duration time.Duration // until its response head
	Lesson   string        // Clock or Reading
}

type key struct{}

// NewContext returns a context that carries the note.
func NewContext(ctx context.Context, n *Note) context.Context {
	return context.WithValue(ctx, key{}, n)
}

// FromContext returns the note of a context, nil if it has none.
func FromContext(ctx context.Context) *Note {
	n, _ := ctx.Value(key{}).(*Note)
	return n
}

// FromResponse returns the note on a response, nil if it has none. It is found
// on the context of resp.Request and so survives wrappers that replace the body.
func FromResponse(resp *http.Response) *Note {
	if resp == nil || resp.Request == nil {
		return nil
	}
	return FromContext(resp.Request.Context())
}

// Attach puts the note on a response. sent is the request to use where the
// response names none.
func Attach(resp *http.Response, sent *http.Request, n *Note) {
	if resp.Request == nil {
		resp.Request = sent
	}
	resp.Request = resp.Request.WithContext(NewContext(resp.Request.Context(), n))
}

// Error is a failed sending before which others were refused.
type Error struct {
	Err     error // why there is no response
	Refused []Refusal
}

// WithRefused returns err, wrapped in an [*Error] where others were refused
// before. A nil err stays nil.
func WithRefused(err error, refused []Refusal) error {
	if err == nil || refused == nil {
		return err
	}
	return &Error{err, refused}
}

func (e *Error) Error() string { return e.Err.Error() }

// Unwrap returns the cause.
func (e *Error) Unwrap() error { return e.Err }
