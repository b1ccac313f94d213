package apigw

import (
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// What a body says goes before what its status suggests.
func TestMeaningBeforeStatus(t *testing.T) {
	for name, c := range map[string]struct {
		status int
		header http.Header
		body   string
		is     error
		not    error
		stop   StopReason
	}{
		"used nonce, no rate limit": {429, nil, "Replay Attack Detected", ErrReplay, ErrThrottled, StopNotRetryable},
		"quota, no authorization": {
			403, nil, "Request denied by ai quota check, No quota left", ErrQuota, ErrAuth, StopNotRetryable,
		},
		"token expired": {401, nil, "Jwt is expired", ErrAuth, ErrAccessControl, StopNotRetryable},
		"answered and billed": {
			500, nil, "failed to process response body: EOF", ErrGateway, ErrBackend, StopNotRetryable,
		},
		"a step of the workflow ran": {
			500, nil, "workflow exec task find error,code is 7,body is x", ErrGateway, ErrBackend, StopNotRetryable,
		},
		"Envoy's header, not I400HD": {
			400, nil, "invalid header 'x-envoy-max-retries' with value 'many'", ErrBadRequest, nil,
			StopNotRetryable,
		},
		"rate limit": {429, nil, "rate_limited", ErrThrottled, nil, StopThrottled},
		"concurrency limit": {
			429, http.Header{"X-Fc-Request-Id": {"1"}}, `{"errorCode":"ResourceExhausted","errorMessage":"m"}`,
			ErrThrottled, nil, StopThrottled,
		},
		"update of a function": {
			409, http.Header{"X-Fc-Request-Id": {"1"}}, `{"errorCode":"ConcurrentUpdateError","errorMessage":"m"}`,
			ErrGateway, nil, StopMaxAttempts,
		},
		"keys could not be fetched": {401, nil, "Jwks remote fetch is failed", ErrGateway, ErrAuth, StopMaxAttempts},
		"token expired, code in JSON": {
			401, nil, `{"code":"A403JE","message":"expired"}`, ErrAuth, nil, StopNotRetryable,
		},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				start := time.Now()
				base := serve(answer{status: c.status, header: c.header, body: c.body})
				tr := &Transport{Base: base, Policy: RetryPolicy{MaxAttempts: 2}}
				e := mustFail(t, tr, newRequest(t, http.MethodGet, ""))
				if !errors.Is(e, c.is) || c.not != nil && errors.Is(e, c.not) || e.Stop != c.stop {
					t.Errorf("got %v, %v; want %v and %v", e.Entry.Class, e.Stop, c.is, c.stop)
				}
				if c.stop == StopNotRetryable && time.Since(start) != 0 {
					t.Errorf("waited %v", time.Since(start))
				}
			})
		})
	}
}

// A used nonce is not waited for, whatever a policy allows for rate limits.
func TestReplayAttackIsNotWaitedFor(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		start := time.Now()
		reset := http.Header{"X-Ratelimit-Reset": {"5"}}
		tr := &Transport{
			Base:   serve(answer{status: 429, header: reset, body: "Replay Attack Detected"}),
			Policy: RetryPolicy{MaxThrottleWait: time.Hour},
		}
		if e := mustFail(t, tr, newRequest(t, http.MethodGet, "")); e.Stop != StopNotRetryable ||
			time.Since(start) != 0 {
			t.Errorf("got %v after %v, want not-retryable at once", e.Stop, time.Since(start))
		}
	})
}

// A retry that meets a used nonce reports the failure that it was made for.
func TestReplayAttackAfterARetry(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		lost, replayed := answer{status: 503, body: "lost"}, answer{status: 429, body: "Replay Attack Detected"}
		tr := &Transport{Base: serve(lost, replayed)}
		e := mustFail(t, tr, newRequest(t, http.MethodGet, ""))
		if e.Stop != StopNonceUsed || e.Status != 503 || len(e.Attempts) != 2 {
			t.Errorf("got %v, status %d, %d attempts; want nonce-used, 503, 2", e.Stop, e.Status, len(e.Attempts))
		}
	})
}

// ClassifyBody looks at what a Transport would look at.
func TestClassifyBodyIsBounded(t *testing.T) {
	const text = "rate_limited"
	for name, c := range map[string]struct {
		header http.Header
		body   []byte
		known  bool
	}{
		"text":         {nil, []byte(text), true},
		"none":         {nil, nil, false},
		"too long":     {nil, []byte(text + strings.Repeat(" ", maxPeek)), false},
		"compressed":   {http.Header{"Content-Encoding": {"br"}}, []byte(text), false},
		"HTML":         {http.Header{"Content-Type": {"text/html"}}, []byte(text), false},
		"classic mark": {http.Header{headerErrorMessage: {"Shop closed"}}, []byte(text), false},
	} {
		t.Run(name, func(t *testing.T) {
			e, ok := ClassifyBody(429, c.header, c.body)
			if !ok || (e.Entry.ID == "higress.rate-limited") != c.known {
				t.Errorf("got %s, %v; want the row: %v", e.Entry.ID, ok, c.known)
			}
		})
	}
	if _, ok := ClassifyBody(200, nil, []byte(text)); ok {
		t.Error("a success is a failure")
	}
	if e, ok := ClassifyBody(0, nil, []byte(text)); !ok || e.Entry.ID != "higress.rate-limited" {
		t.Errorf("a text alone: got %v, %v", e, ok)
	}
}

// The text of a body reaches neither Error nor a log but in the catalog's words.
func TestBodiesAreNotShown(t *testing.T) {
	e, _ := ClassifyBody(503, nil, []byte("redis error:dial tcp 10.0.0.1: AUTH tops3cret failed"))
	if text := e.Error(); strings.Contains(text, "tops3cret") || !strings.Contains(text, "redis error:") {
		t.Errorf("got %q", text)
	}
}

// Attempts of a call carry what the bodies said.
func TestAttemptsHaveTheTextOfTheBody(t *testing.T) {
	tr := &Transport{Base: serve(answer{status: 403, body: "RBAC: access denied\n"})}
	resp, err := tr.RoundTrip(newRequest(t, http.MethodGet, ""))
	if err != nil {
		t.Fatal(err)
	}
	e, _ := FromResponse(resp)
	if len(e.Attempts) != 1 || e.Attempts[0].Message != "RBAC: access denied" {
		t.Errorf("got %+v", e.Attempts)
	}
	if body, _ := io.ReadAll(resp.Body); string(body) != "RBAC: access denied\n" {
		t.Errorf("body %q", body)
	}
}
