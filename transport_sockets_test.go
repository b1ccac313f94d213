package apigw

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/http/httptrace"
	"net/textproto"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// quick is a policy whose delays do not slow a test down.
var quick = RetryPolicy{InitialBackoff: time.Millisecond, MaxBackoff: time.Millisecond}

// serverOf starts a server with handler and returns it with a client that goes
// through a Transport over the server's own.
func serverOf(t testing.TB, handler http.HandlerFunc) (*httptest.Server, *http.Client) {
	t.Helper()
	srv := httptest.NewServer(handler)
	t.Cleanup(srv.Close)
	base := srv.Client().Transport
	return srv, &http.Client{Transport: &Transport{Base: base, Policy: quick, Budget: &RetryBudget{Unlimited: true}}}
}

// refuse answers as a classic gateway does.
func refuse(w http.ResponseWriter, status int, message string) {
	w.Header().Set(headerErrorMessage, message)
	w.WriteHeader(status)
}

func get(t testing.TB, client *http.Client, url string) (*http.Response, string) {
	t.Helper()
	resp, err := client.Get(url)
	if err != nil {
		t.Fatal(err)
	}
	body, err := io.ReadAll(resp.Body)
	resp.Body.Close()
	if err != nil {
		t.Fatal(err)
	}
	return resp, string(body)
}

func TestRetriesShareOneConnection(t *testing.T) {
	for _, size := range []int{0, 2 << 10, 32 << 10} {
		t.Run(fmt.Sprintf("%d bytes", size), func(t *testing.T) {
			body := bytes.Repeat([]byte("x"), size)
			var n atomic.Int64
			srv := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				if n.Add(1)%2 == 1 {
					w.Header().Set(headerErrorMessage, "Service Unavailable")
					w.WriteHeader(503)
					w.Write(body)
				}
			}))
			var connections atomic.Int64
			srv.Config.ConnState = func(_ net.Conn, s http.ConnState) {
				if s == http.StateNew {
					connections.Add(1)
				}
			}
			srv.Start()
			defer srv.Close()
			client := &http.Client{Transport: &Transport{Base: srv.Client().Transport, Policy: quick}}
			for range 100 {
				if resp, _ := get(t, client, srv.URL); resp.StatusCode != 200 {
					t.Fatalf("status %d", resp.StatusCode)
				}
			}
			if got := connections.Load(); got != 1 || n.Load() != 200 {
				t.Errorf("%d requests over %d connections, want 200 over 1", n.Load(), got)
			}
		})
	}
}

// The test would last a minute if the body were read to its end.
func TestDrippingFailureDoesNotHoldTheRetryUp(t *testing.T) {
	var n atomic.Int64
	srv, client := serverOf(t, func(w http.ResponseWriter, r *http.Request) {
		if n.Add(1) > 1 {
			return
		}
		refuse(w, 504, notSentText)
		for range 600 {
			w.Write([]byte("x"))
			w.(http.Flusher).Flush()
			select {
			case <-r.Context().Done():
				return
			case <-time.After(100 * time.Millisecond):
			}
		}
	})
	if resp, _ := get(t, client, srv.URL); resp.StatusCode != 200 {
		t.Errorf("status %d, want 200", resp.StatusCode)
	}
}

func TestErrorSurvivesTheClient(t *testing.T) {
	handler := func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/moved" {
			http.Redirect(w, r, "/", http.StatusFound)
			return
		}
		refuse(w, 403, "Quota Exhausted")
	}
	for name, edit := range map[string]func(*http.Client){
		"plain":   func(*http.Client) {},
		"timeout": func(c *http.Client) { c.Timeout = time.Minute },
	} {
		t.Run(name, func(t *testing.T) {
			srv, client := serverOf(t, handler)
			edit(client)
			for _, path := range []string{"/", "/moved"} {
				resp, _ := get(t, client, srv.URL+path)
				if e, ok := FromResponse(resp); !ok || e.Entry.ID != "classic.quota-exhausted" || len(e.Attempts) != 1 {
					t.Errorf("%s: got %v, %v, want the quota error after one attempt", path, e, ok)
				}
			}
		})
	}
}

