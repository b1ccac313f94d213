package apigw

import (
	"cmp"
	"errors"
	"io"
	"math"
	"net/http"
	"time"

	"github.com/apigw-go/apigw/catalog"
	"github.com/cenkalti/backoff/v4"
	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"
)

// Transport is an [http.RoundTripper] that repeats failures of the gateway
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
	Base http.RoundTripper

	// Policy is followed unless Services or [WithPolicy] name another. The
	// zero value is the default policy.
	Policy RetryPolicy

	// Services, if not nil, chooses a policy by the method, host and path of
	// the request. Policy is for those that it has none for.
	Services *Services

	// Budget bounds the retries of each host. If nil, the Transport has a
	// default budget of its own.
	Budget *RetryBudget

	// PrepareRetry, if not nil, is called before every attempt but the
	// first, with a clone of the request that it may change and whose
	// GetBody, where there is one, gives a fresh body. Requests that were
	// signed above the Transport are signed afresh here. Who replaces the
	// body closes the one that was there. An error ends the attempts.
	PrepareRetry func(*http.Request) error

	// OnAttempt, if not nil, is called after each attempt, OnRetry before
	// the pause that precedes another one, and OnDone once at the end. They
	// must not change or keep the request, and are called from the
	// goroutine of RoundTrip.
	OnAttempt func(*http.Request, Attempt)
	OnRetry   func(req *http.Request, failed Attempt, pause time.Duration)
	OnDone    func(*http.Request, Result)

	// Logger gets each attempt at debug level, requests that a retry saved
	// at info and those given up at warn, with host and path only. If nil,
	// the Transport is silent.
	Logger *zap.Logger

	ownBudget RetryBudget
}

func (t *Transport) base() http.RoundTripper {
	if t.Base != nil {
		return t.Base
	}
	return http.DefaultTransport
}

// RetryBudget returns the budget in force, for reading its states.
func (t *Transport) RetryBudget() *RetryBudget {
	if t.Budget != nil {
		return t.Budget
	}
	return &t.ownBudget
}

// policyFor returns the policy of a request and its recorder, if any.
func (t *Transport) policyFor(req *http.Request) (*RetryPolicy, *Recorder) {
	v := fromContext(req.Context())
	if v.policy == nil {
		v.policy = &t.Policy
		if s := t.Services.find(req); s != nil {
			v.policy = &s.policy
		}
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
		return c.slow().refuse(err)
	}
	t.RetryBudget().request(req.URL.Host, c.began)
	if hasBody(req) && req.GetBody == nil && policy.maxAttempts() > 1 && policy.maxBodyBuffer() > 0 {
		c.body = newOnceBody(req.Body, policy.maxBodyBuffer())
		req = c.withBody(req, c.body.reader())
	}
	resp, err := c.send(req)
	if err == nil && resp.StatusCode < 400 && c.unwatched() {
		if c.body != nil {
			c.body.finish()
		}
		return resp, nil
	}
	s := c.slow()
	resp, err = s.run(resp, err)
	s.call = call{} // whoever keeps the Error need not keep request and body
	return resp, err
}

// call is one RoundTrip. On the success path it stays on the stack; slow moves
// it to the heap once there is something to remember.
type call struct {
	t        *Transport
	req      *http.Request // the caller's
	policy   *RetryPolicy
	recorder *Recorder
	body     *onceBody     // for a body without GetBody, else nil
	began    time.Duration // monotonic
}

// slowCall is a call with a failure to decide on, or with somebody watching.
type slowCall struct {
	call
	first    Error  // the failure of the first attempt
	latest   *Error // of the latest one; nil if that succeeded
	attempts []Attempt
	space    [1]Attempt // most failing requests have one attempt
	context  errorContext
	start    time.Time     // when the first attempt began
	sent     time.Time     // when the latest attempt began
	paused   time.Duration // the pause before it
	repeated *repetition   // nil until a retry is considered
}

// repetition is what a call needs that does not fail at once.
type repetition struct {
	last         Error         // the failure of the latest attempt, if that is not the first
	throttled    time.Duration // spent on rate limits so far
	paid         grant         // for the latest retry
	backOff      backoff.BackOff
	backOffSpace backoff.ExponentialBackOff
}

func (c *slowCall) repetition() *repetition {
	if c.repeated == nil {
		c.repeated = new(repetition)
		c.repeated.backOff = c.policy.newBackOff(&c.repeated.backOffSpace)
	}
	return c.repeated
}

func (c *call) slow() *slowCall {
	s := &slowCall{call: *c}
	s.start = time.Now().Add(c.began - monotonic())
	s.sent = s.start
	s.attempts = s.space[:0]
	return s
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
	return t.OnAttempt == nil && t.OnDone == nil && c.recorder == nil &&
		(t.Logger == nil || !t.Logger.Core().Enabled(zapcore.DebugLevel))
}

// withBody returns a copy of req that shares all but the body.
func (c *call) withBody(req *http.Request, body io.ReadCloser) *http.Request {
	next := new(http.Request)
	*next = *req
	next.Body = body
	return next
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
		if resp != nil && resp.Body != nil { // against the contract, but it happens
			resp.Body.Close()
		}
		return nil, err
	case resp == nil:
		return nil, &requestError{"the Base transport returned neither a response nor an error"}
	}
	return resp, nil
}

