package apigw

import (
	"errors"
	"io"
	"net/http"
	"strings"
	"sync"
	"time"
)

// walkBody is a body of a response or of a request that may do all that bodies
// of others do.
type walkBody struct {
	w      *walkWorld
	source io.Reader     // what it gives
	drip   time.Duration // before each byte
	stuck  bool          // Read waits until Close
	deaf   bool          // Read and Close wait until the walk is over
	broken error         // instead of the end
	panics bool          // in Read
	finite bool          // it can be compared
	want   string        // then
	closed func()        // called by Close

	mu     sync.Mutex
	closes int
	awake  chan struct{}
}

func (w *walkWorld) body(source string) *walkBody {
	return &walkBody{w: w, source: strings.NewReader(source), want: source, finite: true, awake: make(chan struct{})}
}

func (b *walkBody) Read(p []byte) (int, error) {
	switch {
	case b.panics:
		panic(errWalkPanic)
	case b.deaf:
		<-b.w.over
		return 0, errors.New("deaf")
	case b.stuck:
		<-b.awake
		return 0, errors.New("read after Close")
	}
	if b.drip > 0 {
		p = p[:min(1, len(p))]
		select {
		case <-time.After(b.drip):
		case <-b.awake:
			return 0, errors.New("read after Close")
		}
	}
	n, err := b.source.Read(p)
	if err == io.EOF && b.broken != nil {
		err = b.broken
	}
	return n, err
}

func (b *walkBody) Close() error {
	b.mu.Lock()
	if b.closes++; b.closes == 1 {
		close(b.awake)
	}
	b.mu.Unlock()
	if b.closed != nil {
		b.closed()
	}
	if b.deaf {
		<-b.w.over
	}
	return nil
}

func (b *walkBody) timesClosed() int {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.closes
}

// withBody gives a response a body.
func (w *walkWorld) withBody(resp *http.Response) *http.Response {
	resp.Body, resp.ContentLength = http.NoBody, 0
	kind := w.n(8)
	if kind == 0 {
		return resp
	}
	text := one(w, "", "busy", strings.Repeat("x", 100), strings.Repeat("y", maxDrainBytes+5))
	b := w.body(text)
	resp.ContentLength = one(w, int64(len(text)), -1)
	switch kind {
	case 1:
		b.drip = 30 * time.Millisecond
		b.source, b.want, resp.ContentLength = strings.NewReader("dripping"), "dripping", -1
	case 2:
		b.stuck, b.finite, resp.ContentLength = true, false, -1
	case 3:
		b.deaf, b.finite, resp.ContentLength = true, false, -1
	case 4:
		b.panics, b.finite, resp.ContentLength = true, false, -1
	case 5:
		b.source, b.finite, resp.ContentLength = zeros{}, false, -1
	}
	resp.Body = b
	w.mu.Lock()
	w.answers = append(w.answers, b)
	w.given[resp] = b
	w.mu.Unlock()
	return resp
}
