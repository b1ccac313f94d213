package apigw

import (
	"errors"
	"io"
	"net/http"
	"sync"
	"time"
)

// onceBody lets a body without GetBody be sent more than once. It remembers
// what was read, up to a limit; a repetition reads that first and goes on in
// the source. The source is closed once: when the reader of the last attempt is
// closed, or when there will be no further attempt.
type onceBody struct {
	source io.ReadCloser
	limit  int64

	// reading has room for the one who reads the source, which may take for
	// ever. Only the goroutines that send a body wait for it, never RoundTrip.
	reading chan struct{}

	mu      sync.Mutex // guards what follows; held for moments only
	read    []byte     // what the source gave so far
	lost    *onceReader
	err     error // what the source ended with
	current *onceReader
	last    bool // no further attempt
	closed  bool // the source is closed
}

// onceReader is the body of one attempt.
type onceReader struct {
	body   *onceBody
	offset int // in what is remembered
	closed bool
}

var (
	errBodyClosed = errors.New("apigw: read of a request body after Close")
	errBodyLost   = errors.New("apigw: the request body grew past MaxBodyBuffer and cannot be sent again")
)

func newOnceBody(source io.ReadCloser, limit int64) *onceBody {
	return &onceBody{source: source, limit: limit, reading: make(chan struct{}, 1)}
}

// reader returns the body for the next attempt. Readers of earlier attempts
// fail from here on: net/http may still be reading one of them.
func (b *onceBody) reader() *onceReader {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.current = &onceReader{body: b}
	return b.current
}

// replayable reports whether all that was read is remembered, and the source
// did not fail.
func (b *onceBody) replayable() bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.lost == nil && !b.closed && (b.err == nil || b.err == io.EOF)
}

// finish says that no further attempt follows. It closes the source unless the
// attempt that runs is still sending it.
func (b *onceBody) finish() {
	b.mu.Lock()
	b.last = true
	unused := b.current == nil || b.current.closed
	if unused {
		b.read = nil
	}
	b.mu.Unlock()
	if unused {
		b.closeSource()
	}
}

func (b *onceBody) closeSource() error {
	b.mu.Lock()
	first := !b.closed
	b.closed = true
	b.mu.Unlock()
	if !first {
		return nil
	}
	return b.source.Close()
}

func (r *onceReader) Read(p []byte) (int, error) {
	b := r.body
	if n, err := r.remembered(p); n > 0 || err != nil {
		return n, err
	}
	b.reading <- struct{}{}
	defer func() { <-b.reading }()
	// An earlier attempt may have read on in the meantime.
	if n, err := r.remembered(p); n > 0 || err != nil {
		return n, err
	}
	n, err := b.source.Read(p)

	b.mu.Lock()
	defer b.mu.Unlock()
	b.err = err
	r.remember(p[:n])
	return n, err
}

// remembered copies what this attempt has not read yet. Nothing and no error
// mean that it has to read on in the source.
func (r *onceReader) remembered(p []byte) (int, error) {
	b := r.body
	b.mu.Lock()
	defer b.mu.Unlock()
	switch {
	case r.closed || b.current != r || b.closed:
		return 0, errBodyClosed
	case b.lost != nil && b.lost != r:
		return 0, errBodyLost
	case r.offset < len(b.read):
		n := copy(p, b.read[r.offset:])
		r.offset += n
		return n, nil
	}
	return 0, b.err
}

// remember keeps what r read from the source, as long as it may be needed. The
// caller holds mu.
func (r *onceReader) remember(p []byte) {
	b := r.body
	switch {
	case b.lost != nil || len(p) == 0:
	case int64(len(b.read)+len(p)) > b.limit || b.last && b.current == r:
		b.lost, b.read, r.offset = r, nil, 0
	default:
		b.read = append(b.read, p...)
		r.offset += len(p)
	}
}

func (r *onceReader) Close() error {
	b := r.body
	b.mu.Lock()
	r.closed = true
	// Once something is lost nobody can send it again, so the source can go.
	unused := b.current == r && (b.last || b.lost != nil)
	b.mu.Unlock()
	if unused {
		return b.closeSource()
	}
	return nil
}

func hasBody(req *http.Request) bool { return req.Body != nil && req.Body != http.NoBody }

func closeBody(req *http.Request) {
	if req.Body != nil {
		req.Body.Close()
	}
}

// A refused attempt's body is read so that its connection can serve the next
// one, but neither far nor long: a server may send without end, or drip.
const (
	maxDrainBytes = 64 << 10
	maxDrainTime  = 250 * time.Millisecond
)

// discard reads the rest of resp's body within these bounds and closes it. It
// returns early when done is closed.
func discard(resp *http.Response, done <-chan struct{}) {
	body := resp.Body
	if body == nil {
		return
	}
	if body == http.NoBody || resp.ContentLength == 0 || resp.ContentLength > maxDrainBytes {
		body.Close()
		return
	}
	read := make(chan struct{})
	go func() {
		defer close(read)
		io.CopyN(io.Discard, body, maxDrainBytes+1)
	}()
	timer := time.NewTimer(maxDrainTime)
	defer timer.Stop()
	select {
	case <-read:
		body.Close()
		return
	case <-timer.C:
	case <-done:
	}
	// Close makes a Read of net/http return, in HTTP/1.1 and HTTP/2. Should
	// another transport's Close wait for its Read instead, nobody waits for
	// either here.
	closed := make(chan struct{})
	go func() {
		defer close(closed)
		body.Close()
	}()
	timer.Reset(maxDrainTime)
	select {
	case <-closed:
	case <-timer.C:
	}
}
