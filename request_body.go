package apigw

import (
	"context"
	"errors"
	"io"
	"sync"
	"time"
)

// requestBody stands between the Base and a body that may block, fail or be
// there only once. The source is read in a goroutine of its own, so that Close
// and the end of the context wake a Read, as net/http demands of every body
// ([http.Request.Body]), and its errors are marked as the source's. What was
// read is remembered up to a limit: a retry reads that first and goes on in the
// source. The source is closed once: when the reader of the last attempt is
// closed, or when no attempt follows.
type requestBody struct {
	source io.ReadCloser
	limit  int64 // how much is remembered
	inline bool  // the source cannot block: no goroutine is needed

	mu      sync.Mutex // guards what follows; held for moments only
	changed sync.Cond
	buf     []byte // what the source gave, from start on
	start   int64  // more than 0: the beginning is forgotten
	err     error  // what the source ended with
	pulling bool   // a Read of the source is under way
	room    []byte // for that Read
	empty   int    // Reads without a byte, in a row
	current *attemptBody
	held    bool // Reads wait for a decision
	last    bool // no attempt follows
	closed  bool // the source is closed
}

// attemptBody is the body of one attempt.
type attemptBody struct {
	body    *requestBody
	offset  int64
	closed  bool
	ended   bool          // the context is
	unwatch func() bool   // stops watching the context; nil if it cannot end
	gone    chan struct{} // closed by Close if Request.Cancel is watched, else nil
}

var errBodyClosed = errors.New("apigw: read of a request body after Close, or after its attempt")

// How much is read from a source at once.
const (
	minRead = 2 << 10
	maxRead = 32 << 10
)

func newRequestBody(source io.ReadCloser, limit int64) *requestBody {
	b := &requestBody{source: source, limit: limit, inline: isReliable(source)}
	b.changed.L = &b.mu
	return b
}

// reader returns the body of the next attempt. Readers of earlier attempts fail
// from here on: net/http may still be reading one of them.
func (b *requestBody) reader(ctx context.Context) *attemptBody {
	r := &attemptBody{body: b}
	b.update(func() { b.current, b.held = r, false })
	r.watch(ctx)
	return r
}

// hold lets Reads wait until reader, drop or finish is called, so that what is
// decided on the body stays true.
func (b *requestBody) hold() { b.update(func() { b.held = true }) }

// drop takes the body away from the attempt that has it.
func (b *requestBody) drop() { b.update(func() { b.current = nil }) }

// replayable reports whether all that was sent is remembered, and the source
// did not fail.
func (b *requestBody) replayable() bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.start == 0 && !b.closed && (b.err == nil || b.err == io.EOF)
}

// finish says that no attempt follows. The source is closed, unless there is a
// response whose attempt may still be sending it.
func (b *requestBody) finish(responded bool) {
	unused := false
	b.update(func() {
		b.last, b.held = true, false
		if !responded {
			b.current = nil
		}
		unused = b.current == nil || b.current.closed || b.err != nil
	})
	if unused {
		b.closeSource()
	}
}

func (b *requestBody) closeSource() error {
	first := false
	b.update(func() { first, b.closed = !b.closed, true })
	if !first {
		return nil
	}
	return closeWithin(b.source)
}

// settle waits a moment for the end of a Read of the closed source.
func (b *requestBody) settle() {
	late := false
	timer := time.AfterFunc(maxCloseTime, func() { b.update(func() { late = true }) })
	defer timer.Stop()
	b.mu.Lock()
	defer b.mu.Unlock()
	for b.pulling && !late {
		b.changed.Wait()
	}
}

// update changes b and wakes those who wait for that.
func (b *requestBody) update(change func()) {
	b.mu.Lock()
	defer b.mu.Unlock()
	change()
	b.changed.Broadcast()
}

// length is how much the source gave so far, and whether that is all.
func (b *requestBody) length() (n int64, all bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.start + int64(len(b.buf)), b.err == io.EOF
}

