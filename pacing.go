package apigw

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"net/http"
	"strings"
	"time"

	"github.com/apigw-go/apigw/catalog"
)

// pacing is what a call has to do with call limits. Its zero value is that of a
// call that nothing paces.
type pacing struct {
	limiter  Limiter // nil: none
	pacer    *Pacer  // the limiter, if it is one
	lane     *lane   // of the pacer, or for the quota
	place    Place
	placed   bool          // place is to be given back
	probe    bool          // the call asks whether there is quota again
	waited   time.Duration // for limits, so far
	refusals int           // attempts that a limit refused; they are not counted
	counted  bool          // for the retry budget
}

// limiterOf returns what paces the calls of a policy, nil if nothing does.
func (t *Transport) limiterOf(policy *RetryPolicy) (Limiter, *Pacer) {
	if t.Limiter != nil {
		p, ok := t.Limiter.(*Pacer)
		if ok && p == nil {
			return nil, nil
		}
		return t.Limiter, p
	}
	if policy.MaxThrottleWait > 0 || !policy.Limit.none() {
		return &t.ownPacer, &t.ownPacer
	}
	return nil, nil
}

// Limits returns what is known of the call limits, ordered by key, from the
// Limiter in force; nil if that has no States.
func (t *Transport) Limits() []PacerState {
	switch l := t.Limiter.(type) {
	case nil:
		return t.ownPacer.States()
	case interface{ States() []PacerState }:
		return l.States()
	}
	return nil
}

// enter finds out what paces the call, and waits for its first place. Until a
// limit is known it costs a look into a map.
func (c *call) enter() error {
	c.pacing.limiter, c.pacing.pacer = c.t.limiterOf(c.policy)
	switch {
	case c.pacing.pacer != nil:
		c.pacing.lane = c.pacing.pacer.laneOf(c.req, c.policy)
	case c.policy.QuotaHold > 0:
		c.pacing.lane = c.t.ownPacer.laneOf(c.req, c.policy)
	}
	if err := c.enterQuota(c.began); err != nil {
		return err
	}
	err := c.acquire(c.began, false)
	if err != nil {
		c.release(OutcomeUnsent, nil)
	}
	return err
}

// enterQuota asks before each attempt: the quota may be gone since the last one.
func (c *call) enterQuota(now time.Duration) (err error) {
	if c.policy.QuotaHold > 0 {
		c.pacing.probe, err = c.pacing.lane.quota.enter(now)
	}
	return err
}

// acquire waits for a place. now is the current time, read before.
func (c *call) acquire(now time.Duration, again bool) error {
	p := &c.pacing
	if p.limiter == nil {
		return nil
	}
	ctx, stop := c.context()
	defer stop()
	left := max(0, c.policy.MaxThrottleWait-p.waited)
	if limit := c.policy.MaxElapsed; limit > 0 {
		left = min(left, max(0, limit-(now-c.began)))
	}
	then := now
	var err error
	if p.pacer != nil {
		p.place.pacer, then, err = p.pacer.enter(ctx, p.lane, now, now+left, again)
	} else {
		p.place, err = p.limiter.Acquire(c.declare(ctx), c.limitKey(), time.Now().Add(left), again)
		then = monotonic()
		if err != nil && ctx.Err() == nil && !errors.As(err, new(*NoPlaceError)) {
			err = &limiterError{err}
		}
	}
	if waited := then - now; waited > 0 {
		p.waited += waited
		if len(c.attempts) == 0 {
			c.began, c.waited = then, waited // the first attempt begins now
		}
	}
	p.placed = err == nil
	return err
}

// limiterError is the fault of somebody's Limiter.
type limiterError struct{ cause error }

func (e *limiterError) Error() string {
	return "the Limiter of the Transport failed: " + e.cause.Error()
}
func (e *limiterError) Unwrap() error { return e.cause }

// context ends with the request, also with Request.Cancel.
func (c *call) context() (context.Context, context.CancelFunc) {
	ctx := c.req.Context()
	//lint:ignore SA1019 net/http obeys it, and so does who stands in for it
	cancelled := c.req.Cancel
	if cancelled == nil || c.pacing.pacer != nil && !c.pacing.lane.limited() {
		return ctx, func() {} // nothing to wait for
	}
	ctx, cancel := context.WithCancelCause(ctx)
	go func() {
		select {
		case <-cancelled:
			cancel(errCancelled)
		case <-ctx.Done():
		}
	}()
	return ctx, func() { cancel(nil) }
}

func (c *call) declare(ctx context.Context) context.Context {
	if c.policy.Limit.none() {
		return ctx
	}
	return context.WithValue(ctx, limitKey{}, c.policy.Limit)
}

// limitKey is what other Limiters know the limit by. It is the same in all
// processes, and shows no credential.
func (c *call) limitKey() string {
	parts := []string{string(appendHost(nil, c.req.URL)), "", c.policy.LimitScope}
	if credential := credentialOf(c.req.Header); credential != "" {
		sum := sha256.Sum256([]byte("apigw limit\x00" + credential))
		parts[1] = hex.EncodeToString(sum[:8])
	}
	return strings.Join(parts, "|")
}

