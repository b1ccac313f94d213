package apigw

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"reflect"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/apigw-go/apigw/roundtrippertest"
)

// What net/http demands from a RoundTripper and promises of one, on real
// sockets. The clauses that hold for every RoundTripper stand in package
// roundtrippertest. The tests below it have what only a Transport has: errors
// with a cause, hooks, and refusals of a gateway, so that a promise is kept
// across a retry.

func TestContract(t *testing.T) {
	roundtrippertest.Run(t, func(base http.RoundTripper) http.RoundTripper {
		return &Transport{Base: base, Policy: quick}
	})
}

// refuseFirst answers the first request with a 503 of the gateway.
func refuseFirst(next http.HandlerFunc) http.HandlerFunc {
	var n atomic.Int64
	return func(w http.ResponseWriter, r *http.Request) {
		if n.Add(1) == 1 {
			refuse(w, 504, notSentText)
			return
		}
		next(w, r)
	}
}

func TestContractRequestIsUntouched(t *testing.T) {
	srv, client := serverOf(t, refuseFirst(func(w http.ResponseWriter, r *http.Request) {}))
	client.Transport.(*Transport).PrepareRetry = func(r *http.Request) error {
		r.Header.Set("X-Ca-Nonce", "new")
		r.URL.Path = "/changed"
		return nil
	}
	req, _ := http.NewRequest(http.MethodPost, srv.URL+"/a?b=c", strings.NewReader("order"))
	req.Header["x-odd-key"] = []string{"1", "2"}
	header, url, body, before := req.Header.Clone(), *req.URL, req.Body, *req
	resp, err := client.Transport.RoundTrip(req)
	if err != nil {
		t.Fatal(err)
	}
	resp.Body.Close()
	if !reflect.DeepEqual(req.Header, header) || *req.URL != url || req.Body != body ||
		req.ContentLength != before.ContentLength || req.Host != before.Host {
		t.Errorf("the request became %+v", req)
	}
}

func TestContractBodyIsClosedOnce(t *testing.T) {
	for name, c := range map[string]struct {
		handler http.HandlerFunc
		edit    func(*http.Request) *http.Request
	}{
		"success":      {func(w http.ResponseWriter, r *http.Request) { io.Copy(io.Discard, r.Body) }, nil},
		"not read":     {func(w http.ResponseWriter, r *http.Request) {}, nil},
		"fails fast":   {func(w http.ResponseWriter, r *http.Request) { refuse(w, 403, "Quota Exhausted") }, nil},
		"retried":      {refuseFirst(func(w http.ResponseWriter, r *http.Request) {}), nil},
		"given up":     {func(w http.ResponseWriter, r *http.Request) { refuse(w, 504, notSentText) }, nil},
		"dropped":      {func(w http.ResponseWriter, r *http.Request) { panic(http.ErrAbortHandler) }, nil},
		"no such host": {nil, func(r *http.Request) *http.Request { r.URL.Host = "127.0.0.1:1"; return r }},
		"bad scheme":   {nil, func(r *http.Request) *http.Request { r.URL.Scheme = "gopher"; return r }},
		"nil URL":      {nil, func(r *http.Request) *http.Request { r.URL = nil; return r }},
		"context ended": {nil, func(r *http.Request) *http.Request {
			ctx, cancel := context.WithCancel(r.Context())
			cancel()
			return r.WithContext(ctx)
		}},
	} {
		for _, getBody := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s, GetBody %v", name, getBody), func(t *testing.T) {
				handler := c.handler
				if handler == nil {
					handler = func(http.ResponseWriter, *http.Request) {}
				}
				srv, client := serverOf(t, handler)
				bodies := []*countingBody{{Reader: strings.NewReader("order")}}
				req, _ := http.NewRequest(http.MethodPut, srv.URL, nil)
				req.Body, req.ContentLength = bodies[0], 5
				if getBody {
					req.GetBody = func() (io.ReadCloser, error) {
						b := &countingBody{Reader: strings.NewReader("order")}
						bodies = append(bodies, b)
						return b, nil
					}
				}
				if c.edit != nil {
					req = c.edit(req)
				}
				if resp, err := client.Transport.RoundTrip(req); err == nil {
					io.Copy(io.Discard, resp.Body)
					resp.Body.Close()
				}
				srv.Close() // net/http may close a body after RoundTrip returned
				client.CloseIdleConnections()
				for i, b := range bodies {
					if !eventually(func() bool { return b.closes() > 0 }) || b.closes() != 1 {
						t.Errorf("body %d was closed %d times, want once", i+1, b.closes())
					}
				}
			})
		}
	}
}

