package gatewaytest

import (
	"context"
	"io"
	"net"
	"os"
	"sync"
	"sync/atomic"
	"syscall"
	"time"
)

// memoryHost is the address that an in-memory server seems to listen at.
const memoryHost = "gateway.test"

// memoryListener hands connections from dial to Accept. All its waiting is on
// channels and condition variables made by whoever uses it, which is what
// testing/synctest counts as durably blocked; a socket read is not.
type memoryListener struct {
	conns chan net.Conn
	done  chan struct{}
	close sync.Once
}

func newMemoryListener() *memoryListener {
	return &memoryListener{conns: make(chan net.Conn), done: make(chan struct{})}
}

func (l *memoryListener) Accept() (net.Conn, error) {
	select {
	case c := <-l.conns:
		return c, nil
	case <-l.done:
		return nil, opError("accept", net.ErrClosed)
	}
}

func (l *memoryListener) Close() error {
	l.close.Do(func() { close(l.done) })
	return nil
}

func (l *memoryListener) Addr() net.Addr { return memoryAddr{} }

// dial ignores the address: whatever host a request names, this is the server
// behind it, so that a test may use several domain names.
func (l *memoryListener) dial(ctx context.Context, _, _ string) (net.Conn, error) {
	client, server := newMemoryPipe()
	select {
	case <-ctx.Done():
		return nil, opError("dial", ctx.Err())
	case <-l.done:
		return nil, opError("dial", syscall.ECONNREFUSED)
	case l.conns <- server:
		return client, nil
	}
}

type memoryAddr struct{}

func (memoryAddr) Network() string { return "memory" }
func (memoryAddr) String() string  { return memoryHost }

func opError(op string, err error) error {
	return &net.OpError{Op: op, Net: "memory", Addr: memoryAddr{}, Err: err}
}

// memoryConn is one end of a connection in memory. Unlike net.Pipe it buffers
// as a socket does, so that a server may answer and close before the client
// has read, and it can be reset.
type memoryConn struct {
	in, out *memoryStream
	reset   atomic.Bool // Close resets
}

func newMemoryPipe() (client, server *memoryConn) {
	a, b := newMemoryStream(), newMemoryStream()
	return &memoryConn{in: a, out: b}, &memoryConn{in: b, out: a}
}

func (c *memoryConn) Read(p []byte) (int, error)  { return c.in.read(p) }
func (c *memoryConn) Write(p []byte) (int, error) { return c.out.write(p) }

// SetLinger makes Close reset the connection if sec is 0, as it does with a
// [net.TCPConn].
func (c *memoryConn) SetLinger(sec int) error {
	c.reset.Store(sec == 0)
	return nil
}

// Close lets the peer read what was written; after SetLinger(0) the peer loses
// that and gets ECONNRESET.
func (c *memoryConn) Close() error {
	var peerReads, peerWrites error = io.EOF, syscall.EPIPE
	if c.reset.Load() {
		peerReads, peerWrites = syscall.ECONNRESET, syscall.ECONNRESET
	}
	c.in.shut(net.ErrClosed, peerWrites, true)
	c.out.shut(peerReads, net.ErrClosed, c.reset.Load())
	return nil
}

func (c *memoryConn) LocalAddr() net.Addr  { return memoryAddr{} }
func (c *memoryConn) RemoteAddr() net.Addr { return memoryAddr{} }

func (c *memoryConn) SetDeadline(t time.Time) error {
	c.SetReadDeadline(t)
	return c.SetWriteDeadline(t)
}

func (c *memoryConn) SetReadDeadline(t time.Time) error {
	c.in.setDeadline(&c.in.readDeadline, t)
	return nil
}

func (c *memoryConn) SetWriteDeadline(t time.Time) error {
	c.out.setDeadline(&c.out.writeDeadline, t)
	return nil
}

// memoryStream carries bytes one way.
type memoryStream struct {
	mu      sync.Mutex
	changed sync.Cond // broadcast at every change of what follows
	buf     []byte
	// readErr and writeErr are nil as long as the stream is open. A reader
	// gets the buffered bytes before readErr.
	readErr, writeErr           error
	readDeadline, writeDeadline deadline
}

// memoryBuffer is how much a writer may be ahead of the reader, so that a
// client which does not read holds the server up as on a socket.
const memoryBuffer = 64 << 10

func newMemoryStream() *memoryStream {
	s := new(memoryStream)
	s.changed.L = &s.mu
	return s
}

func (s *memoryStream) read(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for {
		switch {
		case s.readErr == net.ErrClosed:
			return 0, opError("read", s.readErr)
		case s.readDeadline.passed():
			return 0, opError("read", os.ErrDeadlineExceeded)
		case len(s.buf) > 0 || len(p) == 0:
			n := copy(p, s.buf)
			s.buf = s.buf[n:]
			s.changed.Broadcast()
			return n, nil
		case s.readErr == io.EOF:
			return 0, io.EOF
		case s.readErr != nil:
			return 0, opError("read", s.readErr)
		}
		s.changed.Wait()
	}
}

func (s *memoryStream) write(p []byte) (n int, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for {
		switch {
		case s.writeErr != nil:
			return n, opError("write", s.writeErr)
		case s.writeDeadline.passed():
			return n, opError("write", os.ErrDeadlineExceeded)
		case len(p) == 0:
			return n, nil
		}
		if room := memoryBuffer - len(s.buf); room > 0 {
			chunk := p[:min(room, len(p))]
			s.buf = append(s.buf, chunk...)
			n, p = n+len(chunk), p[len(chunk):]
			s.changed.Broadcast()
			continue
		}
		s.changed.Wait()
	}
}

// shut closes the stream with the errors that its two ends get from now on.
// An end that was closed before keeps its own.
func (s *memoryStream) shut(readErr, writeErr error, discard bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.readErr == nil || readErr == net.ErrClosed {
		s.readErr = readErr
	}
	if s.writeErr == nil || writeErr == net.ErrClosed {
		s.writeErr = writeErr
	}
	if discard {
		s.buf = nil
	}
	// The end that closes waits no more, and a deadline of the other one
	// matters no more: nothing blocks on a closed stream.
	s.readDeadline.stop()
	s.writeDeadline.stop()
	s.changed.Broadcast()
}

func (s *memoryStream) setDeadline(d *deadline, t time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	d.stop()
	d.at = t
	if wait := time.Until(t); !t.IsZero() && wait > 0 && (s.readErr == nil || s.writeErr == nil) {
		d.timer = time.AfterFunc(wait, func() {
			s.mu.Lock()
			defer s.mu.Unlock()
			s.changed.Broadcast()
		})
	}
	s.changed.Broadcast()
}

// deadline is a point of time and the timer that wakes who waits for it.
type deadline struct {
	at    time.Time
	timer *time.Timer
}

func (d *deadline) passed() bool { return !d.at.IsZero() && !time.Now().Before(d.at) }

func (d *deadline) stop() {
	if d.timer != nil {
		d.timer.Stop()
	}
}
