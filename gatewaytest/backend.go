package gatewaytest

import (
	"cmp"
	"encoding/json"
	"io"
	"net/http"
	"strconv"

	"github.com/apigw-go/apigw/catalog"
)

// echo is the default backend.
func echo(w http.ResponseWriter, r *http.Request) {
	n, _ := io.Copy(io.Discard, r.Body)
	answer, _ := json.Marshal(struct { // strings and a number always encode
		Method string `json:"method"`
		Path   string `json:"path"`
		Bytes  int64  `json:"bytes"`
	}{r.Method, r.URL.Path, n})
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Content-Length", strconv.Itoa(len(answer)))
	w.Write(answer)
}

// answerWriter adds the gateway's headers to the answer of a backend.
type answerWriter struct {
	http.ResponseWriter
	call    *call
	status  int    // of the final answer, 0 until there is one
	outcome string // for the log, "served" if empty
}

func (w *answerWriter) WriteHeader(status int) {
	if w.status == 0 && status >= 200 {
		c := w.call
		h := w.Header()
		c.setCommon(h)
		c.addServiceTime(h)
		if c.g.SayOK && c.g.Dialect <= catalog.GenerationClassic && status < 400 {
			h.Set("X-Ca-Error-Message", "OK")
		}
		c.addScripted(h)
		c.addDebugInfo(h)
		c.state.counts.settle(c.record, cmp.Or(w.outcome, "served"), status)
		w.status = status
	}
	w.ResponseWriter.WriteHeader(status)
}

func (w *answerWriter) Write(p []byte) (int, error) {
	if w.status == 0 {
		w.WriteHeader(http.StatusOK)
	}
	return w.ResponseWriter.Write(p)
}

// Flush serves backends that ask for an http.Flusher.
func (w *answerWriter) Flush() {
	if w.status == 0 {
		w.WriteHeader(http.StatusOK)
	}
	http.NewResponseController(w.ResponseWriter).Flush()
}

func (w *answerWriter) Unwrap() http.ResponseWriter { return w.ResponseWriter }
