package gatewaytest

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/apigw-go/apigw/catalog"
)

// call is one request on its way through the gateway.
type call struct {
	g         *Gateway
	w         http.ResponseWriter
	r         *http.Request
	route     *route // nil where nothing is published
	outcome   Outcome
	app       *App // nil where nobody authenticated
	body      []byte
	tooLarge  bool
	start     time.Time
	requestID string
	record    *Record
	latency   time.Duration // of the backend
}

// ServeHTTP serves one request. It panics with [http.ErrAbortHandler] where a
// script drops the connection.
func (g *Gateway) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	g.prepare()
	c := &call{g: g, w: w, r: r, start: g.now(), requestID: newRequestID()}
	c.record = &Record{
		Time: c.start, Method: r.Method, Path: r.URL.EscapedPath(), AppKey: r.Header.Get("X-Ca-Key"),
		Nonce: r.Header.Get("X-Ca-Nonce"), RequestID: c.requestID, Identity: g.identity(r),
	}
	if c.route = g.match(r); c.route != nil {
		c.record.Pattern = c.route.Pattern
		c.outcome = c.route.script.next()
	}
	g.counts.arrive(c.record)
	c.serve()
}

func (g *Gateway) identity(r *http.Request) string {
	if g.IdentityHeader != "" {
		return r.Header.Get(g.IdentityHeader)
	}
	return r.Header.Get("X-Test-Request")
}

// serve takes the request through the gateway's checks in their order.
func (c *call) serve() {
	if c.outcome.drop() == DropOnArrival {
		c.drop()
	}
	if !c.readBody() {
		c.drop() // the client broke off
	}
	for _, check := range []func() *refusal{c.authenticate, c.checkAddress, c.checkBody, c.checkAuthorization} {
		if ref := check(); ref != nil {
			c.outcome = Outcome{}
			c.answer(ref)
			return
		}
	}
	if c.outcome.Delay > 0 && !pause(c.r, c.outcome.Delay) {
		c.drop()
	}
	switch {
	case c.outcome.drop() == DropBeforeBackend:
		c.drop()
	case c.outcome.Error != "":
		c.scriptedError()
		return
	}
	if ref := c.g.flow.check(c); ref != nil {
		c.answer(ref)
		return
	}
	c.forward()
}

// readBody reads at most one byte more than the route takes.
func (c *call) readBody() bool {
	limit := int64(DefaultMaxBody)
	if c.route != nil && c.route.MaxBody > 0 {
		limit = c.route.MaxBody
	}
	if c.r.Body == nil {
		return true
	}
	body, err := io.ReadAll(io.LimitReader(c.r.Body, limit+1))
	c.body, c.tooLarge = body, int64(len(body)) > limit
	return err == nil
}

var methods = []string{
	http.MethodGet, http.MethodHead, http.MethodPost, http.MethodPut, http.MethodPatch, http.MethodDelete,
	http.MethodOptions, http.MethodTrace, http.MethodConnect,
}

// checkAddress checks stage, method and path.
func (c *call) checkAddress() *refusal {
	dialect := c.g.Dialect
	stage := c.r.Header.Get("X-Ca-Stage")
	if stage == "" {
		stage = "RELEASE"
	}
	stages := c.g.Stages
	if stages == nil {
		stages = []string{"RELEASE"}
	}
	if !slices.ContainsFunc(stages, func(s string) bool { return strings.EqualFold(s, stage) }) {
		if ref := refuse(dialect, stageUnknown); ref != nil {
			return ref
		}
	}
	if !slices.Contains(methods, c.r.Method) {
		if ref := refuse(dialect, methodUnsupported, "Reason", c.r.Method); ref != nil {
			return ref
		}
	}
	if c.route == nil {
		if ref := refuse(dialect, apiNotFound); ref != nil {
			return ref
		}
		// Higress routes before hmac-auth sees a request: an empty 404.
		return &refusal{entry: catalog.Entry{ID: "no route", Status: http.StatusNotFound}}
	}
	return nil
}

func (c *call) checkBody() *refusal {
	if c.tooLarge {
		return refuse(c.g.Dialect, bodyTooLarge)
	}
	return nil
}

func (c *call) checkAuthorization() *refusal {
	if c.app != nil && (c.app.Unauthorized || c.app.Patterns != nil && !slices.Contains(c.app.Patterns, c.route.Pattern)) {
		return refuse(c.g.Dialect, appUnauthorized)
	}
	return nil
}

