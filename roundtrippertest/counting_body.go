package roundtrippertest

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"sync"
	"time"
)

// countingBody counts Close and remembers a read after it.
type countingBody struct {
	io.Reader
	mu     sync.Mutex
	closed int
	late   bool
}

func (b *countingBody) Read(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.closed > 0 {
		b.late = true
		return 0, http.ErrBodyReadAfterClose
	}
	return b.Reader.Read(p)
}

func (b *countingBody) Close() error {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.closed++
	return nil
}

// closedOnce waits for the body to be closed, which net/http may do after
// RoundTrip returned, and then a little for a second Close.
func (b *countingBody) closedOnce(ctx context.Context) error {
	for closed, late := b.state(); closed == 0 && !late; closed, late = b.state() {
		if ctx.Err() != nil {
			return errors.New("never closed")
		}
		time.Sleep(time.Millisecond)
	}
	time.Sleep(10 * time.Millisecond)
	switch closed, late := b.state(); {
	case late:
		return errors.New("read after Close")
	case closed > 1:
		return fmt.Errorf("closed %d times", closed)
	}
	return nil
}

func (b *countingBody) state() (closed int, late bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.closed, b.late
}
