package roundtrippertest_test

import (
	"context"
	"errors"
	"io"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/apigw-go/apigw/roundtrippertest"
)

func TestEachCheckFindsItsFault(t *testing.T) {
	t.Parallel()
	checks := roundtrippertest.Checks()
	// A check that fails may wait for seconds: all at once.
	var found sync.Map
	var running sync.WaitGroup
	for _, c := range checks {
		if fault, ok := faults[c.Name]; ok {
			running.Go(func() { found.Store(c.Name, c.Run(fault)) })
		}
	}
	running.Wait()
	for _, c := range checks {
		if err, ok := found.Load(c.Name); !ok || err == nil {
			t.Errorf("%s: a RoundTripper with a fault passes (there is a fault: %t)", c.Name, ok)
		}
	}
	for name := range faults {
		if !slices.ContainsFunc(checks, func(c roundtrippertest.Check) bool { return c.Name == name }) {
			t.Errorf("no check %q", name)
		}
	}
}

// faults has, for each check, a RoundTripper that must not pass it.
var faults = map[string]func(http.RoundTripper) http.RoundTripper{
	"request untouched": answering(func(req *http.Request, resp *http.Response, err error) (*http.Response, error) {
		req.Header.Set("X-Attempt", "1")
		return resp, err
	}),
	"request untouched by a retry": func(base http.RoundTripper) http.RoundTripper {
		return roundTripFunc(func(req *http.Request) (*http.Response, error) {
			r := sound(base)
			r.change = func(*http.Request) { req.Header.Set("X-Attempt", "2") }
			return r.RoundTrip(req)
		})
	},
	"body closed once: success":             closes(0),
	"body closed once: 403":                 closes(2),
	"body closed once: retry":               retrying(func(r *retrier) { r.base = closes(0)(r.base) }),
	"body closed once: connection refused":  closes(0),
	"body closed once: context done before": closes(0),
	"whole body in each attempt": retrying(func(r *retrier) {
		r.change = func(req *http.Request) { req.Body, req.ContentLength = http.NoBody, 0 }
	}),
	"content length kept in each attempt": retrying(func(r *retrier) {
		r.change = func(req *http.Request) { req.ContentLength = -1 }
	}),
	"chunked upload stays chunked":             passing(bufferBody),
	"upload streams":                           passing(bufferBody),
	"trailers of the request":                  passing(func(req *http.Request) { req.Trailer = nil }),
	"Expect: 100-continue holds the body back": passing(bufferBody),
	"Connection: close":                        passing(func(req *http.Request) { req.Close = false }),
	"response streams":                         answering(bufferResponse),
	"trailers of the response":                 answering(withoutTrailer),
	"early hints reach httptrace": func(base http.RoundTripper) http.RoundTripper {
		return roundTripFunc(func(req *http.Request) (*http.Response, error) {
			return base.RoundTrip(req.Clone(context.Background()))
		})
	},
	"HEAD, 204 and 304 without a body":       answering(bufferLength),
	"101: a connection to read and write":    answering(readOnly),
	"last response returned, body unread":    answering(failure),
	"cause of a failed dial in the chain":    answering(hidden),
	"redirect returned, not followed":        following,
	"http.Client: 307 with a body":           answering(dropGetBody),
	"http.Client: cookies":                   following,
	"POST not retried after a 500":           retrying(func(r *retrier) { r.again = always }),
	"Retry-After of a day not obeyed":        retrying(func(r *retrier) { r.again = always }),
	"endless body of a 503 does not hold up": retrying(func(r *retrier) { r.ends = drainAll }),
	"connection reused after 32 KiB of 503":  retrying(func(r *retrier) { r.ends = onlyClose }),
	"idle connections of the base kept": func(base http.RoundTripper) http.RoundTripper {
		return roundTripFunc(func(req *http.Request) (*http.Response, error) {
			(&http.Client{Transport: base}).CloseIdleConnections()
			return base.RoundTrip(req)
		})
	},
	"cancelled before: nothing sent": passing(func(req *http.Request) {
		*req = *req.WithContext(context.WithoutCancel(req.Context()))
	}),
	"cancelled while sending":     answering(hidden),
	"cancelled while waiting":     retrying(func(r *retrier) { r.wait = sleep }),
	"cancelled while reading":     answering(torn),
	"HTTP/2: RST_STREAM survived": passing(func(*http.Request) {}),
	"HTTP/2: GOAWAY survived":     answering(onlyHTTP1),
}

// passing makes a RoundTripper that hands a copy of the request on, changed.
func passing(change func(*http.Request)) func(http.RoundTripper) http.RoundTripper {
	return func(base http.RoundTripper) http.RoundTripper {
		return roundTripFunc(func(req *http.Request) (*http.Response, error) {
			c := req.Clone(req.Context())
			change(c)
			return base.RoundTrip(c)
		})
	}
}

