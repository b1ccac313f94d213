package faults

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"

	"github.com/apigw-go/apigw"
)

// order is one request that a test is going to send.
type order struct {
	id     string
	method string
	key    bool // has an Idempotency-Key
	bytes  int  // of the body
	stream bool // the body cannot be had twice, except from what was remembered
}

func drawOrder(r *rand.Rand, id string) order {
	o := order{id: id, method: pick(r, http.MethodGet, http.MethodGet, http.MethodPut, http.MethodDelete,
		http.MethodPost, http.MethodPost, http.MethodPatch)}
	if o.method != http.MethodGet && o.method != http.MethodDelete {
		o.key = r.IntN(4) == 0
		o.bytes = pick(r, 1, 300, 5000, 80<<10)
		o.stream = r.IntN(2) == 0
	}
	return o
}

func pick[T any](r *rand.Rand, from ...T) T { return from[r.IntN(len(from))] }

// repeatable reports whether the request may run twice.
func (o order) repeatable() bool {
	return o.key || o.method != http.MethodPost && o.method != http.MethodPatch
}

// replayable reports whether http.Transport itself may send it again on a
// connection that died.
func (o order) replayable() bool {
	return (o.key || o.method == http.MethodGet) && !o.stream
}

func (o order) request(url string) (*http.Request, error) {
	var body io.Reader
	if o.bytes > 0 {
		body = bytes.NewReader(make([]byte, o.bytes))
		if o.stream {
			body = io.MultiReader(body)
		}
	}
	req, err := http.NewRequest(o.method, url, body)
	if err != nil {
		return nil, err
	}
	req.Header.Set("X-Test-Request", o.id)
	req.Header.Set("Content-Type", "application/octet-stream")
	if o.key {
		req.Header.Set("Idempotency-Key", o.id)
	}
	return req, nil
}

// checkEcho compares the backend's account of a request with the request.
func (o order) checkEcho(answer []byte) error {
	var echo struct {
		Method string
		Bytes  int
	}
	if err := json.Unmarshal(answer, &echo); err != nil {
		return fmt.Errorf("echo: %w", err)
	}
	if echo.Method != o.method || echo.Bytes != o.bytes {
		return fmt.Errorf("backend got %s with %d bytes, want %s with %d", echo.Method, echo.Bytes, o.method, o.bytes)
	}
	return nil
}

// outcome names what became of a request, for counting.
func outcome(resp *http.Response, gwErr *apigw.Error) string {
	switch {
	case gwErr == nil:
		return "success"
	case resp == nil:
		return "no response, " + gwErr.Stop.String()
	}
	return "failure response, " + gwErr.Stop.String()
}
