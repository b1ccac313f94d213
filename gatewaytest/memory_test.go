package gatewaytest_test

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/apigw-go/apigw/gatewaytest"
)

// scripted returns a gateway that lets everybody in and plays a script.
func scripted(script ...gatewaytest.Outcome) *gatewaytest.Gateway {
	return &gatewaytest.Gateway{Routes: []gatewaytest.Route{{Pattern: "/", Auth: gatewaytest.AuthNone, Script: script}}}
}

// get returns status and body, or the error of either.
func get(t *testing.T, c *http.Client, url string) (int, string, error) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), "GET", url, nil)
	if err != nil {
		t.Fatal(err)
	}
	resp, err := c.Do(req)
	if err != nil {
		return 0, "", err
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	return resp.StatusCode, string(body), err
}

// inBubble runs a test against an in-memory server. The bubble itself fails
// where a goroutine is left behind or everything is blocked for good.
func inBubble(t *testing.T, g *gatewaytest.Gateway, test func(t *testing.T, s *gatewaytest.Server)) {
	synctest.Test(t, func(t *testing.T) {
		s := gatewaytest.NewMemoryServer(g)
		defer s.Close()
		test(t, s)
	})
}

func TestMemoryServerInBubble(t *testing.T) {
	t.Run("a request takes no time", func(t *testing.T) {
		inBubble(t, scripted(), func(t *testing.T, s *gatewaytest.Server) {
			start := time.Now()
			status, body, err := get(t, s.Client(), s.URL+"/items")
			if want := `{"method":"GET","path":"/items","bytes":0}`; err != nil || status != 200 || body != want {
				t.Errorf("got %d %s %v, want 200 %s", status, body, err, want)
			}
			if got := time.Since(start); got != 0 {
				t.Errorf("got %v on the clock, want 0", got)
			}
		})
	})
	t.Run("a delay passes on fake time", func(t *testing.T) {
		inBubble(t, scripted(gatewaytest.Outcome{Delay: time.Hour}), func(t *testing.T, s *gatewaytest.Server) {
			start := time.Now()
			if status, _, err := get(t, s.Client(), s.URL); err != nil || status != 200 {
				t.Errorf("got %d %v, want 200", status, err)
			}
			if got := time.Since(start); got != time.Hour {
				t.Errorf("got %v on the clock, want 1h", got)
			}
		})
	})
	t.Run("a client that gives up during a delay leaves nothing behind", func(t *testing.T) {
		g := scripted(gatewaytest.Outcome{Delay: time.Hour})
		inBubble(t, g, func(t *testing.T, s *gatewaytest.Server) {
			ctx, cancel := context.WithTimeout(t.Context(), time.Second)
			defer cancel()
			req, _ := http.NewRequestWithContext(ctx, "GET", s.URL, nil)
			if _, err := s.Client().Do(req); !errors.Is(err, context.DeadlineExceeded) {
				t.Errorf("got %v, want %v", err, context.DeadlineExceeded)
			}
			synctest.Wait()
			if got := g.Counts(); got != (gatewaytest.Counts{Received: 1}) {
				t.Errorf("got %+v, want one received and none executed", got)
			}
		})
	})
	t.Run("closing the server ends a delay", func(t *testing.T) {
		inBubble(t, scripted(gatewaytest.Outcome{Delay: time.Hour}), func(t *testing.T, s *gatewaytest.Server) {
			start := time.Now()
			time.AfterFunc(time.Second, s.Close)
			if _, _, err := get(t, s.Client(), s.URL); err == nil {
				t.Error("got no error, want a broken connection")
			}
			if got := time.Since(start); got != time.Second {
				t.Errorf("got %v on the clock, want 1s", got)
			}
		})
	})
	t.Run("a body drips", func(t *testing.T) {
		script := gatewaytest.Outcome{Status: 503, Body: "abcdefg", DripBytes: 3, DripEvery: time.Second}
		inBubble(t, scripted(script), func(t *testing.T, s *gatewaytest.Server) {
			start := time.Now()
			status, body, err := get(t, s.Client(), s.URL)
			if err != nil || status != 503 || body != "abcdefg" {
				t.Errorf("got %d %q %v, want 503 abcdefg", status, body, err)
			}
			if got, want := time.Since(start), 2*time.Second; got != want {
				t.Errorf("got %v on the clock, want %v", got, want)
			}
		})
	})
	t.Run("a reader that closes ends a drip", func(t *testing.T) {
		script := gatewaytest.Outcome{Status: 503, Body: strings.Repeat("x", 1000), DripBytes: 1, DripEvery: time.Hour}
		inBubble(t, scripted(script), func(t *testing.T, s *gatewaytest.Server) {
			resp, err := s.Client().Get(s.URL)
			if err != nil {
				t.Fatal(err)
			}
			resp.Body.Close()
			start := time.Now()
			s.Close()
			if got := time.Since(start); got != 0 {
				t.Errorf("closing took %v, want 0", got)
			}
		})
	})
	t.Run("dropped connections read as EOF, reset ones as reset", func(t *testing.T) {
		g := scripted(gatewaytest.Outcome{Drop: gatewaytest.DropAfterBackend}, gatewaytest.Outcome{Reset: true},
			gatewaytest.Outcome{Status: 200, Body: "half of it", Drop: gatewaytest.DropInBody})
		inBubble(t, g, func(t *testing.T, s *gatewaytest.Server) {
			client := &http.Client{Transport: s.Transport()}
			defer client.CloseIdleConnections()
			if _, _, err := get(t, client, s.URL); !errors.Is(err, io.EOF) {
				t.Errorf("dropped: got %v, want %v", err, io.EOF)
			}
			if _, _, err := get(t, client, s.URL); !errors.Is(err, syscall.ECONNRESET) {
				t.Errorf("reset: got %v, want %v", err, syscall.ECONNRESET)
			}
			if _, body, err := get(t, client, s.URL); !errors.Is(err, io.ErrUnexpectedEOF) || body != "half " {
				t.Errorf("dropped in the body: got %q %v, want %q %v", body, err, "half ", io.ErrUnexpectedEOF)
			}
			if got := g.Counts(); got != (gatewaytest.Counts{Received: 3, Executed: 2}) {
				t.Errorf("got %+v, want 3 received and 2 executed", got)
			}
		})
	})
	t.Run("a large body flows both ways", func(t *testing.T) {
		g := scripted()
		g.Routes[0].Backend = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { io.Copy(w, r.Body) })
		inBubble(t, g, func(t *testing.T, s *gatewaytest.Server) {
			sent := strings.Repeat("0123456789", 100_000) // more than the buffers hold
			resp, err := s.Client().Post(s.URL, "text/plain", strings.NewReader(sent))
			if err != nil {
				t.Fatal(err)
			}
			defer resp.Body.Close()
			if got, err := io.ReadAll(resp.Body); err != nil || string(got) != sent {
				t.Errorf("got %d bytes and %v, want the %d that were sent", len(got), err, len(sent))
			}
		})
	})
	t.Run("a connection is used again", func(t *testing.T) {
		g := scripted()
		dials := 0
		inBubble(t, g, func(t *testing.T, s *gatewaytest.Server) {
			tr := s.Transport()
			defer tr.CloseIdleConnections()
			dial := tr.DialContext
			tr.DialContext = func(ctx context.Context, network, addr string) (net.Conn, error) {
				dials++
				return dial(ctx, network, addr)
			}
			for range 3 {
				if _, _, err := get(t, &http.Client{Transport: tr}, s.URL); err != nil {
					t.Fatal(err)
				}
				synctest.Wait() // until the connection is idle
			}
			if dials != 1 {
				t.Errorf("got %d connections for 3 requests, want 1", dials)
			}
		})
	})
}

