package apigw

import (
	"net/http"
	"testing"
	"testing/synctest"
)

// What is retried for which method: the table of the README.
func TestDecisions(t *testing.T) {
	const get, post = http.MethodGet, http.MethodPost
	d504 := func(reason string) answer {
		return answer{status: 504, code: "D504CO", message: "Backend service connect failed `" + reason + "`"}
	}
	for name, c := range map[string]struct {
		answer answer
		method string
		header string
		policy RetryPolicy
		stop   StopReason
	}{
		"503 of the gateway, GET":  {unavailable, get, "", RetryPolicy{}, StopMaxAttempts},
		"503 of the gateway, POST": {unavailable, post, "", RetryPolicy{}, StopMaxAttempts},
		"circuit open, POST": {
			answer{status: 503, code: "D503CB"}, post, "", RetryPolicy{}, StopRetryAfter,
		},
		"connect timeout, POST": {
			d504("Timeout connecting to 10.0.0.1:80"), post, "", RetryPolicy{}, StopMaxAttempts,
		},
		"no pooled connection, POST": {
			d504("Connection lease request time out"), post, "", RetryPolicy{}, StopMaxAttempts,
		},
		"backend closed, POST":              {d504("Connection is closed"), post, "", RetryPolicy{}, StopMayHaveRun},
		"backend closed, GET":               {d504("Connection is closed"), get, "", RetryPolicy{}, StopMaxAttempts},
		"internal error, GET":               {internal, get, "", RetryPolicy{}, StopMaxAttempts},
		"internal error, HEAD":              {internal, http.MethodHead, "", RetryPolicy{}, StopMaxAttempts},
		"internal error, PUT":               {internal, http.MethodPut, "", RetryPolicy{}, StopMaxAttempts},
		"internal error, DELETE":            {internal, http.MethodDelete, "", RetryPolicy{}, StopMaxAttempts},
		"internal error, OPTIONS":           {internal, http.MethodOptions, "", RetryPolicy{}, StopMaxAttempts},
		"internal error, POST":              {internal, post, "", RetryPolicy{}, StopMayHaveRun},
		"internal error, PATCH":             {internal, http.MethodPatch, "", RetryPolicy{}, StopMayHaveRun},
		"internal error, POST with key":     {internal, post, "Idempotency-Key", RetryPolicy{}, StopMaxAttempts},
		"internal error, POST with odd key": {internal, post, "x-idempotency-key", RetryPolicy{}, StopMaxAttempts},
		"internal error, POST, permitted": {
			internal, post, "", RetryPolicy{RetryNonIdempotent: true}, StopMaxAttempts,
		},
		"failed to invoke, POST": {
			answer{status: 500, message: "Failed To Invoke Backend Service"}, post, "", RetryPolicy{}, StopMayHaveRun,
		},
		"async service, POST": {
			answer{status: 504, message: "Async Service"}, post, "", RetryPolicy{}, StopMayHaveRun,
		},
		"backend timeout, POST": {
			answer{status: 504, code: "D504TO"}, post, "", RetryPolicy{}, StopMayHaveRun,
		},
		"expired API definition": {
			answer{status: 500, code: "X500ED"}, get, "", RetryPolicy{}, StopNotRetryable,
		},
		"malformed API metadata": {
			answer{status: 500, code: "X500AM"}, get, "", RetryPolicy{}, StopNotRetryable,
		},
		"throttled": {throttled, get, "", RetryPolicy{}, StopThrottled},
		"throttled by code": {
			answer{status: 429, code: "T429PR"}, post, "", RetryPolicy{}, StopThrottled,
		},
		"quota": {quota, get, "", RetryPolicy{}, StopNotRetryable},
		"unauthorized": {
			answer{status: 403, message: "Unauthorized"}, get, "", RetryPolicy{}, StopNotRetryable,
		},
		"signature": {
			answer{status: 403, code: "A403IS"}, get, "", RetryPolicy{}, StopNotRetryable,
		},
		"timestamp": {
			answer{status: 400, message: "Timestamp Expired"}, get, "", RetryPolicy{}, StopNotRetryable,
		},
		"code before text": {
			answer{status: 503, code: "B403MQ", message: "Service Unavailable"}, get, "", RetryPolicy{},
			StopNotRetryable,
		},
		"unknown code of the gateway, GET": {
			answer{status: 500, code: "X500ZZ"}, get, "", RetryPolicy{}, StopMaxAttempts,
		},
		"unknown code of the gateway, POST": {
			answer{status: 500, code: "X500ZZ"}, post, "", RetryPolicy{}, StopMayHaveRun,
		},
		"unknown code of a client error": {
			answer{status: 403, code: "A403ZZ"}, get, "", RetryPolicy{}, StopNotRetryable,
		},
		"503 of the backend, GET":  {answer{status: 503}, get, "", RetryPolicy{}, StopMaxAttempts},
		"503 of the backend, POST": {answer{status: 503}, post, "", RetryPolicy{}, StopMayHaveRun},
		"502 of the backend, GET":  {answer{status: 502}, get, "", RetryPolicy{}, StopMaxAttempts},
		"501 of the backend, GET":  {answer{status: 501}, get, "", RetryPolicy{}, StopNotRetryable},
		"404 of the backend":       {answer{status: 404}, get, "", RetryPolicy{}, StopNotRetryable},
		"429 of the backend":       {answer{status: 429}, get, "", RetryPolicy{}, StopThrottled},
		"status listed in the policy": {
			answer{status: 425}, get, "", RetryPolicy{RetryableStatusCodes: []int{425}}, StopMaxAttempts,
		},
		"429 listed in the policy": {
			answer{status: 429}, get, "", RetryPolicy{RetryableStatusCodes: []int{429}}, StopMaxAttempts,
		},
		"empty list of statuses": {
			answer{status: 503}, get, "", RetryPolicy{RetryableStatusCodes: []int{}}, StopNotRetryable,
		},
		"empty list leaves the gateway's 503": {
			unavailable, get, "", RetryPolicy{RetryableStatusCodes: []int{}}, StopMaxAttempts,
		},
		"OK on a failure is no mark": {
			answer{status: 503, message: "OK"}, post, "", RetryPolicy{}, StopMayHaveRun,
		},
		"text of a mapping plug-in, GET": {
			answer{status: 503, message: "Shop closed"}, get, "", RetryPolicy{}, StopMaxAttempts,
		},
		"text of a mapping plug-in, POST": {
			answer{status: 503, message: "Shop closed"}, post, "", RetryPolicy{}, StopMayHaveRun,
		},
		"known words and more, POST": {
			answer{status: 503, message: "Service Unavailable: stock service"}, post, "", RetryPolicy{}, StopMayHaveRun,
		},
		"one attempt only":            {unavailable, get, "", RetryPolicy{MaxAttempts: 1}, StopMaxAttempts},
		"negative number of attempts": {unavailable, get, "", RetryPolicy{MaxAttempts: -3}, StopMaxAttempts},
		"unknown method":              {internal, "BREW", "", RetryPolicy{}, StopMayHaveRun},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				base := serve(c.answer)
				req := newRequest(t, c.method, "")
				if c.header != "" {
					req.Header[c.header] = []string{"k"}
				}
				e := mustFail(t, &Transport{Base: base, Policy: c.policy}, req)
				if e.Stop != c.stop {
					t.Errorf("stopped by %v, want %v", e.Stop, c.stop)
				}
				want := 1
				if c.stop == StopMaxAttempts {
					want = c.policy.maxAttempts()
				}
				if base.attempts() != want || len(e.Attempts) != want {
					t.Errorf("%d attempts sent, %d told, want %d", base.attempts(), len(e.Attempts), want)
				}
			})
		})
	}
}