// run records attempts and repeats the request until there is an end.
func (c *slowCall) run(resp *http.Response, err error) (*http.Response, error) {
	for {
		pause, stop := c.observe(resp, err)
		if stop {
			return c.finish(resp)
		}
		decided := time.Now()
		if resp != nil {
			discard(resp, c.req.Context().Done())
		}
		if cause := wait(c.req, pause-time.Since(decided)); cause != nil {
			return c.abandon(StopContext, cause)
		}
		next, stopped, cause := c.next()
		if cause != nil {
			return c.abandon(stopped, cause)
		}
		c.sent = time.Now()
		c.paused = c.sent.Sub(decided)
		resp, err = c.send(next)
	}
}

// refuse ends a call before its first attempt.
func (c *slowCall) refuse(err error) (*http.Response, error) {
	c.latest = &c.first
	c.first.describe(c.req, nil, err)
	c.first.Reached = catalog.ReachedNo
	c.first.Stop = StopContext
	if permanent(err) {
		c.first.Stop = StopPermanent
	}
	return c.finish(nil)
}

// observe records the attempt and decides whether another one follows, and
// after which pause.
func (c *slowCall) observe(resp *http.Response, err error) (pause time.Duration, stop bool) {
	now := time.Now()
	a := Attempt{Number: len(c.attempts) + 1, Start: c.sent, Duration: now.Sub(c.sent), Wait: c.paused, Err: err}
	if resp != nil {
		a.Status = resp.StatusCode
		a.RequestID = headerValue(resp.Header, headerRequestID)
	}
	c.latest = nil
	if err != nil || resp.StatusCode >= 400 {
		c.latest = &c.first
		if a.Number > 1 {
			c.latest = &c.repetition().last
		}
		c.latest.describe(c.req, resp, err)
		a.Code, a.Message = c.latest.Code, c.latest.Message
	}
	c.attempts = append(c.attempts, a)
	if c.t.OnAttempt != nil {
		c.t.OnAttempt(c.req, a)
	}
	c.logAttempt(a)
	if c.latest == nil {
		return 0, true
	}
	pause, c.latest.Stop = c.decide(c.latest, resp, now)
	if c.latest.Stop != StopUnknown {
		return 0, true
	}
	if c.t.OnRetry != nil {
		c.t.OnRetry(c.req, a, pause)
	}
	return pause, false
}

// decide says whether another attempt follows, and after which pause. The
// budget is asked last, so that only retries which will happen are counted.
func (c *slowCall) decide(e *Error, resp *http.Response, now time.Time) (time.Duration, StopReason) {
	ctx := c.req.Context()
	if e.Origin == OriginNone {
		if cause := ended(ctx, now); cause != nil {
			e.Err = cause
			return 0, StopContext
		}
		if cancelled(c.req) {
			return 0, StopContext
		}
	}
	verdict := c.policy.judge(e, idempotent(c.req))
	if e.Entry.NonceUsed() {
		verdict = c.judgeNonceUsed(verdict)
	}
	if verdict.stop != StopUnknown {
		return 0, verdict.stop
	}
	if resp != nil && (ended(ctx, now) != nil || cancelled(c.req)) {
		return 0, StopContext // of the two, the response tells more
	}
	switch {
	case len(c.attempts) >= c.policy.maxAttempts():
		return 0, StopMaxAttempts
	case c.nonceStays():
		return 0, StopNonce
	case !c.bodyReplayable():
		return 0, StopBody
	}
	pause, stop := c.pause(e, resp, now, verdict.throttled)
	if stop != StopUnknown {
		return 0, stop
	}
	if limit := c.policy.MaxElapsed; limit > 0 && now.Add(pause).Sub(c.start) > limit {
		return 0, StopMaxElapsed
	}
	if deadline, ok := ctx.Deadline(); ok && !now.Add(pause).Before(deadline) {
		return 0, StopDeadline
	}
	paid := c.t.RetryBudget().retry(c.req.URL.Host, monotonic())
	if paid == denied {
		return 0, StopBudget
	}
	c.repetition().paid = paid
	return pause, StopUnknown
}

// judgeNonceUsed decides on a nonce that the gateway saw before. On a retry
// nothing more is to be had: a copy was accepted. On a first attempt the copy
// can be one that http.Transport sent by itself on a connection that died; such
// a request may run twice, so one retry is right where it gets a new nonce.
func (c *slowCall) judgeNonceUsed(verdict judgement) judgement {
	switch {
	case len(c.attempts) > 1:
		return judgement{stop: StopNonceUsed}
	case replayedBelow(c.req) && c.renewed():
		return judgement{}
	}
	return verdict
}

// nonceStays reports that the request carries a nonce which would be sent a
// second time.
func (c *slowCall) nonceStays() bool {
	return hasHeader(c.req.Header, headerNonce) && !c.renewed()
}

