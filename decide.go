package apigw

import (
	"cmp"
	"math"
	"time"

	"github.com/apigw-go/apigw/catalog"
)

// retryUnless is the reason against a retry. Its zero value is no reason: the
// request is sent again.
type retryUnless StopReason

const nothing retryUnless = 0

// situation is what a decision depends on besides the failure itself.
type situation struct {
	policy  *RetryPolicy
	attempt int           // number of the attempt that failed, 1 for the first
	elapsed time.Duration // since the first attempt began
	left    time.Duration // until the deadline of the context, or noDeadline
	ended   bool          // the context ended, or the request was cancelled

	idempotent     bool // it may run twice
	bodyReplayable bool
	carriesNonce   bool // it came with a nonce
	renewsNonce    bool // a retry gets a nonce of its own
	replayedBelow  bool // net/http may have sent it twice by itself
	learned        bool // the refusal taught the signer below what was wrong

	asked  time.Duration // the delay that the server asked for, 0 for none
	spread time.Duration // by chance, on top, if all who asked got the same answer
	waited time.Duration // for rate limits, so far

	refusals int  // attempts that a call limit refused
	bounded  bool // a Limiter bounds these, so that they cost nothing
	spaced   bool // it spaces refused calls by itself
}

const noDeadline = time.Duration(math.MaxInt64)

// throttleWindow is the shortest window of a rate limit.
// https://www.alibabacloud.com/help/en/api-gateway, throttling plug-in
const throttleWindow = time.Second

// decision is a delay, or a reason against the retry.
type decision struct {
	unless    retryUnless
	delay     time.Duration
	throttled bool // the delay is spent on a rate limit
	free      bool // the retry is not paid for
}

// decide says whether a failed request is sent again, and when. It knows
// neither clock nor network, and it does not ask the retry budget: that is left
// to the caller, so that only retries which will happen are paid for. next is
// the backoff, which counts its calls: it is called once, if all else permits
// a retry.
func decide(e *Error, s situation, next func() time.Duration) decision {
	unless := s.unlessHopeless(e)
	if unless == nothing {
		unless = s.unlessUsedUp()
	}
	if unless != nothing {
		return decision{unless: unless}
	}
	var d decision
	switch {
	case s.learned: // at once: what was wrong is right now
	case s.spaced && e.limited():
		d = s.turn()
	default:
		d = s.delay(e, next())
		d.free = s.bounded && e.limited()
	}
	if d.unless == nothing {
		d.unless = s.unlessTooLate(d.delay)
	}
	return d
}

// unlessHopeless judges the failure by itself.
func (s situation) unlessHopeless(e *Error) retryUnless {
	switch {
	case e.Origin == OriginNone && s.ended:
		return retryUnless(StopContext)
	case s.learned:
		return s.unlessMayHaveRun(e)
	case e.Entry.NonceUsed():
		return s.unlessAccepted(e)
	case e.Origin == OriginNone && permanent(e.Err):
		return retryUnless(StopPermanent)
	case e.Origin == OriginNone:
		return s.unlessMayHaveRun(e)
	case s.throttled(e):
		if s.policy.MaxThrottleWait <= 0 {
			return retryUnless(StopThrottled)
		}
	case s.hopeless(e):
		return retryUnless(StopNotRetryable)
	}
	return s.unlessMayHaveRun(e)
}

// hopeless reports whether another attempt cannot help: a known refusal says so
// by itself, of any other answer the status has to be in the policy's list. A
// known row that anybody may have written has to pass both.
func (s situation) hopeless(e *Error) bool {
	never := e.Entry.Retry == catalog.RetryNo
	if e.Origin.refused() {
		return never
	}
	known := e.Origin == OriginUnknown && e.Entry.ID != catalog.UnknownID
	return !s.policy.retryableStatus(e.Status) || known && never
}

// unlessAccepted decides on a nonce that the gateway saw before. After a retry
// nothing more can be had: a copy was accepted. On a first attempt the copy can
// be one that net/http sent by itself on a connection that died. Such a request
// may run twice, so one retry is right if it gets a new nonce: that of an X-Ca
// header, which rows that show in a header are about.
func (s situation) unlessAccepted(e *Error) retryUnless {
	switch {
	case s.attempt > 1:
		return retryUnless(StopNonceUsed)
	case s.replayedBelow && s.renewsNonce && e.Entry.Place == catalog.PlaceHeader:
		return nothing
	}
	return retryUnless(StopNotRetryable)
}

func (s situation) unlessMayHaveRun(e *Error) retryUnless {
	if e.Reached == catalog.ReachedNo || s.idempotent || s.policy.RetryNonIdempotent {
		return nothing
	}
	return retryUnless(StopMayHaveRun)
}

// throttled reports whether a rate limit refused the request. A status without
// a mark of the gateway that the policy lists is retried like any other.
func (s situation) throttled(e *Error) bool {
	listed := !e.Origin.refused() && s.policy.retryableStatus(e.Status)
	return e.Entry.Class == catalog.ClassThrottled && !listed
}

// unlessUsedUp asks what the request has left.
func (s situation) unlessUsedUp() retryUnless {
	switch {
	case s.ended:
		return retryUnless(StopContext)
	case s.counted() >= s.policy.maxAttempts():
		return retryUnless(StopMaxAttempts)
	case s.carriesNonce && !s.renewsNonce:
		return retryUnless(StopNonce)
	case !s.bodyReplayable:
		return retryUnless(StopBody)
	}
	return nothing
}

// counted is the number of attempts that count. Those that a call limit refused
// do not, unless there may be no retry at all.
func (s situation) counted() int {
	if s.bounded && s.policy.maxAttempts() > 1 {
		return s.attempt - s.refusals
	}
	return s.attempt
}

// turn leaves the delay to the Limiter, but for what the server asked for.
func (s situation) turn() decision {
	left := s.policy.MaxThrottleWait - s.waited
	if s.asked > left {
		return decision{unless: retryUnless(StopThrottled)}
	}
	return decision{delay: s.asked + min(s.spread, left-s.asked), throttled: true, free: true}
}

// delay adds what the server asked for to the backoff, so that those who were
// given the same time do not come back at the same moment.
func (s situation) delay(e *Error, backOff time.Duration) decision {
	switch {
	case backOff < 0:
		return decision{unless: retryUnless(StopBackOff)}
	case s.throttled(e):
		asked, left := cmp.Or(s.asked, throttleWindow), s.policy.MaxThrottleWait-s.waited
		if asked > left {
			return decision{unless: retryUnless(StopThrottled)}
		}
		return decision{delay: asked + min(cmp.Or(s.spread, backOff), left-asked), throttled: true}
	}
	// Where the server asks for nothing, the catalog knows how long some
	// causes last.
	asked := cmp.Or(s.asked, e.Entry.Wait)
	if asked > s.policy.maxRetryAfter() {
		return decision{unless: retryUnless(StopRetryAfter)}
	}
	return decision{delay: backOff + min(asked, math.MaxInt64-backOff)}
}

// unlessTooLate asks the time that is left for a retry after a delay.
func (s situation) unlessTooLate(delay time.Duration) retryUnless {
	switch limit := s.policy.MaxElapsed; {
	case limit > 0 && delay > limit-s.elapsed:
		return retryUnless(StopMaxElapsed)
	case s.left != noDeadline && delay >= s.left:
		return retryUnless(StopDeadline)
	}
	return nothing
}
