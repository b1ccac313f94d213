package apigw

import (
	"cmp"
	"context"
	"errors"
	"math"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/hashicorp/go-retryablehttp"
)

// NewRetryableClient returns a client of go-retryablehttp that repeats, pauses
// and explains as t does; all fields of t count. Its requests go through t.Base,
// so that a signer there signs each attempt afresh. t must not be nil.
//
//	client := apigw.NewRetryableClient(&apigw.Transport{})
//	resp, err := client.Get("https://api.example.com/v1/weather")
//
// The last response comes back with a nil error and its body unread, for
// [FromResponse]; an error is an [*Error]. Redirects are not followed, since
// the library would repeat a whole chain of them for its last link:
// client.StandardClient() gives an http.Client that follows them and has each
// link repeated by itself.
//
// Where a program can take an http.RoundTripper, t itself does better. Around
// its hooks the library
//
//   - returns ctx.Err(), without the cause and without OnDone, a log line or a
//     result in the [Recorder], when the context ends in a pause that follows
//     a response,
//   - drains a refused response without a time limit, and only 4 KiB of it, so
//     that a longer one costs its connection,
//   - reads a body that is neither bytes nor a function into memory whole,
//     whatever MaxBodyBuffer says.
func NewRetryableClient(t *Transport) *retryablehttp.Client {
	c := &retryablehttp.Client{HTTPClient: &http.Client{
		Transport:     retryableBase{t},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}}
	RetryableHooks{Transport: t}.Install(c)
	return c
}

// RetryableHooks are hooks for a [retryablehttp.Client] that a program has
// already; see [NewRetryableClient] for a new one. The client goes on sending
// through its own HTTPClient: Base is only asked whether it renews nonces, and
// AttemptTimeout does not count. Safe for concurrent use.
//
// [RetryableHooks.Install] sets all that there is. With the four methods alone
// a failure is judged by what the library tells of it, attempt by attempt.
// Then RetryMax counts the attempts, MaxElapsed and MaxThrottleWait hold for
// one attempt, an [Error] knows one attempt, and where there is no response,
// neither headers nor service are known and only idempotent methods are
// repeated.
type RetryableHooks struct {
	// Transport has the policy, the services, the budget and the hooks. It
	// must not be nil.
	Transport *Transport

	tracks bool // Install was called, so requests carry a retryableCall
}

// Install sets the hooks of c, and RetryMax so high that CheckRetry alone
// counts. A RequestLogHook that c has is called after the one set here, which
// puts a value into the request's context.
func (h RetryableHooks) Install(c *retryablehttp.Client) {
	h.tracks = true
	next := c.RequestLogHook
	c.RequestLogHook = func(logger retryablehttp.Logger, req *http.Request, retry int) {
		h.track(req, retry)
		if next != nil {
			next(logger, req, retry)
		}
	}
	c.RetryMax = math.MaxInt32
	c.CheckRetry = h.CheckRetry
	c.Backoff = h.Backoff
	c.ErrorHandler = h.ErrorHandler
	c.PrepareRetry = h.PrepareRetry
}

// retryableCall is a call whose loop is the library's.
type retryableCall struct {
	*call
	ended   bool
	decided time.Time
	wait    time.Duration // before the next attempt
}

type retryableKey struct{}

func retryableCallOf(ctx context.Context) *retryableCall {
	c, _ := ctx.Value(retryableKey{}).(*retryableCall)
	return c
}

func (h RetryableHooks) begin(req *http.Request) *retryableCall {
	policy, recorder := h.Transport.policyFor(req)
	c := &call{t: h.Transport, req: req, policy: policy, recorder: recorder, began: monotonic()}
	c.start = time.Now()
	c.sent = c.start
	if hasBody(req) && req.GetBody == nil {
		// The library has a copy of it.
		c.body = newOnceBody(http.NoBody, 1)
	}
	return &retryableCall{call: c}
}

func (c *retryableCall) countRequest() {
	if c.req.URL != nil {
		c.t.budget().request(c.req.URL, c.began)
	}
}

