package apigw

import (
	"net/http"
	"net/url"
	"reflect"
	"slices"
	"sync"
)

// originalRequest is a request as it came in. A Base may not change what it is given,
// but signers that sign in place and Bases that rewrite the URL exist. What they
// added must not be there when the request is sent again: a second nonce would
// be the first one, and /v1 before the path would become /v1/v1.
type originalRequest struct {
	req    *http.Request // the caller's
	copied http.Request
	url    url.URL
	header *headerNotes // nil if the Base is known to change nothing
}

// note remembers req, which has a URL. It allocates nothing: the notes of
// headers come out of a pool.
func (o *originalRequest) note(req *http.Request, base http.RoundTripper) {
	o.req = req
	if _, ok := base.(*http.Transport); ok {
		return
	}
	o.copied, o.url = *req, *req.URL
	o.header = notesPool.Get().(*headerNotes)
	o.header.note(req.Header)
}

// release gives the notes back. The request cannot be restored afterwards.
func (o *originalRequest) release() {
	if o.header != nil {
		o.header.clear()
		notesPool.Put(o.header)
		o.header = nil
	}
}

// restored returns the request as it came in: sent itself if nothing has
// changed, else a copy. sent is the caller's request, or an earlier copy.
func (o *originalRequest) restored(sent *http.Request) *http.Request {
	if o.header == nil || o.unchanged(sent) {
		return sent
	}
	req := new(http.Request)
	*req = o.copied
	u := o.url
	req.URL = &u
	req.Header = o.header.header()
	return req
}

// unchanged compares what decides on the next attempt. Of the body only whether
// there is one: each attempt gets a body of its own.
func (o *originalRequest) unchanged(sent *http.Request) bool {
	was := &o.copied
	return sent.Method == was.Method && sent.Host == was.Host && sent.ContentLength == was.ContentLength &&
		sent.URL != nil && *sent.URL == o.url &&
		hasBody(sent) == hasBody(was) && (sent.GetBody == nil) == (was.GetBody == nil) &&
		sameContext(sent, was) && o.header.describe(sent.Header)
}

// sameContext compares contexts that may be of any type.
func sameContext(a, b *http.Request) bool {
	x, y := a.Context(), b.Context()
	return reflect.TypeOf(x) == reflect.TypeOf(y) && (!reflect.TypeOf(x).Comparable() || x == y)
}

// headerNotes is a copy of a header without maps, so that it can be used again.
type headerNotes struct {
	none   bool // the header is nil
	names  []string
	counts []int    // of the values of each name
	values []string // of all names
}

var notesPool = sync.Pool{New: func() any { return new(headerNotes) }}

func (n *headerNotes) note(h http.Header) {
	n.none = h == nil
	for name, values := range h {
		n.names = append(n.names, name)
		n.counts = append(n.counts, len(values))
		n.values = append(n.values, values...)
	}
}

// clear forgets the values, which can be secrets.
func (n *headerNotes) clear() {
	clear(n.names)
	clear(n.values)
	*n = headerNotes{names: n.names[:0], counts: n.counts[:0], values: n.values[:0]}
}

// describe reports whether h is as noted.
func (n *headerNotes) describe(h http.Header) bool {
	if len(h) != len(n.names) || (h == nil) != n.none {
		return false
	}
	rest := n.values
	for i, name := range n.names {
		values, ok := h[name]
		if !ok || !slices.Equal(values, rest[:n.counts[i]]) {
			return false
		}
		rest = rest[n.counts[i]:]
	}
	return true
}

// header returns a copy of the header as noted.
func (n *headerNotes) header() http.Header {
	if n.none {
		return nil
	}
	h := make(http.Header, len(n.names))
	rest := slices.Clone(n.values)
	for i, name := range n.names {
		count := n.counts[i]
		if h[name] = nil; count > 0 {
			h[name] = rest[:count:count]
		}
		rest = rest[count:]
	}
	return h
}
