package main

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"
)

// Streams, upgraded connections, open pages and clients that say nothing do not
// hold up the end.
func TestProxyStopsWithStreamsOpen(t *testing.T) {
	gone := make(chan string, 2)
	api := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/ws" {
			conn, rw, err := http.NewResponseController(w).Hijack()
			if err != nil {
				t.Error(err)
				return
			}
			defer conn.Close()
			rw.WriteString("HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n")
			rw.Flush()
			rw.ReadByte() // until the proxy hangs up
			gone <- "websocket"
			return
		}
		w.Header().Set("Content-Type", "text/event-stream")
		io.WriteString(w, "data: 1\n\n")
		http.NewResponseController(w).Flush()
		<-r.Context().Done()
		gone <- "events"
	}))
	defer api.Close()
	address, page, stop := startProxy(t, "--upstream", api.URL, "--inspect", "127.0.0.1:0", "--drain", "100ms")
	dial := func(address, head string) {
		t.Helper()
		host, _, _ := strings.Cut(strings.TrimPrefix(address, "http://"), "/")
		conn, err := net.Dial("tcp", host)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { conn.Close() })
		fmt.Fprintf(conn, head, host)
		if strings.HasSuffix(head, "\r\n\r\n") {
			if line, err := bufio.NewReader(conn).ReadString('\n'); err != nil || !strings.Contains(line, " 200 ") &&
				!strings.Contains(line, " 101 ") {
				t.Fatalf("got %q, %v", line, err)
			}
		}
	}
	dial(address, "GET /ws HTTP/1.1\r\nHost: %s\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n")
	dial(address, "GET /events HTTP/1.1\r\nHost: %s\r\n\r\n")
	dial(page, "GET /api/events HTTP/1.1\r\nHost: %s\r\nX-Apigw-Token: token-of-the-test\r\n\r\n")
	dial(address, "POST /half HTTP/1.1\r\nHost: %s\r\n") // and nothing more
	began := time.Now()
	if got, want := stop(), exitOK; got != want {
		t.Errorf("exit code %d, want %d", got, want)
	}
	if took := time.Since(began); took > 10*time.Second {
		t.Errorf("it took %v to stop", took)
	}
	for range 2 {
		select {
		case <-gone:
		case <-time.After(10 * time.Second):
			t.Fatal("a call goes on after the end")
		}
	}
}
