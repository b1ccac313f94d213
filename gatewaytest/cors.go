package gatewaytest

import (
	"net/http"
	"slices"
	"strings"
)

// preflight returns the method that a request is about: that of a preflight
// request is the one which the browser asks for, unless a route answers OPTIONS
// itself.
func (c *call) preflight() (method string, yes bool) {
	h := c.r.Header
	asked := h.Get("Access-Control-Request-Method")
	if c.r.Method != http.MethodOptions || h.Get("Origin") == "" || asked == "" || c.corsOff() {
		return c.r.Method, false
	}
	if m, ok := c.state.find(c.r, http.MethodOptions); ok && strings.HasPrefix(m.Pattern, http.MethodOptions+" ") {
		return c.r.Method, false
	}
	return asked, true
}

// answerPreflight allows what is asked for, if there is such an API and the
// origin may call. No credentials are looked at: a browser sends none.
func (c *call) answerPreflight() {
	if c.route == nil {
		method := c.r.Header.Get("Access-Control-Request-Method")
		c.answer(c.refuse(originNotFound, "Method", method, "Path", c.r.URL.EscapedPath()))
		return
	}
	if ref := c.checkOrigin(); ref != nil {
		c.answer(ref)
		return
	}
	h := c.w.Header()
	c.setCommon(h)
	h.Set("Access-Control-Allow-Methods", "GET,POST,PUT,DELETE,HEAD,OPTIONS,PATCH")
	if asked := c.r.Header.Get("Access-Control-Request-Headers"); asked != "" {
		h.Set("Access-Control-Allow-Headers", asked)
	}
	h.Set("Access-Control-Max-Age", "172800")
	h.Set("Content-Length", "0")
	c.state.counts.settle(c.record, "preflight", http.StatusOK)
	c.w.WriteHeader(http.StatusOK)
}

// checkOrigin refuses a browser that may not call.
func (c *call) checkOrigin() *refusal {
	origin := c.r.Header.Get("Origin")
	if origin == "" || c.g.Origins == nil || slices.Contains(c.g.Origins, origin) {
		return nil
	}
	return c.refuse(originForbidden, "Domain", origin)
}

// corsOff reports that the plug-in for CORS is not configured. The older
// generations answer without one.
func (c *call) corsOff() bool { return c.isNewer() && c.g.Origins == nil }

const exposedHeaders = "Content-MD5,Server,Date,Latency,X-Ca-Request-Id,X-Ca-Error-Code,X-Ca-Error-Message"

// addOrigin tells a browser that its page may read the answer. The exposed
// headers are those of the plug-in's documented sample.
func (c *call) addOrigin(h http.Header) {
	origin := c.r.Header.Get("Origin")
	switch {
	case origin == "" || c.corsOff():
		return
	case c.g.Origins == nil:
		origin = "*"
	case !slices.Contains(c.g.Origins, origin):
		return
	default:
		h.Add("Vary", "Origin")
	}
	h.Set("Access-Control-Allow-Origin", origin)
	h.Set("Access-Control-Expose-Headers", exposedHeaders)
}
