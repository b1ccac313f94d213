package apigw

import (
	"net/http"
	"time"
)

// drain takes the body from the attempt that failed and reads its response, so
// that the connection can serve the next one. The response is not given up yet:
// there may be no next attempt after all.
func (c *call) drain(resp *http.Response) {
	c.body.drop()
	if resp == nil {
		return
	}
	limit := c.drainTime()
	if p, ok := resp.Body.(*peekedBody); ok && !p.settled() {
		limit = 0 // it was waited for already
	}
	readAhead(resp, limit, c.req.Context().Done())
}

// letGo gives up the refused response. Nobody waits for that: the next attempt
// has its time.
func (c *call) letGo() {
	if c.open != nil && !closedAlready(c.open.Body) {
		go guard(c.open.Body.Close)
	}
	c.open = nil
}

// drainTime is the time that a refused response may take: what is left was
// enough for a retry, and must still be so afterwards.
func (c *call) drainTime() time.Duration {
	limit := maxDrainTime
	if max := c.policy.MaxElapsed; max > 0 {
		limit = min(limit, (max-time.Since(c.start))/2)
	}
	if deadline, ok := c.req.Context().Deadline(); ok {
		limit = min(limit, time.Until(deadline)/2)
	}
	return limit
}
