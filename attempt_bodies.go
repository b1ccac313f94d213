package apigw

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"net/http"
)

// bodies gives each attempt of a call its body.
type bodies struct {
	req     *http.Request // the caller's
	watched *requestBody  // nil if there is no body, or one that goes out as it is
	length  int64         // of a body in memory that goes out as it is, else 0
}

// bodiesOf looks at the body of req, of which up to remember bytes are
// remembered if there is no GetBody. A body in memory with a GetBody goes out as
// it is: it can neither block nor fail.
func bodiesOf(req *http.Request, remember int64) bodies {
	b := bodies{req: req}
	switch {
	case !hasBody(req):
	case req.GetBody == nil && remember > 0:
		b.watched = newRequestBody(req.Body, remember)
	case !isReliable(req.Body):
		b.watched = newRequestBody(req.Body, 0)
		b.watched.last = req.GetBody != nil // each attempt has a body of its own
	default:
		b.length = lengthOf(req.Body)
	}
	return b
}

// first returns the request of the first attempt: the caller's, if possible.
func (b *bodies) first() *http.Request {
	if b.watched == nil {
		return b.req
	}
	return b.request(b.reader())
}

// request returns a copy of the request with the body of an attempt. net/http
// may ask GetBody for another one, to send it again by itself: what the source of
// that fails with is no failure of the connection either.
func (b *bodies) request(body io.ReadCloser) *http.Request {
	next := withBody(b.req, body)
	if _, watched := body.(*attemptBody); !watched || next.GetBody == nil {
		return next
	}
	came := b.req
	next.GetBody = func() (io.ReadCloser, error) {
		body, err := freshBody(came)
		switch {
		case err != nil:
			return nil, &bodyError{err}
		case isReliable(body):
			return body, nil
		}
		resent := bodies{req: came, watched: newRequestBody(body, 0)}
		resent.watched.last = true
		return resent.reader(), nil
	}
	return next
}

// next returns the body of the next attempt, nil or http.NoBody as in the
// caller's request.
func (b *bodies) next() (io.ReadCloser, error) {
	if !hasBody(b.req) {
		return b.req.Body, nil
	}
	if b.req.GetBody != nil {
		body, err := freshBody(b.req)
		if err != nil || isReliable(body) {
			b.watched = nil
			return body, err
		}
		b.watched = newRequestBody(body, 0)
		b.watched.last = true
	}
	if !b.replayable() {
		return nil, errors.New("the request body was read past MaxBodyBuffer, or its source failed")
	}
	return b.reader(), nil
}

// reader returns the watched body for an attempt. It ends with the request.
func (b *bodies) reader() *attemptBody {
	r := b.watched.reader(b.req.Context())
	//lint:ignore SA1019 net/http obeys it, and so does who stands in for it
	r.watchCancel(b.req.Cancel)
	return r
}

// hold keeps the attempt that failed from reading on while the next step is
// decided.
func (b *bodies) hold() {
	if b.watched != nil {
		b.watched.hold()
	}
}

// replayable reports whether next can succeed.
func (b *bodies) replayable() bool {
	return !hasBody(b.req) || b.req.GetBody != nil || b.watched != nil && b.watched.replayable()
}

// drop takes the body away from the attempt that failed, before its response is
// closed: HTTP/2 waits there for a Read of the body.
func (b *bodies) drop() {
	switch {
	case b.watched == nil:
	case b.req.GetBody != nil:
		b.watched.finish(false)
		b.watched.settle() // a body that sets the trailers at its end must not do so any more
	default:
		b.watched.drop()
	}
}

// finish says that no attempt follows, and whether there is a response: its
// attempt may go on sending. The body is closed otherwise.
func (b *bodies) finish(responded bool) {
	if b.watched != nil {
		b.watched.finish(responded)
	}
}

// failure returns err, with which base failed to send, with what is known of it.
func (b *bodies) failure(base http.RoundTripper, before *answered, err error) error {
	err = ownError(b.req.Context(), err)
	if cause := b.wrongLength(); cause != nil {
		return &lengthError{cause, err}
	}
	base = sender(base)
	t, ok := base.(*http.Transport)
	traced, unsent := err.(*unsentError)
	switch {
	case ok && unsent:
		return cmp.Or(connectRefused(t, b.req, traced.error), err)
	case unsent:
		return err
	case ok:
		err = provenBy(t, b.req, err)
	}
	return before.doubt(base, b.req, err)
}

// wrongLength returns what is wrong with ContentLength, if that is known: such a
// request fails each time, but net/http and the server say so in many ways.
func (b *bodies) wrongLength() error {
	declared := b.req.ContentLength
	n, all := b.length, b.length > 0
	if b.watched != nil {
		n, all = b.watched.length()
	}
	if declared > 0 && (n > declared || all && n < declared) {
		return fmt.Errorf("Request.ContentLength is %d, but the body has %s%d bytes", declared, orMore[all], n)
	}
	return nil
}

// lengthError says that a request fails because of its ContentLength.
type lengthError struct{ cause, err error }

func (e *lengthError) Error() string   { return e.cause.Error() + ": " + e.err.Error() }
func (e *lengthError) Unwrap() error   { return e.err }
func (e *lengthError) Permanent() bool { return true }

var orMore = map[bool]string{true: "", false: "at least "}

// freshBody returns the body of another attempt from GetBody.
func freshBody(req *http.Request) (io.ReadCloser, error) {
	body, err := req.GetBody()
	if err == nil && body == nil {
		err = errors.New("GetBody returned neither a body nor an error")
	}
	return body, err
}
