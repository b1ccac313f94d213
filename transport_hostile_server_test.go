package apigw

import (
	"bufio"
	"compress/gzip"
	"errors"
	"io"
	"net"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
)

// rawServer answers each connection with what write sends, byte for byte.
func rawServer(t *testing.T, write func(net.Conn, int)) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	go func() {
		for n := 1; ; n++ {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			go func() {
				defer conn.Close()
				if _, err := http.ReadRequest(bufio.NewReader(conn)); err == nil {
					write(conn, n)
				}
			}()
		}
	}()
	return "http://" + l.Addr().String()
}

// A server that means harm can neither hang nor fill the client, nor write
// into its log lines.
func TestHostileServer(t *testing.T) {
	head := "HTTP/1.1 503 Service Unavailable\r\nX-Ca-Error-Message: Service Unavailable\r\n"
	line := []byte("X-Ca-Error-Message: " + strings.Repeat("a", 100) + "\r\n")
	chunk := []byte(strings.Repeat("x", 32<<10))
	forever := func(conn net.Conn, b []byte) {
		for {
			if _, err := conn.Write(b); err != nil {
				return
			}
		}
	}
	for name, write := range map[string]func(net.Conn){
		"endless headers": func(c net.Conn) { io.WriteString(c, head); forever(c, line) },
		"endless body":    func(c net.Conn) { io.WriteString(c, head+"\r\n"); forever(c, chunk) },
		"endless chunks": func(c net.Conn) {
			io.WriteString(c, head+"Transfer-Encoding: chunked\r\n\r\n")
			forever(c, []byte("8000\r\n"+string(chunk)+"\r\n"))
		},
		"many message lines": func(c net.Conn) {
			io.WriteString(c, head+strings.Repeat("X-Ca-Error-Message: a\r\n", 100000)+"Content-Length: 0\r\n\r\n")
		},
		"a message of a megabyte": func(c net.Conn) {
			message := strings.Repeat("b", 1<<20)
			io.WriteString(c, "HTTP/1.1 503 x\r\nX-Ca-Error-Message: "+message+"\r\nContent-Length: 0\r\n\r\n")
		},
		"control characters": func(c net.Conn) {
			io.WriteString(c, "HTTP/1.1 503 x\r\nX-Ca-Error-Message: a\x1b[2Jb\rc\r\nContent-Length: 0\r\n\r\n")
		},
		"huge Retry-After": func(c net.Conn) {
			io.WriteString(c, head+"Retry-After: 99999999999999999999\r\nContent-Length: 0\r\n\r\n")
		},
		"body never comes": func(c net.Conn) {
			io.WriteString(c, head+"Content-Length: 10\r\n\r\n")
			io.Copy(io.Discard, c)
		},
		"no answer":         func(c net.Conn) {},
		"not HTTP":          func(c net.Conn) { io.WriteString(c, "SSH-2.0-OpenSSH\r\n") },
		"head cut":          func(c net.Conn) { io.WriteString(c, head[:40]) },
		"status of a joker": func(c net.Conn) { io.WriteString(c, "HTTP/1.1 999 x\r\nContent-Length: 0\r\n\r\n") },
	} {
		t.Run(name, func(t *testing.T) {
			url := rawServer(t, func(c net.Conn, _ int) { write(c) })
			base := &http.Transport{}
			defer base.CloseIdleConnections()
			client := &http.Client{Transport: &Transport{Base: base, Policy: quick}}
			resp, err := client.Get(url + "/?token=tops3cret")
			text := ""
			if err != nil {
				var e *Error
				if !errors.As(err, &e) {
					t.Fatalf("an untyped error: %v", err)
				}
				text = e.Error()
			} else {
				resp.Body.Close()
				e, ok := FromResponse(resp)
				if !ok {
					t.Fatalf("status %d without an Error", resp.StatusCode)
				}
				text = e.Error()
			}
			control := strings.ContainsFunc(text, func(r rune) bool { return r < ' ' })
			if len(text) > 2048 || control || strings.Contains(text, "tops3cret") {
				t.Errorf("error text of %d bytes: %.300q", len(text), text)
			}
		})
	}
}

// A gzip bomb in a refused attempt is read no further than the drain's bound.
func TestGzipBombIsNotUnpacked(t *testing.T) {
	bomb := bombOf(8 << 20)
	var n atomic.Int64
	srv, client := serverOf(t, func(w http.ResponseWriter, r *http.Request) {
		if n.Add(1) == 1 {
			w.Header().Set("Content-Encoding", "gzip")
			refuse(w, 503, "Service Unavailable")
			w.Write(bomb)
		}
	})
	if resp, _ := get(t, client, srv.URL); resp.StatusCode != 200 || n.Load() != 2 {
		t.Errorf("status %d after %d attempts, want 200 after 2", resp.StatusCode, n.Load())
	}
}

func bombOf(size int64) []byte {
	var b strings.Builder
	w := gzip.NewWriter(&b)
	io.Copy(w, io.LimitReader(zeros{}, size))
	w.Close()
	return []byte(b.String())
}
