package apigw

import (
	"fmt"
	"io"
	"net/http"
	"sync/atomic"
)

// prepare lets hook change the request of the next attempt, and sees to it that
// its body is whole afterwards: a hook that signs may read it. After an error, or
// a panic of the hook, the body is closed.
func (b *bodies) prepare(next *http.Request, hook func(*http.Request) error) (err error) {
	if !hasBody(next) {
		return hook(next)
	}
	given := &hookBody{ReadCloser: next.Body}
	next.Body = given
	prepared := false
	defer func() {
		if !prepared {
			given.Close()
			if next.Body != given {
				closeBody(next)
			}
		}
	}()
	if err = hook(next); err == nil {
		err = b.settle(next, given)
	}
	prepared = err == nil
	return err
}

// settle gives next the body that it is to send.
func (b *bodies) settle(next *http.Request, given *hookBody) (err error) {
	switch {
	case next.Body != given && !hasBody(next): // taken away
		given.Close()
	case next.Body != given && given.closed.Load() && isReliable(next.Body):
	case next.Body != given: // replaced, by one that may read the old one
		body := newRequestBody(&joinedBody{next.Body, given}, 0)
		body.last = true
		next.Body = body.reader(next.Context())
	case !given.used.Load():
		next.Body = given.ReadCloser
	default:
		given.Close()
		if next.Body, err = b.next(); err != nil {
			return fmt.Errorf("PrepareRetry read the body, which cannot be had again: %w", err)
		}
	}
	return nil
}

// hookBody is the body that a hook is given.
type hookBody struct {
	io.ReadCloser
	used, closed atomic.Bool
}

func (b *hookBody) Read(p []byte) (int, error) {
	b.used.Store(true)
	return b.ReadCloser.Read(p)
}

func (b *hookBody) Close() error {
	if b.closed.Swap(true) {
		return nil
	}
	b.used.Store(true)
	return closeWithin(b.ReadCloser)
}

// joinedBody closes the body that it replaces, too.
type joinedBody struct {
	io.ReadCloser
	replaced *hookBody
}

func (b *joinedBody) Close() error {
	defer b.replaced.Close()
	return b.ReadCloser.Close()
}
