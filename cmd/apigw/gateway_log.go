package main

import (
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/apigw-go/apigw/catalog"
	"github.com/apigw-go/apigw/gatewaytest"
	"github.com/apigw-go/apigw/internal/redact"
)

// requestLog serves, and writes a line for each request: no query, no header,
// since they hold what the caller wants to keep.
type requestLog struct {
	in       *invocation
	gateway  http.Handler
	rows     http.Handler
	withRows bool // serve the rows of the catalog below /errors/

	mu       sync.Mutex
	requests int // rows too, which the gateway does not see
}

// ServeHTTP answers /errors/ID itself and logs that. All else goes to the
// gateway, which reports its calls by a hook: only it knows their outcome.
func (l *requestLog) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	id, isRow := strings.CutPrefix(r.URL.Path, "/errors/")
	if !l.withRows || !isRow {
		l.gateway.ServeHTTP(w, r) // which calls ended
		return
	}
	watched := &statusWriter{ResponseWriter: w}
	start := time.Now()
	l.rows.ServeHTTP(watched, r)
	outcome := strconv.Itoa(watched.status)
	if _, known := catalog.ByID(id); known {
		outcome += " " + id
	}
	l.write(r.Method, r.URL.Path, outcome, start)
}

// ended is the hook of the gateway.
func (l *requestLog) ended(r gatewaytest.Record) {
	outcome := r.Outcome
	switch {
	case r.Status == 0:
		outcome = "dropped"
	case outcome == "served":
		outcome = strconv.Itoa(r.Status)
	default: // a row of the catalog, or what else the gateway did by itself
		outcome = strconv.Itoa(r.Status) + " " + outcome
	}
	l.write(r.Method, r.Path, outcome, r.Time)
}

func (l *requestLog) write(method, path, outcome string, start time.Time) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.requests++
	fmt.Fprintf(l.in.stderr, "%s %s  %s  %s\n", redact.Line(method, 16), redact.Path(path, mostPath), printable(outcome),
		milliseconds(time.Since(start)))
}

// statusWriter remembers the status of an answer.
type statusWriter struct {
	http.ResponseWriter
	status int
}

func (w *statusWriter) WriteHeader(status int) {
	w.status = status
	w.ResponseWriter.WriteHeader(status)
}

func (w *statusWriter) Write(p []byte) (int, error) {
	if w.status == 0 {
		w.status = http.StatusOK
	}
	return w.ResponseWriter.Write(p)
}

func milliseconds(d time.Duration) string {
	return fmt.Sprintf("%.1fms", float64(d.Microseconds())/1000)
}
