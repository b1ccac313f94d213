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

// discard reads the rest of resp's body, for at most limit and maxDrainTime, and
// closes it. It returns early when done is closed. Whatever the body does, a
// panic included, discard returns.
//
// It reports whether the body came to its end: then resp has it in memory, and
// can still be returned.
func discard(resp *http.Response, limit time.Duration, done <-chan struct{}) (whole bool) {
	if resp.Body == nil || resp.Body == http.NoBody {
		return true
	}
	r := &refused{body: resp.Body, closed: make(chan struct{})}
	limit = min(limit, maxDrainTime)
	if resp.ContentLength > maxDrainBytes || limit <= 0 {
		r.giveUp()
		return false
	}
	go r.drain()
	timer := time.NewTimer(limit)
	defer timer.Stop()
	select {
	case <-r.closed:
		if whole = r.err == io.EOF; whole {
			resp.Body = io.NopCloser(&r.read)
		}
	case <-timer.C:
		r.giveUp()
	case <-done:
		r.giveUp()
	}
	return whole
}

// refused is the body of a response that is dropped.
type refused struct {
	body   io.ReadCloser
	read   bytes.Buffer
	err    error         // that the reading ended with; set before closed
	closed chan struct{} // the body is

	stop, closing atomic.Bool
}

// giveUp closes the body while it may be read. Close makes a Read of net/http
// return, in HTTP/1.1 and HTTP/2. Should another transport's Close wait for its
// Read instead, nobody waits for either here.
func (r *refused) giveUp() {
	r.stop.Store(true)
	go r.close()
	waitFor(r.closed, maxCloseTime)
}

func (r *refused) close() {
	if r.closing.CompareAndSwap(false, true) {
		defer close(r.closed)
		guard(r.body.Close)
	}
}

func (r *refused) drain() {
	defer r.close()
	r.err = guard(r.readAll)
}

// readAll reads the body, but not for ever, whatever it returns.
func (r *refused) readAll() error {
	for empty := 0; r.read.Len() <= maxDrainBytes && empty < maxEmptyReads && !r.stop.Load(); empty++ {
		r.read.Grow(bytes.MinRead)
		room := r.read.AvailableBuffer()
		n, err := r.body.Read(room[:cap(room)])
		if n < 0 || n > cap(room) {
			return errBadRead
		}
		if n > 0 {
			empty = 0
		}
		if r.read.Write(room[:n]); err != nil {
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
