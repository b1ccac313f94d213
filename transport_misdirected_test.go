package apigw

import (
	"io"
	"net/http"
	"net/http/httptest"
	"sync/atomic"
	"testing"
	"time"

	"github.com/apigw-go/apigw/catalog"
)

// 421 speaks of the connection: the request is sent again over another one.
func TestMisdirectedGoesOverANewConnection(t *testing.T) {
	for name, c := range map[string]struct {
		http2, kept bool // kept: the Base cannot empty its pool
		attempts    int
	}{
		"HTTP/1.1": {false, false, 2}, "HTTP/1.1, wrapped": {false, true, 3},
		"HTTP/2": {true, false, 2}, "HTTP/2, wrapped": {true, true, 3},
	} {
		t.Run(name, func(t *testing.T) {
			var first atomic.Value // the address of the connection that is refused
			srv := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				io.Copy(io.Discard, r.Body)
				first.CompareAndSwap(nil, r.RemoteAddr)
				if first.Load() == r.RemoteAddr && r.URL.Path != "/warm" {
					http.Error(w, "Misdirected Request", http.StatusMisdirectedRequest)
					return
				}
				w.Header().Set(headerServiceTime, "1") // so that a 421 without it is the proxy's
				io.WriteString(w, r.Proto)
			}))
			srv.EnableHTTP2 = c.http2
			srv.StartTLS()
			defer srv.Close()
			tr := &Transport{Base: srv.Client().Transport,
				Policy: RetryPolicy{MaxAttempts: c.attempts, InitialBackoff: time.Millisecond}}
			if c.kept {
				tr.Base = roundTripFunc(srv.Client().Transport.RoundTrip)
			}
			for _, path := range []string{"/warm", "/orders"} { // the second meets a connection in the pool
				resp, err := tr.RoundTrip(newRequestTo(t, http.MethodPost, srv.URL+path))
				if err != nil {
					t.Fatal(err)
				}
				body, _ := io.ReadAll(resp.Body)
				resp.Body.Close()
				if resp.StatusCode != 200 || c.http2 != (string(body) == "HTTP/2.0") {
					t.Errorf("%s: got %d %s, want 200 over %s", path, resp.StatusCode, body, name)
				}
			}
		})
	}
}

// What the backend answered is not about our connection.
func TestMisdirectedFromBehind(t *testing.T) {
	e, _ := Classify(http.StatusMisdirectedRequest, http.Header{headerServiceTime: {"3"}})
	if e.Origin != OriginBackend || e.Reached != catalog.ReachedYes {
		t.Errorf("got %v, %v; want backend, yes", e.Origin, e.Reached)
	}
}