// eventually waits for what another goroutine does; it gives up only on a
// fault.
func eventually(done func() bool) bool {
	for range 1000 {
		if done() {
			return true
		}
		time.Sleep(5 * time.Millisecond)
	}
	return false
}

func TestContractUploads(t *testing.T) {
	for name, c := range map[string]struct {
		length int64
		body   func() io.Reader
		want   string
	}{
		"content length kept": {5, func() io.Reader { return strings.NewReader("order") }, "5 [] order"},
		"chunked stays chunked": {-1, func() io.Reader {
			return io.MultiReader(strings.NewReader("or"), strings.NewReader("der"))
		}, "-1 [chunked] order"},
	} {
		t.Run(name, func(t *testing.T) {
			srv, client := serverOf(t, refuseFirst(func(w http.ResponseWriter, r *http.Request) {
				b, _ := io.ReadAll(r.Body)
				fmt.Fprint(w, r.ContentLength, r.TransferEncoding, " ", string(b))
			}))
			req, _ := http.NewRequest(http.MethodPost, srv.URL, nil)
			req.Body, req.ContentLength = io.NopCloser(c.body()), c.length
			resp, err := client.Do(req)
			if err != nil {
				t.Fatal(err)
			}
			defer resp.Body.Close()
			if got, _ := io.ReadAll(resp.Body); string(got) != c.want {
				t.Errorf("the server got %q, want %q", got, c.want)
			}
		})
	}
}

func TestContractExpectContinue(t *testing.T) {
	srv, client := serverOf(t, refuseFirst(func(w http.ResponseWriter, r *http.Request) { io.Copy(w, r.Body) }))
	client.Transport.(*Transport).Base.(*http.Transport).ExpectContinueTimeout = time.Minute
	req, _ := http.NewRequest(http.MethodPost, srv.URL, strings.NewReader("order"))
	req.Header.Set("Expect", "100-continue")
	resp, err := client.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	if got, _ := io.ReadAll(resp.Body); string(got) != "order" {
		t.Errorf("got %q, want order", got)
	}
}

func TestContractTrailersBothWays(t *testing.T) {
	srv, client := serverOf(t, refuseFirst(func(w http.ResponseWriter, r *http.Request) {
		io.Copy(io.Discard, r.Body)
		w.Header().Set("Trailer", "X-Echo")
		w.Write([]byte("x"))
		w.Header().Set("X-Echo", r.Trailer.Get("X-Sum"))
	}))
	req, _ := http.NewRequest(http.MethodPost, srv.URL, strings.NewReader("order"))
	req.ContentLength = -1
	req.Trailer = http.Header{"X-Sum": {"7"}}
	resp, err := client.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	io.Copy(io.Discard, resp.Body)
	resp.Body.Close()
	if got := resp.Trailer.Get("X-Echo"); got != "7" {
		t.Errorf("trailer came back as %q, want 7", got)
	}
}

func TestContractBodylessAnswers(t *testing.T) {
	for _, c := range []struct {
		method string
		status int
	}{{http.MethodHead, 200}, {http.MethodGet, 204}, {http.MethodGet, 304}, {http.MethodHead, 404}} {
		t.Run(fmt.Sprint(c.method, c.status), func(t *testing.T) {
			srv, client := serverOf(t,
				refuseFirst(func(w http.ResponseWriter, r *http.Request) { w.WriteHeader(c.status) }))
			req, _ := http.NewRequest(c.method, srv.URL, nil)
			resp, err := client.Do(req)
			if err != nil {
				t.Fatal(err)
			}
			body, err := io.ReadAll(resp.Body)
			resp.Body.Close()
			if resp.StatusCode != c.status || len(body) != 0 || err != nil {
				t.Errorf("got %d, %q, %v", resp.StatusCode, body, err)
			}
		})
	}
}

func TestContractGzipFailure(t *testing.T) {
	srv, client := serverOf(t, refuseFirst(func(w http.ResponseWriter, r *http.Request) {
		io.WriteString(w, r.Header.Get("Accept-Encoding"))
	}))
	if _, body := get(t, client, srv.URL); body != "gzip" {
		t.Errorf("net/http asked for %q, want gzip as without the Transport", body)
	}
}