// track is called before each attempt, the first one included. The library
// changes the request that it was given, too.
func (h RetryableHooks) track(req *http.Request, retry int) {
	if retry == 0 {
		c := h.begin(req)
		c.countRequest()
		*req = *req.WithContext(context.WithValue(req.Context(), retryableKey{}, c))
	} else if c := retryableCallOf(req.Context()); c != nil {
		c.sent = time.Now()
		c.waited = c.sent.Sub(c.decided)
	}
}

// CheckRetry is a [retryablehttp.CheckRetry]. It returns an error, an [*Error],
// only where there is no response.
func (h RetryableHooks) CheckRetry(ctx context.Context, resp *http.Response, err error) (bool, error) {
	if resp != nil && err != nil {
		// A redirect was refused or a ResponseHandler failed, which is not
		// for us to repeat.
		return false, nil
	}
	c := retryableCallOf(ctx)
	if c == nil {
		c = h.begin(firstRequest(ctx, resp, err))
		c.countRequest()
	}
	if c.ended {
		return false, nil // asked again, after a ResponseHandler
	}
	d := c.observe(resp, h.cause(c, err))
	pause := d.delay
	c.decided, c.wait = time.Now(), pause
	switch {
	case d.unless != nothing:
		return c.end(c.finish(resp))
	case resp != nil:
		req := cmp.Or(resp.Request, c.req)
		resp.Request = req.WithContext(context.WithValue(req.Context(), retryableKey{}, c))
	case h.tracks:
		// Backoff is not told whose failure it is, so the pause is here.
		if cause := wait(c.req.WithContext(ctx), pause); cause != nil {
			return c.end(c.abandon(StopContext, cause))
		}
	}
	return true, nil
}

func (c *retryableCall) end(_ *http.Response, err error) (bool, error) {
	c.ended = true
	return false, err
}

// firstRequest finds the request that a call began with, before redirects.
func firstRequest(ctx context.Context, resp *http.Response, err error) *http.Request {
	req := new(http.Request)
	var u *url.Error
	if resp != nil && resp.Request != nil {
		for req = resp.Request; req.Response != nil && req.Response.Request != nil; {
			req = req.Response.Request
		}
	} else if errors.As(err, &u) {
		req.Method = strings.ToUpper(u.Op)
		req.URL, _ = url.Parse(u.URL)
	}
	if req.URL == nil {
		req.URL = new(url.URL)
	}
	return req.WithContext(ctx)
}

// cause takes off what http.Client adds. A connection that was not made says
// nothing about an earlier link of a chain of redirects, so that is not to be
// seen then.
func (h RetryableHooks) cause(c *retryableCall, err error) error {
	var u *url.Error
	if !errors.As(err, &u) || u.Err == nil {
		return err
	}
	if permanent(u.Err) || h.tracks && c.req.URL != nil && isURL(u.URL, c.req.URL) {
		return u.Err
	}
	return &lastLinkError{u.Err}
}

// lastLinkError is why a request failed that may have been redirected before.
// It answers for its cause but does not show it to errors.As.
type lastLinkError struct{ cause error }

func (e *lastLinkError) Error() string        { return e.cause.Error() }
func (e *lastLinkError) Is(target error) bool { return errors.Is(e.cause, target) }
func (e *lastLinkError) Timeout() bool        { return (&Error{Err: e.cause}).Timeout() }

// Backoff is a [retryablehttp.Backoff]. It takes its bounds from the policy,
// not from shortest and longest, which are the client's RetryWaitMin and
// RetryWaitMax.
func (h RetryableHooks) Backoff(shortest, longest time.Duration, retry int, resp *http.Response) time.Duration {
	var c *retryableCall
	policy := &h.Transport.Policy
	if resp != nil && resp.Request != nil {
		c = retryableCallOf(resp.Request.Context())
		policy, _ = h.Transport.policyFor(firstRequest(resp.Request.Context(), resp, nil))
	}
	switch {
	case h.tracks && resp == nil:
		return 0 // CheckRetry has paused
	case h.tracks && c != nil:
		return c.wait
	}
	// Whoever does not know the call counts the pauses of another one.
	var pause time.Duration
	b := policy.newBackOff()
	for range retry + 1 {
		pause = max(0, b.NextBackOff())
	}
	if c != nil {
		pause = max(pause, c.wait) // that knows Retry-After and rate limits
	} else if resp != nil {
		pause += min(retryAfter(resp.Header, time.Now()), policy.maxRetryAfter())
	}
	return pause
}

