package apigw

import (
	"errors"
	"net/http"
	"time"
)

// next builds the request of the next attempt, or says why there is none. It is
// called right before the attempt: what was decided before the delay is asked
// again, and a signature begins to age when it is made.
func (c *call) next() (next *http.Request, unless retryUnless, cause error) {
	if unless := c.tooLate(0); unless != nothing {
		return nil, unless, nil
	}
	body, err := c.body.next()
	if err != nil {
		return nil, retryUnless(StopBody), err
	}
	next = c.body.request(body)
	if c.t.PrepareRetry == nil {
		return next, nothing, nil
	}
	c.own(next)
	stale := takeSignature(next.Header)
	if err := c.body.prepare(next, c.t.PrepareRetry); err != nil {
		return nil, retryUnless(StopPrepareFailed), err
	}
	stale.putBack(next)
	nonce := headerValue(c.req.Header, headerNonce)
	if nonce != "" && nonce == headerValue(next.Header, headerNonce) && !renews(c.base, c.req) {
		closeBody(next)
		return nil, retryUnless(StopNonce), errNonceStays
	}
	if unless := c.tooLate(0); unless != nothing { // the hook took long
		closeBody(next)
		return nil, unless, nil
	}
	return next, nothing, nil
}

// tooLate asks the time that is left now for a retry after a delay.
func (c *call) tooLate(delay time.Duration) retryUnless {
	return c.situation(nil, time.Now()).unlessTooLate(delay)
}

var errNonceStays = errors.New("apigw: PrepareRetry left the X-Ca-Nonce as it was")

// own gives next what a hook may change. The trailer stays the caller's: its
// values are set there when the body has been read.
func (c *call) own(next *http.Request) {
	u := *next.URL
	next.URL = &u
	if next.Header = next.Header.Clone(); next.Header == nil {
		next.Header = make(http.Header)
	}
}
