package gatewaytest

import (
	"context"
	"net"
	"net/http"
	"net/http/httptest"
	"time"
)

// Server serves a handler, a [Gateway] mostly, to real HTTP clients. It is an
// [httptest.Server] and used like one: URL is its address, Client a client
// that reaches and trusts it.
//
// Close a server to release its connections; whoever makes it closes it.
type Server struct {
	*httptest.Server
	memory *memoryListener // nil for servers on sockets
	stop   context.CancelFunc
}

// NewServer starts a server on a local socket that speaks HTTP/1.1.
func NewServer(h http.Handler) *Server {
	s := NewUnstartedServer(h)
	s.Start()
	return s
}

// NewTLSServer starts a server on a local socket that speaks HTTP/1.1 over TLS.
func NewTLSServer(h http.Handler) *Server {
	s := NewUnstartedServer(h)
	s.StartTLS()
	return s
}

// NewHTTP2Server starts a server on a local socket that speaks HTTP/2 over TLS.
func NewHTTP2Server(h http.Handler) *Server {
	s := NewUnstartedServer(h)
	s.EnableHTTP2 = true
	s.StartTLS()
	return s
}

// NewUnstartedServer returns a server on a local socket whose configuration
// may be changed before Start or StartTLS is called.
func NewUnstartedServer(h http.Handler) *Server {
	return configure(httptest.NewUnstartedServer(h), nil)
}

// NewMemoryServer starts a server whose connections exist in memory only. All
// that goes on between a client and this server inside a bubble of
// testing/synctest is durably blocked while it waits, so that time stands
// still and passes as in any other bubble; that is not so with sockets. Make
// and close the server inside the bubble.
//
// Only [Server.Client] and [Server.Transport] reach it, under any host name.
func NewMemoryServer(h http.Handler) *Server {
	l := newMemoryListener()
	s := configure(&httptest.Server{Listener: l, Config: &http.Server{Handler: h}}, l)
	s.Start()
	s.Client().Transport.(*http.Transport).DialContext = l.dial
	return s
}

type connKey struct{}

// readHeaderTimeout ends connections of clients that do not finish a request's
// head.
const readHeaderTimeout = 10 * time.Second

func configure(hs *httptest.Server, l *memoryListener) *Server {
	if g, ok := hs.Config.Handler.(*Gateway); ok {
		g.state() // panics here rather than at the first request
	}
	base, stop := context.WithCancel(context.Background())
	hs.Config.ReadHeaderTimeout = readHeaderTimeout
	hs.Config.BaseContext = func(net.Listener) context.Context { return base }
	// Behind HTTP/2 only the context leads to the connection.
	hs.Config.ConnContext = func(ctx context.Context, c net.Conn) context.Context {
		return context.WithValue(ctx, connKey{}, c)
	}
	return &Server{Server: hs, memory: l, stop: stop}
}

// Close ends the delays of scripts and backends that obey their context, waits
// for the requests in progress, and closes all connections of the server.
// Connections that a transport from [Server.Transport] holds idle end with it.
func (s *Server) Close() {
	s.stop()
	s.Server.Close()
}

// Transport returns a new transport that reaches the server and trusts its
// certificate. Its connections are its own; the caller may change its fields
// before the first use and closes its idle connections. The server must have
// been started.
func (s *Server) Transport() *http.Transport {
	tr := s.Client().Transport.(*http.Transport).Clone()
	if s.memory != nil {
		tr.DialContext = s.memory.dial
	}
	return tr
}
