package contract

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptrace"
	"net/textproto"
	"reflect"
	"strings"
	"sync/atomic"
	"time"
)

var discardLog = log.New(io.Discard, "", 0)

// Checks are all clauses.
var Checks = []Check{
	{Name: "request untouched", run: untouched(200)},
	{Name: "request untouched by a retry", Retry: true, run: untouched(503)},
	{Name: "body closed once: success", run: closedOnce(200)},
	{Name: "body closed once: 403", run: closedOnce(403)},
	{Name: "body closed once: retry", Retry: true, run: closedOnce(503)},
	{Name: "body closed once: connection refused", run: closedOnceRefused},
	{Name: "body closed once: context done before", run: closedOnceCancelled},
	{Name: "whole body in each attempt", Retry: true, run: wholeBody},
	{Name: "content length kept in each attempt", Retry: true, run: contentLength},
	{Name: "chunked upload stays chunked", run: chunked},
	{Name: "upload streams", run: uploadStreams},
	{Name: "response streams", run: responseStreams},
	{Name: "trailers of the request", run: requestTrailers},
	{Name: "trailers of the response", run: responseTrailers},
	{Name: "early hints reach httptrace", run: earlyHints},
	{Name: "Expect: 100-continue holds the body back", run: expectContinue},
	{Name: "HEAD, 204 and 304 without a body", run: bodiless},
	{Name: "101: a connection to read and write", run: upgrade},
	{Name: "Connection: close", run: connectionClose},
	{Name: "redirect returned, not followed", run: redirectReturned},
	{Name: "http.Client: 307 with a body", run: clientRedirect},
	{Name: "http.Client: cookies", run: clientCookies},
	{Name: "last response returned, body unread", run: lastResponse},
	{Name: "POST not repeated after a 500", run: postOnce},
	{Name: "Retry-After of a day not obeyed", run: retryAfterDay},
	{Name: "endless body of a 503 does not hold up", Retry: true, run: endlessRefusal},
	{Name: "connection reused after 32 KiB of 503", Retry: true, run: connectionReused},
	{Name: "idle connections of the base kept", run: idleKept},
	{Name: "cause of a failed dial in the chain", run: dialCause},
	{Name: "cancelled before: nothing sent", run: cancelledBefore},
	{Name: "cancelled while sending", run: cancelledSending},
	{Name: "cancelled during the pause", Retry: true, run: cancelledPausing},
	{Name: "cancelled while reading", run: cancelledReading},
	{Name: "HTTP/2: RST_STREAM survived", Retry: true, run: resetStream},
	{Name: "HTTP/2: GOAWAY survived", run: goAway},
}

func untouched(first int) func(*env) error {
	return func(e *env) error {
		var attempts atomic.Int64
		s, base := e.server(func(w http.ResponseWriter, r *http.Request) {
			io.Copy(io.Discard, r.Body)
			if attempts.Add(1) == 1 {
				w.WriteHeader(first)
			}
		})
		req := e.request(http.MethodPut, s.URL+"/a%2Fb?x=1", strings.NewReader("body"))
		req.Header["x-odd-case"] = []string{"1", "2"}
		before, header, body := *req, req.Header.Clone(), req.Body
		if _, _, err := e.get(base, req); err != nil {
			return err
		}
		switch {
		case !reflect.DeepEqual(req.Header, header):
			return fmt.Errorf("header: got %v, want %v", req.Header, header)
		case req.Body != body:
			return fmt.Errorf("field Body replaced by a %T", req.Body)
		case req.URL != before.URL || req.Method != before.Method || req.Host != before.Host || req.ContentLength != before.ContentLength,
			reflect.ValueOf(req.GetBody).Pointer() != reflect.ValueOf(before.GetBody).Pointer(), req.Context() != before.Context():
			return errors.New("a field changed")
		}
		return nil
	}
}

// closedOnce gives bodies through GetBody, and counts on each.
func closedOnce(first int) func(*env) error {
	return func(e *env) error {
		var attempts atomic.Int64
		s, base := e.server(func(w http.ResponseWriter, r *http.Request) {
			io.Copy(io.Discard, r.Body)
			if attempts.Add(1) == 1 {
				w.WriteHeader(first)
			}
		})
		body := &countingBody{Reader: strings.NewReader("body")}
		bodies := []*countingBody{body}
		req := e.request(http.MethodPut, s.URL, nil)
		req.Body, req.ContentLength = body, 4
		req.GetBody = func() (io.ReadCloser, error) {
			b := &countingBody{Reader: strings.NewReader("body")}
			bodies = append(bodies, b) // called one after the other
			return b, nil
		}
		if _, _, err := e.get(base, req); err != nil {
			return err
		}
		return allClosed(e, bodies)
	}
}

