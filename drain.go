package apigw

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net/http"
	"sync/atomic"
	"time"
)

// A refused attempt's body is read so that its connection can serve the next
// one, but neither far nor long: a server may send without end, or drip.
const (
	maxDrainBytes = 64 << 10
	maxDrainTime  = 250 * time.Millisecond
)

// maxCloseTime is how long the Close of others is waited for. That of net/http
// takes no time, but for HTTP/2 it can wait for a Read of the request's body.
const maxCloseTime = 50 * time.Millisecond

// readAhead reads resp's body, for at most limit and maxDrainTime, and closes it
// at its end. It returns early when done is closed, and whatever the body does, a
// panic included.
//
// The response can still be returned: nothing that was read is lost, and what is
// not read yet can be.
func readAhead(resp *http.Response, limit time.Duration, done <-chan struct{}) {
	limit = min(limit, maxDrainTime)
	if closedAlready(resp.Body) || resp.ContentLength > maxDrainBytes || limit <= 0 {
		return
	}
	b := &aheadBody{body: resp.Body, idle: make(chan struct{}), closed: make(chan struct{})}
	resp.Body = b
	freed := make(chan struct{})
	go func() {
		defer close(freed)
		b.readAhead()
	}()
	timer := time.NewTimer(limit)
	defer timer.Stop()
	select {
	case <-freed:
	case <-timer.C:
	case <-done:
	}
	b.stop.Store(true)
}

// closeResponse closes the body of a response that nobody will read. It does not
// wait for a Close that hangs: Close makes a Read of net/http return, but should
// another transport's wait for its Read instead, nobody waits for either here.
func closeResponse(resp *http.Response) {
	if resp.Body != nil {
		closeWithin(resp.Body)
	}
}

// closedAlready reports that nothing is left to read or to close of a body. A Base
// that returns one response again and again returns one of these.
func closedAlready(body io.ReadCloser) bool {
	b, ok := body.(*aheadBody)
	return body == nil || body == http.NoBody || ok && b.closing.Load()
}

// aheadBody is the body of a response, read ahead.
type aheadBody struct {
	body   io.ReadCloser
	read   bytes.Buffer  // what was read ahead
	err    error         // what the reading ended with; nil if the rest is to be read
	idle   chan struct{} // closed: nobody reads ahead any more
	closed chan struct{} // closed by Close

	stop, closing, ended atomic.Bool
}

func (b *aheadBody) readAhead() {
	b.err = guard(b.readAll)
	close(b.idle)
	if b.err == io.EOF {
		guard(b.closeSource)
	}
}

func (b *aheadBody) Read(p []byte) (int, error) {
	select {
	case <-b.idle:
	case <-b.closed:
	}
	switch {
	case b.ended.Load():
		return 0, http.ErrBodyReadAfterClose
	case b.read.Len() > 0:
		return b.read.Read(p)
	case b.err != nil:
		return 0, b.err
	}
	return b.body.Read(p)
}

// Close makes a Read return, as that of net/http does.
func (b *aheadBody) Close() error {
	if b.ended.CompareAndSwap(false, true) {
		b.stop.Store(true)
		close(b.closed)
	}
	return b.closeSource()
}

func (b *aheadBody) closeSource() error {
	if b.closing.CompareAndSwap(false, true) {
		return b.body.Close()
	}
	return nil
}

// readAll reads the body, but not for ever, whatever it returns.
func (b *aheadBody) readAll() error {
	for empty := 0; b.read.Len() <= maxDrainBytes && empty < maxEmptyReads && !b.stop.Load(); empty++ {
		b.read.Grow(bytes.MinRead)
		room := b.read.AvailableBuffer()
		n, err := b.body.Read(room[:cap(room)])
		if n < 0 || n > cap(room) {
			return errBadRead
		}
		if n > 0 {
			empty = 0
		}
		if b.read.Write(room[:n]); err != nil {
			return err
		}
	}
	return nil
}

var errBadRead = errors.New("Read of a body returned a length that cannot be")

// maxEmptyReads is how often a Read may give neither a byte nor an error.
const maxEmptyReads = 100

// closeWithin closes c and returns its error, nil if it takes longer than
// maxCloseTime.
func closeWithin(c io.Closer) error {
	closed := make(chan struct{})
	var err error
	go func() {
		defer close(closed)
		err = guard(c.Close)
	}()
	if waitFor(closed, maxCloseTime) {
		return err
	}
	return nil
}

// waitFor reports whether done was closed within limit.
func waitFor(done <-chan struct{}, limit time.Duration) bool {
	timer := time.NewTimer(limit)
	defer timer.Stop()
	select {
	case <-done:
		return true
	case <-timer.C:
		return false
	}
}

// guard calls f, which is code of others, in a goroutine of ours, where nobody
// could recover its panic: that becomes an error.
func guard(f func() error) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("panic: %v", p)
		}
	}()
	return f()
}
