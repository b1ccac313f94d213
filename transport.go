package apigw

import (
	"errors"
	"log/slog"
	"net/http"
	"time"

	"github.com/apigw-go/apigw/catalog"
	"github.com/apigw-go/apigw/internal/defaultbase"
	"go.uber.org/zap"
)

// Transport is an [http.RoundTripper] that retries failures of the gateway
// which a later attempt can cure, and returns every other response at once,
// decoded but otherwise untouched. See [FromResponse].
//
// The zero value sends through [http.DefaultTransport] with the default
// policy. Wrap a signing RoundTripper in Base, not around Transport, so that
// each attempt is signed afresh.
//
// A Transport is safe for concurrent use. Do not change its fields after the
// first request, and do not copy it.
type Transport struct {
	// Base sends a single attempt. If nil, http.DefaultTransport is used; if that
	// is a Transport too, then what that one sends through.
	//
	// After an error of Base a request that is not idempotent is sent again
	// only where the error proves that nothing was sent: those of package net,
	// crypto/tls and net/http do for a failed dial, TLS handshake or CONNECT
	// and for a stream that an HTTP/2 server refused, unless something else
	// wraps them: that can be the last of several failures. A Base that
	// refuses a request by itself, such as a limiter, returns an error with a
	// method NotSent() bool. One that will fail again returns an error with a
	// method Permanent() bool. Both are found in what other errors wrap; of
	// several joined errors, all must say that nothing was sent.
	//
	// A Base with a method SendsThrough() http.RoundTripper says that it sends
	// each request once, through that, and returns its errors unchanged. What
	// only an *http.Transport proves counts for it, too.
	Base http.RoundTripper

	// Policy is followed unless PolicyFor or [WithPolicy] name another. The
	// zero value is the default policy.
	Policy RetryPolicy

	// PolicyFor, if not nil, chooses a policy for a request that it must not
	// change. If it returns nil, Policy is followed. It is called from the
	// goroutine of RoundTrip, once for each call, and its result must not
	// change afterwards. Package policies chooses by patterns and files.
	PolicyFor func(*http.Request) *RetryPolicy

	// Budget bounds the retries of each host. If nil, the Transport has a
	// default budget of its own.
	Budget *RetryBudget

	// PrepareRetry, if not nil, is called before every attempt but the
	// first, with a copy of the request that it may change and whose GetBody,
	// if there is one, gives a fresh body. Requests that were signed above
	// the Transport are signed afresh here. If it replaces the body, it must
	// close the one that was there. An error ends the attempts.
	PrepareRetry func(*http.Request) error

	// OnAttempt, if not nil, is called after each attempt, OnRetry before
	// the delay that precedes another one, and OnDone once at the end. They
	// must not change or keep the request, and are called from the
	// goroutine of RoundTrip.
	OnAttempt func(*http.Request, Attempt)
	OnRetry   func(req *http.Request, failed Attempt, delay time.Duration)
	OnDone    func(*http.Request, Result)

	// Limiter holds calls back that a call limit would refuse. If nil, and the
	// policy of a call has a MaxThrottleWait or a Limit, a [Pacer] of the
	// Transport's own does. It is asked before each attempt; waiting for it is
	// no part of AttemptTimeout.
	Limiter Limiter

	// Logger and Slog get each attempt at debug level, requests that a retry
	// saved at info and those given up at warn, with host and path only. If
	// both are nil, the Transport is silent.
	Logger *zap.Logger
	Slog   *slog.Logger

	ownBudget RetryBudget
	answered  answered
	ownPacer  Pacer
	hops      hops
}

// base returns what sends req, and the request to send. That is req itself but
// for a replaced http.DefaultTransport that may lead back to t. If again is true,
// it has: then all of t's work is done already.
func (t *Transport) base(req *http.Request) (base http.RoundTripper, sent *http.Request, again bool) {
	if t.Base != nil {
		return t.Base, req, false
	}
	base, sent, again = defaultbase.Of(t, req)
	if d, ok := base.(*Transport); ok && d != t {
		return d.base(req) // attempts of two Transports would multiply
	}
	return base, sent, again
}

func (t *Transport) budget() *RetryBudget {
	if t.Budget != nil {
		return t.Budget
	}
	return &t.ownBudget
}

// Budgets returns what the retry budget knows of every host seen, ordered by
// host. It is nil before the first request.
func (t *Transport) Budgets() []BudgetState { return t.budget().States() }

func (t *Transport) loggers() loggers { return loggers{t.Logger, t.Slog} }