// release gives the place back, once, and says what became of the call. f is
// its failure, nil if it succeeded or was not sent.
func (c *call) release(outcome Outcome, f *failure) {
	p := &c.pacing
	if p.lane != nil && c.policy.QuotaHold > 0 {
		c.releaseQuota(outcome, f)
	}
	if !p.placed {
		return
	}
	p.placed = false
	if outcome == OutcomeRefused {
		p.refusals++
	}
	if p.pacer == nil {
		p.limiter.Done(p.place, outcome)
		return
	}
	var entry *catalog.Entry
	if f != nil {
		entry = &f.Entry
	}
	if q := p.pacer.done(&p.place.pacer, outcome, scopeOf(entry), p.place.RetryAfter); q != nil {
		c.t.loggers().limit(c.req, p.lane.name, q.State())
	}
}

// releaseQuota says what an attempt means for the quota. A success opens, also
// of a call that was under way when the quota was refused: there is some left.
// Other failures say nothing.
func (c *call) releaseQuota(outcome Outcome, f *failure) {
	h := &c.pacing.lane.quota
	switch {
	case f != nil && f.quotaGone():
		h.refused(f.Entry, monotonic(), c.policy.QuotaHold)
	case f == nil && outcome == OutcomePassed:
		h.passed()
	case c.pacing.probe:
		h.lost()
	}
	c.pacing.probe = false
}

// count counts the request for the retry budget when it was admitted first: a
// call that a limit refuses earns no retries.
func (c *call) count(outcome Outcome) {
	if c.pacing.counted || c.pacing.limiter != nil && outcome == OutcomeRefused {
		return
	}
	c.pacing.counted = true
	c.t.budget().request(c.req.URL, c.began)
}

// passed ends a call that succeeded at once and that nobody watches.
func (c *call) passed() {
	c.count(OutcomePassed)
	c.release(OutcomePassed, nil)
}

// settle says what an attempt means for the limits. f is nil if it succeeded.
func (c *call) settle(resp *http.Response, f *failure, now time.Time) {
	outcome := outcomeOf(resp, f)
	if outcome == OutcomeRefused {
		c.pacing.place.RetryAfter, _ = f.askedDelay(resp.Header, now)
	}
	c.count(outcome)
	c.release(outcome, f)
}

// outcomeOf says what an attempt says about a call limit. Only the gateway's own
// refusal is one; a status 429 that it did not mark can be the backend's.
func outcomeOf(resp *http.Response, f *failure) Outcome {
	switch {
	case f == nil:
		return OutcomePassed
	case resp == nil && f.Reached == catalog.ReachedNo:
		return OutcomeUnsent
	case resp == nil:
		return OutcomeUnknown
	case f.limited():
		return OutcomeRefused
	case f.Entry.Class == catalog.ClassThrottled:
		return OutcomeUnknown
	}
	return OutcomePassed
}

// limited reports that a call limit refused the call in front of the backend.
func (e *Error) limited() bool {
	return e.Origin.refused() && e.Entry.Class == catalog.ClassThrottled
}

// learns reports that the limiter in force spaces refused calls by itself.
func (p *pacing) learns() bool {
	if p.pacer != nil {
		return !p.pacer.Shadow
	}
	l, ok := p.limiter.(interface{ Learns() bool })
	return ok && l.Learns()
}

// bounds reports that the limiter in force bounds the calls that are refused,
// so that they cost neither attempts nor budget.
func (p *pacing) bounds() bool {
	return p.limiter != nil && (p.pacer == nil || !p.pacer.Shadow)
}

// turn waits for the turn of a retry: first the delay, then a place. It returns
// why there is none.
func (c *call) turn(delay time.Duration) (StopReason, error) {
	if cause := wait(c.req, delay); cause != nil {
		return StopContext, cause
	}
	now := monotonic()
	err := c.enterQuota(now)
	if err == nil {
		err = c.acquire(now, true)
	}
	if err == nil {
		return StopUnknown, nil
	}
	return c.whyNoPlace(), err
}

// whyNoPlace says why a call has no place.
func (c *call) whyNoPlace() StopReason {
	if c.req.Context().Err() != nil || cancelled(c.req) {
		return StopContext
	}
	return StopPaced
}

// noPlace gives a failure what else is known about a call that was not sent,
// because err says that there was no place.
func (f *failure) noPlace(err error) {
	none, held := (*NoPlaceError)(nil), (*heldError)(nil)
	switch {
	case errors.As(err, &none):
		f.NeededWait, f.Stop = none.Needed, StopPaced
	case errors.As(err, &held):
		f.NeededWait, f.Stop = held.left, StopQuotaHeld
	case errors.As(err, new(*limiterError)):
		f.Stop = StopPaced
	}
	if f.Stop == StopPaced && f.Status != 0 && f.limited() {
		f.Stop = StopThrottled // it was sent, and refused
	}
}
