package apigw

import "fmt"

// StopReason says why there was no further attempt.
type StopReason uint8

// The reasons. Text explains each in a sentence, String is its name for
// machines.
const (
	StopUnknown       StopReason = iota // not decided
	StopNotRetryable                    // the request itself has to change
	StopThrottled                       // throttled, and the policy does not wait (so long)
	StopMaxAttempts                     // MaxAttempts used up
	StopMaxElapsed                      // the delay would pass MaxElapsed
	StopDeadline                        // the delay would pass the context's deadline
	StopContext                         // the context ended
	StopBudget                          // the retry budget of the host is empty
	StopMayHaveRun                      // not idempotent, and the backend may have run it
	StopBody                            // the body cannot be sent again
	StopNonce                           // carries an X-Ca-Nonce that nobody would renew
	StopNonceUsed                       // an earlier copy of the request was accepted
	StopRetryAfter                      // Retry-After is longer than MaxRetryAfter
	StopBackOff                         // the policy's BackOff said stop
	StopPermanent                       // certificate, scheme or request malformed
	StopPrepareFailed                   // PrepareRetry returned an error
	StopPaced                           // no place under the call limit in time
	StopQuotaHeld                       // the quota was refused shortly before (QuotaHold)
)

var stopReasons = [...]struct{ name, text string }{
	{"unknown", "not decided"},
	{"not-retryable", "another attempt cannot help"},
	{"throttled", "throttled, and the policy does not wait that long (MaxThrottleWait)"},
	{"max-attempts", "all attempts are used up (MaxAttempts)"},
	{"max-elapsed", "the next attempt would begin behind the time limit (MaxElapsed)"},
	{"deadline", "the delay would pass the deadline of the context"},
	{"context-done", "the context ended"},
	{"budget-empty", "the retry budget of this host is empty"},
	{"may-have-run", "the backend may have run it, and it is not idempotent; " +
		"an Idempotency-Key header or RetryNonIdempotent would permit a retry"},
	{"body-not-replayable", "the body cannot be sent again; set GetBody, or keep it below MaxBodyBuffer"},
	{"nonce-not-renewed", "the request carries an X-Ca-Nonce that nobody would renew; " +
		"sign below the Transport, or set PrepareRetry to the signer's Sign"},
	{"nonce-used", "an earlier copy of the request was accepted and may have run"},
	{"retry-after-too-long", "the server, or the catalog for this error, asks for a longer delay than MaxRetryAfter"},
	{"backoff-stopped", "the BackOff of the policy said stop"},
	{"permanent", "the request cannot be sent like this, now or later"},
	{"prepare-failed", "PrepareRetry failed"},
	{"paced", "the call limit has no place for it in time (MaxThrottleWait, the deadline of the context)"},
	{"quota-held", "answered by apigw, not sent: the quota was refused shortly before (QuotaHold)"},
}

// String returns the reason's name, such as "max-attempts".
func (s StopReason) String() string {
	if int(s) < len(stopReasons) {
		return stopReasons[s].name
	}
	return fmt.Sprintf("StopReason(%d)", uint8(s))
}

// Text explains the reason and names the setting that would change it.
func (s StopReason) Text() string {
	if int(s) < len(stopReasons) {
		return stopReasons[s].text
	}
	return s.String()
}