func allClosed(e *env, bodies []*countingBody) error {
	ctx, cancel := context.WithTimeout(e.ctx, time.Second)
	defer cancel()
	for i, b := range bodies {
		if err := b.closedOnce(ctx); err != nil {
			return fmt.Errorf("body %d of %d: %w", i+1, len(bodies), err)
		}
	}
	return nil
}

func closedOnceRefused(e *env) error {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	l.Close()
	body := &countingBody{Reader: strings.NewReader("body")}
	req := e.request(http.MethodPut, "http://"+l.Addr().String(), nil)
	req.Body, req.ContentLength = body, 4
	if _, _, err := e.get(&http.Transport{}, req); err == nil {
		return errors.New("got a response from a closed port")
	}
	return allClosed(e, []*countingBody{body})
}

func closedOnceCancelled(e *env) error {
	s, base := e.server(func(http.ResponseWriter, *http.Request) {})
	ctx, cancel := context.WithCancel(e.ctx)
	cancel()
	body := &countingBody{Reader: strings.NewReader("body")}
	req := e.request(http.MethodPut, s.URL, nil).WithContext(ctx)
	req.Body, req.ContentLength = body, 4
	if _, _, err := e.get(base, req); err == nil {
		return errors.New("got a response although the context was done")
	}
	return allClosed(e, []*countingBody{body})
}

func wholeBody(e *env) error {
	var attempts atomic.Int64
	var wrong atomic.Int64
	want := bytes.Repeat([]byte("0123456789"), 1000)
	s, base := e.server(func(w http.ResponseWriter, r *http.Request) {
		if got, _ := io.ReadAll(r.Body); !bytes.Equal(got, want) {
			wrong.Add(1)
		}
		if attempts.Add(1) == 1 {
			w.WriteHeader(503)
		}
	})
	if _, _, err := e.get(base, e.request(http.MethodPut, s.URL, bytes.NewReader(want))); err != nil {
		return err
	}
	if attempts.Load() < 2 || wrong.Load() > 0 {
		return fmt.Errorf("got %d attempts, %d of them with another body, want 2 with the same", attempts.Load(), wrong.Load())
	}
	return nil
}

func contentLength(e *env) error {
	var attempts, sum atomic.Int64
	s, base := e.server(func(w http.ResponseWriter, r *http.Request) {
		sum.Add(r.ContentLength)
		io.Copy(io.Discard, r.Body)
		if attempts.Add(1) == 1 {
			w.WriteHeader(503)
		}
	})
	if _, _, err := e.get(base, e.request(http.MethodPut, s.URL, strings.NewReader("12345"))); err != nil {
		return err
	}
	return want("sum of the lengths of two attempts", sum.Load(), 10)
}

func chunked(e *env) error {
	s, base := e.server(func(w http.ResponseWriter, r *http.Request) {
		data, _ := io.ReadAll(r.Body)
		fmt.Fprintf(w, "%d %v %s", r.ContentLength, r.TransferEncoding, data)
	})
	req := e.request(http.MethodPut, s.URL, io.MultiReader(strings.NewReader("body"))) // of unknown length
	_, got, err := e.get(base, req)
	if err != nil {
		return err
	}
	return want("length, encoding and body at the server", got, "-1 [chunked] body")
}

func uploadStreams(e *env) error {
	arrived := make(chan struct{})
	s, base := e.server(func(w http.ResponseWriter, r *http.Request) {
		io.ReadFull(r.Body, make([]byte, 1))
		close(arrived)
		io.Copy(io.Discard, r.Body)
	})
	pr, pw := io.Pipe()
	go func() {
		pw.Write([]byte("1"))
		select {
		case <-arrived:
			pw.Close()
		case <-time.After(2 * time.Second):
			pw.CloseWithError(errors.New("the first byte did not arrive before the last was there"))
		}
	}()
	_, _, err := e.get(base, e.request(http.MethodPost, s.URL, pr))
	return err
}

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

func requestTrailers(e *env) error {
	s, base := e.server(func(w http.ResponseWriter, r *http.Request) {
		io.Copy(io.Discard, r.Body)
		io.WriteString(w, r.Trailer.Get("X-Sum"))
	})
	req := e.request(http.MethodPut, s.URL, io.MultiReader(strings.NewReader("body")))
	req.Trailer = http.Header{"X-Sum": {"42"}}
	_, got, err := e.get(base, req)
	if err != nil {
		return err
	}
	return want("trailer at the server", got, "42")
}

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

