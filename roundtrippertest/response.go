package roundtrippertest

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptrace"
	"net/textproto"
)

// responseChecks are about what the caller gets: what the server sent, as it was
// sent.
var responseChecks = []Check{
	{Name: "response streams", run: responseStreams},
	{Name: "trailers of the response", run: responseTrailers},
	{Name: "early hints reach httptrace", run: earlyHints},
	{Name: "HEAD, 204 and 304 without a body", run: bodiless},
	{Name: "101: a connection to read and write", run: upgrade},
	{Name: "last response returned, body unread", run: lastResponse},
	{Name: "cause of a failed dial in the chain", run: dialCause},
}

// responseStreams: the response is returned with its head, not with its end;
// server-sent events and downloads depend on it.
func responseStreams(e *env) error {
	read := make(chan struct{})
	s, base := e.server(func(w http.ResponseWriter, r *http.Request) {
		w.Write([]byte("1"))
		w.(http.Flusher).Flush()
		select {
		case <-read:
		case <-r.Context().Done():
		}
	})
	resp, err := e.send(base, e.request(http.MethodGet, s.URL, nil))
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	_, err = io.ReadFull(resp.Body, make([]byte, 1))
	close(read)
	return err
}

// responseTrailers: they come into the map of the response when its body ends,
// so a copy of the response must share it.
func responseTrailers(e *env) error {
	s, base := e.server(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Trailer", "X-Sum")
		io.WriteString(w, "body")
		w.Header().Set("X-Sum", "42")
	})
	resp, err := e.send(base, e.request(http.MethodGet, s.URL, nil))
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	if _, err := io.Copy(io.Discard, resp.Body); err != nil {
		return err
	}
	return want("trailer", resp.Trailer.Get("X-Sum"), "42")
}

// earlyHints: traces hang in the context of the request, which therefore must
// be the parent of the one that is sent.
func earlyHints(e *env) error {
	s, base := e.server(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Link", "</style.css>; rel=preload")
		w.WriteHeader(http.StatusEarlyHints)
		w.WriteHeader(http.StatusOK)
	})
	hints := 0
	ctx := httptrace.WithClientTrace(e.ctx, &httptrace.ClientTrace{
		Got1xxResponse: func(code int, _ textproto.MIMEHeader) error {
			hints = code
			return nil
		},
	})
	status, _, err := e.get(base, e.request(http.MethodGet, s.URL, nil).WithContext(ctx))
	if err != nil {
		return err
	}
	return errors.Join(want("status", status, 200), want("1xx", hints, 103))
}

// bodiless: "The http Client and Transport guarantee that Body is always
// non-nil, even on responses without a body" (documentation of http.Response).
func bodiless(e *env) error {
	s, base := e.server(func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/204":
			w.WriteHeader(204)
		case "/304":
			w.WriteHeader(304)
		default:
			w.Header().Set("Content-Length", "1000")
		}
	})
	for path, status := range map[string]int{"/204": 204, "/304": 304} {
		got, body, err := e.get(base, e.request(http.MethodGet, s.URL+path, nil))
		if err = errors.Join(err, want("status", got, status), want("body", body, "")); err != nil {
			return err
		}
	}
	resp, err := e.send(base, e.request(http.MethodHead, s.URL+"/", nil))
	if err != nil {
		return err
	}
	resp.Body.Close()
	return want("length of HEAD", resp.ContentLength, 1000)
}

// upgrade: the body of a 101 implements io.Writer, too (documentation of
// http.Response). A wrapper that only reads breaks WebSockets.
func upgrade(e *env) error {
	s, base := e.server(func(w http.ResponseWriter, r *http.Request) {
		conn, rw, err := w.(http.Hijacker).Hijack()
		if err != nil {
			return
		}
		defer conn.Close()
		io.WriteString(conn, "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: echo\r\n\r\n")
		line, _ := rw.ReadString('\n')
		io.WriteString(conn, line)
	})
	req := e.request(http.MethodGet, s.URL, nil)
	req.Header.Set("Connection", "Upgrade")
	req.Header.Set("Upgrade", "echo")
	resp, err := e.send(base, req)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	conn, ok := resp.Body.(io.ReadWriter)
	if !ok {
		return fmt.Errorf("body of the 101 is a %T, which cannot be written to", resp.Body)
	}
	if _, err := io.WriteString(conn, "hello\n"); err != nil {
		return err
	}
	line, err := bufio.NewReader(conn).ReadString('\n')
	return errors.Join(err, want("echo", line, "hello\n"))
}

// lastResponse: "RoundTrip must return err == nil if it obtained a response,
// regardless of the response's HTTP status code". The reason for a failure
// stands in its body.
func lastResponse(e *env) error {
	s, base := e.server(func(w http.ResponseWriter, r *http.Request) {
		w.WriteHeader(503)
		io.WriteString(w, "why")
	})
	status, body, err := e.get(base, e.request(http.MethodGet, s.URL, nil))
	if err != nil {
		return err
	}
	return errors.Join(want("status", status, 503), want("body", body, "why"))
}

// dialCause: whether nothing was sent can only be told from the cause.
func dialCause(e *env) error {
	url, err := closedPort()
	if err != nil {
		return err
	}
	_, err = e.send(&http.Transport{}, e.request(http.MethodGet, url, nil))
	var op *net.OpError
	if !errors.As(err, &op) {
		return fmt.Errorf("no *net.OpError in the chain of %T %v", err, err)
	}
	return nil
}