// policyOf returns the policy of a request.
func (t *Transport) policyOf(req *http.Request, asked *RetryPolicy) *RetryPolicy {
	if asked == nil && t.PolicyFor != nil {
		asked = t.PolicyFor(req)
	}
	if asked == nil {
		return &t.Policy
	}
	return asked
}

// CloseIdleConnections passes the call on to Base, for
// [http.Client.CloseIdleConnections]. The Transport calls it itself only before
// a retry after the status 421, which has to go over another connection. One that
// stays, of HTTP/2 with other requests on it or of a Base without the method, is
// closed after that retry ([http.Request.Close]): the next one leaves it.
func (t *Transport) CloseIdleConnections() {
	base := t.Base
	if base == nil {
		base = defaultbase.For(t)
	}
	closeIdle(base)
}

// RoundTrip implements [http.RoundTripper]. It returns the last response,
// whatever its status, with a nil error; an error is an [*Error] that wraps the
// cause and says that there is no response. The caller's request is not
// changed, and its body is closed exactly once, even if a hook panics.
func (t *Transport) RoundTrip(req *http.Request) (*http.Response, error) {
	asked := fromContext(req.Context())
	c := call{t: t, req: req, recorder: asked.recorder, began: monotonic(), reached: catalog.ReachedNo}
	defer c.leave()
	if err := c.check(); err != nil {
		return c.refuse(err)
	}
	var again bool
	if c.base, c.req, again = t.base(req); again {
		c.handed, c.done = true, true
		return c.base.RoundTrip(req)
	}
	c.policy = t.policyOf(req, asked.policy)
	if err := c.enter(); err != nil {
		return c.refuse(err)
	}
	c.original.note(c.req, c.base)
	c.body, c.handed = bodiesOf(c.req, c.policy.remembered()), true
	resp, err := c.send(c.body.first())
	if !c.failing && c.unwatched() {
		c.passed()
		c.body.finish(true)
		c.done = true
		return resp, nil
	}
	return c.run(resp, err)
}

// call is one RoundTrip. It stays on the stack: what has to outlive it is in
// the failures.
type call struct {
	t        *Transport
	base     http.RoundTripper
	req      *http.Request // as it came in
	policy   *RetryPolicy
	recorder *Recorder
	began    time.Duration // monotonic

	original originalRequest
	body     bodies
	handed   bool           // the request is in the hands of a Base, which closes its body
	looked   time.Duration  // how long its body was looked into
	failing  bool           // the latest attempt came to a failure
	open     *http.Response // not returned yet, to be closed if somebody panics
	done     bool           // all has its end

	attempts []Attempt
	start    time.Time       // when the first attempt began
	sent     time.Time       // when the latest attempt began
	waited   time.Duration   // the delay before it
	first    *failure        // the first one
	latest   *failure        // of the latest attempt; nil if it succeeded
	reached  catalog.Reached // by any of the attempts

	backOff BackOff  // nil until a retry is considered
	lessons []string // what refusals taught the signer below
	paid    grant    // for the latest retry
	pacing  pacing
}

// check refuses what no Base could send. A Base may panic on it.
func (c *call) check() error {
	switch {
	case c.req.URL == nil:
		return &requestError{"http: nil Request.URL: set it, or use http.NewRequest"}
	case c.req.Context().Err() != nil:
		return causeOf(c.req.Context())
	case cancelled(c.req):
		return errCancelled
	}
	return nil
}

// unwatched reports that nobody wants to know about a success.
func (c *call) unwatched() bool {
	t := c.t
	return t.OnAttempt == nil && t.OnDone == nil && c.recorder == nil && !t.loggers().debug(c.req.Context())
}

// send makes one attempt, within AttemptTimeout if there is one.
func (c *call) send(req *http.Request) (*http.Response, error) {
	c.failing = true
	var resp *http.Response
	var err error
	if d := c.policy.AttemptTimeout; d > 0 {
		resp, err = sendWithin(c.base, req, d)
	} else {
		resp, err = sendOnce(c.base, req)
	}
	switch {
	case err != nil:
		if resp != nil { // against the contract, but it happens
			closeResponse(resp)
		}
		return nil, c.body.failure(c.base, &c.t.answered, sound(err))
	case resp == nil:
		return nil, &requestError{"the Base transport returned neither a response nor an error"}
	}
	c.open = resp
	c.t.answered.note(resp)
	c.failing = c.failed(resp)
	return resp, nil
}