func TestHTTP2(t *testing.T) {
	var n atomic.Int64
	srv := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		if n.Add(1) < 3 {
			refuse(w, 504, notSentText)
			return
		}
		w.Header().Set("Trailer", "X-Sum")
		fmt.Fprintf(w, "%s %s", r.Proto, body)
		w.Header().Set("X-Sum", "7")
	}))
	srv.EnableHTTP2 = true
	srv.StartTLS()
	defer srv.Close()
	client := &http.Client{Transport: &Transport{Base: srv.Client().Transport, Policy: quick}}
	resp, err := client.Post(srv.URL, "text/plain", strings.NewReader("order"))
	if err != nil {
		t.Fatal(err)
	}
	body, _ := io.ReadAll(resp.Body)
	resp.Body.Close()
	if string(body) != "HTTP/2.0 order" || resp.Trailer.Get("X-Sum") != "7" {
		t.Errorf("got %q with trailer %q, want HTTP/2.0 order with 7", body, resp.Trailer.Get("X-Sum"))
	}
}

func TestBodyStreamsThrough(t *testing.T) {
	release := make(chan struct{})
	srv, client := serverOf(t, func(w http.ResponseWriter, r *http.Request) {
		w.Write([]byte("first"))
		w.(http.Flusher).Flush()
		<-release
		w.Write([]byte("last"))
	})
	resp, err := client.Get(srv.URL)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	first := make([]byte, 5)
	if _, err := io.ReadFull(resp.Body, first); err != nil || string(first) != "first" {
		t.Errorf("got %q, %v before the last byte was sent", first, err)
	}
	close(release)
	if rest, err := io.ReadAll(resp.Body); err != nil || string(rest) != "last" {
		t.Errorf("got %q, %v", rest, err)
	}
}

func TestSwitchingProtocolsStaysWritable(t *testing.T) {
	for name, policy := range map[string]RetryPolicy{
		"default": {}, "attempt timeout": {AttemptTimeout: time.Minute},
		"success marks": {SuccessMarks: []SuccessMark{{JSONField: "code", JSONValue: "-1"}}},
	} {
		t.Run(name, func(t *testing.T) {
			srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				conn, rw, err := w.(http.Hijacker).Hijack()
				if err != nil {
					return
				}
				defer conn.Close()
				rw.WriteString("HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: echo\r\n\r\n")
				rw.Flush()
				line, _ := rw.ReadString('\n')
				rw.WriteString(line)
				rw.Flush()
			}))
			defer srv.Close()
			req, _ := http.NewRequest(http.MethodGet, srv.URL, nil)
			req.Header.Set("Connection", "Upgrade")
			req.Header.Set("Upgrade", "echo")
			resp, err := (&Transport{Base: srv.Client().Transport, Policy: policy}).RoundTrip(req)
			if err != nil {
				t.Fatal(err)
			}
			defer resp.Body.Close()
			conn, ok := resp.Body.(io.ReadWriteCloser)
			if !ok {
				t.Fatalf("%T cannot be written to", resp.Body)
			}
			fmt.Fprintln(conn, "hello")
			got := make([]byte, 6)
			if _, err := io.ReadFull(conn, got); err != nil || string(got) != "hello\n" {
				t.Errorf("got %q, %v", got, err)
			}
		})
	}
}

func TestInformationalResponsesReachTheTrace(t *testing.T) {
	srv, client := serverOf(t, func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Link", "</style.css>")
		w.WriteHeader(http.StatusEarlyHints)
		w.WriteHeader(200)
	})
	var hints int
	ctx := httptrace.WithClientTrace(t.Context(), &httptrace.ClientTrace{
		Got1xxResponse: func(code int, _ textproto.MIMEHeader) error { hints = code; return nil },
	})
	req, _ := http.NewRequestWithContext(ctx, http.MethodGet, srv.URL, nil)
	resp, err := client.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	resp.Body.Close()
	if hints != http.StatusEarlyHints {
		t.Errorf("got %d, want 103", hints)
	}
}