// A client that does not finish its head loses the connection; one that is slow
// with the body does not.
func TestServerEndsUnfinishedHeads(t *testing.T) {
	for head, want := range map[string]time.Duration{
		"GET / HTTP/1.1\r\nHost: a\r\n": 10 * time.Second,
		"":                              10 * time.Second,
		"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nConnection: close\r\n\r\n": time.Minute,
	} {
		inBubble(t, scripted(), func(t *testing.T, s *gatewaytest.Server) {
			start := time.Now()
			conn, err := s.Transport().DialContext(t.Context(), "tcp", "a:80")
			if err != nil {
				t.Fatal(err)
			}
			defer conn.Close()
			io.WriteString(conn, head)
			time.AfterFunc(time.Minute, func() { io.WriteString(conn, "order") })
			answer, _ := io.ReadAll(conn) // until the server closes
			if got := time.Since(start); got != want {
				t.Errorf("%q: got the end after %v, want %v", head, got, want)
			}
			if served := strings.Contains(string(answer), "200 OK"); served != (want == time.Minute) {
				t.Errorf("%q: got %q", head, answer)
			}
			time.Sleep(time.Minute)
		})
	}
}

// While one backend is at work, others are called, counted and reset.
func TestNothingIsHeldWhileABackendRuns(t *testing.T) {
	g := scripted()
	g.Routes[0].Breaker, g.Routes[0].Limits = gatewaytest.DocumentedBreaker(), []gatewaytest.Limit{{Calls: 100,
		Window: time.Hour}}
	g.Routes[0].Quota, g.Routes[0].Timeout = &gatewaytest.Quota{Calls: 100}, time.Hour
	g.Routes[0].Backend = http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		if r.Header.Get("X-Slow") != "" {
			time.Sleep(time.Minute)
		}
	})
	inBubble(t, g, func(t *testing.T, s *gatewaytest.Server) {
		slow, err := http.NewRequest("GET", s.URL, nil)
		if err != nil {
			t.Fatal(err)
		}
		slow.Header.Set("X-Slow", "1")
		done := make(chan error, 1)
		go func() {
			resp, err := s.Client().Do(slow)
			if err == nil {
				resp.Body.Close()
			}
			done <- err
		}()
		synctest.Wait()
		start := time.Now()
		if status, _, err := get(t, s.Client(), s.URL); err != nil || status != 200 {
			t.Errorf("got %d %v, want 200", status, err)
		}
		g.Counts()
		g.Log()
		g.Reset()
		if got := time.Since(start); got != 0 {
			t.Errorf("it took %v beside a slow backend, want 0", got)
		}
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
}
