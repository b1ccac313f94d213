package apigw

import (
	"errors"
	"math"
	"net/http"
	"testing"
	"time"

	"github.com/apigw-go/apigw/catalog"
)

// A failure and a situation give a delay or a reason: no transport, no clock.
func TestDecide(t *testing.T) {
	refusal := func(status int, code, message string) *Error { return classified(status, code, message) }
	network := func(err error, reached catalog.Reached) *Error {
		return &Error{Entry: catalog.NoResponse(), Origin: OriginNone, Reached: reached, Err: err}
	}
	var (
		notReached  = refusal(504, "D504CO", "Backend service connect failed `Timeout connecting to 10.0.0.1:80`")
		mayHaveRun  = refusal(500, "", "Internal Error")
		bare        = refusal(503, "", "")
		rateLimit   = refusal(429, "T429PR", "")
		replayed    = refusal(400, "", "Nonce Used")
		breakerOpen = refusal(503, "D503CB", "")
		anybody     = refusal(503, "", "Service Unavailable")
		broken      = network(errors.New("connection reset"), catalog.ReachedMaybe)
	)
	replayAttack, _ := ClassifyBody(429, nil, []byte("Replay Attack Detected"))
	throttleWait := RetryPolicy{MaxThrottleWait: 5 * time.Second}
	const again = StopUnknown
	for name, c := range map[string]struct {
		failure *Error
		policy  RetryPolicy
		edit    func(*situation)
		backOff time.Duration
		stop    StopReason
		delay   time.Duration
	}{
		"not reached, POST":  {failure: notReached, backOff: 7, stop: again, delay: 7},
		"may have run, POST": {failure: mayHaveRun, stop: StopMayHaveRun},
		"may have run, idempotent": {
			failure: mayHaveRun, edit: func(s *situation) { s.idempotent = true }, stop: again,
		},
		"may have run, permitted": {
			failure: mayHaveRun, policy: RetryPolicy{RetryNonIdempotent: true}, stop: again,
		},
		"no mark, POST": {failure: bare, stop: StopMayHaveRun},
		"no mark, status not listed": {
			failure: bare, policy: RetryPolicy{RetryableStatusCodes: []int{}}, stop: StopNotRetryable,
		},
		"quota": {failure: refusal(403, "", "Quota Exhausted"), stop: StopNotRetryable},
		"last attempt": {
			failure: notReached, edit: func(s *situation) { s.attempt = 4 }, stop: StopMaxAttempts,
		},
		"last but one": {
			failure: notReached, edit: func(s *situation) { s.attempt = 3 }, stop: again,
		},
		"context ended, a response": {
			failure: notReached, edit: func(s *situation) { s.ended = true }, stop: StopContext,
		},
		"context ended, another refusal": {
			failure: refusal(403, "", "Quota Exhausted"), edit: func(s *situation) { s.ended = true },
			stop: StopNotRetryable,
		},
		"context ended, no response": {
			failure: broken, edit: func(s *situation) { s.ended, s.idempotent = true, true }, stop: StopContext,
		},
		"context ended, permanent": {
			failure: network(http.ErrSchemeMismatch, catalog.ReachedNo),
			edit:    func(s *situation) { s.ended = true }, stop: StopContext,
		},
		"permanent": {
			failure: network(http.ErrSchemeMismatch, catalog.ReachedNo), stop: StopPermanent,
		},
		"connection broke, POST": {failure: broken, stop: StopMayHaveRun},
		"not connected, POST":    {failure: network(errors.New("refused"), catalog.ReachedNo), stop: again},
		"nonce that nobody renews": {
			failure: notReached, edit: func(s *situation) { s.carriesNonce = true }, stop: StopNonce,
		},
		"nonce that is renewed": {
			failure: notReached, edit: func(s *situation) { s.carriesNonce, s.renewsNonce = true, true },
			stop: again,
		},
		"body cannot be sent again": {
			failure: notReached, edit: func(s *situation) { s.bodyReplayable = false }, stop: StopBody,
		},
		"nonce used, first attempt": {failure: replayed, stop: StopNotRetryable},
		"nonce used, sent twice below": {
			failure: replayed,
			edit:    func(s *situation) { s.replayedBelow, s.renewsNonce, s.idempotent = true, true, true },
			stop:    again,
		},
		"nonce used, nobody renews": {
			failure: replayed, edit: func(s *situation) { s.replayedBelow, s.idempotent = true, true },
			stop: StopNotRetryable,
		},
		"nonce used, of a plug-in": {
			failure: replayAttack, policy: throttleWait,
			edit: func(s *situation) { s.replayedBelow, s.renewsNonce, s.idempotent = true, true, true },
			stop: StopNotRetryable,
		},
		"breaker open": {
			failure: breakerOpen, edit: func(s *situation) { s.idempotent = true }, stop: StopRetryAfter,
		},
		"breaker open, the server knows": {
			failure: breakerOpen, edit: func(s *situation) { s.asked = time.Second }, backOff: 7, stop: again,
			delay: time.Second + 7,
		},
		"breaker open, time enough": {
			failure: breakerOpen, policy: RetryPolicy{MaxRetryAfter: time.Hour}, backOff: 7, stop: again,
			delay: 90*time.Second + 7,
		},
		"reset, spread": {
			failure: rateLimit, policy: throttleWait,
			edit: func(s *situation) { s.asked, s.spread = 4*time.Second, time.Second/2 }, backOff: 7, stop: again,
			delay: 4*time.Second + time.Second/2,
		},
		"reset, spread within the rest": {
			failure: rateLimit, policy: throttleWait,
			edit: func(s *situation) { s.asked, s.spread = 5*time.Second, time.Second/2 }, stop: again,
			delay: 5 * time.Second,
		},
		"known row of an unknown writer": {
			failure: anybody, edit: func(s *situation) { s.idempotent = true }, stop: again,
		},
		"the same, status not in the list": {
			failure: anybody, policy: RetryPolicy{RetryableStatusCodes: []int{502}},
			edit: func(s *situation) { s.idempotent = true }, stop: StopNotRetryable,
		},
		"nonce used, after a retry": {
			failure: replayed,
			edit:    func(s *situation) { s.attempt, s.replayedBelow, s.renewsNonce = 2, true, true },
			stop:    StopNonceUsed,
		},
		"throttled": {failure: rateLimit, stop: StopThrottled},
		"throttled, waits a window": {
			failure: rateLimit, policy: throttleWait, stop: again, delay: time.Second,
		},
		"throttled, backoff on top": {
			failure: rateLimit, policy: throttleWait, backOff: time.Second, stop: again, delay: 2 * time.Second,
		},
		"throttled, backoff within the rest": {
			failure: rateLimit, policy: throttleWait, backOff: time.Hour, stop: again, delay: 5 * time.Second,
		},
		"throttled, asked": {
			failure: rateLimit, policy: throttleWait, edit: func(s *situation) { s.asked = 4 * time.Second },
			stop: again, delay: 4 * time.Second,
		},
		"throttled, asked too much": {
			failure: rateLimit, policy: throttleWait, edit: func(s *situation) { s.asked = 6 * time.Second },
			stop: StopThrottled,
		},
		"throttled, waited enough": {
			failure: rateLimit, policy: throttleWait, edit: func(s *situation) { s.waited = 4*time.Second + 1 },
			stop: StopThrottled,
		},
		"429 that the policy lists": {
			failure: refusal(429, "", ""), policy: RetryPolicy{RetryableStatusCodes: []int{429}},
			edit: func(s *situation) { s.idempotent = true }, stop: again,
		},
		"asked for a delay": {
			failure: notReached, edit: func(s *situation) { s.asked = time.Second }, backOff: 1, stop: again,
			delay: time.Second + 1,
		},
		"asked for too long a delay": {
			failure: notReached, edit: func(s *situation) { s.asked = 31 * time.Second }, stop: StopRetryAfter,
		},
		"asked for ever": {
			failure: notReached, policy: RetryPolicy{MaxRetryAfter: math.MaxInt64},
			edit: func(s *situation) { s.asked = math.MaxInt64 }, backOff: time.Hour, stop: again,
			delay: math.MaxInt64,
		},
		"backoff says stop": {failure: notReached, backOff: -1, stop: StopBackOff},
		"behind MaxElapsed": {
			failure: notReached, policy: RetryPolicy{MaxElapsed: 3}, edit: func(s *situation) { s.elapsed = 2 },
			backOff: 2, stop: StopMaxElapsed,
		},
		"at MaxElapsed": {
			failure: notReached, policy: RetryPolicy{MaxElapsed: 3}, edit: func(s *situation) { s.elapsed = 2 },
			backOff: 1, stop: again, delay: 1,
		},
		"MaxElapsed, endless delay": {
			failure: notReached, policy: RetryPolicy{MaxElapsed: math.MaxInt64},
			edit: func(s *situation) { s.elapsed = 2 }, backOff: math.MaxInt64, stop: StopMaxElapsed,
		},
		"at the deadline": {
			failure: notReached, edit: func(s *situation) { s.left = 5 }, backOff: 5, stop: StopDeadline,
		},
		"before the deadline": {
			failure: notReached, edit: func(s *situation) { s.left = 5 }, backOff: 4, stop: again, delay: 4,
		},
	} {
		t.Run(name, func(t *testing.T) {
			s := situation{policy: &c.policy, attempt: 1, left: noDeadline, bodyReplayable: true}
			if c.edit != nil {
				c.edit(&s)
			}
			asked := 0
			got := decide(c.failure, s, func() time.Duration { asked++; return c.backOff })
			if StopReason(got.unless) != c.stop || c.stop == again && got.delay != c.delay {
				t.Errorf("got %v, delay %v; want %v, %v", StopReason(got.unless), got.delay, c.stop, c.delay)
			}
			if asked > 1 || c.stop == again && asked != 1 {
				t.Errorf("the backoff was asked %d times", asked)
			}
		})
	}
}

// The backoff counts its calls, so a failure that cannot be retried asks none.
func TestDecideAsksNoBackOffInVain(t *testing.T) {
	s := situation{policy: &RetryPolicy{}, attempt: 1, left: noDeadline, bodyReplayable: true}
	decide(classified(403, "", "Quota Exhausted"), s, func() time.Duration {
		t.Error("the backoff was asked")
		return 0
	})
}
