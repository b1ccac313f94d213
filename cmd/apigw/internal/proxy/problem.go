package proxy

import (
	"encoding/json"
	"net/http"
	"strconv"
)

// problem is what a client gets in place of a response (RFC 9457).
type problem struct {
	Type     string `json:"type"`
	Title    string `json:"title"`
	Status   int    `json:"status"`
	Detail   string `json:"detail"`
	Reached  string `json:"reached"` // "no", "maybe" or "yes": whether the API may have run the call
	Attempts int    `json:"attempts"`
	Stop     string `json:"stop,omitempty"`
	Error    string `json:"error,omitempty"`
	Remedy   string `json:"remedy,omitempty"`
}

// writeProblem answers. It never names what came from the network other than
// through texts that were redacted.
func writeProblem(w http.ResponseWriter, p problem) {
	p.Type = "about:blank"
	body, _ := json.Marshal(p) // strings and numbers always encode
	h := w.Header()
	h.Set("Content-Type", "application/problem+json")
	h.Set("Content-Length", strconv.Itoa(len(body)+1))
	h.Set("Cache-Control", "no-store")
	h.Set("X-Content-Type-Options", "nosniff")
	w.WriteHeader(p.Status)
	w.Write(append(body, '\n'))
}
