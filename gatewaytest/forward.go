package gatewaytest

import (
	"bytes"
	"context"
	"io"
	"net/http"
	"time"

	"github.com/apigw-go/apigw/catalog"
)

// scriptedError answers what the script says. The backend runs if the row and
// its message do not exclude it.
func (c *call) scriptedError() {
	entry, _ := catalog.ByID(c.outcome.Error)
	r := &refusal{entry: entry, params: c.outcome.Params}
	if c.mayHaveRun(r) {
		c.execute(newRecord(), c.r)
	}
	if c.outcome.drop() == DropAfterBackend {
		c.drop()
	}
	c.answer(r)
}

// mayHaveRun says what the row does, and its message, which may name a reason.
// A proxy that says of itself that it sent nothing has sent nothing, unless the
// script adds the mark of an answer that was passed on.
func (c *call) mayHaveRun(r *refusal) bool {
	reached := r.entry.Reached
	if m, ok := catalog.MatchEntry(r.entry, r.message(c.r)); ok {
		reached = m.Reached()
	}
	if reached == catalog.ReachedNoAtThisHop {
		return c.outcome.Header.Get("X-Envoy-Upstream-Service-Time") != ""
	}
	return reached != catalog.ReachedNo
}

// forward calls the backend, if its breaker lets it, and passes its answer on.
func (c *call) forward() {
	rt := c.route
	p, position := rt.breaker.admit(rt.Breaker, c.g.now())
	switch {
	case position == breakerIsClosed:
	case rt.Breaker.Fallback != nil:
		rt.Breaker.Fallback.ServeHTTP(&answerWriter{call: c, ResponseWriter: c.w, outcome: "fallback"},
			c.backendRequest(c.r))
		return
	case position == breakerIsOpen:
		c.answer(c.refuse(breakerOpen, "Reason", "wait and try again"))
		return
	default:
		c.answer(c.refuse(breakerBusy))
		return
	}
	drop := c.outcome.drop()
	if drop == NoDrop && c.outcome.DripBytes == 0 && c.outcome.Status == 0 && rt.Timeout <= 0 {
		c.stream(p)
		return
	}
	answer := newRecord()
	result := c.run(p, answer, func() int { return answer.Code })
	switch {
	case drop == DropAfterBackend || result == backendUnknown:
		c.drop()
	case result == backendTimedOut:
		c.answer(c.refuse(backendTimeout))
	default:
		answer.copyTo(&answerWriter{call: c, ResponseWriter: c.w}, c.r, &c.outcome)
	}
}

// stream passes the answer on while the backend writes it.
func (c *call) stream(p pass) {
	w := &answerWriter{call: c, ResponseWriter: c.w}
	if c.run(p, w, func() int { return w.status }) == backendUnknown && w.status == 0 {
		c.drop()
	}
	if w.status == 0 {
		w.WriteHeader(http.StatusOK)
	}
}

// run runs the backend and settles the breaker, also if the backend panics.
func (c *call) run(p pass, w http.ResponseWriter, status func() int) (result backendResult) {
	result = backendFailed // what a panic leaves behind
	defer func() {
		if c.r.Context().Err() != nil {
			result = backendUnknown // the client left: that says nothing
		}
		p.settle(c.g.now(), result)
	}()
	ok, timeout := c.executeInTime(w)
	switch {
	case timeout:
		return backendTimedOut
	case !ok:
		return backendUnknown
	case status() >= 500:
		return backendFailed
	}
	return backendSucceeded
}

// executeInTime runs the backend under the route's timeout.
func (c *call) executeInTime(w http.ResponseWriter) (ok, timeout bool) {
	if c.route.Timeout <= 0 {
		return c.execute(w, c.r), false
	}
	ctx, cancel := context.WithTimeout(c.r.Context(), c.route.Timeout)
	defer cancel()
	ok = c.execute(w, c.r.WithContext(ctx))
	return ok, ctx.Err() != nil && c.r.Context().Err() == nil
}

// execute runs the backend. It returns false if that did not come to answer
// because the request ended.
func (c *call) execute(w http.ResponseWriter, r *http.Request) bool {
	c.state.counts.execute(c.record, c.identity)
	c.began = time.Now()
	defer func() { c.latency = max(1, time.Since(c.began)) }()
	if c.route.Latency > 0 && !wait(r, c.route.Latency) {
		return false
	}
	if c.outcome.Status != 0 {
		w.WriteHeader(c.outcome.Status)
		io.WriteString(w, c.outcome.Body)
		return true
	}
	backend := c.route.Backend
	if backend == nil {
		backend = http.HandlerFunc(echo)
	}
	backend.ServeHTTP(w, c.backendRequest(r))
	return true
}

// backendRequest is the request as a backend gets it: the whole body in memory,
// and what a ServeMux would have found out about it.
func (c *call) backendRequest(r *http.Request) *http.Request {
	r = r.Clone(r.Context())
	r.Body, r.ContentLength, r.TransferEncoding = io.NopCloser(bytes.NewReader(c.body)), int64(len(c.body)), nil
	withMatch(r, c.match)
	return r
}