func TestClientTimeoutCoversAllAttempts(t *testing.T) {
	srv, client := serverOf(t, func(w http.ResponseWriter, r *http.Request) { refuse(w, 504, notSentText) })
	client.Timeout = 10 * time.Second
	client.Transport.(*Transport).Policy = RetryPolicy{
		InitialBackoff: time.Hour,
		MaxBackoff:     time.Hour,
		Jitter:         JitterNone,
	}
	resp, _ := get(t, client, srv.URL)
	if e, ok := FromResponse(resp); !ok || e.Stop != StopDeadline {
		t.Errorf("got %v, want a stop before the deadline", e)
	}
}

func TestUploadIsNotBuffered(t *testing.T) {
	if raceEnabled {
		return // the detector's own memory would be counted
	}
	const size = 256 << 20
	srv, client := serverOf(t, func(w http.ResponseWriter, r *http.Request) {
		if n, err := io.Copy(io.Discard, r.Body); n != size {
			t.Errorf("received %d bytes, %v", n, err)
		}
	})
	for _, kind := range []string{"GetBody", "one-shot"} {
		t.Run(kind, func(t *testing.T) {
			newBody := func() (io.ReadCloser, error) { return io.NopCloser(io.LimitReader(zeros{}, size)), nil }
			req, _ := http.NewRequest(http.MethodPost, srv.URL, nil)
			req.Body, _ = newBody()
			req.ContentLength = size
			if kind == "GetBody" {
				req.GetBody = newBody
			}
			var before, after runtime.MemStats
			runtime.GC()
			runtime.ReadMemStats(&before)
			resp, err := client.Do(req)
			if err != nil {
				t.Fatal(err)
			}
			resp.Body.Close()
			runtime.ReadMemStats(&after)
			if grown := after.TotalAlloc - before.TotalAlloc; grown > 1<<20 {
				t.Errorf("allocated %d bytes for a body of %d, want at most 1 MiB", grown, size)
			}
		})
	}
}

type zeros struct{}

func (zeros) Read(p []byte) (int, error) { clear(p); return len(p), nil }

// Attempts may run on while the body is read and closed by several goroutines.
func TestConcurrentUse(t *testing.T) {
	var n atomic.Int64
	srv, client := serverOf(t, func(w http.ResponseWriter, r *http.Request) {
		io.Copy(io.Discard, r.Body)
		if n.Add(1)%3 == 0 {
			refuse(w, 504, notSentText)
		}
	})
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			for range 25 {
				resp, err := client.Post(srv.URL, "text/plain", io.MultiReader(strings.NewReader("one-shot")))
				if err != nil {
					t.Error(err)
					return
				}
				resp.Body.Close()
			}
		})
	}
	wg.Wait()
}

func TestCancelEndsDrainAndWait(t *testing.T) {
	srv, client := serverOf(t, func(w http.ResponseWriter, r *http.Request) {
		refuse(w, 504, notSentText)
		w.(http.Flusher).Flush()
		<-r.Context().Done()
	})
	client.Transport.(*Transport).Policy = RetryPolicy{
		InitialBackoff: time.Hour,
		MaxBackoff:     time.Hour,
		Jitter:         JitterNone,
	}
	ctx, cancel := context.WithCancel(t.Context())
	client.Transport.(*Transport).OnRetry = func(*http.Request, Attempt, time.Duration) { cancel() }
	req, _ := http.NewRequestWithContext(ctx, http.MethodGet, srv.URL, nil)
	if _, err := client.Do(req); err == nil || ctx.Err() == nil {
		t.Errorf("got %v, want the cancellation", err)
	}
}