// pull reads once from the source, which may take for ever.
func (b *requestBody) pull() {
	n := 0
	err := guard(func() (err error) {
		n, err = b.source.Read(b.room)
		return err
	})
	if err != nil && err != io.EOF {
		err = &bodyError{err}
	}
	n = max(0, min(n, len(b.room)))
	b.update(func() {
		b.pulling = false
		if b.empty++; n > 0 {
			b.empty = 0
		}
		if b.empty == maxEmptyReads && err == nil {
			err = &bodyError{io.ErrNoProgress}
		}
		b.buf = append(b.buf, b.room[:n]...)
		if b.err = err; err != nil {
			b.room = nil
		}
	})
}

func (r *attemptBody) Read(p []byte) (int, error) {
	b := r.body
	b.mu.Lock()
	defer b.mu.Unlock()
	for {
		switch {
		case r.closed || r.ended || b.current != r:
			return 0, errBodyClosed
		case len(p) == 0:
			return 0, nil
		case b.held:
		case r.offset < b.start+int64(len(b.buf)):
			return r.take(p), nil
		case b.err != nil:
			return 0, b.err
		case !b.pulling:
			b.pulling = true
			b.makeRoom(len(p))
			if b.inline {
				b.mu.Unlock()
				b.pull()
				b.mu.Lock()
				continue
			}
			go b.pull()
		}
		b.changed.Wait()
	}
}

// makeRoom prepares a Read of the source of up to n bytes: a small one at first,
// since most bodies are. The caller holds mu.
func (b *requestBody) makeRoom(n int) {
	sofar := b.start + int64(len(b.buf))
	n = min(n, int(min(max(sofar, minRead), maxRead)))
	if len(b.room) < n {
		b.room = make([]byte, n)
	}
}

// take copies what r has not read yet, and forgets it if nobody can need it
// again. The caller holds mu.
func (r *attemptBody) take(p []byte) int {
	b := r.body
	n := copy(p, b.buf[r.offset-b.start:])
	r.offset += int64(n)
	if b.last || b.start > 0 || r.offset > b.limit {
		rest := copy(b.buf, b.buf[r.offset-b.start:])
		b.buf, b.start = b.buf[:rest], r.offset
	}
	return n
}

// Close makes a Read that waits return.
func (r *attemptBody) Close() error {
	b := r.body
	unused := false
	b.update(func() {
		if r.gone != nil && !r.closed {
			close(r.gone)
		}
		r.closed = true
		// What is forgotten in part nobody can send again, so the source can go.
		unused = b.current == r && (b.last || b.start > 0)
	})
	r.unwatchContext()
	if unused {
		return b.closeSource()
	}
	return nil
}

// watch ends the Reads when ctx ends. A later call takes the place of an
// earlier one.
func (r *attemptBody) watch(ctx context.Context) {
	r.unwatchContext()
	if ctx.Done() == nil {
		return
	}
	stop := context.AfterFunc(ctx, r.end)
	r.body.update(func() { r.unwatch = stop })
}

// watchCancel ends the Reads when the channel is closed, which older programs
// use in place of a context.
func (r *attemptBody) watchCancel(cancel <-chan struct{}) {
	if cancel == nil {
		return
	}
	gone := make(chan struct{})
	r.body.update(func() { r.gone = gone })
	go func() {
		select {
		case <-cancel:
			r.end()
		case <-gone:
		}
	}()
}

func (r *attemptBody) end() { r.body.update(func() { r.ended = true }) }

func (r *attemptBody) unwatchContext() {
	var stop func() bool
	r.body.update(func() { stop, r.unwatch = r.unwatch, nil })
	if stop != nil {
		stop()
	}
}

// bodyError is what the source of a request body failed with. It may look like
// the failure of a connection, but it is not that of this request.
type bodyError struct{ err error }

func (e *bodyError) Error() string { return "reading the request body: " + e.err.Error() }
func (e *bodyError) Unwrap() error { return e.err }