// PrepareRetry is a [retryablehttp.PrepareRetry]. It gives the request a header
// of its own, since the library shares one between all attempts, and then calls
// [Transport.PrepareRetry].
func (h RetryableHooks) PrepareRetry(req *http.Request) error {
	c := retryableCallOf(req.Context())
	if c == nil {
		c = h.begin(req)
	}
	if hasHeader(c.req.Header, headerNonce) && h.Transport.PrepareRetry == nil && !c.baseRenews() {
		return c.giveUp(StopNonce, errors.New("the nonce would be sent again"))
	}
	if h.Transport.PrepareRetry == nil {
		return nil
	}
	req.Header = req.Header.Clone()
	if req.Header == nil {
		req.Header = http.Header{}
	}
	switch {
	case !hasBody(req):
	case req.GetBody == nil:
		req.Body = keptBody{}
	default:
		// The library fetches another one afterwards.
		body, err := req.GetBody()
		if err != nil {
			return c.giveUp(StopPrepareFailed, err)
		}
		req.Body = body
		defer func() { closeBody(req) }()
	}
	if err := h.Transport.PrepareRetry(req); err != nil {
		return c.giveUp(StopPrepareFailed, err)
	}
	return nil
}

// keptBody stands for a body that the library can send again but not show. A
// hook that signs without it goes on; one that needs it must not sign nothing.
type keptBody struct{}

func (keptBody) Read([]byte) (int, error) {
	return 0, errors.New("go-retryablehttp keeps this body to itself: give it as bytes or as a function, or set GetBody")
}
func (keptBody) Close() error { return nil }

func (c *retryableCall) giveUp(stop StopReason, cause error) error {
	c.ended = true
	c.notice(nil, cause)
	_, err := c.abandon(stop, cause)
	return err
}

// notice describes the latest attempt where CheckRetry did not.
func (c *retryableCall) notice(resp *http.Response, err error) {
	if c.latest == nil {
		c.latest = newFailure(c.req, resp, err)
	}
}

// ErrorHandler is a [retryablehttp.ErrorHandler]. It returns the last response
// with the decoded failure attached and a nil error, or an [*Error] where there
// is none.
func (h RetryableHooks) ErrorHandler(resp *http.Response, err error, tries int) (*http.Response, error) {
	var e *Error
	switch {
	case errors.As(err, &e) && e.Err != nil:
		// Of CheckRetry, or of PrepareRetry, which a response can have
		// preceded that the library has closed.
		return nil, err
	case resp != nil && err != nil:
		return resp, err
	}
	// RetryMax was lower than the policy.
	var c *retryableCall
	ctx := context.Background()
	if resp != nil && resp.Request != nil {
		ctx = resp.Request.Context()
		c = retryableCallOf(ctx)
	}
	if c == nil {
		c = h.begin(firstRequest(ctx, resp, err))
	}
	c.ended = true
	c.notice(resp, h.cause(c, err))
	c.latest.Stop = StopMaxAttempts
	return c.finish(resp)
}

// retryableBase sends attempts of a client of go-retryablehttp. It has no
// CloseIdleConnections: the library calls that after each failure, although
// other requests share the connections.
type retryableBase struct{ t *Transport }

func (b retryableBase) RoundTrip(req *http.Request) (*http.Response, error) {
	if c := retryableCallOf(req.Context()); c != nil {
		return c.send(req)
	}
	return b.t.base().RoundTrip(req)
}
