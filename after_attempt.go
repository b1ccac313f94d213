package apigw

import (
	"math/rand/v2"
	"net/http"
	"slices"
	"time"

	"github.com/apigw-go/apigw/internal/redact"
	"github.com/apigw-go/apigw/internal/resign"
)

// observe records the attempt and decides whether another one follows, and
// after which delay.
func (c *call) observe(resp *http.Response, err error) decision {
	now := time.Now()
	touched := c.restore()
	c.latest, c.looked = nil, 0
	note := resign.FromResponse(resp)
	if note != nil {
		c.recordRefused(note, redact.Of(c.req, touched, resp.Request))
	}
	a := c.attempt(resp, err, now)
	switch {
	case err != nil:
		f := newFailure(c.req, touched, err)
		f.secrets.AddRequest(askedOfProxy(c.base, c.req))
		c.fail(f)
	case c.failing:
		seen := c.look(resp)
		c.looked = time.Since(now)
		now = now.Add(c.looked)
		c.fail(newRefusal(c.req, touched, resp, seen))
		a.Code, a.Message = c.latest.Code, c.latest.Message
		a.Class, a.Origin = c.latest.Entry.Class, c.latest.Origin
	}
	switch {
	case c.latest != nil:
		a.secrets = &c.latest.secrets
	case a.RequestID != "": // a success can echo a secret, too
		secrets := redact.Of(c.req, touched, resp.Request)
		a.secrets = &secrets
	}
	c.settle(resp, c.latest, now)
	c.record(a)
	if c.latest == nil {
		return decision{unless: retryUnless(StopNotRetryable)}
	}
	d := c.decide(resp, note, now)
	if d.unless != nothing {
		c.latest.Stop = StopReason(d.unless)
	} else if c.t.OnRetry != nil {
		c.t.OnRetry(c.body.shown(), a, d.delay)
	}
	return d
}

// restore takes off what the Base added to the request. It returns the request
// with these additions, nil if there are none.
func (c *call) restore() (touched *http.Request) {
	came := c.original.restored(c.req)
	if came == c.req {
		return nil
	}
	touched, c.req, c.body.req = c.req, came, came
	return touched
}

// recordRefused lists the sendings that a signer below made by itself.
func (c *call) recordRefused(note *resign.Note, secrets redact.Secrets) {
	for _, r := range note.Refused {
		a := Attempt{
			Number: len(c.attempts) + 1, Start: r.Start, Duration: r.Duration, Status: r.Status, Wait: c.waited,
			RequestID: requestIDOf(r.Header), secrets: &secrets,
		}
		if e, ok := Classify(r.Status, r.Header); ok {
			a.Code, a.Message, a.Class, a.Origin = e.Code, e.Message, e.Entry.Class, e.Origin
			c.reached = worse(c.reached, e.Reached)
		}
		c.record(a)
		c.sent, c.waited = r.Start.Add(r.Duration), 0
	}
}

func (c *call) attempt(resp *http.Response, err error, now time.Time) Attempt {
	a := Attempt{Number: len(c.attempts) + 1, Start: c.sent, Duration: now.Sub(c.sent), Wait: c.waited, Err: err}
	if resp != nil {
		a.Status, a.Proto = resp.StatusCode, resp.Proto
		a.RequestID = requestIDOf(resp.Header)
	}
	return a
}

// fail makes f the latest failure. Whether the backend was reached is a fact of
// the whole call: what may have run once may have run, whatever comes later.
func (c *call) fail(f *failure) {
	c.latest = f
	c.reached = worse(c.reached, f.Reached)
	f.Reached = c.reached
	if c.first == nil {
		c.first = f
	}
}

// record keeps the attempt and passes it on to all who asked for it.
func (c *call) record(a Attempt) {
	if len(c.attempts) == 0 && c.latest != nil {
		c.attempts = c.latest.room[:0]
	}
	c.attempts = append(c.attempts, a)
	if c.t.OnAttempt != nil {
		c.t.OnAttempt(c.body.shown(), a)
	}
	c.t.loggers().attempt(c.req, a, c.latest)
}

// decide collects what the decision depends on, and pays for the retry. The
// budget is asked last, so that only retries which will happen are counted.
func (c *call) decide(resp *http.Response, note *resign.Note, now time.Time) decision {
	if c.latest.Origin == OriginNone {
		if cause := ended(c.req.Context(), now); cause != nil {
			c.latest.Err = cause
		}
	}
	s := c.situation(resp, now)
	s.learned = note != nil && note.Learned && !slices.Contains(c.lessons, note.Lesson)
	d := decide(&c.latest.Error, s, c.nextBackOff)
	if d.unless != nothing {
		return d
	}
	if d.throttled {
		c.pacing.waited += d.delay
	}
	if d.free {
		return d // a limit is no failure of the host
	}
	if s.learned {
		c.lessons = append(c.lessons, note.Lesson)
		return d // it was our mistake, not a failure of the host
	}
	if c.paid = c.t.budget().retry(c.req.URL, monotonic()); c.paid == denied {
		return decision{unless: retryUnless(StopBudget)}
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
		carriesNonce:   headerValue(c.req.Header, headerNonce) != "",
		renewsNonce:    c.t.PrepareRetry != nil || renews(c.base, c.req),
		replayedBelow:  replayedBelow(c.req),
		waited:         c.pacing.waited,
		refusals:       c.pacing.refusals,
		bounded:        c.pacing.bounds(),
		spaced:         c.pacing.learns(),
	}
	if deadline, ok := ctx.Deadline(); ok {
		s.left = deadline.Sub(now)
	}
	if resp != nil {
		var reset bool
		if s.asked, reset = c.latest.askedDelay(resp.Header, now); reset && c.policy.Jitter != JitterNone {
			s.spread = rand.N(time.Second)
		}
	}
	return s
}

func (c *call) nextBackOff() time.Duration {
	if c.backOff == nil {
		c.backOff = c.policy.newBackOff()
	}
	return c.backOff.NextBackOff()
}