// renewed reports that another attempt is signed afresh: by PrepareRetry, or by
// a Base that says so, as signer.Signer does.
func (c *slowCall) renewed() bool {
	return c.t.PrepareRetry != nil || c.baseRenews()
}

func (c *slowCall) baseRenews() bool {
	base, ok := c.t.base().(interface{ Renews(*http.Request) bool })
	return ok && base.Renews(c.req)
}

func (c *slowCall) bodyReplayable() bool {
	switch {
	case !hasBody(c.req) || c.req.GetBody != nil:
		return true
	case c.body != nil:
		return c.body.replayable()
	}
	return false
}

// pause returns the time to wait before the next attempt.
func (c *slowCall) pause(e *Error, resp *http.Response, now time.Time, throttled bool) (time.Duration, StopReason) {
	r := c.repetition()
	pause := r.backOff.NextBackOff()
	if pause == backoff.Stop {
		return 0, StopBackOff
	}
	pause = max(0, pause)
	var asked time.Duration
	if resp != nil {
		asked = retryAfter(resp.Header, now)
	}
	switch {
	case throttled:
		asked = cmp.Or(asked, throttleWindow)
		left := c.policy.MaxThrottleWait - r.throttled
		if asked > left {
			return 0, StopThrottled
		}
		pause = asked + min(pause, left-asked)
		r.throttled += pause
	case asked > c.policy.maxRetryAfter():
		return 0, StopRetryAfter
	default:
		// On top of what was asked for, so that those who were told the
		// same do not come back at the same moment.
		pause += min(asked, math.MaxInt64-pause)
	}
	return pause, StopUnknown
}

// next builds the request of the next attempt, or says why there is none. It is
// called after the refused response was closed, since net/http may send a body
// until then.
func (c *slowCall) next() (next *http.Request, stop StopReason, cause error) {
	next = new(http.Request)
	if c.t.PrepareRetry != nil {
		next = c.req.Clone(c.req.Context())
		if next.Header == nil {
			next.Header = make(http.Header)
		}
	} else {
		*next = *c.req
	}
	var reader *onceReader
	switch {
	case c.body != nil:
		reader = c.body.reader()
		next.Body = reader
	case hasBody(c.req):
		body, err := c.req.GetBody()
		if err == nil && body == nil {
			err = errors.New("GetBody returned neither a body nor an error")
		}
		if err != nil {
			return nil, StopBody, err
		}
		next.Body = body
	}
	if c.t.PrepareRetry != nil {
		if err := c.t.PrepareRetry(next); err != nil {
			closeBody(next)
			return nil, StopPrepareFailed, err
		}
		if reader != nil && next.Body != reader {
			reader.Close() // replaced
		}
		if nonce := headerValue(c.req.Header, headerNonce); nonce != "" && nonce == headerValue(next.Header, headerNonce) && !c.baseRenews() {
			closeBody(next)
			return nil, StopNonce, errors.New("PrepareRetry left the X-Ca-Nonce as it was")
		}
	}
	return next, StopUnknown, nil
}

// abandon ends a call that has no response any more: its last one was given up
// for an attempt that does not come.
func (c *slowCall) abandon(stop StopReason, cause error) (*http.Response, error) {
	c.refund()
	c.latest.Stop, c.latest.Err = stop, cause
	return c.finish(nil)
}

// refund gives the price of the latest retry back, once.
func (c *slowCall) refund() {
	if c.repeated != nil {
		c.t.RetryBudget().refund(c.req.URL.Host, monotonic(), c.repeated.paid)
		c.repeated.paid = denied
	}
}

// finish hands the outcome to all who asked for it and returns it.
func (c *slowCall) finish(resp *http.Response) (*http.Response, error) {
	if c.body != nil {
		c.body.finish()
	}
	status := 0
	if resp != nil {
		status = resp.StatusCode
	}
	e := c.outcome()
	if c.latest == nil || c.latest.Stop == StopNotRetryable && c.latest.Status < 500 {
		c.refund() // the host works
	}
	if c.recorder != nil || c.t.OnDone != nil {
		result := newResult(c.req, c.attempts, status, e)
		if c.recorder != nil {
			c.recorder.add(result)
		}
		if c.t.OnDone != nil {
			c.t.OnDone(c.req, result)
		}
	}
	c.logDone(e)
	if resp == nil {
		return nil, e
	}
	if e != nil {
		c.attach(resp, e)
	}
	return resp, nil
}

// outcome returns the failure to report, nil after a success: that of the last
// attempt, but the first one where the last only says that an earlier copy was
// accepted.
func (c *slowCall) outcome() *Error {
	e := c.latest
	if e == nil {
		return nil
	}
	if e.Stop == StopNonceUsed {
		e = &c.first
		e.Stop, e.Reached = StopNonceUsed, catalog.ReachedMaybe
	}
	e.Attempts = c.attempts
	return e
}

// attach makes e reachable from resp. The request's context survives what
// wraps the response's body later, such as http.Client.Timeout.
func (c *slowCall) attach(resp *http.Response, e *Error) {
	req := resp.Request
	if req == nil {
		req = c.req
	}
	c.context = errorContext{req.Context(), e}
	resp.Request = req.WithContext(&c.context)
}
