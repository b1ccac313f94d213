package roundtrippertest

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync/atomic"
	"time"
)

// uploadChecks are about what arrives at the server.
var uploadChecks = []Check{
	{Name: "whole body in each attempt", Retry: true, run: wholeBody},
	{Name: "content length kept in each attempt", Retry: true, run: contentLength},
	{Name: "chunked upload stays chunked", run: chunked},
	{Name: "upload streams", run: uploadStreams},
	{Name: "trailers of the request", run: requestTrailers},
	{Name: "Expect: 100-continue holds the body back", run: expectContinue},
	{Name: "Connection: close", run: connectionClose},
}

// wholeBody: a retry must not send what the first attempt left of the body.
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
		return fmt.Errorf("got %d attempts, %d of them with another body, want 2 with the same",
			attempts.Load(), wrong.Load())
	}
	return nil
}

// contentLength: without the length net/http sends chunks, which many gateways
// refuse, and HTTP/1.0 does not know.
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

// chunked: a body of unknown length is sent as it comes. To read it whole for
// its length breaks the limits of memory, and the trailers.
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

// uploadStreams: the server has the first byte while the caller still writes.
// Who buffers a body for a retry must not hold it back.
func uploadStreams(e *env) error {
	arrived := make(chan struct{})
	s, base := e.server(func(w http.ResponseWriter, r *http.Request) {
		io.ReadFull(r.Body, make([]byte, 1))
		close(arrived)
		io.Copy(io.Discard, r.Body)
	})
	streamed := make(chan bool, 1)
	pr, pw := io.Pipe()
	go func() {
		defer pw.Close()
		pw.Write([]byte("1"))
		select {
		case <-arrived:
			streamed <- true
		case <-time.After(2 * time.Second):
			streamed <- false
		}
	}()
	_, _, err := e.get(base, e.request(http.MethodPost, s.URL, pr))
	pr.Close() // whoever did not read it
	return errors.Join(err, want("the first byte arrived before the last was there", <-streamed, true))
}

// requestTrailers: a copy of the request must share the map, which the caller
// fills while the body is read (documentation of http.Request.Trailer).
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

// expectContinue: with "Expect: 100-continue" a server can refuse a large body
// before it is sent, so nobody may read it earlier.
func expectContinue(e *env) error {
	s, base := e.server(func(w http.ResponseWriter, r *http.Request) { w.WriteHeader(http.StatusForbidden) })
	base.ExpectContinueTimeout = patience
	var read atomic.Bool
	body := strings.NewReader("body")
	req := e.request(http.MethodPut, s.URL, readerFunc(func(p []byte) (int, error) {
		read.Store(true)
		return body.Read(p)
	}))
	req.ContentLength = 4
	req.Header.Set("Expect", "100-continue")
	status, _, err := e.get(base, req)
	if err != nil {
		return err
	}
	return errors.Join(want("status", status, 403), want("body read", read.Load(), false))
}

type readerFunc func([]byte) (int, error)

func (f readerFunc) Read(p []byte) (int, error) { return f(p) }

// connectionClose: Request.Close is a field, not a header, and gets lost in
// requests that are put together anew.
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
