package apigw

import (
	"errors"
	"log/slog"
	"net/http"
	"time"

	"github.com/apigw-go/apigw/catalog"
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
	// Base sends a single attempt. If nil, http.DefaultTransport is used.
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

	// Logger and Slog get each attempt at debug level, requests that a retry
	// saved at info and those given up at warn, with host and path only. If
	// both are nil, the Transport is silent.
	Logger *zap.Logger
	Slog   *slog.Logger

	ownBudget RetryBudget
}

func (t *Transport) base() http.RoundTripper {
	if t.Base != nil {
		return t.Base
	}
	return http.DefaultTransport
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

// policyFor returns the policy of a request and its recorder, if any.
func (t *Transport) policyFor(req *http.Request) (*RetryPolicy, *Recorder) {
	v := fromContext(req.Context())
	if v.policy == nil && t.PolicyFor != nil {
		v.policy = t.PolicyFor(req)
	}
	if v.policy == nil {
		v.policy = &t.Policy
	}
	return v.policy, v.recorder
}

// CloseIdleConnections passes the call on to Base, for
// [http.Client.CloseIdleConnections]. The Transport never calls it itself.
func (t *Transport) CloseIdleConnections() {
	if c, ok := t.base().(interface{ CloseIdleConnections() }); ok {
		c.CloseIdleConnections()
	}
}

// RoundTrip implements [http.RoundTripper]. It returns the last response,
// whatever its status, with a nil error; an error is an [*Error] that wraps the
// cause and says that there is no response. The caller's request is not
// changed, and its body is closed exactly once.
func (t *Transport) RoundTrip(req *http.Request) (*http.Response, error) {
	policy, recorder := t.policyFor(req)
	c := call{t: t, req: req, policy: policy, recorder: recorder, began: monotonic()}
	if err := c.check(); err != nil {
		closeBody(req)
		return c.refuse(err)
	}
	t.budget().request(req.URL, c.began)
	c.body = bodiesOf(req, policy.remembered())
	resp, err := c.send(c.body.first())
	if err == nil && resp.StatusCode < 400 && c.unwatched() {
		c.body.finish(true)
		return resp, nil
	}
	return c.run(resp, err)
}

// call is one RoundTrip. It stays on the stack: what has to outlive it is in
// the failures.
type call struct {
	t        *Transport
	req      *http.Request // the caller's
	policy   *RetryPolicy
	recorder *Recorder
	body     bodies
	began    time.Duration // monotonic

	attempts  []Attempt
	start     time.Time     // when the first attempt began
	sent      time.Time     // when the latest attempt began
	waited    time.Duration // the delay before it
	first     *failure      // of the first attempt; nil if it succeeded
	latest    *failure      // of the latest one; nil if it succeeded
	backOff   BackOff       // nil until a retry is considered
	throttled time.Duration // waited for rate limits so far
	paid      grant         // for the latest retry
}

// check refuses what no Base could send. A Base may panic on it.
func (c *call) check() error {
	switch {
	case c.req.URL == nil:
		return &requestError{"http: nil Request.URL: set it, or use http.NewRequest"}
	case c.req.Context().Err() != nil:
		return causeOf(c.req.Context())
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
	var resp *http.Response
	var err error
	if d := c.policy.AttemptTimeout; d > 0 {
		resp, err = sendWithin(c.t.base(), req, d)
	} else {
		resp, err = c.t.base().RoundTrip(req)
	}
	switch {
	case err != nil:
		if resp != nil { // against the contract, but it happens
			discard(resp, 0, nil)
		}
		return nil, c.body.failure(c.t.base(), err)
	case resp == nil:
		return nil, &requestError{"the Base transport returned neither a response nor an error"}
	}
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
		c.body.drop()
		if resp != nil {
			discard(resp, c.drainTime(), c.req.Context().Done())
		}
		if cause := wait(c.req, d.delay-time.Since(decided)); cause != nil {
			return c.abandon(StopContext, cause)
		}
		next, unless, cause := c.next()
		if unless != nothing {
			return c.abandon(StopReason(unless), cause)
		}
		c.sent = time.Now()
		c.waited = c.sent.Sub(decided)
		resp, err = c.send(next)
	}
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

// refuse ends a call before its first attempt.
func (c *call) refuse(err error) (*http.Response, error) {
	c.latest = newFailure(c.req, nil, err)
	c.latest.Reached = catalog.ReachedNo
	c.latest.Stop = StopPermanent
	if c.req.Context().Err() != nil {
		c.latest.Stop = StopContext
	}
	return c.finish(nil)
}

// observe records the attempt and decides whether another one follows, and
// after which delay.
func (c *call) observe(resp *http.Response, err error) decision {
	now := time.Now()
	a := c.attempt(resp, err, now)
	c.latest = nil
	if err != nil || resp.StatusCode >= 400 {
		c.latest = newFailure(c.req, resp, err)
		a.Code, a.Message = c.latest.Code, c.latest.Message
	}
	c.record(a)
	if c.latest == nil {
		return decision{unless: retryUnless(StopNotRetryable)}
	}
	d := c.decide(resp, now)
	if d.unless != nothing {
		c.latest.Stop = StopReason(d.unless)
	} else if c.t.OnRetry != nil {
		c.t.OnRetry(c.req, a, d.delay)
	}
	return d
}

func (c *call) attempt(resp *http.Response, err error, now time.Time) Attempt {
	a := Attempt{Number: len(c.attempts) + 1, Start: c.sent, Duration: now.Sub(c.sent), Wait: c.waited, Err: err}
	if resp != nil {
		a.Status = resp.StatusCode
		a.RequestID = headerValue(resp.Header, headerRequestID)
	}
	return a
}

// record keeps the attempt and passes it on to all who asked for it.
func (c *call) record(a Attempt) {
	if len(c.attempts) == 0 && c.latest != nil {
		c.first = c.latest
		c.attempts = c.first.room[:0]
	}
	c.attempts = append(c.attempts, a)
	if c.t.OnAttempt != nil {
		c.t.OnAttempt(c.req, a)
	}
	c.t.loggers().attempt(c.req, a, c.latest)
}

// decide collects what the decision depends on, and pays for the retry. The
// budget is asked last, so that only retries which will happen are counted.
func (c *call) decide(resp *http.Response, now time.Time) decision {
	if c.latest.Origin == OriginNone {
		if cause := ended(c.req.Context(), now); cause != nil {
			c.latest.Err = cause
		}
	}
	d := decide(&c.latest.Error, c.situation(resp, now), c.nextBackOff)
	if d.unless != nothing {
		return d
	}
	if c.paid = c.t.budget().retry(c.req.URL, monotonic()); c.paid == denied {
		return decision{unless: retryUnless(StopBudget)}
	}
	if d.throttled {
		c.throttled += d.delay
	}
	return d
}

func (c *call) situation(resp *http.Response, now time.Time) situation {
	ctx := c.req.Context()
	s := situation{
		policy: c.policy, attempt: len(c.attempts), elapsed: now.Sub(c.start), left: noDeadline,
		ended:          ended(ctx, now) != nil || cancelled(c.req),
		idempotent:     idempotent(c.req),
		bodyReplayable: c.body.replayable(),
		carriesNonce:   hasHeader(c.req.Header, headerNonce),
		renewsNonce:    c.t.PrepareRetry != nil || c.baseRenews(),
		replayedBelow:  replayedBelow(c.req),
		waited:         c.throttled,
	}
	if deadline, ok := ctx.Deadline(); ok {
		s.left = deadline.Sub(now)
	}
	if resp != nil {
		s.asked = retryAfter(resp.Header, now)
	}
	return s
}

func (c *call) nextBackOff() time.Duration {
	if c.backOff == nil {
		c.backOff = c.policy.newBackOff()
	}
	return c.backOff.NextBackOff()
}

// baseRenews reports that Base gives each attempt a nonce of its own, as
// signer.Signer does.
func (c *call) baseRenews() bool {
	base, ok := c.t.base().(interface{ Renews(*http.Request) bool })
	return ok && base.Renews(c.req)
}

// next builds the request of the next attempt, or says why there is none. It is
// called after the refused response was closed, since net/http may send a body
// until then.
func (c *call) next() (next *http.Request, unless retryUnless, cause error) {
	body, err := c.body.next()
	if err != nil {
		return nil, retryUnless(StopBody), err
	}
	if c.t.PrepareRetry == nil {
		return withBody(c.req, body), nothing, nil
	}
	next = c.req.Clone(c.req.Context())
	next.Body = body
	if next.Header == nil {
		next.Header = make(http.Header)
	}
	if err := c.body.prepare(next, c.t.PrepareRetry); err != nil {
		return nil, retryUnless(StopPrepareFailed), err
	}
	nonce := headerValue(c.req.Header, headerNonce)
	if nonce != "" && nonce == headerValue(next.Header, headerNonce) && !c.baseRenews() {
		closeBody(next)
		return nil, retryUnless(StopNonce), errors.New("PrepareRetry left the X-Ca-Nonce as it was")
	}
	return next, nothing, nil
}

// abandon ends a call that has no response any more: its last one was given up
// for an attempt that does not come.
func (c *call) abandon(stop StopReason, cause error) (*http.Response, error) {
	c.refund()
	c.latest.Stop, c.latest.Err = stop, cause
	return c.finish(nil)
}

// refund gives the price of the latest retry back, once.
func (c *call) refund() {
	c.t.budget().refund(c.req.URL, monotonic(), c.paid)
	c.paid = denied
}

// finish hands the outcome to all who asked for it and returns it.
func (c *call) finish(resp *http.Response) (*http.Response, error) {
	c.body.finish(resp != nil)
	if c.latest == nil || c.latest.Stop == StopNotRetryable && c.latest.Status < 500 {
		c.refund() // the host works
	}
	f := c.outcome()
	c.report(resp, f)
	if resp == nil {
		return nil, &f.Error
	}
	if f != nil {
		attach(resp, c.req, f)
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
		f.Stop, f.Reached = StopNonceUsed, catalog.ReachedMaybe
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
			c.t.OnDone(c.req, result)
		}
	}
	c.t.loggers().done(c.req, c.attempts, f)
}

// attach makes a failure reachable from resp. The request's context survives
// what wraps the response's body later, such as http.Client.Timeout.
func attach(resp *http.Response, sent *http.Request, f *failure) {
	req := resp.Request
	if req == nil {
		req = sent
	}
	f.context = errorContext{req.Context(), &f.Error}
	resp.Request = req.WithContext(&f.context)
}
