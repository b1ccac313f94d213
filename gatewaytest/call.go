package gatewaytest

import (
	"cmp"
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
	state     *state
	w         http.ResponseWriter
	r         *http.Request
	route     *routeState // nil if nothing is published
	match     match
	outcome   Outcome
	app       *App // nil if nobody authenticated
	body      []byte
	tooLarge  bool
	start     time.Time // on the gateway's clock
	arrived   time.Time // on that of package time
	requestID string
	record    *Record
	identity  uint64 // of the record
	// The backend began at began, and took latency once it is not 0.
	began   time.Time
	latency time.Duration
}

// ServeHTTP serves one request. It panics with [http.ErrAbortHandler] if a
// script drops the connection.
func (g *Gateway) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	c := &call{g: g, state: g.state(), w: w, r: r, start: g.now(), arrived: time.Now(),
		requestID: newRequestID(g.Dialect)}
	identity := g.identity(r)
	c.record = &Record{
		Time: c.start, Method: short(r.Method), Path: short(r.URL.EscapedPath()),
		AppKey: short(r.Header.Get("X-Ca-Key")),
		Nonce:  short(r.Header.Get("X-Ca-Nonce")), RequestID: c.requestID, Identity: short(identity),
	}
	asked, preflight := c.preflight()
	var found bool
	if c.match, found = c.state.find(r, asked); found {
		c.route = c.match.Value
		c.record.Pattern = c.route.Pattern
	}
	c.identity = c.state.counts.arrive(c.record, identity)
	defer c.end()
	if preflight {
		c.answerPreflight()
		return
	}
	if found {
		c.outcome = c.route.script.next()
	}
	c.serve()
}

// end runs also if the backend panics.
func (c *call) end() {
	r := c.state.counts.end(c.record)
	if c.g.OnEnd != nil {
		c.g.OnEnd(r)
	}
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
	for _, check := range [...]func() *refusal{
		c.checkReplay, c.authenticate, c.checkAddress, c.checkOrigin, c.checkBody, c.checkAuthorization,
	} {
		if ref := check(); ref != nil {
			c.outcome = Outcome{}
			c.answer(ref)
			return
		}
	}
	if c.outcome.Delay > 0 && !wait(c.r, c.outcome.Delay) {
		c.drop()
	}
	switch {
	case c.outcome.drop() == DropBeforeBackend:
		c.drop()
	case c.outcome.Error != "":
		c.scriptedError()
		return
	}
	if ref := c.checkFlow(); ref != nil {
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
	if c.r.Body == nil || c.r.Body == http.NoBody {
		return true
	}
	body, err := io.ReadAll(io.LimitReader(c.r.Body, limit+1))
	c.body, c.tooLarge = body, int64(len(body)) > limit
	return err == nil
}

func (c *call) refuse(why reason, params ...string) *refusal {
	return refuse(c.g.Dialect, why, params...)
}

var methods = []string{
	http.MethodGet, http.MethodHead, http.MethodPost, http.MethodPut, http.MethodPatch, http.MethodDelete,
	http.MethodOptions, http.MethodTrace, http.MethodConnect,
}

var releaseOnly = []string{"RELEASE"}

// checkAddress checks stage, method, path and protocol.
func (c *call) checkAddress() *refusal {
	stage := c.r.Header.Get("X-Ca-Stage")
	if stage == "" {
		stage = "RELEASE"
	}
	stages := c.g.Stages
	if stages == nil {
		stages = releaseOnly
	}
	if !slices.ContainsFunc(stages, func(s string) bool { return strings.EqualFold(s, stage) }) {
		if ref := c.refuse(stageUnknown); ref != nil {
			return ref
		}
	}
	if !slices.Contains(methods, c.r.Method) {
		if ref := c.refuse(methodUnsupported, "Reason", c.r.Method); ref != nil {
			return ref
		}
	}
	switch {
	case c.route == nil:
		return c.refuse(apiNotFound)
	case c.route.HTTPSOnly && c.r.TLS == nil:
		return c.refuse(protocolUnsupported, "Protocol", "http")
	}
	return nil
}

func (c *call) checkBody() *refusal {
	if c.tooLarge {
		return c.refuse(bodyTooLarge)
	}
	return nil
}

func (c *call) checkAuthorization() *refusal {
	if c.app != nil && !c.app.mayCall(c.route) {
		return c.refuse(appUnauthorized)
	}
	return nil
}

// mayCall reports whether the application is authorized for the route.
func (a *App) mayCall(rt *routeState) bool {
	return !a.Unauthorized && (a.Patterns == nil || rt != nil && slices.Contains(a.Patterns, rt.Pattern))
}

// answer sends a refusal, or the scripted error that looks like one.
func (c *call) answer(ref *refusal) {
	h := c.w.Header()
	c.setCommon(h)
	if c.outcome.Error != "" {
		moveRequestID(h, ref.entry.Generation, c.requestID)
	}
	body := ref.writeHead(h, c.r)
	if c.outcome.Error != "" && c.outcome.Body != "" { // else it belongs to another answer
		body = c.outcome.Body
	}
	c.addScripted(h)
	c.addDebugInfo(h)
	status := cmp.Or(ref.entry.Status, c.outcome.Status)
	c.state.counts.settle(c.record, ref.entry.ID, status)
	c.outcome.sendBody(c.w, c.r, status, []byte(body), nil)
}

// drop breaks the connection and does not return.
func (c *call) drop() {
	outcome := "dropped"
	if d := c.outcome.drop(); d != NoDrop {
		outcome += " " + d.String()
	}
	c.state.counts.settle(c.record, outcome, 0)
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

// addDebugInfo says how long the gateway and the backend took, up to the head
// of the answer.
func (c *call) addDebugInfo(h http.Header) {
	if strings.EqualFold(c.r.Header.Get("X-Ca-Request-Mode"), "debug") && c.g.Dialect <= catalog.GenerationVPC {
		h.Set("X-Ca-Debug-Info", fmt.Sprintf(`{"ServiceLatency":%d,"TotalLatency":%d}`,
			c.serviceLatency().Milliseconds(), time.Since(c.arrived).Milliseconds()))
	}
}

// serviceLatency is 0 if the backend was not called.
func (c *call) serviceLatency() time.Duration {
	if c.latency == 0 && !c.began.IsZero() {
		return time.Since(c.began) // it is at work
	}
	return c.latency
}

// isNewer reports that plug-ins check and Envoy answers.
func (c *call) isNewer() bool {
	switch c.g.Dialect {
	case catalog.GenerationUnknown, catalog.GenerationClassic, catalog.GenerationVPC, catalog.GenerationFC:
		return false
	}
	return true
}
