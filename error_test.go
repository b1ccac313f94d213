package apigw

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"
	"go.uber.org/zap/zaptest/observer"
)

func TestErrorText(t *testing.T) {
	for name, c := range map[string]struct {
		err  *Error
		want string
	}{
		"code": {
			classified(403, "B403MQ", "Api Market Subscription quota exhausted"),
			"apigw: B403MQ 403 Api Market Subscription quota exhausted: the marketplace call package is used up; buy more calls",
		},
		"classic": {
			classified(403, "", "Quota Exhausted"),
			"apigw: 403 Quota Exhausted: all purchased calls are used; buy more calls, then call again",
		},
		"unverified": {
			classified(503, "X503BZ", ""),
			"apigw: X503BZ 503 Service Busy: the gateway is busy (unverified); wait, then retry",
		},
		"inferred": {
			classified(429, "T429ZZ", ""),
			"apigw: T429ZZ 429: a rate limit that is not in the catalog refused the call (inferred from the code); slow down, retry after the limit window",
		},
		"safe parameter": {
			classified(400, "I400MH", "Header `X-Ca-Key` is Required"),
			"apigw: I400MH 400 Header `X-Ca-Key` is Required: a required request header is missing (for example X-Ca-Key on a signed API); send the named header",
		},
		"reason of a failed connection": {
			classified(504, "D504CO", "Backend service connect failed `Timeout connecting to 10.0.0.1:80`"),
			"apigw: D504CO 504 Backend service connect failed `Timeout connecting to 10.0.0.1:80`: the gateway could not get or keep a connection to the backend; provider checks address, security group, firewall, allow lists and that the service runs; repeat only when safe",
		},
		"string to sign": {
			classified(400, "", "Invalid Signature, Server StringToSign:`POST#a##/x?password=tops3cret`"),
			"apigw: 400 Invalid Signature, Server StringToSign:…: the signature does not match; the message carries the string the gateway signed, with # for line breaks; compare StringToSign with the local one; if equal, check the secret",
		},
		"text behind a known message": {
			classified(403, "", "User Arrears tops3cret"),
			"apigw: 403 User Arrears: the calling account owes money; pay the balance",
		},
		"unknown text": {
			classified(404, "", "Role\x1b[31m Not Exists at /a?key=tops3cret now\r\nX: y"),
			`apigw: 404 "Role�[31m Not Exists at /a?… now��X: y": the backend, or a proxy on the way, answered with this status; read the body; the API's own documentation explains it`,
		},
		"unknown text with a string to sign": {
			classified(400, "E1", "bad StringToSign: GET#tops3cret"),
			`apigw: E1 400 "bad StringToSign…": the backend, or a proxy on the way, answered with this status; read the body; the API's own documentation explains it`,
		},
	} {
		t.Run(name, func(t *testing.T) {
			if got := c.err.Error(); got != c.want {
				t.Errorf("got  %s\nwant %s", got, c.want)
			}
		})
	}
}

func classified(status int, code, message string) *Error {
	e, _ := Classify(status, headers(code, message))
	return e
}

func TestErrorTellsTheWholeStory(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := unavailable
		a.header = http.Header{headerRequestID: {"4D-1"}}
		e := mustFail(t, &Transport{Base: serve(a), Policy: RetryPolicy{MaxAttempts: 2}}, newRequest(t, http.MethodGet, ""))
		want := "apigw: 503 Service Unavailable: service not available at the moment; retry later when the call is safe to repeat; request id 4D-1" +
			"; GET api.example.com/v1/orders; 2 attempts, no further one: all attempts are used up (MaxAttempts)"
		if got := e.Error(); got != want {
			t.Errorf("got  %s\nwant %s", got, want)
		}
	})
}

func TestErrorWithoutResponse(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		cause := &url.Error{Op: "Get", URL: "http://inner.example/?token=tops3cret", Err: errors.New("connection reset")}
		_, err := (&Transport{Base: serve(answer{err: fmt.Errorf("inner: %w", cause)})}).RoundTrip(newRequest(t, http.MethodPost, ""))
		want := "apigw: no response; POST api.example.com/v1/orders: connection reset; 1 attempt, no further one: " + StopMayHaveRun.Text()
		if err == nil || err.Error() != want {
			t.Errorf("got  %v\nwant %s", err, want)
		}
	})
}