func earlyHints(e *env) error {
	s, base := e.server(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Link", "</style.css>; rel=preload")
		w.WriteHeader(http.StatusEarlyHints)
		w.WriteHeader(http.StatusOK)
	})
	hints := 0
	ctx := httptrace.WithClientTrace(e.ctx, &httptrace.ClientTrace{Got1xxResponse: func(code int, _ textproto.MIMEHeader) error {
		hints = code
		return nil
	}})
	status, _, err := e.get(base, e.request(http.MethodGet, s.URL, nil).WithContext(ctx))
	if err != nil {
		return err
	}
	return errors.Join(want("status", status, 200), want("1xx", hints, 103))
}

func expectContinue(e *env) error {
	s, base := e.server(func(w http.ResponseWriter, r *http.Request) { w.WriteHeader(http.StatusForbidden) })
	base.ExpectContinueTimeout = patience
	body := &countingBody{Reader: strings.NewReader("body")}
	var read atomic.Bool
	req := e.request(http.MethodPut, s.URL, nil)
	req.Body, req.ContentLength = struct {
		io.Reader
		io.Closer
	}{readerFunc(func(p []byte) (int, error) { read.Store(true); return body.Read(p) }), body}, 4
	req.Header.Set("Expect", "100-continue")
	status, _, err := e.get(base, req)
	if err != nil {
		return err
	}
	return errors.Join(want("status", status, 403), want("body read", read.Load(), false))
}

type readerFunc func([]byte) (int, error)

func (f readerFunc) Read(p []byte) (int, error) { return f(p) }

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

func connectionClose(e *env) error {
	s, base := e.server(func(w http.ResponseWriter, r *http.Request) { fmt.Fprint(w, r.Close) })
	req := e.request(http.MethodGet, s.URL, nil)
	req.Close = true
	_, got, err := e.get(base, req)
	if err != nil {
		return err
	}
	return want("Close at the server", got, "true")
}

func redirectReturned(e *env) error {
	s, base := e.server(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/" {
			http.Redirect(w, r, "/other", http.StatusFound)
		}
	})
	status, _, err := e.get(base, e.request(http.MethodGet, s.URL+"/", nil))
	if err != nil {
		return err
	}
	return want("status", status, 302)
}

func clientRedirect(e *env) error {
	s, base := e.server(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		if r.URL.Path == "/" {
			http.Redirect(w, r, "/other", http.StatusTemporaryRedirect)
			return
		}
		w.Write(body)
	})
	c := &http.Client{Transport: e.wrap(base, 0)}
	resp, err := c.Do(e.request(http.MethodPost, s.URL+"/", strings.NewReader("body")))
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	got, err := io.ReadAll(resp.Body)
	return errors.Join(err, want("body at the target", string(got), "body"))
}

func clientCookies(e *env) error {
	s, base := e.server(func(w http.ResponseWriter, r *http.Request) {
		if c, err := r.Cookie("a"); err == nil {
			io.WriteString(w, c.Value)
			return
		}
		http.SetCookie(w, &http.Cookie{Name: "a", Value: "1"})
		http.Redirect(w, r, "/other", http.StatusFound)
	})
	jar, err := cookiejar.New(nil)
	if err != nil {
		return err
	}
	c := &http.Client{Transport: e.wrap(base, 0), Jar: jar}
	resp, err := c.Do(e.request(http.MethodGet, s.URL+"/", nil))
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	got, err := io.ReadAll(resp.Body)
	return errors.Join(err, want("cookie at the target", string(got), "1"))
}

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

func postOnce(e *env) error {
	var attempts atomic.Int64
	s, base := e.server(func(w http.ResponseWriter, r *http.Request) {
		attempts.Add(1)
		w.WriteHeader(500)
	})
	e.get(base, e.request(http.MethodPost, s.URL, strings.NewReader("order")))
	return want("attempts", attempts.Load(), 1)
}

func retryAfterDay(e *env) error {
	s, base := e.server(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Retry-After", "86400")
		w.WriteHeader(503)
	})
	ctx, cancel := context.WithTimeout(e.ctx, 2*time.Second)
	defer cancel()
	_, _, err := e.get(base, e.request(http.MethodGet, s.URL, nil).WithContext(ctx))
	if ctx.Err() != nil {
		return fmt.Errorf("waits for the day to pass: %w", err)
	}
	return nil
}

func endlessRefusal(e *env) error {
	second := make(chan struct{})
	var attempts atomic.Int64
	var gaveUp atomic.Bool
	s, base := e.server(func(w http.ResponseWriter, r *http.Request) {
		if attempts.Add(1) > 1 {
			close(second)
			return
		}
		w.WriteHeader(503)
		for deadline := time.After(3 * time.Second); ; {
			io.WriteString(w, "drip")
			w.(http.Flusher).Flush()
			select {
			case <-second:
				return
			case <-deadline:
				gaveUp.Store(true)
				return
			case <-time.After(20 * time.Millisecond):
			}
		}
	})
	_, _, err := e.get(base, e.request(http.MethodGet, s.URL, nil))
	return errors.Join(err, want("the first attempt had to end by itself", gaveUp.Load(), false))
}

