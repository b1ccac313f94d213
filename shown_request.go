package apigw

import (
	"bytes"
	"io"
	"net/http"
	"slices"
)

// shown returns the request for a hook that looks at it: the caller's, unless
// its body is there only once. A hook that dumps the request would read that,
// and the retry would send an empty one. It gets a copy of what was sent so far.
func (b *bodies) shown() *http.Request {
	if b.watched == nil || b.req.GetBody != nil {
		return b.req
	}
	return withBody(b.req, io.NopCloser(bytes.NewReader(b.watched.remembered())))
}

// shown is the request for OnDone, which may be called before there is a body.
func (c *call) shown() *http.Request {
	if c.body.req == nil {
		return c.req
	}
	return c.body.shown()
}

// remembered returns a copy of what was read of the body, nil if a part of it is
// forgotten.
func (b *requestBody) remembered() []byte {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.start > 0 {
		return nil
	}
	return slices.Clone(b.buf)
}