func TestContractTornBodyReachesTheCaller(t *testing.T) {
	srv, client := serverOf(t, func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Length", "100")
		io.WriteString(w, "half")
	})
	resp, err := client.Get(srv.URL)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	if body, err := io.ReadAll(resp.Body); string(body) != "half" || !errors.Is(err, io.ErrUnexpectedEOF) {
		t.Errorf("got %q, %v, want half and unexpected EOF", body, err)
	}
}

func TestContractHTTP2Faults(t *testing.T) {
	for name, c := range map[string]struct {
		method string
		want   int // 0: an error
	}{"GET": {http.MethodGet, 200}, "POST": {http.MethodPost, 0}} {
		t.Run("stream reset, "+name, func(t *testing.T) {
			var n atomic.Int64
			srv := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				if n.Add(1) == 1 {
					panic(http.ErrAbortHandler) // RST_STREAM
				}
			}))
			srv.EnableHTTP2 = true
			srv.StartTLS()
			defer srv.Close()
			client := &http.Client{Transport: &Transport{Base: srv.Client().Transport, Policy: quick}}
			req, _ := http.NewRequest(c.method, srv.URL, nil)
			resp, err := client.Do(req)
			if err == nil {
				resp.Body.Close()
			}
			if c.want == 0 && (err == nil || n.Load() != 1) || c.want != 0 &&
				(err != nil || resp.StatusCode != c.want) {
				t.Errorf("got %v, %v after %d attempts", resp, err, n.Load())
			}
		})
	}
}

func TestContractCancellation(t *testing.T) {
	hang := make(chan struct{})
	defer close(hang)
	for name, handler := range map[string]http.HandlerFunc{
		"during send": func(w http.ResponseWriter, r *http.Request) { <-r.Context().Done() },
		"during delay": func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Retry-After", "20")
			refuse(w, 504, notSentText)
		},
		"during drain": func(w http.ResponseWriter, r *http.Request) {
			refuse(w, 504, notSentText)
			w.(http.Flusher).Flush()
			<-r.Context().Done()
		},
	} {
		t.Run(name, func(t *testing.T) {
			arrived := make(chan struct{}, 8)
			srv, client := serverOf(t, func(w http.ResponseWriter, r *http.Request) {
				arrived <- struct{}{}
				handler(w, r)
			})
			tr := client.Transport.(*Transport)
			tr.Policy = RetryPolicy{InitialBackoff: 20 * time.Second, MaxBackoff: 20 * time.Second, Jitter: JitterNone}
			cause := errors.New("user left")
			ctx, cancel := context.WithCancelCause(t.Context())
			if name == "during send" {
				go func() { <-arrived; cancel(cause) }()
			}
			// Not before the decision: a response that comes as the context ends is
			// returned.
			tr.OnRetry = func(*http.Request, Attempt, time.Duration) { cancel(cause) }
			req, _ := http.NewRequestWithContext(ctx, http.MethodGet, srv.URL, nil)
			resp, err := client.Do(req)
			if err == nil {
				resp.Body.Close()
			}
			if !errors.Is(err, cause) {
				t.Errorf("got %v, want the cause", err)
			}
			var e *Error
			if !errors.As(err, &e) || e.Stop != StopContext {
				t.Errorf("got %v, want a stop by the context", err)
			}
		})
	}
	t.Run("while the caller reads", func(t *testing.T) {
		srv, client := serverOf(t, func(w http.ResponseWriter, r *http.Request) {
			io.WriteString(w, "first")
			w.(http.Flusher).Flush()
			<-r.Context().Done()
		})
		client.Transport.(*Transport).Policy.AttemptTimeout = time.Minute
		ctx, cancel := context.WithCancel(t.Context())
		req, _ := http.NewRequestWithContext(ctx, http.MethodGet, srv.URL, nil)
		resp, err := client.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		defer resp.Body.Close()
		io.ReadFull(resp.Body, make([]byte, 5))
		cancel()
		if _, err := io.ReadAll(resp.Body); !errors.Is(err, context.Canceled) {
			t.Errorf("got %v, want context.Canceled", err)
		}
	})
}
