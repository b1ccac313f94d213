package apigw

import (
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/apigw-go/apigw/catalog"
)

// Refusals dressed as success are failures only where the policy says so.
func TestSuccessMarks(t *testing.T) {
	functionFailed := SuccessMark{Header: "x-fc-error-type"}
	rateLimited := SuccessMark{JSONField: "code", JSONValue: "-1"}
	errorType := http.Header{"X-Fc-Error-Type": {"UnhandledInvocationError"}}
	failed := answer{status: 200, header: errorType, body: `{"errorMessage":"boom","errorType":"E"}`}
	reset := http.Header{"X-Ratelimit-Reset": {"3"}}
	limited := answer{status: 200, header: reset, body: `{ "code": -1, "msg": "Too many requests" }`}
	for name, c := range map[string]struct {
		script []answer
		marks  []SuccessMark
		wait   time.Duration // MaxThrottleWait
		id     string        // "" for a success
		class  catalog.Class
		stop   StopReason
		sent   int
	}{
		"no marks": {[]answer{failed}, nil, 0, "", 0, 0, 1},
		"header": {
			[]answer{failed}, []SuccessMark{functionFailed}, 0, "fc.unhandled-error", catalog.ClassBackendError,
			StopNotRetryable, 1,
		},
		"header with a value": {
			[]answer{failed}, []SuccessMark{{Header: "X-Fc-Error-Type", HeaderValue: "unhandledinvocationerror"}},
			0, "fc.unhandled-error", catalog.ClassBackendError, StopNotRetryable, 1,
		},
		"header, other value": {
			[]answer{failed}, []SuccessMark{{Header: "X-Fc-Error-Type", HeaderValue: "HandledInvocationError"}}, 0,
			"", 0, 0, 1,
		},
		"JSON": {
			[]answer{limited}, []SuccessMark{functionFailed, rateLimited}, 0, "higress.too-many-requests-200",
			catalog.ClassThrottled, StopThrottled, 1,
		},
		"JSON, waited for": {[]answer{limited, ok}, []SuccessMark{rateLimited}, time.Minute, "", 0, 0, 2},
		"JSON, a string": {
			[]answer{{status: 200, body: `{"code":"-1"}`}}, []SuccessMark{rateLimited}, 0, "", 0, 0, 1,
		},
		"JSON, no object": {[]answer{{status: 200, body: `[-1]`}}, []SuccessMark{rateLimited}, 0, "", 0, 0, 1},
		"JSON in a field": {
			[]answer{{status: 200, body: `{"data":{"code":-1}}`}}, []SuccessMark{rateLimited}, 0, "", 0, 0, 1,
		},
		"JSON and header": {
			[]answer{limited}, []SuccessMark{{Header: "X-RateLimit-Reset", JSONField: "code", JSONValue: "-1"}}, 0,
			"higress.too-many-requests-200", catalog.ClassThrottled, StopThrottled, 1,
		},
		"JSON without header": {
			[]answer{limited}, []SuccessMark{{Header: "X-Other", JSONField: "code", JSONValue: "-1"}}, 0, "", 0, 0,
			1,
		},
		"no row": {
			[]answer{{status: 200, body: `{"success":false}`}},
			[]SuccessMark{{JSONField: "success", JSONValue: "false"}}, 0, catalog.UnknownID, catalog.ClassUnknown,
			StopNotRetryable, 1,
		},
		"mark without any field": {[]answer{failed}, []SuccessMark{{}}, 0, "", 0, 0, 1},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				sent := 0
				base := serve(c.script...)
				tr := &Transport{
					Base: roundTripFunc(func(req *http.Request) (*http.Response, error) {
						sent++
						return base.RoundTrip(req)
					}),
					Policy: RetryPolicy{SuccessMarks: c.marks, MaxThrottleWait: c.wait},
				}
				start := time.Now()
				resp, err := tr.RoundTrip(newRequest(t, http.MethodGet, ""))
				if err != nil {
					t.Fatal(err)
				}
				id, stop, class := "", StopUnknown, catalog.ClassUnknown
				if e, failed := FromResponse(resp); failed {
					id, stop, class = e.Entry.ID, e.Stop, e.Entry.Class
				}
				if id != c.id || stop != c.stop || class != c.class || sent != c.sent {
					t.Errorf("got %q, %v, %v, sent %d times; want %q, %v, %v, %d", id, class, stop, sent, c.id,
						c.class, c.stop, c.sent)
				}
				if body, _ := io.ReadAll(resp.Body); string(body) != c.script[sent-1].body {
					t.Errorf("body %q, want %q", body, c.script[sent-1].body)
				}
				if took := time.Since(start); c.sent > 1 && (took < 3*time.Second || took > 4*time.Second) {
					t.Errorf("sent again after %v, want 3s and less than one more", took)
				}
			})
		})
	}
}

// A long answer streams on although the policy looks into successes.
func TestSuccessMarkLeavesALongAnswerAlone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		long := strings.Repeat("x", 3*maxPeek)
		marked := RetryPolicy{SuccessMarks: []SuccessMark{{JSONField: "code", JSONValue: "-1"}}}
		tr := &Transport{Policy: marked, Base: roundTripFunc(func(req *http.Request) (*http.Response, error) {
			body := io.NopCloser(strings.NewReader(long))
			return &http.Response{StatusCode: 200, ContentLength: -1, Body: body, Request: req}, nil
		})}
		resp, err := tr.RoundTrip(newRequest(t, http.MethodGet, ""))
		if err != nil {
			t.Fatal(err)
		}
		if body, err := io.ReadAll(resp.Body); string(body) != long || err != nil {
			t.Errorf("got %d bytes, %v; want %d", len(body), err, len(long))
		}
	})
}

func TestSuccessMarksAreValidated(t *testing.T) {
	for name, c := range map[string]struct {
		mark SuccessMark
		want string
	}{
		"empty":         {SuccessMark{}, "SuccessMarks[0]: give Header or JSONField"},
		"value alone":   {SuccessMark{HeaderValue: "x", JSONField: "a", JSONValue: "1"}, "HeaderValue needs Header"},
		"field alone":   {SuccessMark{JSONField: "code"}, "need each other"},
		"value, no key": {SuccessMark{Header: "X", JSONValue: "1"}, "need each other"},
		"bare word":     {SuccessMark{JSONField: "code", JSONValue: "failed"}, "needs its quotes"},
		"good":          {SuccessMark{Header: "X", JSONField: "code", JSONValue: `"failed"`}, ""},
	} {
		t.Run(name, func(t *testing.T) {
			p := RetryPolicy{SuccessMarks: []SuccessMark{c.mark}}
			err := p.Validate()
			if (err == nil) != (c.want == "") || err != nil && !strings.Contains(err.Error(), c.want) {
				t.Errorf("got %v, want %q", err, c.want)
			}
		})
	}
}

// The decoded refusal reaches Recorder and hooks like any failure.
func TestSuccessMarkIsReported(t *testing.T) {
	var done Result
	tr := &Transport{
		Base:   serve(answer{status: 200, header: http.Header{"X-Fc-Error-Type": {"HandledInvocationError"}}}),
		Policy: RetryPolicy{SuccessMarks: []SuccessMark{{Header: "X-Fc-Error-Type"}}},
		OnDone: func(_ *http.Request, r Result) { done = r },
	}
	if _, err := tr.RoundTrip(newRequest(t, http.MethodGet, "")); err != nil {
		t.Fatal(err)
	}
	if done.Status != 200 || !errors.Is(done.Err, ErrBackend) {
		t.Errorf("got %+v, want status 200 and an error of the backend", done)
	}
}
