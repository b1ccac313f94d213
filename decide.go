package apigw

import (
	"time"

	"github.com/apigw-go/apigw/catalog"
)

// judgement is what a failure by itself allows, before attempts, time, budget
// and body are asked.
type judgement struct {
	stop      StopReason // 0: another attempt may follow
	throttled bool       // it has to wait for a rate limit
}

// judge decides on a failure. Transport and the go-retryablehttp adapters both
// come here.
func (p *RetryPolicy) judge(e *Error, idempotent bool) judgement {
	switch {
	case e.Origin == OriginNone:
		if permanent(e.Err) {
			return judgement{stop: StopPermanent}
		}
		return judgement{stop: p.unlessRepeatable(e, idempotent)}
	case e.Entry.Class == catalog.ClassThrottled && !p.retryableAnswer(e):
		if p.MaxThrottleWait <= 0 {
			return judgement{stop: StopThrottled}
		}
		return judgement{stop: p.unlessRepeatable(e, idempotent), throttled: true}
	case e.Origin == OriginGateway && e.Entry.Retry == catalog.RetryNo,
		e.Origin != OriginGateway && !p.retryableStatus(e.Status):
		return judgement{stop: StopNotRetryable}
	}
	return judgement{stop: p.unlessRepeatable(e, idempotent)}
}

// retryableAnswer reports whether the policy lists the status of an answer
// without a mark of the gateway.
func (p *RetryPolicy) retryableAnswer(e *Error) bool {
	return e.Origin != OriginGateway && p.retryableStatus(e.Status)
}

func (p *RetryPolicy) unlessRepeatable(e *Error, idempotent bool) StopReason {
	if e.Reached == catalog.ReachedNo || idempotent || p.RetryNonIdempotent {
		return StopUnknown
	}
	return StopMayHaveRun
}

// throttleWindow is the shortest window of a rate limit.
// https://www.alibabacloud.com/help/en/api-gateway, throttling plug-in
const throttleWindow = time.Second
