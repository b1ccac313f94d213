package roundtrippertest

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"reflect"
	"strings"
	"sync/atomic"
	"time"
)

// requestChecks are about the request: it belongs to the caller, its body to the
// RoundTripper, which must close it on every path.
var requestChecks = []Check{
	{Name: "request untouched", run: untouched(200)},
	{Name: "request untouched by a retry", Retry: true, run: untouched(503)},
	{Name: "body closed once: success", run: closedOnce(200)},
	{Name: "body closed once: 403", run: closedOnce(403)},
	{Name: "body closed once: retry", Retry: true, run: closedOnce(503)},
	{Name: "body closed once: connection refused", run: closedOnceRefused},
	{Name: "body closed once: context done before", run: closedOnceCancelled},
}

// firstStatus answers the first request with a status, all others with 200.
func firstStatus(status int) http.HandlerFunc {
	var attempts atomic.Int64
	return func(w http.ResponseWriter, r *http.Request) {
		io.Copy(io.Discard, r.Body)
		if attempts.Add(1) == 1 {
			w.WriteHeader(status)
		}
	}
}

// untouched: "RoundTrip should not modify the request, except for consuming and
// closing the Request's Body" (documentation of http.RoundTripper). A caller
// that retries, or that sends one request to several hosts, relies on it.
func untouched(first int) func(*env) error {
	return func(e *env) error {
		s, base := e.server(firstStatus(first))
		req := e.request(http.MethodPut, s.URL+"/a%2Fb?x=1", strings.NewReader("body"))
		req.Header["x-odd-case"] = []string{"1", "2"}
		header, before := req.Header.Clone(), *req
		if _, _, err := e.get(base, req); err != nil {
			return err
		}
		return unchanged(req, &before, header)
	}
}

// unchanged compares a request with a copy from before.
func unchanged(req, before *http.Request, header http.Header) error {
	switch {
	case !reflect.DeepEqual(req.Header, header):
		return fmt.Errorf("header: got %v, want %v", req.Header, header)
	case req.Body != before.Body:
		return fmt.Errorf("field Body replaced by a %T", req.Body)
	case req.URL != before.URL, req.URL.String() != before.URL.String(), req.Method != before.Method,
		req.Host != before.Host, req.ContentLength != before.ContentLength, req.Context() != before.Context(),
		reflect.ValueOf(req.GetBody).Pointer() != reflect.ValueOf(before.GetBody).Pointer():
		return errors.New("a field changed")
	}
	return nil
}

// closedOnce: "RoundTrip must always close the body, including on errors". A body
// that is never closed leaks a file or a goroutine that writes into a pipe; one
// closed twice may be a file number that somebody else has by then. Bodies come
// from GetBody, so each attempt has one of its own, and each is counted.
func closedOnce(first int) func(*env) error {
	return func(e *env) error {
		s, base := e.server(firstStatus(first))
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

// closedOnceRefused is the path that is forgotten most: no connection, so nobody
// below ever saw the body.
func closedOnceRefused(e *env) error {
	url, err := closedPort()
	if err != nil {
		return err
	}
	body := &countingBody{Reader: strings.NewReader("body")}
	req := e.request(http.MethodPut, url, nil)
	req.Body, req.ContentLength = body, 4
	if _, _, err := e.get(&http.Transport{}, req); err == nil {
		return errors.New("got a response from a closed port")
	}
	return allClosed(e, []*countingBody{body})
}

// closedOnceCancelled: a RoundTripper that looks at the context first has to
// close the body itself.
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
