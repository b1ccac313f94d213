package main

import (
	"fmt"
	"io"
	"sync"
	"time"
)

// progress shows how far a reader is, on a terminal only: a log of a gigabyte
// takes a minute, and a file or a pipe must not fill with such lines. It is safe
// for concurrent use, since net/http reads bodies as it likes.
type progress struct {
	in   *invocation
	size int64 // 0 if not known
	what string

	mu    sync.Mutex
	shown time.Time
	drawn bool
}

// progressEvery is how often the line is drawn anew.
const progressEvery = 200 * time.Millisecond

// reader is r, watched from its beginning.
func (p *progress) reader(r io.Reader) io.Reader { return &watchedReader{p: p, r: r} }

type watchedReader struct {
	p    *progress
	r    io.Reader
	done int64
}

func (w *watchedReader) Read(b []byte) (int, error) {
	n, err := w.r.Read(b)
	w.done += int64(n)
	if w.p.in.liveErr {
		w.p.show(w.done)
	}
	return n, err
}

// show draws the line anew, a few times a second at most: a terminal is slower
// than a transfer.
func (p *progress) show(done int64) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if time.Since(p.shown) <= progressEvery {
		return
	}
	if !p.shown.IsZero() { // what is over at once needs no line
		p.drawn = true
		fmt.Fprintf(p.in.stderr, "\r\x1b[K%s %s", p.what, megabytes(done))
		if p.size > 0 {
			fmt.Fprintf(p.in.stderr, " / %s (%d%%)", megabytes(p.size), min(100, done*100/p.size))
		}
	}
	p.shown = time.Now()
}

// clear takes the line away.
func (p *progress) clear() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.drawn {
		fmt.Fprint(p.in.stderr, "\r\x1b[K")
		p.drawn = false
	}
}

func megabytes(n int64) string { return fmt.Sprintf("%.1f MB", float64(n)/1e6) }
