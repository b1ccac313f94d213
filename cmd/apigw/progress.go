package main

import (
	"fmt"
	"io"
	"time"
)

// progress is a reader that shows how far it is, on a terminal only: a log of a
// gigabyte takes a minute, and a file or a pipe must not fill with such lines.
type progress struct {
	in   *invocation
	r    io.Reader
	size int64 // 0 if not known
	what string

	done  int64
	shown time.Time
	drawn bool
}

// progressEvery is how often the line is drawn anew.
const progressEvery = 200 * time.Millisecond

func (p *progress) Read(b []byte) (int, error) {
	n, err := p.r.Read(b)
	p.done += int64(n)
	if p.in.liveErr && time.Since(p.shown) > progressEvery {
		if !p.shown.IsZero() { // what is over at once needs no line
			p.draw()
		}
		p.shown = time.Now()
	}
	return n, err
}

func (p *progress) draw() {
	p.drawn = true
	fmt.Fprintf(p.in.stderr, "\r\x1b[K%s %s", p.what, megabytes(p.done))
	if p.size > 0 {
		fmt.Fprintf(p.in.stderr, " / %s (%d%%)", megabytes(p.size), min(100, p.done*100/p.size))
	}
}

// clear takes the line away.
func (p *progress) clear() {
	if p.drawn {
		fmt.Fprint(p.in.stderr, "\r\x1b[K")
	}
}

func megabytes(n int64) string { return fmt.Sprintf("%.1f MB", float64(n)/1e6) }
