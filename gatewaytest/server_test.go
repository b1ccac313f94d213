package gatewaytest_test

import (
	"errors"
	"io"
	"net/http"
	"strings"
	"syscall"
	"testing"

	"github.com/apigw-go/apigw/gatewaytest"
)

// kinds are the servers on real sockets.
var kinds = []struct {
	name  string
	start func(http.Handler) *gatewaytest.Server
	major int // of the HTTP version
}{
	{"plain", gatewaytest.NewServer, 1},
	{"TLS", gatewaytest.NewTLSServer, 1},
	{"HTTP/2", gatewaytest.NewHTTP2Server, 2},
}

func eachKind(t *testing.T, test func(t *testing.T, start func(http.Handler) *gatewaytest.Server, major int)) {
	for _, kind := range kinds {
		t.Run(kind.name, func(t *testing.T) { test(t, kind.start, kind.major) })
	}
}

func TestServersAnswer(t *testing.T) {
	eachKind(t, func(t *testing.T, start func(http.Handler) *gatewaytest.Server, major int) {
		s := start(scripted())
		defer s.Close()
		resp, err := s.Client().Get(s.URL + "/items")
		if err != nil {
			t.Fatal(err)
		}
		defer resp.Body.Close()
		if got := show(resp); got != served || resp.ProtoMajor != major {
			t.Errorf("got %s over %s, want %s over HTTP/%d", got, resp.Proto, served, major)
		}
	})
}

func TestServersOwnTransport(t *testing.T) {
	eachKind(t, func(t *testing.T, start func(http.Handler) *gatewaytest.Server, _ int) {
		s := start(scripted())
		defer s.Close()
		tr := s.Transport()
		defer tr.CloseIdleConnections()
		if status, _, err := get(t, &http.Client{Transport: tr}, s.URL); err != nil || status != 200 {
			t.Errorf("got %d %v, want 200", status, err)
		}
	})
}

// A POST is used here: net/http would resend a GET by itself.
func post(c *http.Client, url string) error {
	resp, err := c.Post(url, "text/plain", strings.NewReader("order"))
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	_, err = io.ReadAll(resp.Body)
	return err
}

func TestServersDrop(t *testing.T) {
	for _, drop := range []gatewaytest.Drop{
		gatewaytest.DropOnArrival, gatewaytest.DropBeforeBackend, gatewaytest.DropAfterBackend, gatewaytest.DropInBody,
	} {
		for _, reset := range []bool{false, true} {
			eachKind(t, func(t *testing.T, start func(http.Handler) *gatewaytest.Server, _ int) {
				g := scripted(gatewaytest.Outcome{}, gatewaytest.Outcome{Drop: drop, Reset: reset})
				s := start(g)
				defer s.Close()
				if err := post(s.Client(), s.URL); err != nil {
					t.Fatal(err)
				}
				if err := post(s.Client(), s.URL); err == nil {
					t.Errorf("%v, reset %v: got no error", drop, reset)
				}
				want := gatewaytest.Counts{Received: 2, Executed: 2}
				if drop < gatewaytest.DropAfterBackend {
					want.Executed = 1
				}
				if got := g.Counts(); got != want {
					t.Errorf("%v, reset %v: got %+v, want %+v", drop, reset, got, want)
				}
			})
		}
	}
}

func TestResetIsATCPReset(t *testing.T) {
	s := gatewaytest.NewServer(scripted(gatewaytest.Outcome{Reset: true}))
	defer s.Close()
	if err := post(s.Client(), s.URL); !errors.Is(err, syscall.ECONNRESET) {
		t.Errorf("got %v, want %v", err, syscall.ECONNRESET)
	}
}

func TestResetOnHTTP2LeavesTheConnection(t *testing.T) {
	for _, reset := range []bool{true, false} {
		addrs := make(map[string]bool)
		g := scripted(gatewaytest.Outcome{}, gatewaytest.Outcome{Drop: gatewaytest.DropBeforeBackend, Reset: reset})
		s := gatewaytest.NewHTTP2Server(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			addrs[r.RemoteAddr] = true // one request at a time
			g.ServeHTTP(w, r)
		}))
		for range 3 {
			_ = post(s.Client(), s.URL) // the second one fails
		}
		s.Close()
		want := 2
		if reset {
			want = 1
		}
		if got := len(addrs); got != want {
			t.Errorf("reset %v: got %d connections, want %d", reset, got, want)
		}
	}
}

// oneByteAtATime is a body of unknown length.
type oneByteAtATime struct{ left string }

func (r *oneByteAtATime) Read(p []byte) (int, error) {
	if r.left == "" {
		return 0, io.EOF
	}
	n := copy(p[:1], r.left)
	r.left = r.left[n:]
	return n, nil
}
