package main

import (
	"fmt"
	"net/http"
	"sync"
	"time"

	"github.com/apigw-go/apigw"
)

// requestLog writes a line for each request: no query, no header, since they
// hold what the caller wants to keep.
type requestLog struct {
	in       *invocation
	gateway  http.Handler
	rows     http.Handler
	withRows bool // serve the rows of the catalog below /errors/

	mu       sync.Mutex
	requests int // rows too, which the gateway does not see
}

func (l *requestLog) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	watched := &statusWriter{ResponseWriter: w}
	start := time.Now()
	defer func() {
		outcome := "dropped"
		switch e, failed := apigw.Classify(watched.status, w.Header()); {
		case watched.status == 0 || watched.broken:
		case failed && e.Origin == apigw.OriginGateway:
			outcome = fmt.Sprintf("%d %s", watched.status, e.Entry.ID)
		default:
			outcome = fmt.Sprint(watched.status)
		}
		l.mu.Lock()
		defer l.mu.Unlock()
		l.requests++
		fmt.Fprintf(l.in.stderr, "%s %s  %s  %s\n", printable(r.Method), printable(r.URL.Path), outcome, milliseconds(time.Since(start)))
	}()
	defer func() {
		if p := recover(); p != nil {
			watched.broken = true
			panic(p) // http.ErrAbortHandler: net/http drops the connection
		}
	}()
	if l.withRows && hasPrefixFold(r.URL.Path, "/errors/") {
		l.rows.ServeHTTP(watched, r)
		return
	}
	l.gateway.ServeHTTP(watched, r)
}

// statusWriter remembers the status of an answer.
type statusWriter struct {
	http.ResponseWriter
	status int
	broken bool // the connection was dropped on purpose
}

func (w *statusWriter) WriteHeader(status int) {
	if w.status == 0 && status >= 200 {
		w.status = status
	}
	w.ResponseWriter.WriteHeader(status)
}

func (w *statusWriter) Write(p []byte) (int, error) {
	if w.status == 0 {
		w.status = http.StatusOK
	}
	return w.ResponseWriter.Write(p)
}

// Unwrap lets http.ResponseController flush.
func (w *statusWriter) Unwrap() http.ResponseWriter { return w.ResponseWriter }

func milliseconds(d time.Duration) string {
	return fmt.Sprintf("%.1fms", float64(d.Microseconds())/1000)
}