// answering makes a RoundTripper that changes what comes back.
func answering(
	change func(*http.Request, *http.Response, error) (*http.Response, error),
) func(http.RoundTripper) http.RoundTripper {
	return func(base http.RoundTripper) http.RoundTripper {
		return roundTripFunc(func(req *http.Request) (*http.Response, error) {
			resp, err := base.RoundTrip(req)
			return change(req, resp, err)
		})
	}
}

// retrying makes a retrier with one fault.
func retrying(fault func(*retrier)) func(http.RoundTripper) http.RoundTripper {
	return func(base http.RoundTripper) http.RoundTripper {
		r := sound(base)
		fault(&r)
		return r
	}
}

// bufferBody reads the body whole before it is sent.
func bufferBody(req *http.Request) {
	if req.Body != nil {
		data, _ := io.ReadAll(req.Body)
		req.Body.Close()
		req.Body = io.NopCloser(strings.NewReader(string(data)))
		req.ContentLength = int64(len(data))
	}
}

// bufferResponse reads the response whole before it is returned, or a second of
// it.
func bufferResponse(_ *http.Request, resp *http.Response, err error) (*http.Response, error) {
	if err != nil {
		return resp, err
	}
	read := make(chan string)
	body := resp.Body
	go func() {
		data, _ := io.ReadAll(body)
		read <- string(data)
	}()
	select {
	case data := <-read:
		resp.Body = io.NopCloser(strings.NewReader(data))
	case <-time.After(time.Second):
		body.Close()
		return nil, errors.New("took too long")
	}
	return resp, nil
}

// hidden is an error with all information lost.
func hidden(_ *http.Request, resp *http.Response, err error) (*http.Response, error) {
	if err != nil {
		return nil, errors.New("failed")
	}
	return resp, nil
}

// closing closes request bodies n times, or not at all.
type closing struct {
	io.ReadCloser
	times int
}

func (c closing) Close() error {
	for range c.times {
		c.ReadCloser.Close()
	}
	return nil
}

func closes(n int) func(http.RoundTripper) http.RoundTripper {
	return passing(func(req *http.Request) {
		if req.Body != nil {
			req.Body = closing{req.Body, n}
		}
	})
}

// bufferLength reports how much it read as the length.
func bufferLength(req *http.Request, resp *http.Response, err error) (*http.Response, error) {
	if resp, err = bufferResponse(req, resp, err); err == nil {
		resp.ContentLength = 0
	}
	return resp, err
}

// readOnly hides that a body can be written to.
func readOnly(_ *http.Request, resp *http.Response, err error) (*http.Response, error) {
	if err == nil {
		resp.Body = struct{ io.ReadCloser }{resp.Body}
	}
	return resp, err
}

// failure makes an error of a status.
func failure(_ *http.Request, resp *http.Response, err error) (*http.Response, error) {
	if err == nil && resp.StatusCode >= 500 {
		resp.Body.Close()
		return nil, errors.New(resp.Status)
	}
	return resp, err
}

// following follows redirects by itself.
func following(base http.RoundTripper) http.RoundTripper {
	return roundTripFunc(func(req *http.Request) (*http.Response, error) {
		return (&http.Client{Transport: base}).Do(req)
	})
}

// torn ends a body that broke as if it were whole.
func torn(_ *http.Request, resp *http.Response, err error) (*http.Response, error) {
	if err == nil {
		resp.Body = tornBody{resp.Body}
	}
	return resp, err
}

type tornBody struct{ io.ReadCloser }

func (b tornBody) Read(p []byte) (int, error) {
	n, err := b.ReadCloser.Read(p)
	if err != nil {
		err = io.EOF
	}
	return n, err
}

func onlyHTTP1(_ *http.Request, resp *http.Response, err error) (*http.Response, error) {
	if err == nil && resp.ProtoMajor > 1 {
		resp.Body.Close()
		return nil, errors.New("no HTTP/2")
	}
	return resp, err
}

// always retries whatever failed.
func always(_ *http.Request, resp *http.Response, err error) bool {
	return err == nil && resp.StatusCode >= 500
}

func drainAll(resp *http.Response) {
	io.Copy(io.Discard, resp.Body)
	resp.Body.Close()
}

func onlyClose(resp *http.Response) { resp.Body.Close() }

// sleep waits whatever the context says.
func sleep(context.Context, *http.Response) error {
	time.Sleep(10 * time.Second)
	return nil
}

// withoutTrailer returns a copy of the response, which does not get what the
// original gets at the end of its body.
func withoutTrailer(_ *http.Request, resp *http.Response, err error) (*http.Response, error) {
	if err != nil {
		return nil, err
	}
	c := *resp
	c.Trailer = nil
	return &c, nil
}

func dropGetBody(req *http.Request, resp *http.Response, err error) (*http.Response, error) {
	req.GetBody = nil
	return resp, err
}
