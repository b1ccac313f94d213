package apigw

import (
	"encoding/binary"
	"errors"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/apigw-go/apigw/catalog"
)

// streamError has the form of the one of golang.org/x/net/http2.
type streamError struct {
	StreamID uint32
	Code     errCode
	Cause    error
}

type errCode uint32

func (e streamError) Error() string {
	return "stream error: stream ID 3; SOME_CODE; received from peer"
}

// lookalike has its text but not its form.
type lookalike struct{ Code string }

func (e lookalike) Error() string { return "stream error: stream ID 3; REFUSED_STREAM" }

func TestStreamErrors(t *testing.T) {
	req := newRequest(t, http.MethodPost, "order")
	for name, c := range map[string]struct {
		err  error
		want bool
	}{
		"refused":               {streamError{StreamID: 3, Code: 7}, true},
		"refused, as a pointer": {&streamError{StreamID: 3, Code: 7}, true},
		"internal error":        {streamError{StreamID: 3, Code: 2}, false},
		"cancelled":             {streamError{StreamID: 3, Code: 8}, false},
		"text without the form": {lookalike{}, false},
		"text alone":            {errors.New("stream error: stream ID 3; REFUSED_STREAM; received from peer"), false},
	} {
		t.Run(name, func(t *testing.T) {
			if got := notSent(req, c.err); got != c.want {
				t.Errorf("notSent is %v, want %v", got, c.want)
			}
		})
	}
}

const frameHeaders, frameReset, frameSettings, frameGoAway = 1, 3, 4, 7

func frame(kind, flags byte, stream uint32, payload ...byte) []byte {
	b := []byte{0, 0, byte(len(payload)), kind, flags}
	return append(binary.BigEndian.AppendUint32(b, stream), payload...)
}

func words(values ...uint32) (b []byte) {
	for _, v := range values {
		b = binary.BigEndian.AppendUint32(b, v)
	}
	return b
}

// serveHTTP2 speaks just enough HTTP/2 to answer the head of each request with
// the next of the answers, given the stream's number, the last for ever. It
// counts the requests.
func serveHTTP2(t *testing.T, answers ...func(stream uint32) []byte) (url string, heads func() int) {
	t.Helper()
	seen := make(chan int, 1)
	seen <- 0
	addr, _ := listen(t, func(conn net.Conn) {
		io.ReadFull(conn, make([]byte, len("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n")))
		conn.Write(frame(frameSettings, 0, 0))
		for head := make([]byte, 9); ; {
			if _, err := io.ReadFull(conn, head); err != nil {
				return
			}
			io.CopyN(io.Discard, conn, int64(head[0])<<16|int64(head[1])<<8|int64(head[2]))
			if head[3] == frameHeaders {
				n := <-seen
				conn.Write(answers[min(n, len(answers)-1)](binary.BigEndian.Uint32(head[5:])))
				seen <- n + 1
			}
		}
	})
	return "http://" + addr, func() int { n := <-seen; seen <- n; return n }
}

// A POST goes out again only if the server did not look at its stream. The
// errors are net/http's own.
func TestRefusedStreams(t *testing.T) {
	ok := func(stream uint32) []byte {
		return frame(frameHeaders, 5, stream, 0x88) // END_STREAM, END_HEADERS; :status 200
	}
	reset := func(code uint32) func(uint32) []byte {
		return func(stream uint32) []byte { return frame(frameReset, 0, stream, words(code)...) }
	}
	goAway := func(last, code uint32) func(uint32) []byte {
		return func(uint32) []byte { return frame(frameGoAway, 0, 0, words(last, code)...) }
	}
	for name, c := range map[string]struct {
		answer func(uint32) []byte
		again  bool
	}{
		"REFUSED_STREAM":                  {reset(7), true},
		"GOAWAY, no stream was processed": {goAway(0, 0), true},
		"GOAWAY for an error, as well":    {goAway(0, 11), true},
		"INTERNAL_ERROR":                  {reset(2), false},
		"PROTOCOL_ERROR":                  {reset(1), false},
		"CANCEL":                          {reset(8), false},
	} {
		t.Run(name, func(t *testing.T) {
			url, heads := serveHTTP2(t, c.answer, ok)
			base := &http.Transport{Protocols: new(http.Protocols)}
			base.Protocols.SetUnencryptedHTTP2(true)
			defer base.CloseIdleConnections()
			// Without GetBody, or else net/http would send it again by itself.
			req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, url,
				io.MultiReader(strings.NewReader("order")))
			if err != nil {
				t.Fatal(err)
			}
			resp, err := (&Transport{Base: base, Policy: RetryPolicy{InitialBackoff: time.Millisecond}}).RoundTrip(req)
			if err == nil {
				resp.Body.Close()
			}
			if got := err == nil; got != c.again || heads() != 1+map[bool]int{true: 1}[c.again] {
				t.Errorf("%v after %d requests, want another one: %v", err, heads(), c.again)
			}
			var e *Error
			if errors.As(err, &e) && (e.Reached != catalog.ReachedMaybe || e.Stop != StopMayHaveRun) {
				t.Errorf("reached %v, stopped by %v; want maybe, may-have-run", e.Reached, e.Stop)
			}
		})
	}
}