// A text that repeats the request's credentials is masked.
func TestErrorMasksCredentials(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		req := newRequest(t, http.MethodGet, "")
		req.Header.Set("Authorization", "APPCODE 0123456789abcdef")
		req.Header.Set("X-Ca-Signature", "c2lnbmF0dXJl")
		e := mustFail(t, &Transport{Base: serve(answer{status: 403, message: "0123456789abcdef and c2lnbmF0dXJl and token=tops3cret refused"})}, req)
		if got, want := e.SafeMessage(), `"*** and *** and *** refused"`; got != want {
			t.Errorf("got %s, want %s", got, want)
		}
	})
}

func TestErrorMasksEveryCookieAndCredential(t *testing.T) {
	req := newRequest(t, http.MethodGet, "")
	req.Header["cookie"] = []string{"session=tops3cret1; b=cccc"}
	req.Header["Authorization"] = []string{"Bearer x123456", "APPCODE deadbeef02"}
	e := mustFail(t, &Transport{Base: serve(answer{status: 400, message: "session=tops3cret1 with cccc, x123456 or deadbeef02"})}, req)
	if got, want := e.SafeMessage(), `"session=*** with ***, *** or ***"`; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

func TestFromResponseOfForeignResponses(t *testing.T) {
	for name, resp := range map[string]*http.Response{
		"nil":             nil,
		"without request": {StatusCode: 500},
		"never attached":  {StatusCode: 500, Request: newRequest(t, http.MethodGet, "")},
	} {
		if e, ok := FromResponse(resp); ok || e != nil {
			t.Errorf("%s: got %v, %v", name, e, ok)
		}
	}
}

func TestEnumsHaveNames(t *testing.T) {
	if got, want := len(stopReasons), int(StopPrepareFailed)+1; got != want {
		t.Errorf("%d stop reasons have texts, want %d", got, want)
	}
	var names []string
	for i := range stopReasons {
		s := StopReason(i)
		names = append(names, s.String())
		if s.String() == "" || s.Text() == "" {
			t.Errorf("stop reason %d lacks a name or a text", i)
		}
	}
	if slices.Sort(names); len(slices.Compact(names)) != len(stopReasons) {
		t.Errorf("names stand twice in %q", names)
	}
	for _, s := range []fmt.Stringer{StopReason(0), Origin(0)} {
		if s.String() != "unknown" {
			t.Errorf("%T: zero value is %q, want unknown", s, s)
		}
	}
	for got, want := range map[string]string{
		StopReason(99).String(): "StopReason(99)", StopReason(99).Text(): "StopReason(99)", Origin(99).String(): "Origin(99)",
		OriginNone.String(): "none", Jitter(9).String(): "Jitter(9)", JitterNone.String(): "none",
	} {
		if got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
}

func TestLogLevels(t *testing.T) {
	for name, c := range map[string]struct {
		answers []answer
		level   zapcore.Level
		want    []string
	}{
		"success":              {[]answer{ok}, zap.InfoLevel, nil},
		"success, debug":       {[]answer{ok}, zap.DebugLevel, []string{"debug apigw: attempt"}},
		"saved by a retry":     {[]answer{unavailable, ok}, zap.InfoLevel, []string{"info apigw: succeeded after retry"}},
		"given up":             {[]answer{quota}, zap.DebugLevel, []string{"debug apigw: attempt", "warn apigw: given up"}},
		"network failure":      {[]answer{reset}, zap.InfoLevel, []string{"warn apigw: given up"}},
		"only warnings wanted": {[]answer{unavailable, ok}, zap.WarnLevel, nil},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				core, logs := observer.New(c.level)
				tr := &Transport{Base: serve(c.answers...), Logger: zap.New(core)}
				if resp, err := tr.RoundTrip(newRequest(t, http.MethodPost, "")); err == nil {
					resp.Body.Close()
				}
				var got []string
				for _, entry := range logs.All() {
					got = append(got, entry.Level.String()+" "+entry.Message)
				}
				if !slices.Equal(got, c.want) {
					t.Errorf("got %q, want %q", got, c.want)
				}
			})
		})
	}
}

