package apigw

import (
	"net/http"
	"strings"
	"time"
)

// failed reports whether a response is a failure, and learns from one that is
// not.
func (c *call) failed(resp *http.Response) bool {
	switch {
	case resp.StatusCode >= 400:
		return true
	case len(c.policy.SuccessMarks) > 0 && c.isRefusal(resp):
		return true
	}
	c.t.hops.learn(c.req, resp)
	return false
}

// isRefusal reports whether a success has one of the policy's marks.
func (c *call) isRefusal(resp *http.Response) bool {
	for i := range c.policy.SuccessMarks {
		m := &c.policy.SuccessMarks[i]
		if m.fitsHeader(resp.Header) && (m.JSONField == "" || m.fitsBody(c.peek(resp))) {
			return true
		}
	}
	return false
}

// look collects what a failed response shows. The body is looked into only if
// the headers have no mark of the gateway.
func (c *call) look(resp *http.Response) received {
	_, reason, _ := strings.Cut(resp.Status, " ")
	r := received{status: resp.StatusCode, header: resp.Header, reason: reason}
	if hasMark(r.header) {
		return r
	}
	if c.req.Method != http.MethodHead {
		r.body, r.whole = c.peek(resp)
	}
	vouched := c.policy.TrustProxyText || c.t.hops.shows(c.req, resp)
	r.own = vouched && !hasHeader(r.header, headerServiceTime)
	return r
}

// peek looks into a body, but not longer than the request may take.
func (c *call) peek(resp *http.Response) (body string, whole bool) {
	limit := maxPeekTime
	if deadline, ok := c.req.Context().Deadline(); ok {
		limit = min(limit, time.Until(deadline))
	}
	if longest := c.policy.MaxElapsed; longest > 0 {
		limit = min(limit, longest-(monotonic()-c.began))
	}
	return peek(resp, limit, c.req.Context().Done())
}