// run records attempts and sends the request again until there is an end.
func (c *call) run(resp *http.Response, err error) (*http.Response, error) {
	c.start = time.Now().Add(c.began - monotonic())
	c.sent = c.start
	for {
		c.body.hold()
		d := c.observe(resp, err)
		if d.unless != nothing {
			return c.finish(resp)
		}
		decided := time.Now()
		if unless := c.tooLate(d.delay); unless != nothing { // the hooks took long
			return c.giveUp(resp, StopReason(unless), nil)
		}
		decided = decided.Add(-c.looked) // the delay runs from the head on
		c.drain(resp)
		if stop, cause := c.turn(d.delay - time.Since(decided)); stop != StopUnknown {
			return c.giveUp(resp, stop, cause)
		}
		next, unless, cause := c.next()
		if unless != nothing {
			return c.giveUp(resp, StopReason(unless), cause)
		}
		c.letGo()
		if c.latest.Entry.NewConnection() {
			closeIdle(c.base) // the one that refused is idle now, or closed
			next.Close = true // if it stays in the pool, this attempt is the last that it serves
		}
		c.sent = time.Now()
		c.waited = c.sent.Sub(decided)
		resp, err = c.send(next)
	}
}

// refuse ends a call before its first attempt.
func (c *call) refuse(err error) (*http.Response, error) {
	c.latest = newFailure(c.req, nil, err)
	c.latest.Reached = catalog.ReachedNo
	c.latest.Stop = StopPermanent
	if c.req.Context().Err() != nil || cancelled(c.req) {
		c.latest.Stop = StopContext
	}
	c.latest.noPlace(err)
	if held := (*heldError)(nil); errors.As(err, &held) {
		c.latest.Entry = held.entry // in place of the gateway's answer
	}
	closeBody(c.req)
	c.handed = true
	return c.finish(nil)
}

// giveUp ends a call whose retry was decided on but does not come. The refused
// response, if there is one, is still whole. It is returned, unless the caller
// waits for an error: that of its context, or of a function of its own.
func (c *call) giveUp(resp *http.Response, stop StopReason, cause error) (*http.Response, error) {
	c.refund()
	c.release(OutcomeUnsent, nil)
	if resp != nil && (stop == StopContext || stop == StopPrepareFailed || stop == StopBody && c.req.GetBody != nil) {
		c.letGo()
		resp = nil
		c.latest = newFailure(c.req, nil, cause)
		c.latest.Reached = c.reached
	}
	c.latest.Stop = stop
	if cause != nil {
		c.latest.Err = cause
	}
	c.latest.noPlace(cause)
	return c.finish(resp)
}

// refund gives the price of the latest retry back, once.
func (c *call) refund() {
	c.t.budget().refund(c.req.URL, monotonic(), c.paid)
	c.paid = denied
}

// finish hands the outcome to all who asked for it and returns it.
func (c *call) finish(resp *http.Response) (*http.Response, error) {
	c.open = resp
	c.body.finish(resp != nil)
	if c.latest == nil || c.latest.Stop == StopNotRetryable && c.latest.Status < 500 {
		c.refund() // the host works
	}
	f := c.outcome()
	c.report(resp, f)
	c.done = true
	if resp == nil {
		return nil, &f.Error
	}
	if f != nil {
		f.context.attach(resp, c.req, &f.Error)
	}
	return resp, nil
}

// outcome returns the failure to report, nil after a success: that of the last
// attempt, but the first one if the last only says that an earlier copy was
// accepted.
func (c *call) outcome() *failure {
	f := c.latest
	if f == nil {
		return nil
	}
	if f.Stop == StopNonceUsed {
		f = c.first
		f.Stop, f.Reached = StopNonceUsed, worse(c.reached, catalog.ReachedMaybe)
	}
	f.Attempts = c.attempts
	return f
}

// report passes the outcome on to all who asked for it.
func (c *call) report(resp *http.Response, f *failure) {
	if c.recorder != nil || c.t.OnDone != nil {
		result := newResult(c.req, resp, c.attempts, f)
		if c.recorder != nil {
			c.recorder.add(result)
		}
		if c.t.OnDone != nil {
			c.t.OnDone(c.shown(), result)
		}
	}
	c.t.loggers().done(c.req, c.attempts, f)
}

// leave closes what is still open when code of others panics: a hook, a Base.
func (c *call) leave() {
	c.original.release()
	if c.done {
		return
	}
	if c.open != nil {
		closeResponse(c.open)
	}
	if !c.handed {
		closeBody(c.req)
	}
	c.body.finish(false)
	if c.req.URL != nil {
		c.refund()
	}
	c.release(OutcomeUnknown, nil) // at last: a Limiter can panic, too
}