// Nothing that came with the request, and nothing that a hostile server says,
// gets into a log line at any level.
func TestLogHoldsNoSecret(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var buf bytes.Buffer
		encoder := zapcore.NewConsoleEncoder(zap.NewDevelopmentEncoderConfig())
		logger := zap.New(zapcore.NewCore(encoder, zapcore.AddSync(&buf), zap.DebugLevel))
		for _, a := range []answer{
			unavailable, quota, reset,
			{status: 400, message: "Invalid Signature, Server StringToSign:`POST#/x?password=tops3cret`"},
			{status: 403, message: "APPCODE tops3cret is wrong"},
			{status: 403, message: "User Arrears tops3cret"},
			{status: 403, code: "A400AC", message: "Invalid AppCode tops3cret"},
			{status: 403, code: "X", message: "see /v1/orders?token=tops3cret"},
			{status: 500, message: "fake\r\nline\x1b[2J", header: http.Header{headerRequestID: {"id\nfake line"}}},
			{err: &url.Error{Op: "Get", URL: "http://h/?token=tops3cret", Err: io.ErrUnexpectedEOF}},
		} {
			req := newRequest(t, http.MethodGet, "")
			req.Header.Set("Authorization", "APPCODE tops3cret")
			resp, err := (&Transport{Base: serve(a), Logger: logger}).RoundTrip(req)
			if err != nil {
				fmt.Fprintln(&buf, err)
				continue
			}
			resp.Body.Close()
			e, _ := FromResponse(resp)
			fmt.Fprintln(&buf, e)
		}
		if got := buf.String(); strings.Contains(got, "tops3cret") || strings.ContainsAny(got, "\x1b\r") || strings.Contains(got, "\nfake") {
			t.Errorf("a secret or a forged line is in\n%s", got)
		}
	})
}

func TestLogFields(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		core, logs := observer.New(zap.InfoLevel)
		tr := &Transport{Base: serve(answer{status: 429, code: "T429PA", header: http.Header{headerRequestID: {"r1"}}}), Logger: zap.New(core)}
		mustFail(t, tr, newRequest(t, http.MethodPost, ""))
		fields := logs.All()[0].ContextMap()
		got, _ := fields["error"].(map[string]any)
		for k, want := range map[string]any{
			"id": "T429PA", "code": "T429PA", "status": 429, "class": "throttled", "origin": "gateway", "unverified": true,
			"backend_reached": "no", "request_id": "r1", "stop_reason": "throttled", "message": "Throttled by API Flow Control",
		} {
			if got[k] != want {
				t.Errorf("error.%s = %v, want %v", k, got[k], want)
			}
		}
		if fields["host"] != "api.example.com" || fields["path"] != "/v1/orders" || fields["method"] != "POST" {
			t.Errorf("got %v", fields)
		}
		if list, _ := got["attempts"].([]any); len(list) != 1 || list[0].(map[string]any)["wait"] != time.Duration(0) {
			t.Errorf("attempts are %v", got["attempts"])
		}
	})
}

func TestErrorTextHoldsNoPieceOfAQuery(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		req := newRequest(t, http.MethodPost, "")
		req.URL.RawQuery = "$filter=name%20eq%20'bob'&token=tops3cret"
		for name, a := range map[string]answer{
			"in a cause":         {err: fmt.Errorf("send %s: broken", req.URL)},
			"a value repeated":   {status: 403, message: "no such code tops3cret"},
			"behind other bytes": {status: 400, message: strings.Repeat("\xb4\xed\xce\xf3", 6) + " StringToSign:GET#tops3cret"},
		} {
			resp, err := (&Transport{Base: serve(a)}).RoundTrip(req)
			if err == nil {
				e, _ := FromResponse(resp)
				err = e
			}
			if strings.Contains(err.Error(), "tops3cret") {
				t.Errorf("%s: %v", name, err)
			}
		}
	})
}

// Tests of programs make errors by hand.
func TestErrorMadeByHand(t *testing.T) {
	e := &Error{Status: 503}
	if errors.Is(e, ErrThrottled) || !errors.Is(e, ErrBackend) {
		t.Errorf("%v must be ErrBackend by its status", e)
	}
	if got := e.SafeMessage(); got != "" {
		t.Errorf("got message %q", got)
	}
}

func TestTimeoutWithACause(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithTimeoutCause(t.Context(), time.Second, &net.OpError{Op: "x", Err: errors.New("why")})
		defer cancel()
		_, err := (&Transport{Base: serve(answer{delay: time.Minute})}).RoundTrip(newRequest(t, http.MethodGet, "").WithContext(ctx))
		var e *Error
		if !errors.As(err, &e) || !e.Timeout() || !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("got %v, want a timeout", err)
		}
	})
}