func connectionReused(e *env) error {
	var attempts atomic.Int64
	var addresses [2]string
	s, base := e.server(func(w http.ResponseWriter, r *http.Request) {
		n := attempts.Add(1)
		addresses[(n-1)%2] = r.RemoteAddr
		if n == 1 {
			w.WriteHeader(503)
			w.Write(make([]byte, 32<<10))
		}
	})
	if _, _, err := e.get(base, e.request(http.MethodGet, s.URL, nil)); err != nil {
		return err
	}
	return want("same connection", addresses[0] == addresses[1], true)
}

// closeCounter counts calls of CloseIdleConnections: the pool belongs to the
// caller.
type closeCounter struct {
	*http.Transport
	closed atomic.Int64
}

func (c *closeCounter) CloseIdleConnections() {
	c.closed.Add(1)
	c.Transport.CloseIdleConnections()
}

func idleKept(e *env) error {
	s, base := e.server(func(w http.ResponseWriter, r *http.Request) { w.WriteHeader(503) })
	c := &closeCounter{Transport: base}
	e.get(c, e.request(http.MethodGet, s.URL, nil))
	return want("calls of CloseIdleConnections", c.closed.Load(), 0)
}

func dialCause(e *env) error {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	l.Close()
	_, err = e.send(&http.Transport{}, e.request(http.MethodGet, "http://"+l.Addr().String(), nil))
	var op *net.OpError
	if !errors.As(err, &op) {
		return fmt.Errorf("no *net.OpError in the chain of %T %v", err, err)
	}
	return nil
}

func cancelledBefore(e *env) error {
	var attempts atomic.Int64
	s, base := e.server(func(http.ResponseWriter, *http.Request) { attempts.Add(1) })
	ctx, cancel := context.WithCancel(e.ctx)
	cancel()
	_, err := e.send(base, e.request(http.MethodGet, s.URL, nil).WithContext(ctx))
	return errors.Join(want("context.Canceled in the chain", errors.Is(err, context.Canceled), true), want("attempts", attempts.Load(), 0))
}

func cancelledSending(e *env) error {
	ctx, cancel := context.WithCancel(e.ctx)
	defer cancel()
	s, base := e.server(func(w http.ResponseWriter, r *http.Request) {
		cancel()
		<-r.Context().Done()
	})
	_, err := e.send(base, e.request(http.MethodGet, s.URL, nil).WithContext(ctx))
	return want("context.Canceled in the chain", errors.Is(err, context.Canceled), true)
}

func cancelledPausing(e *env) error {
	// Without the deadline of the check: it would make the pause pointless.
	ctx, cancel := context.WithCancel(context.WithoutCancel(e.ctx))
	defer cancel()
	s, base := e.server(func(w http.ResponseWriter, r *http.Request) {
		w.WriteHeader(503)
		time.AfterFunc(100*time.Millisecond, cancel)
	})
	_, err := e.wrap(base, time.Hour).RoundTrip(e.request(http.MethodGet, s.URL, nil).WithContext(ctx))
	return want("context.Canceled in the chain", errors.Is(err, context.Canceled), true)
}

func cancelledReading(e *env) error {
	ctx, cancel := context.WithCancel(e.ctx)
	defer cancel()
	s, base := e.server(func(w http.ResponseWriter, r *http.Request) {
		w.Write([]byte("1"))
		w.(http.Flusher).Flush()
		<-r.Context().Done()
	})
	resp, err := e.send(base, e.request(http.MethodGet, s.URL, nil).WithContext(ctx))
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	io.ReadFull(resp.Body, make([]byte, 1))
	cancel()
	_, err = io.ReadAll(resp.Body)
	return want("context.Canceled in the chain", errors.Is(err, context.Canceled), true)
}

func resetStream(e *env) error {
	var attempts atomic.Int64
	s, base := e.start(func(w http.ResponseWriter, r *http.Request) {
		if attempts.Add(1) == 1 {
			panic(http.ErrAbortHandler)
		}
		io.WriteString(w, r.Proto)
	}, true)
	_, got, err := e.get(base, e.request(http.MethodGet, s.URL, nil))
	return errors.Join(err, want("body", got, "HTTP/2.0"))
}

func goAway(e *env) error {
	s, base := e.start(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Connection", "close") // the HTTP/2 server makes a GOAWAY of it
		io.WriteString(w, r.Proto)
	}, true)
	for range 3 {
		_, got, err := e.get(base, e.request(http.MethodGet, s.URL, nil))
		if err := errors.Join(err, want("body", got, "HTTP/2.0")); err != nil {
			return err
		}
	}
	return nil
}
