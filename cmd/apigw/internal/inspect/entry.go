package inspect

import (
	"net/http"
	"sync"
	"time"

	"github.com/apigw-go/apigw"
	"github.com/apigw-go/apigw/internal/redact"
)

// entry is one call. What may hold secrets stays in here; view.go makes of it
// what may be shown.
type entry struct {
	id       uint64
	replayOf uint64 // 0 for a call of a client
	start    time.Time

	mu       sync.Mutex // guards what follows
	version  uint64     // of the ring, when this entry changed
	method   string
	target   string // path and query, as sent by the client
	request  http.Header
	sent     http.Header // of the last attempt, as it was signed; nil if unknown
	response http.Header
	secrets  redact.Secrets
	inBodies redact.Secrets // what is masked in bodies, too
	kept     int            // bytes of the body that the secrets hold
	attempts []apigw.Attempt
	delay    time.Duration // before the attempt that is awaited
	failure  *apigw.Error
	signed   *signatureView // of a refused signature
	status   int
	done     bool
	duration time.Duration

	requestBody, responseBody capture
}

// size is what the entry keeps in memory, roughly.
func (e *entry) size() int {
	n := 1024 + len(e.target) + len(e.requestBody.data) + len(e.responseBody.data) + e.kept
	for _, h := range []http.Header{e.request, e.sent, e.response} {
		for name, values := range h {
			n += len(name) + 64
			for _, v := range values {
				n += len(v)
			}
		}
	}
	n += sizeOf(e.attempts)
	if f := e.failure; f != nil {
		n += len(f.Message) + len(f.Code) + len(f.RequestID) + sizeOf(f.Attempts)
		for _, p := range f.Params {
			n += len(p.Value)
		}
	}
	if e.signed != nil {
		n += len(e.signed.Text)
		for _, l := range e.signed.Lines {
			n += 64 + len(l.Name) + len(l.Signed) + len(l.Server)
		}
	}
	return n
}

func sizeOf(attempts []apigw.Attempt) (n int) {
	for _, a := range attempts {
		n += 512 + len(a.Message) + len(a.Code) + len(a.RequestID)
	}
	return n
}

// capture is the beginning of a body.
type capture struct {
	data   []byte
	total  int64 // bytes that passed
	limit  int   // 0: the body is not kept
	hidden bool  // it is kept for its secrets only, until there is an answer
}

// drop forgets what is not to be shown.
func (c *capture) drop() {
	if c.hidden {
		c.data, c.limit = nil, 0
	}
}

func (c *capture) add(p []byte) {
	c.total += int64(len(p))
	if room := c.limit - len(c.data); room > 0 {
		c.data = append(c.data, p[:min(room, len(p))]...)
	}
}

// whole reports whether data is all of the body.
func (c *capture) whole() bool { return c.total == int64(len(c.data)) }
