package apigw

import (
	"errors"
	"io"
	"net/http"
	"runtime"
	"strings"
	"sync"
	"time"
)

// An error in a body is looked for within these bounds. The texts of the
// gateways are far shorter, and a server may send without end, or drip.
const (
	maxPeek     = 4 << 10
	maxPeekTime = 250 * time.Millisecond
)

// readable reports whether a body with these headers can be looked into: text
// or JSON as it is, not compressed.
func readable(h http.Header) bool {
	if encoding := headerValue(h, "Content-Encoding"); encoding != "" && !strings.EqualFold(encoding, "identity") {
		return false
	}
	kind, _, _ := strings.Cut(headerValue(h, "Content-Type"), ";")
	kind = strings.TrimSpace(kind)
	return kind == "" || strings.EqualFold(kind, "text/plain") || isJSONType(kind)
}

// isJSONType reports whether a media type is JSON (RFC 8259, RFC 6839).
func isJSONType(kind string) bool {
	const suffix = "+json"
	return strings.EqualFold(kind, "application/json") ||
		len(kind) > len(suffix) && strings.EqualFold(kind[len(kind)-len(suffix):], suffix)
}

// peek looks into the body of a response, for at most limit and maxPeekTime, or
// until done is closed. It returns the body if that is whole and small. Whatever
// it saw, resp.Body gives the caller all of it, and streams on.
func peek(resp *http.Response, limit time.Duration, done <-chan struct{}) (body string, whole bool) {
	switch p, ok := resp.Body.(*peekedBody); {
	case ok:
		return p.whole()
	case resp.Body == nil || resp.Body == http.NoBody:
		return "", true
	case writable(resp.Body): // a connection, as with status 101
		return "", false
	case resp.ContentLength > maxPeek || resp.Uncompressed || limit <= 0 || !readable(resp.Header):
		return "", false
	}
	p := &peekedBody{source: resp.Body, length: resp.ContentLength, reading: true}
	p.buf = p.space[:0]
	resp.Body = p
	go p.fill()
	p.wait(min(limit, maxPeekTime), done)
	return p.whole()
}

func writable(body io.ReadCloser) bool {
	_, ok := body.(io.Writer)
	return ok
}

// peekedBody is a body whose beginning was read already. Another goroutine reads
// it, since a Read of others may never return.
type peekedBody struct {
	source io.ReadCloser
	length int64 // what was promised; 0 and less is nothing

	mu      sync.Mutex // guards what follows; held for moments only
	buf     []byte     // what was read ahead
	given   int        // bytes of buf that the caller has
	err     error      // what the source ended with
	reading bool       // the goroutine has the source
	enough  bool       // the goroutine returns it after its Read
	closed  bool
	changed chan struct{} // closed when reading or closed changes; nil if nobody waits

	space [512]byte // most texts fit
}

// fill reads ahead until the source ends, is too long, or nobody waits any more.
func (p *peekedBody) fill() {
	for empty := 0; ; {
		p.mu.Lock()
		room := p.buf[len(p.buf):cap(p.buf)]
		if len(room) == 0 {
			grown := make([]byte, len(p.buf), maxPeek+1)
			copy(grown, p.buf)
			p.buf, room = grown, grown[len(p.buf):cap(grown)]
		}
		p.mu.Unlock()

		var n int
		err := guard(func() (err error) {
			n, err = p.source.Read(room)
			if n < 0 || n > len(room) {
				n, err = 0, errBadRead
			}
			return err
		})
		if empty++; n > 0 {
			empty = 0
		}

		p.mu.Lock()
		p.buf = p.buf[:len(p.buf)+n]
		p.err = err
		if err != nil || p.enough || p.closed || len(p.buf) > maxPeek || empty == maxEmptyReads {
			p.reading = false
			p.signal()
			p.mu.Unlock()
			return
		}
		p.mu.Unlock()
	}
}

var errReadClosed = errors.New("apigw: read of a response body after Close")

// wait returns when the goroutine has read enough, or after limit.
func (p *peekedBody) wait(limit time.Duration, done <-chan struct{}) {
	// Mostly the body came together with the head, and one look is enough.
	for range 3 {
		runtime.Gosched()
		if p.settled() {
			return
		}
	}
	timer := time.NewTimer(limit)
	defer timer.Stop()
	select {
	case <-p.change():
	case <-timer.C:
	case <-done:
	}
	p.mu.Lock()
	p.enough = true
	p.mu.Unlock()
}

func (p *peekedBody) settled() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return !p.reading
}

// whole returns the body if it was read to its end and is small.
func (p *peekedBody) whole() (body string, whole bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	lies := p.length > 0 && p.length != int64(len(p.buf))
	if p.reading || p.err != io.EOF || len(p.buf) > maxPeek || lies {
		return "", false
	}
	return string(p.buf), true
}

// change returns a channel that is closed when the goroutine has ended, or the
// body is closed.
func (p *peekedBody) change() <-chan struct{} {
	p.mu.Lock()
	defer p.mu.Unlock()
	if !p.reading || p.closed {
		past := make(chan struct{})
		close(past)
		return past
	}
	if p.changed == nil {
		p.changed = make(chan struct{})
	}
	return p.changed
}

// signal wakes all who wait. The caller holds the lock.
func (p *peekedBody) signal() {
	if p.changed != nil {
		close(p.changed)
		p.changed = nil
	}
}

// Read gives what was read ahead first. Close ends it.
func (p *peekedBody) Read(b []byte) (int, error) {
	for {
		p.mu.Lock()
		switch {
		case p.closed:
			p.mu.Unlock()
			return 0, errReadClosed
		case len(b) == 0:
			p.mu.Unlock()
			return 0, nil
		case p.given < len(p.buf):
			n := copy(b, p.buf[p.given:])
			p.given += n
			p.mu.Unlock()
			return n, nil
		case !p.reading:
			err := p.err
			p.mu.Unlock()
			if err != nil {
				return 0, err
			}
			return p.source.Read(b)
		}
		p.mu.Unlock()
		<-p.change()
	}
}

// Close closes the source. If that is being read, its Close may wait for the
// Read, so it is waited for within bounds only.
func (p *peekedBody) Close() error {
	p.mu.Lock()
	reading := p.reading
	p.closed = true
	p.signal()
	p.mu.Unlock()
	if reading {
		return closeWithin(p.source)
	}
	return p.source.Close()
}
