package proxy

import (
	"context"
	"errors"
	"net/http"
	"strconv"
	"strings"

	"github.com/apigw-go/apigw"
)

// The headers that say what the proxy did, so that the program neither retries
// again nor has to guess.
const (
	headerAttempts = "X-Apigw-Attempts" // how often the call was sent
	headerStop     = "X-Apigw-Stop"     // why there was no further attempt
	headerReached  = "X-Apigw-Reached"  // whether the backend ran it: yes, no, maybe
	headerError    = "X-Apigw-Error"    // the row of the catalog, or "unknown"
	headerRemedy   = "X-Apigw-Remedy"   // what to do, in English
)

// modify puts these headers on a response. Upstream cannot set them.
func (p *proxy) modify(resp *http.Response) error {
	dropOwnOf(resp)
	ctx := resp.Request.Context()
	attempts := attemptsOf(ctx)
	e := failureOf(ctx)
	describe(resp.Header, len(attempts), e)
	p.config.OnOutcome(resp.Request, Outcome{Status: resp.StatusCode, Response: resp, Attempts: attempts, Err: e})
	return nil
}

// describe writes what is known of the failure e, which may be nil.
func describe(h http.Header, attempts int, e *apigw.Error) {
	h.Set(headerAttempts, strconv.Itoa(attempts))
	if e == nil {
		return
	}
	h.Set(headerStop, e.Stop.String())
	h.Set(headerReached, e.Reached.String())
	h.Set(headerError, e.Entry.ID)
	h.Set(headerRemedy, ascii(e.Entry.Remedy.EN))
}

// ascii keeps a header readable for clients that take headers for Latin-1.
func ascii(s string) string {
	return strings.Map(func(r rune) rune {
		if r < ' ' || r > '~' {
			return '?'
		}
		return r
	}, s)
}

// fail answers a call that has no response.
func (p *proxy) fail(w http.ResponseWriter, r *http.Request, err error) {
	ctx := r.Context()
	outcome := Outcome{Attempts: attemptsOf(ctx), Err: failureOf(ctx)}
	if errors.Is(ctx.Err(), context.Canceled) {
		p.config.OnOutcome(r, outcome)
		panic(http.ErrAbortHandler) // the client went away: nobody reads an answer
	}
	answer := problem{Status: http.StatusBadGateway, Title: "no response from the API", Reached: "maybe",
		Detail: "the connection broke"}
	if outcome.Err != nil {
		answer = noResponse(outcome.Err)
	}
	answer.Attempts, outcome.Status = len(outcome.Attempts), answer.Status
	describe(w.Header(), answer.Attempts, outcome.Err)
	p.config.OnOutcome(r, outcome)
	writeProblem(w, answer)
}

// noResponse makes a problem of a failure.
func noResponse(e *apigw.Error) problem {
	p := problem{
		Status: http.StatusBadGateway, Title: "no response from the API", Detail: e.Error(),
		Reached: e.Reached.String(), Stop: e.Stop.String(), Error: e.Entry.ID, Remedy: e.Entry.Remedy.EN,
	}
	switch {
	case e.Timeout():
		p.Status, p.Title = http.StatusGatewayTimeout, "the API did not answer in time"
	case errors.Is(e, apigw.ErrThrottled): // Stop is paced: nothing was sent
		p.Status, p.Title = http.StatusTooManyRequests, "no place within the call limit"
	}
	return p
}