// scriptedError answers what the script says. The backend runs where the row
// and its message do not exclude it.
func (c *call) scriptedError() {
	entry, _ := catalog.ByID(c.outcome.Error)
	r := &refusal{entry: entry, params: c.outcome.Params}
	reached := entry.Reached
	if m, ok := catalog.MatchEntry(entry, r.message(c.r)); ok {
		reached = m.Reached()
	}
	if reached != catalog.ReachedNo {
		c.execute(newRecord(), c.r)
	}
	if c.outcome.drop() == DropAfterBackend {
		c.drop()
	}
	c.answer(r)
}

// forward calls the backend and passes its answer on.
func (c *call) forward() {
	o, rt := &c.outcome, c.route
	drop := o.drop()
	hold := drop != NoDrop || o.DripBytes > 0 || rt.Timeout > 0 || o.Status != 0
	if !hold {
		w := &answerWriter{call: c, ResponseWriter: c.w}
		served := false
		defer func() {
			// A backend that panics has failed, and net/http answers nothing.
			rt.breaker.report(rt.Breaker, c.g.now(), served && w.status < 500)
		}()
		if !c.execute(w, c.r) {
			c.drop()
		}
		if w.status == 0 {
			w.WriteHeader(http.StatusOK)
		}
		served = true
		return
	}
	answer := newRecord()
	ok, timeout := c.executeInTime(answer)
	rt.breaker.report(rt.Breaker, c.g.now(), ok && !timeout && answer.Code < 500)
	switch {
	case timeout && drop != DropAfterBackend:
		ref := refuse(c.g.Dialect, backendTimeout)
		if ref == nil {
			ref = &refusal{entry: catalog.Entry{ID: "timeout", Status: http.StatusGatewayTimeout}}
		}
		c.answer(ref)
	case !ok || drop == DropAfterBackend:
		c.drop()
	default:
		w := &answerWriter{call: c, ResponseWriter: c.w}
		answer.copyTo(w, c.r, o)
	}
}

// answer sends a refusal, or the scripted error that looks like one.
func (c *call) answer(ref *refusal) {
	h := c.w.Header()
	setCommon(h, c.g.now(), c.requestID)
	body := ref.writeHead(h, c.r)
	if c.g.Dialect == catalog.GenerationHigress && c.outcome.Error == "" {
		h.Del("X-Ca-Request-Id")
	}
	if c.outcome.Error != "" && c.outcome.Body != "" { // else it belongs to another answer
		body = c.outcome.Body
	}
	c.addScripted(h)
	c.addDebugInfo(h)
	c.g.counts.settle(c.record, ref.entry.ID, ref.entry.Status)
	c.outcome.sendBody(c.w, c.r, ref.entry.Status, []byte(body))
}

// drop breaks the connection and does not return.
func (c *call) drop() {
	outcome := "dropped"
	if d := c.outcome.drop(); d != NoDrop {
		outcome += " " + d.String()
	}
	c.g.counts.settle(c.record, outcome, 0)
	breakConnection(c.w, c.r, c.outcome.Reset)
}

func (c *call) addScripted(h http.Header) {
	for name, values := range c.outcome.Header {
		for _, v := range values {
			h.Add(name, v)
		}
	}
	if c.outcome.RetryAfter != "" {
		h.Set("Retry-After", c.outcome.RetryAfter)
	}
}

func (c *call) addDebugInfo(h http.Header) {
	if strings.EqualFold(c.r.Header.Get("X-Ca-Request-Mode"), "debug") {
		total := c.g.now().Sub(c.start).Milliseconds()
		h.Set("X-Ca-Debug-Info", fmt.Sprintf(`{"ServiceLatency":%d,"TotalLatency":%d}`, c.latency.Milliseconds(), total))
	}
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

// execute runs the backend. It returns false where it did not come to answer
// because the request ended.
func (c *call) execute(w http.ResponseWriter, r *http.Request) bool {
	c.g.counts.execute(c.record)
	start := c.g.now()
	defer func() { c.latency = c.g.now().Sub(start) }()
	if c.route.Latency > 0 && !pause(r, c.route.Latency) {
		return false
	}
	if c.outcome.Status != 0 {
		w.WriteHeader(c.outcome.Status)
		io.WriteString(w, c.outcome.Body)
		return true
	}
	r = r.Clone(r.Context())
	r.Body, r.ContentLength, r.TransferEncoding = io.NopCloser(bytes.NewReader(c.body)), int64(len(c.body)), nil
	backend := c.route.Backend
	if backend == nil {
		backend = http.HandlerFunc(echo)
	}
	backend.ServeHTTP(w, r)
	return true
}
