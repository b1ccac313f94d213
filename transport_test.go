package apigw

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"io"
	"math"
	"net"
	"net/http"
	"net/url"
	"reflect"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/apigw-go/apigw/catalog"
	"github.com/cenkalti/backoff/v4"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// roundTripFunc is a Base made of a function.
type roundTripFunc func(*http.Request) (*http.Response, error)

func (f roundTripFunc) RoundTrip(req *http.Request) (*http.Response, error) { return f(req) }

// answer is what a scripted Base does with one attempt.
type answer struct {
	status  int
	code    string
	message string
	header  http.Header
	body    string
	err     error
	delay   time.Duration
}

var (
	ok          = answer{status: 200, body: "fine"}
	unavailable = answer{status: 503, message: "Service Unavailable"}
	internal    = answer{status: 500, message: "Internal Error"}
	quota       = answer{status: 403, message: "Quota Exhausted"}
	throttled   = answer{status: 403, message: "Throttled by API Flow Control"}
	nonceIsUsed = answer{status: 400, message: "Nonce Used"}
	dialFailed  = answer{err: &net.OpError{Op: "dial", Err: errors.New("refused")}}
	reset       = answer{err: &net.OpError{Op: "read", Err: errors.New("connection reset")}}
)

// script is a Base that answers attempts in turn, the last answer for ever. It
// reads and closes request bodies as a Base must.
type script struct {
	answers []answer

	mu     sync.Mutex
	at     []time.Duration // since the first attempt
	start  time.Time
	bodies []string
	seen   []*http.Request
}

func serve(answers ...answer) *script { return &script{answers: answers} }

func (s *script) RoundTrip(req *http.Request) (*http.Response, error) {
	body := ""
	if req.Body != nil {
		b, _ := io.ReadAll(req.Body)
		req.Body.Close()
		body = string(b)
	}
	s.mu.Lock()
	if len(s.at) == 0 {
		s.start = time.Now()
	}
	a := s.answers[min(len(s.at), len(s.answers)-1)]
	s.at = append(s.at, time.Since(s.start))
	s.bodies = append(s.bodies, body)
	s.seen = append(s.seen, req)
	s.mu.Unlock()
	if a.delay > 0 {
		select {
		case <-time.After(a.delay):
		case <-req.Context().Done():
			return nil, context.Cause(req.Context())
		}
	}
	if a.err != nil {
		return nil, a.err
	}
	h := http.Header{}
	if a.header != nil {
		h = a.header.Clone()
	}
	if a.code != "" {
		h.Set(headerErrorCode, a.code)
	}
	if a.message != "" {
		h.Set(headerErrorMessage, a.message)
	}
	return &http.Response{
		StatusCode: a.status, Header: h, Request: req, ProtoMajor: 1, ProtoMinor: 1,
		Body: io.NopCloser(strings.NewReader(a.body)), ContentLength: int64(len(a.body)),
	}, nil
}

func (s *script) attempts() int { return len(s.at) }

func newRequest(t testing.TB, method, body string) *http.Request {
	t.Helper()
	var r io.Reader
	if body != "" {
		r = strings.NewReader(body)
	}
	req, err := http.NewRequestWithContext(t.Context(), method, "http://api.example.com/v1/orders?token=tops3cret", r)
	if err != nil {
		t.Fatal(err)
	}
	return req
}

// mustFail sends req and returns the failure attached to its response.
func mustFail(t testing.TB, tr *Transport, req *http.Request) *Error {
	t.Helper()
	resp, err := tr.RoundTrip(req)
	if err != nil {
		t.Fatalf("no response: %v", err)
	}
	defer resp.Body.Close()
	e, found := FromResponse(resp)
	if !found {
		t.Fatalf("status %d without an Error", resp.StatusCode)
	}
	return e
}

// What is repeated for which method: the table of the README.
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
		"503 of the gateway, GET":             {unavailable, get, "", RetryPolicy{}, StopMaxAttempts},
		"503 of the gateway, POST":            {unavailable, post, "", RetryPolicy{}, StopMaxAttempts},
		"circuit open, POST":                  {answer{status: 503, code: "D503CB"}, post, "", RetryPolicy{}, StopMaxAttempts},
		"connect timeout, POST":               {d504("Timeout connecting to 10.0.0.1:80"), post, "", RetryPolicy{}, StopMaxAttempts},
		"no pooled connection, POST":          {d504("Connection lease request time out"), post, "", RetryPolicy{}, StopMaxAttempts},
		"backend closed, POST":                {d504("Connection is closed"), post, "", RetryPolicy{}, StopMayHaveRun},
		"backend closed, GET":                 {d504("Connection is closed"), get, "", RetryPolicy{}, StopMaxAttempts},
		"internal error, GET":                 {internal, get, "", RetryPolicy{}, StopMaxAttempts},
		"internal error, HEAD":                {internal, http.MethodHead, "", RetryPolicy{}, StopMaxAttempts},
		"internal error, PUT":                 {internal, http.MethodPut, "", RetryPolicy{}, StopMaxAttempts},
		"internal error, DELETE":              {internal, http.MethodDelete, "", RetryPolicy{}, StopMaxAttempts},
		"internal error, OPTIONS":             {internal, http.MethodOptions, "", RetryPolicy{}, StopMaxAttempts},
		"internal error, POST":                {internal, post, "", RetryPolicy{}, StopMayHaveRun},
		"internal error, PATCH":               {internal, http.MethodPatch, "", RetryPolicy{}, StopMayHaveRun},
		"internal error, POST with key":       {internal, post, "Idempotency-Key", RetryPolicy{}, StopMaxAttempts},
		"internal error, POST with odd key":   {internal, post, "x-idempotency-key", RetryPolicy{}, StopMaxAttempts},
		"internal error, POST, permitted":     {internal, post, "", RetryPolicy{RetryNonIdempotent: true}, StopMaxAttempts},
		"failed to invoke, POST":              {answer{status: 500, message: "Failed To Invoke Backend Service"}, post, "", RetryPolicy{}, StopMayHaveRun},
		"async service, POST":                 {answer{status: 504, message: "Async Service"}, post, "", RetryPolicy{}, StopMayHaveRun},
		"backend timeout, POST":               {answer{status: 504, code: "D504TO"}, post, "", RetryPolicy{}, StopMayHaveRun},
		"expired API definition":              {answer{status: 500, code: "X500ED"}, get, "", RetryPolicy{}, StopNotRetryable},
		"malformed API metadata":              {answer{status: 500, code: "X500AM"}, get, "", RetryPolicy{}, StopNotRetryable},
		"throttled":                           {throttled, get, "", RetryPolicy{}, StopThrottled},
		"throttled by code":                   {answer{status: 429, code: "T429PA"}, post, "", RetryPolicy{}, StopThrottled},
		"quota":                               {quota, get, "", RetryPolicy{}, StopNotRetryable},
		"unauthorized":                        {answer{status: 403, message: "Unauthorized"}, get, "", RetryPolicy{}, StopNotRetryable},
		"signature":                           {answer{status: 403, code: "A403IS"}, get, "", RetryPolicy{}, StopNotRetryable},
		"timestamp":                           {answer{status: 400, message: "Timestamp Expired"}, get, "", RetryPolicy{}, StopNotRetryable},
		"code before text":                    {answer{status: 503, code: "B403MQ", message: "Service Unavailable"}, get, "", RetryPolicy{}, StopNotRetryable},
		"unknown code of the gateway, GET":    {answer{status: 500, code: "X500ZZ"}, get, "", RetryPolicy{}, StopMaxAttempts},
		"unknown code of the gateway, POST":   {answer{status: 500, code: "X500ZZ"}, post, "", RetryPolicy{}, StopMayHaveRun},
		"unknown code of a client error":      {answer{status: 403, code: "A403ZZ"}, get, "", RetryPolicy{}, StopNotRetryable},
		"503 of the backend, GET":             {answer{status: 503}, get, "", RetryPolicy{}, StopMaxAttempts},
		"503 of the backend, POST":            {answer{status: 503}, post, "", RetryPolicy{}, StopMayHaveRun},
		"502 of the backend, GET":             {answer{status: 502}, get, "", RetryPolicy{}, StopMaxAttempts},
		"501 of the backend, GET":             {answer{status: 501}, get, "", RetryPolicy{}, StopNotRetryable},
		"404 of the backend":                  {answer{status: 404}, get, "", RetryPolicy{}, StopNotRetryable},
		"429 of the backend":                  {answer{status: 429}, get, "", RetryPolicy{}, StopThrottled},
		"status listed in the policy":         {answer{status: 425}, get, "", RetryPolicy{RetryableStatusCodes: []int{425}}, StopMaxAttempts},
		"429 listed in the policy":            {answer{status: 429}, get, "", RetryPolicy{RetryableStatusCodes: []int{429}}, StopMaxAttempts},
		"empty list of statuses":              {answer{status: 503}, get, "", RetryPolicy{RetryableStatusCodes: []int{}}, StopNotRetryable},
		"empty list leaves the gateway's 503": {unavailable, get, "", RetryPolicy{RetryableStatusCodes: []int{}}, StopMaxAttempts},
		"OK on a failure is no mark":          {answer{status: 503, message: "OK"}, post, "", RetryPolicy{}, StopMayHaveRun},
		"text of a mapping plug-in, GET":      {answer{status: 503, message: "Shop closed"}, get, "", RetryPolicy{}, StopMaxAttempts},
		"text of a mapping plug-in, POST":     {answer{status: 503, message: "Shop closed"}, post, "", RetryPolicy{}, StopMayHaveRun},
		"known words and more, POST":          {answer{status: 503, message: "Service Unavailable: stock service"}, post, "", RetryPolicy{}, StopMayHaveRun},
		"one attempt only":                    {unavailable, get, "", RetryPolicy{MaxAttempts: 1}, StopMaxAttempts},
		"negative number of attempts":         {unavailable, get, "", RetryPolicy{MaxAttempts: -3}, StopMaxAttempts},
		"unknown method":                      {internal, "BREW", "", RetryPolicy{}, StopMayHaveRun},
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

func TestNetworkErrors(t *testing.T) {
	for name, c := range map[string]struct {
		answer answer
		method string
		stop   StopReason
	}{
		"connection not made, POST":    {dialFailed, http.MethodPost, StopMaxAttempts},
		"no such host, POST":           {answer{err: &net.OpError{Op: "dial", Err: &net.DNSError{Err: "no such host"}}}, http.MethodPost, StopMaxAttempts},
		"connection broke, GET":        {reset, http.MethodGet, StopMaxAttempts},
		"connection broke, POST":       {reset, http.MethodPost, StopMayHaveRun},
		"unexpected EOF, PUT":          {answer{err: io.ErrUnexpectedEOF}, http.MethodPut, StopMaxAttempts},
		"TLS handshake timeout, POST":  {answer{err: errors.New("net/http: TLS handshake timeout")}, http.MethodPost, StopMaxAttempts},
		"our certificate refused":      {answer{err: &net.OpError{Op: "remote error", Err: errors.New("tls: bad certificate")}}, http.MethodGet, StopPermanent},
		"certificate refused":          {answer{err: certificateError()}, http.MethodGet, StopPermanent},
		"scheme":                       {answer{err: errors.New(`unsupported protocol scheme "ftp"`)}, http.MethodGet, StopPermanent},
		"http spoken on an https port": {answer{err: http.ErrSchemeMismatch}, http.MethodGet, StopPermanent},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				base := serve(c.answer)
				resp, err := (&Transport{Base: base}).RoundTrip(newRequest(t, c.method, ""))
				var e *Error
				if resp != nil || !errors.As(err, &e) {
					t.Fatalf("got %v, %v, want an *Error alone", resp, err)
				}
				if e.Stop != c.stop {
					t.Errorf("stopped by %v, want %v", e.Stop, c.stop)
				}
				if !errors.Is(err, c.answer.err) {
					t.Errorf("%v does not wrap %v", err, c.answer.err)
				}
				if e.Origin != OriginNone || e.Status != 0 {
					t.Errorf("origin %v, status %d, want none and 0", e.Origin, e.Status)
				}
			})
		})
	}
}

func TestRecoversAfterFailures(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		base := serve(unavailable, dialFailed, ok)
		resp, err := (&Transport{Base: base}).RoundTrip(newRequest(t, http.MethodPost, "order"))
		if err != nil {
			t.Fatal(err)
		}
		defer resp.Body.Close()
		if _, found := FromResponse(resp); found || resp.StatusCode != 200 {
			t.Errorf("status %d, Error %v, want 200 without", resp.StatusCode, found)
		}
		if want := []string{"order", "order", "order"}; !slices.Equal(base.bodies, want) {
			t.Errorf("bodies sent %q, want %q", base.bodies, want)
		}
	})
}

func TestLastResponseComesBackWhole(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		last := answer{status: 503, message: "Service Unavailable", body: strings.Repeat("x", 200<<10)}
		resp, err := (&Transport{Base: serve(last), Policy: RetryPolicy{MaxAttempts: 2}}).RoundTrip(newRequest(t, http.MethodGet, ""))
		if err != nil {
			t.Fatal(err)
		}
		body, err := io.ReadAll(resp.Body)
		resp.Body.Close()
		if err != nil || string(body) != last.body {
			t.Errorf("read %d bytes, %v, want %d", len(body), err, len(last.body))
		}
	})
}

func TestPausesGrowToTheirBound(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		base := serve(unavailable)
		policy := RetryPolicy{MaxAttempts: 5, InitialBackoff: time.Second, MaxBackoff: 3 * time.Second, Jitter: JitterNone}
		mustFail(t, &Transport{Base: base, Policy: policy}, newRequest(t, http.MethodGet, ""))
		want := []time.Duration{0, 1 * time.Second, 3 * time.Second, 6 * time.Second, 9 * time.Second}
		if !slices.Equal(base.at, want) {
			t.Errorf("attempts at %v, want %v", base.at, want)
		}
	})
}

func TestJitterStaysInItsBounds(t *testing.T) {
	for _, c := range []struct {
		jitter Jitter
		lowest time.Duration
	}{{JitterFull, 0}, {JitterEqual, 500 * time.Millisecond}, {JitterNone, time.Second}} {
		t.Run(c.jitter.String(), func(t *testing.T) {
			p := RetryPolicy{InitialBackoff: time.Second, MaxBackoff: time.Second, Jitter: c.jitter}
			low, high := time.Hour, time.Duration(0)
			for range 10000 {
				d := p.newBackOff(new(backoff.ExponentialBackOff)).NextBackOff()
				low, high = min(low, d), max(high, d)
			}
			if low < c.lowest || high > time.Second {
				t.Errorf("pauses from %v to %v, want within [%v, 1s]", low, high, c.lowest)
			}
			if span := high - low; span < (time.Second-c.lowest)*9/10 {
				t.Errorf("pauses from %v to %v leave part of [%v, 1s] unused", low, high, c.lowest)
			}
		})
	}
}

func TestOwnBackOff(t *testing.T) {
	for name, c := range map[string]struct {
		made backoff.BackOff
		stop StopReason
		at   []time.Duration
	}{
		"constant": {backoff.NewConstantBackOff(7 * time.Second), StopMaxAttempts, []time.Duration{0, 7 * time.Second, 14 * time.Second}},
		"stop":     {&backoff.StopBackOff{}, StopBackOff, []time.Duration{0}},
		"zero":     {&backoff.ZeroBackOff{}, StopMaxAttempts, []time.Duration{0, 0, 0}},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				base := serve(unavailable)
				tr := &Transport{Base: base, Policy: RetryPolicy{MaxAttempts: 3, NewBackOff: func() backoff.BackOff { return c.made }}}
				e := mustFail(t, tr, newRequest(t, http.MethodGet, ""))
				if e.Stop != c.stop || !slices.Equal(base.at, c.at) {
					t.Errorf("stopped by %v with attempts at %v, want %v, %v", e.Stop, base.at, c.stop, c.at)
				}
			})
		})
	}
}

func TestRetryAfterIsALowerBound(t *testing.T) {
	none := RetryPolicy{MaxAttempts: 2, NewBackOff: func() backoff.BackOff { return &backoff.ZeroBackOff{} }}
	header := func(v string) http.Header { return http.Header{"Retry-After": {v}} }
	for name, c := range map[string]struct {
		header http.Header
		stop   StopReason
		second time.Duration // when the second attempt is sent
	}{
		"seconds":           {header("2"), StopMaxAttempts, 2 * time.Second},
		"date":              {http.Header{"Retry-After": {"Mon, 03 Jan 2000 00:00:07 GMT"}, "Date": {"Mon, 03 Jan 2000 00:00:00 GMT"}}, StopMaxAttempts, 7 * time.Second},
		"date by our clock": {header("Sat, 01 Jan 2000 00:00:09 GMT"), StopMaxAttempts, 9 * time.Second},
		"date that passed":  {header("Fri, 31 Dec 1999 00:00:00 GMT"), StopMaxAttempts, 0},
		"zero":              {header("0"), StopMaxAttempts, 0},
		"negative":          {header("-5"), StopMaxAttempts, 0},
		"malformed":         {header("soon"), StopMaxAttempts, 0},
		"fraction":          {header("1.5"), StopMaxAttempts, 0},
		"blank":             {header(" "), StopMaxAttempts, 0},
		"endless":           {header(strings.Repeat("9", 60)), StopRetryAfter, -1},
		"absurdly long":     {header(strings.Repeat("9", 1<<20)), StopMaxAttempts, 0},
		"a day":             {header("86400"), StopRetryAfter, -1},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				a := unavailable
				a.header = c.header
				base := serve(a)
				e := mustFail(t, &Transport{Base: base, Policy: none}, newRequest(t, http.MethodGet, ""))
				if e.Stop != c.stop {
					t.Errorf("stopped by %v, want %v", e.Stop, c.stop)
				}
				if c.second >= 0 && (len(base.at) != 2 || base.at[1] != c.second) {
					t.Errorf("attempts at %v, want a second one at %v", base.at, c.second)
				}
			})
		})
	}
}

func TestThrottlingWaitsOnRequest(t *testing.T) {
	for name, c := range map[string]struct {
		answers []answer
		wait    time.Duration
		stop    StopReason
		at      []time.Duration
	}{
		"a window passes":        {[]answer{throttled, ok}, 5 * time.Second, StopUnknown, []time.Duration{0, time.Second}},
		"POST never ran":         {[]answer{{status: 429, code: "T429PA"}, ok}, 5 * time.Second, StopUnknown, []time.Duration{0, time.Second}},
		"Retry-After":            {[]answer{{status: 429, code: "T429PA", header: http.Header{"Retry-After": {"4"}}}, ok}, 5 * time.Second, StopUnknown, []time.Duration{0, 4 * time.Second}},
		"Retry-After too long":   {[]answer{{status: 429, code: "T429PA", header: http.Header{"Retry-After": {"6"}}}}, 5 * time.Second, StopThrottled, []time.Duration{0}},
		"bounded in all":         {[]answer{throttled}, 2500 * time.Millisecond, StopThrottled, []time.Duration{0, time.Second, 2 * time.Second}},
		"less than the shortest": {[]answer{throttled}, time.Millisecond, StopThrottled, []time.Duration{0}},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				base := serve(c.answers...)
				tr := &Transport{Base: base, Policy: RetryPolicy{MaxThrottleWait: c.wait, NewBackOff: func() backoff.BackOff { return &backoff.ZeroBackOff{} }}}
				resp, err := tr.RoundTrip(newRequest(t, http.MethodPost, ""))
				if err != nil {
					t.Fatal(err)
				}
				resp.Body.Close()
				got := StopUnknown
				if e, found := FromResponse(resp); found {
					got = e.Stop
				}
				if got != c.stop || !slices.Equal(base.at, c.at) {
					t.Errorf("stopped by %v with attempts at %v, want %v, %v", got, base.at, c.stop, c.at)
				}
			})
		})
	}
}

func TestNeverSleepsIntoTheDeadline(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
		defer cancel()
		base := serve(unavailable)
		start := time.Now()
		tr := &Transport{Base: base, Policy: RetryPolicy{InitialBackoff: 4 * time.Second, Jitter: JitterNone}}
		e := mustFail(t, tr, newRequest(t, http.MethodGet, "").WithContext(ctx))
		if e.Stop != StopDeadline || base.attempts() != 2 || time.Since(start) != 4*time.Second {
			t.Errorf("stopped by %v after %d attempts and %v, want deadline, 2, 4s", e.Stop, base.attempts(), time.Since(start))
		}
	})
}

func TestTotalTimeEndsTheAttempts(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		base := serve(unavailable)
		tr := &Transport{Base: base, Policy: RetryPolicy{MaxElapsed: 3 * time.Second, InitialBackoff: time.Second, Jitter: JitterNone, MaxAttempts: 9}}
		e := mustFail(t, tr, newRequest(t, http.MethodGet, ""))
		if want := []time.Duration{0, time.Second, 3 * time.Second}; e.Stop != StopMaxElapsed || !slices.Equal(base.at, want) {
			t.Errorf("stopped by %v with attempts at %v, want max-elapsed, %v", e.Stop, base.at, want)
		}
	})
}

func TestCancelDuringThePause(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		cause := errors.New("user left")
		ctx, cancel := context.WithCancelCause(t.Context())
		time.AfterFunc(time.Second, func() { cancel(cause) })
		start := time.Now()
		tr := &Transport{Base: serve(unavailable), Policy: RetryPolicy{InitialBackoff: 9 * time.Second, Jitter: JitterNone}}
		resp, err := tr.RoundTrip(newRequest(t, http.MethodGet, "").WithContext(ctx))
		if resp != nil || !errors.Is(err, cause) || !errors.Is(err, context.Canceled) {
			t.Errorf("got %v, %v, want the cause and context.Canceled", resp, err)
		}
		if got := time.Since(start); got != time.Second {
			t.Errorf("returned after %v, want 1s", got)
		}
		var e *Error
		if errors.As(err, &e) && (e.Stop != StopContext || e.Status != 503 || len(e.Attempts) != 1) {
			t.Errorf("%+v does not tell the 503 that was waited on", e)
		}
	})
}

// The context ends while a response is on its way: that is what there is.
func TestResponseThatCameTooLateIsReturned(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	base := serve(answer{status: 503, message: "Service Unavailable", body: "busy"})
	tr := &Transport{
		Base: roundTripFunc(func(req *http.Request) (*http.Response, error) {
			defer cancel()
			return base.RoundTrip(req)
		}),
		OnRetry: func(*http.Request, Attempt, time.Duration) { t.Error("got a retry, want none") },
	}
	e := mustFail(t, tr, newRequest(t, http.MethodGet, "").WithContext(ctx))
	if e.Stop != StopContext || e.Status != 503 || e.Err != nil {
		t.Errorf("got %v, status %d, %v; want %v, 503 and no cause", e.Stop, e.Status, e.Err, StopContext)
	}
}

// Older programs cancel by a channel, which net/http obeys too.
func TestRequestCancel(t *testing.T) {
	for name, first := range map[string]answer{
		"during the attempt": {err: errors.New("net/http: request canceled"), delay: 2 * time.Second},
		"during the pause":   unavailable,
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				cancel := make(chan struct{})
				time.AfterFunc(time.Second, func() { close(cancel) })
				req := newRequest(t, http.MethodGet, "")
				//lint:ignore SA1019 this is what is tested
				req.Cancel = cancel
				base := serve(first)
				_, err := (&Transport{Base: base, Policy: RetryPolicy{InitialBackoff: 9 * time.Second, Jitter: JitterNone}}).RoundTrip(req)
				var e *Error
				if !errors.As(err, &e) || e.Stop != StopContext || base.attempts() != 1 {
					t.Errorf("got %v after %d attempts, want %v after 1", err, base.attempts(), StopContext)
				}
			})
		})
	}
}

func TestContextThatEndedIsNotSent(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	base := serve(ok)
	body := &countingBody{Reader: strings.NewReader("x")}
	req := newRequest(t, http.MethodPost, "")
	req.Body = body
	_, err := (&Transport{Base: base}).RoundTrip(req.WithContext(ctx))
	if !errors.Is(err, context.Canceled) || base.attempts() != 0 || body.closed != 1 {
		t.Errorf("got %v, %d attempts, body closed %d times; want canceled, 0, 1", err, base.attempts(), body.closed)
	}
}

func TestAttemptTimeout(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		slow := answer{status: 200, delay: time.Minute}
		base := serve(slow, ok)
		tr := &Transport{Base: base, Policy: RetryPolicy{AttemptTimeout: time.Second, InitialBackoff: time.Second, Jitter: JitterNone}}
		resp, err := tr.RoundTrip(newRequest(t, http.MethodGet, ""))
		if err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Hour) // the body may take longer than the head
		body, err := io.ReadAll(resp.Body)
		resp.Body.Close()
		if err != nil || string(body) != ok.body {
			t.Errorf("body %q, %v, want %q", body, err, ok.body)
		}
		if want := []time.Duration{0, 2 * time.Second}; !slices.Equal(base.at, want) {
			t.Errorf("attempts at %v, want %v", base.at, want)
		}
	})
}

func TestAttemptTimeoutOfAPost(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		tr := &Transport{Base: serve(answer{status: 200, delay: time.Minute}), Policy: RetryPolicy{AttemptTimeout: time.Second}}
		_, err := tr.RoundTrip(newRequest(t, http.MethodPost, ""))
		var e *Error
		if !errors.As(err, &e) || e.Stop != StopMayHaveRun || !e.Timeout() || !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("got %v, want a timeout that may have run", err)
		}
	})
}

func TestTimeoutShowsThroughHTTPClient(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		client := &http.Client{Transport: &Transport{Base: serve(answer{delay: time.Hour})}, Timeout: time.Second}
		_, err := client.Get("http://api.example.com/")
		var u *url.Error
		if !errors.As(err, &u) || !u.Timeout() {
			t.Errorf("got %v, want a timeout", err)
		}
	})
}

func TestPolicyOfTheRequest(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		base := serve(unavailable)
		req := newRequest(t, http.MethodGet, "")
		req = req.WithContext(WithPolicy(req.Context(), RetryPolicy{MaxAttempts: 2}))
		mustFail(t, &Transport{Base: base}, req)
		if got := base.attempts(); got != 2 {
			t.Errorf("%d attempts, want 2", got)
		}
	})
}

// A signed request that is sent again as it is gets "Nonce Used".
func TestNonceThatNobodyRenews(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		base := serve(unavailable)
		req := newRequest(t, http.MethodGet, "")
		req.Header["x-ca-nonce"] = []string{"n1"}
		e := mustFail(t, &Transport{Base: base}, req)
		if e.Stop != StopNonce || base.attempts() != 1 {
			t.Errorf("stopped by %v after %d attempts, want nonce-not-renewed, 1", e.Stop, base.attempts())
		}
	})
}

func TestPrepareRetryRenewsTheNonce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		base := serve(unavailable, ok)
		req := newRequest(t, http.MethodPost, "order")
		req.Header.Set("X-Ca-Nonce", "n1")
		before := req.Header.Clone()
		tr := &Transport{Base: base, PrepareRetry: func(r *http.Request) error { r.Header.Set("X-Ca-Nonce", "n2"); return nil }}
		resp, err := tr.RoundTrip(req)
		if err != nil {
			t.Fatal(err)
		}
		resp.Body.Close()
		var nonces []string
		for _, r := range base.seen {
			nonces = append(nonces, r.Header.Get("X-Ca-Nonce"))
		}
		if want := []string{"n1", "n2"}; !slices.Equal(nonces, want) {
			t.Errorf("nonces sent %q, want %q", nonces, want)
		}
		if !reflect.DeepEqual(req.Header, before) {
			t.Errorf("the caller's header became %v", req.Header)
		}
	})
}

func TestPrepareRetryFails(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		cause := errors.New("no key")
		tr := &Transport{Base: serve(unavailable), PrepareRetry: func(*http.Request) error { return cause }}
		_, err := tr.RoundTrip(newRequest(t, http.MethodPost, "order"))
		var e *Error
		if !errors.As(err, &e) || e.Stop != StopPrepareFailed || !errors.Is(err, cause) || e.Status != 503 {
			t.Errorf("got %v, want prepare-failed after the 503", err)
		}
	})
}

type renewingBase struct{ *script }

func (renewingBase) Renews(*http.Request) bool { return true }

func TestNonceUsed(t *testing.T) {
	const get, post = http.MethodGet, http.MethodPost
	for name, c := range map[string]struct {
		answers  []answer
		method   string
		nonce    bool // the caller's own, which a renewing Base replaces
		stop     StopReason
		status   int // of the Error
		attempts int
	}{
		"first attempt, GET signed below":  {[]answer{nonceIsUsed, ok}, get, false, StopUnknown, 0, 2},
		"first attempt, GET signed anew":   {[]answer{nonceIsUsed, ok}, get, true, StopUnknown, 0, 2},
		"first attempt, POST":              {[]answer{nonceIsUsed}, post, false, StopNotRetryable, 400, 1},
		"first attempt, PUT":               {[]answer{nonceIsUsed}, http.MethodPut, false, StopNotRetryable, 400, 1},
		"one retry only":                   {[]answer{nonceIsUsed}, get, false, StopNonceUsed, 400, 2},
		"after a retry: the first failure": {[]answer{unavailable, nonceIsUsed}, post, false, StopNonceUsed, 503, 2},
		"after a broken connection":        {[]answer{reset, nonceIsUsed}, get, false, StopNonceUsed, 0, 2},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				base := serve(c.answers...)
				req := newRequest(t, c.method, "")
				if c.nonce {
					req.Header.Set("X-Ca-Nonce", "n1")
				}
				resp, err := (&Transport{Base: renewingBase{base}}).RoundTrip(req)
				if err != nil {
					t.Fatal(err)
				}
				resp.Body.Close()
				e, found := FromResponse(resp)
				if !found {
					e = &Error{}
				}
				if e.Stop != c.stop || e.Status != c.status || base.attempts() != c.attempts {
					t.Errorf("got %v, status %d, %d attempts; want %v, %d, %d", e.Stop, e.Status, base.attempts(), c.stop, c.status, c.attempts)
				}
				if c.stop == StopNonceUsed && e.Reached != catalog.ReachedMaybe {
					t.Errorf("backend reached: %v, want maybe", e.Reached)
				}
			})
		})
	}
}

func TestNonceUsedWithNobodyToRenewIt(t *testing.T) {
	base := serve(nonceIsUsed)
	e := mustFail(t, &Transport{Base: base}, newRequest(t, http.MethodGet, ""))
	if e.Stop != StopNotRetryable || base.attempts() != 1 {
		t.Errorf("stopped by %v after %d attempts, want not-retryable, 1", e.Stop, base.attempts())
	}
}

func TestHooksTellTheStory(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var story []string
		tr := &Transport{
			Base:      serve(unavailable, ok),
			OnAttempt: func(_ *http.Request, a Attempt) { story = append(story, "attempt "+http.StatusText(a.Status)) },
			OnRetry:   func(_ *http.Request, a Attempt, _ time.Duration) { story = append(story, "retry") },
			OnDone:    func(_ *http.Request, r Result) { story = append(story, "done "+http.StatusText(r.Status)) },
		}
		resp, err := tr.RoundTrip(newRequest(t, http.MethodGet, ""))
		if err != nil {
			t.Fatal(err)
		}
		resp.Body.Close()
		want := []string{"attempt Service Unavailable", "retry", "attempt OK", "done OK"}
		if !slices.Equal(story, want) {
			t.Errorf("got %q, want %q", story, want)
		}
	})
}

func TestAttemptsAreTold(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		first := answer{status: 503, code: "D503CB", message: "m", header: http.Header{headerRequestID: {"r1"}}, delay: 2 * time.Second}
		tr := &Transport{Base: serve(first, reset), Policy: RetryPolicy{MaxAttempts: 2, InitialBackoff: time.Second, Jitter: JitterNone}}
		start := time.Now()
		_, err := tr.RoundTrip(newRequest(t, http.MethodGet, ""))
		var e *Error
		if !errors.As(err, &e) {
			t.Fatal(err)
		}
		want := []Attempt{
			{Number: 1, Start: start, Duration: 2 * time.Second, Status: 503, Code: "D503CB", Message: "m", RequestID: "r1"},
			{Number: 2, Start: start.Add(3 * time.Second), Wait: time.Second, Err: reset.err},
		}
		if !reflect.DeepEqual(e.Attempts, want) {
			t.Errorf("got  %+v\nwant %+v", e.Attempts, want)
		}
	})
}

func TestRecorder(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, recorder := WithRecorder(t.Context())
		if _, found := recorder.Err(); found {
			t.Error("an Error before any request")
		}
		client := &http.Client{Transport: &Transport{Base: serve(ok, quota)}}
		for range 2 {
			req, _ := http.NewRequestWithContext(ctx, http.MethodGet, "http://api.example.com/v1?secret=1", nil)
			resp, err := client.Do(req)
			if err != nil {
				t.Fatal(err)
			}
			resp.Body.Close()
		}
		e, found := recorder.Err()
		if !found || !errors.Is(e, ErrQuota) {
			t.Errorf("got %v, %v, want the quota error", e, found)
		}
		results := recorder.Results()
		if len(results) != 2 || results[0].Status != 200 || results[0].Err != nil || len(results[1].Attempts) != 1 || results[1].Path != "/v1" {
			t.Errorf("got %+v", results)
		}
	})
}

func TestCloseIdleConnectionsIsPassedOn(t *testing.T) {
	base := &idleCounter{}
	(&http.Client{Transport: &Transport{Base: base}}).CloseIdleConnections()
	if base.calls != 1 {
		t.Errorf("Base was called %d times, want 1", base.calls)
	}
}

type idleCounter struct {
	script
	calls int
}

func (c *idleCounter) CloseIdleConnections() { c.calls++ }

func TestOddInput(t *testing.T) {
	none := func(*http.Request) (*http.Response, error) { return nil, nil }
	bare := func(req *http.Request) (*http.Response, error) { return &http.Response{StatusCode: 503}, nil }
	both := &countingBody{Reader: strings.NewReader("x")}
	for name, c := range map[string]struct {
		base roundTripFunc
		edit func(*http.Request)
		want string // in the error, empty for a response
	}{
		"nil URL":                    {bare, func(r *http.Request) { r.URL = nil }, "nil Request.URL"},
		"nil header":                 {bare, func(r *http.Request) { r.Header = nil }, ""},
		"bare response":              {bare, func(r *http.Request) {}, ""},
		"neither response nor error": {none, func(r *http.Request) {}, "neither a response nor an error"},
		"both response and error": {func(*http.Request) (*http.Response, error) {
			return &http.Response{StatusCode: 200, Body: both}, errors.New("odd")
		}, func(r *http.Request) { r.Method = "POST" }, "odd"},
		"GetBody fails": {bare, func(r *http.Request) {
			r.Body, r.ContentLength = io.NopCloser(strings.NewReader("x")), 1
			r.GetBody = func() (io.ReadCloser, error) { return nil, errors.New("gone") }
		}, "gone"},
		"GetBody gives nothing": {bare, func(r *http.Request) {
			r.Body, r.ContentLength = io.NopCloser(strings.NewReader("x")), 1
			r.GetBody = func() (io.ReadCloser, error) { return nil, nil }
		}, "neither a body nor an error"},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				req := newRequest(t, http.MethodGet, "")
				c.edit(req)
				resp, err := (&Transport{Base: c.base}).RoundTrip(req)
				if c.want == "" {
					if err != nil || resp.StatusCode != 503 {
						t.Errorf("got %v, %v, want the 503", resp, err)
					}
				} else if err == nil || !strings.Contains(err.Error(), c.want) {
					t.Errorf("got %v, want %q in it", err, c.want)
				}
				var e *Error
				if strings.HasPrefix(name, "GetBody") && (!errors.As(err, &e) || e.Stop != StopBody || e.Status != 503) {
					t.Errorf("got %v, want body-not-replayable after the 503", err)
				}
			})
		})
	}
	if both.closed == 0 {
		t.Error("the body of a response that came with an error was left open")
	}
}

func TestEveryStatusPassesThrough(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		for status := 100; status < 1000; status++ {
			resp, err := (&Transport{Base: serve(answer{status: status})}).RoundTrip(newRequest(t, http.MethodGet, ""))
			if err != nil || resp.StatusCode != status {
				t.Fatalf("status %d: got %v, %v", status, resp, err)
			}
			resp.Body.Close()
			if _, found := FromResponse(resp); found != (status >= 400) {
				t.Errorf("status %d: Error attached: %v", status, found)
			}
		}
	})
}

// blockingBody never gives a byte; Read returns when it is closed.
type blockingBody struct {
	once   sync.Once
	closed chan struct{}
}

func (b *blockingBody) Read([]byte) (int, error) {
	<-b.closed
	return 0, errors.New("closed")
}

func (b *blockingBody) Close() error {
	b.once.Do(func() { close(b.closed) })
	return nil
}

func TestBodyThatBlocksDoesNotHoldTheRetryUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := 0
		base := roundTripFunc(func(req *http.Request) (*http.Response, error) {
			if n++; n == 1 {
				return &http.Response{StatusCode: 503, ContentLength: -1, Body: &blockingBody{closed: make(chan struct{})}}, nil
			}
			return &http.Response{StatusCode: 200, Body: http.NoBody}, nil
		})
		start := time.Now()
		tr := &Transport{Base: base, Policy: RetryPolicy{InitialBackoff: time.Millisecond}}
		if _, err := tr.RoundTrip(newRequest(t, http.MethodGet, "")); err != nil {
			t.Fatal(err)
		}
		if got := time.Since(start); got > maxDrainTime {
			t.Errorf("the retry came after %v, want at most %v", got, maxDrainTime)
		}
	})
}

// countingBody counts Close, and reads after it fail.
type countingBody struct {
	io.Reader
	mu     sync.Mutex
	closed int
}

func (b *countingBody) Read(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.closed > 0 {
		return 0, errors.New("read after Close")
	}
	return b.Reader.Read(p)
}

func (b *countingBody) Close() error {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.closed++
	return nil
}

func (b *countingBody) closes() int {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.closed
}

func TestRequestBodies(t *testing.T) {
	large := strings.Repeat("x", 100<<10)
	for name, c := range map[string]struct {
		body    string
		getBody bool
		policy  RetryPolicy
		answers []answer
		stop    StopReason
		sent    int
	}{
		"GetBody":                       {large, true, RetryPolicy{}, []answer{unavailable, unavailable, ok}, StopUnknown, 3},
		"one-shot, small":               {"order", false, RetryPolicy{}, []answer{unavailable, unavailable, ok}, StopUnknown, 3},
		"one-shot, too large":           {large, false, RetryPolicy{}, []answer{unavailable}, StopBody, 1},
		"one-shot, larger bound":        {large, false, RetryPolicy{MaxBodyBuffer: 1 << 20}, []answer{unavailable, ok}, StopUnknown, 2},
		"one-shot, nothing remembered":  {"order", false, RetryPolicy{MaxBodyBuffer: -1}, []answer{unavailable}, StopBody, 1},
		"one-shot, network failure":     {"order", false, RetryPolicy{}, []answer{dialFailed, ok}, StopUnknown, 2},
		"one-shot, success at once":     {large, false, RetryPolicy{}, []answer{ok}, StopUnknown, 1},
		"one-shot, fails fast":          {"order", false, RetryPolicy{}, []answer{quota}, StopNotRetryable, 1},
		"one-shot, one attempt allowed": {"order", false, RetryPolicy{MaxAttempts: 1}, []answer{unavailable}, StopMaxAttempts, 1},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				base := serve(c.answers...)
				body := &countingBody{Reader: strings.NewReader(c.body)}
				req := newRequest(t, http.MethodPost, "")
				req.Body, req.ContentLength = body, int64(len(c.body))
				if c.getBody {
					req.GetBody = func() (io.ReadCloser, error) { return io.NopCloser(strings.NewReader(c.body)), nil }
				}
				before := *req
				resp, err := (&Transport{Base: base, Policy: c.policy}).RoundTrip(req)
				if err != nil {
					t.Fatal(err)
				}
				resp.Body.Close()
				got := StopUnknown
				if e, found := FromResponse(resp); found {
					got = e.Stop
				}
				if got != c.stop || len(base.bodies) != c.sent {
					t.Errorf("stopped by %v, sent %d times; want %v, %d", got, len(base.bodies), c.stop, c.sent)
				}
				for i, b := range base.bodies {
					if b != c.body {
						t.Errorf("attempt %d sent %d bytes, want %d", i+1, len(b), len(c.body))
					}
				}
				if body.closed != 1 {
					t.Errorf("the caller's body was closed %d times, want once", body.closed)
				}
				if req.Body != before.Body || req.ContentLength != before.ContentLength {
					t.Error("the caller's request was changed")
				}
			})
		})
	}
}

// A full duplex exchange: the response comes while the body is being sent.
func TestOneShotBodyMayOutliveItsResponse(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		pr, pw := io.Pipe()
		var sent bytes.Buffer
		done := make(chan struct{})
		base := roundTripFunc(func(req *http.Request) (*http.Response, error) {
			go func() {
				defer close(done)
				io.Copy(&sent, req.Body)
				req.Body.Close()
			}()
			return &http.Response{StatusCode: 200, Body: http.NoBody}, nil
		})
		req := newRequest(t, http.MethodPost, "")
		req.Body, req.ContentLength = pr, -1
		if _, err := (&Transport{Base: base}).RoundTrip(req); err != nil {
			t.Fatal(err)
		}
		pw.Write([]byte("after the "))
		pw.Write([]byte("response"))
		pw.Close()
		<-done
		if got := sent.String(); got != "after the response" {
			t.Errorf("sent %q", got)
		}
	})
}

// The first attempt fails while it still waits for the producer of the body.
func TestOneShotBodyIsTakenFromAnAttemptThatStillReads(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		pr, pw := io.Pipe()
		var sent []byte
		n := 0
		base := roundTripFunc(func(req *http.Request) (*http.Response, error) {
			if n++; n == 1 {
				go func() { // still reading when the answer is there
					io.ReadAll(req.Body)
					req.Body.Close()
				}()
				time.Sleep(time.Second)
				return &http.Response{StatusCode: 503, Header: http.Header{headerErrorMessage: {"Service Unavailable"}}, Body: http.NoBody}, nil
			}
			sent, _ = io.ReadAll(req.Body)
			req.Body.Close()
			return &http.Response{StatusCode: 200, Body: http.NoBody}, nil
		})
		go func() {
			pw.Write([]byte("early "))
			time.Sleep(time.Minute)
			pw.Write([]byte("late"))
			pw.Close()
		}()
		req := newRequest(t, http.MethodPost, "")
		req.Body, req.ContentLength = pr, -1
		resp, err := (&Transport{Base: base}).RoundTrip(req)
		if err != nil || resp.StatusCode != 200 || string(sent) != "early late" {
			t.Errorf("got %v, %v, second attempt sent %q; want 200 and %q", resp, err, sent, "early late")
		}
	})
}

// certificateError is what a server with an unknown authority causes.
func certificateError() error {
	return &tls.CertificateVerificationError{Err: x509.UnknownAuthorityError{}}
}

// A pause that was asked for cannot overflow into none.
func TestEndlessPauseStopsBeforeTheDeadline(t *testing.T) {
	for name, c := range map[string]struct {
		failure answer
		policy  RetryPolicy
	}{
		"Retry-After": {unavailable, RetryPolicy{MaxRetryAfter: math.MaxInt64}},
		"throttled":   {throttled, RetryPolicy{MaxThrottleWait: math.MaxInt64}},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				ctx, cancel := context.WithTimeout(t.Context(), 24*time.Hour)
				defer cancel()
				a := c.failure
				a.header = http.Header{"Retry-After": {"99999999999999"}}
				base := serve(a)
				e := mustFail(t, &Transport{Base: base, Policy: c.policy}, newRequest(t, http.MethodGet, "").WithContext(ctx))
				if e.Stop != StopDeadline || base.attempts() != 1 {
					t.Errorf("stopped by %v after attempts at %v, want deadline after one", e.Stop, base.at)
				}
			})
		})
	}
}

// A Base that follows redirects dials again after the POST ran.
func TestDialOfALaterLinkIsNoDial(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		base := serve(answer{err: &url.Error{Op: "Get", URL: "http://elsewhere.example/", Err: dialFailed.err}})
		_, err := (&Transport{Base: base}).RoundTrip(newRequest(t, http.MethodPost, ""))
		var e *Error
		if !errors.As(err, &e) || e.Stop != StopMayHaveRun || base.attempts() != 1 {
			t.Errorf("got %v after %d attempts, want may-have-run after one", err, base.attempts())
		}
	})
}

// brokenBody fails after its first bytes.
type brokenBody struct {
	io.Reader
	err error
}

func (b *brokenBody) Read(p []byte) (int, error) {
	n, err := b.Reader.Read(p)
	if err == io.EOF {
		err = b.err
	}
	return n, err
}

func (b *brokenBody) Close() error { return nil }

func TestBodyWhoseSourceFails(t *testing.T) {
	dns := &net.DNSError{Err: "no such host", Name: "source.example"}
	for name, c := range map[string]struct {
		method  string
		getBody bool
		stop    StopReason
	}{
		"one-shot, PUT":                {http.MethodPut, false, StopBody},
		"an error like that of a dial": {http.MethodPost, true, StopMayHaveRun},
		"one-shot, POST":               {http.MethodPost, false, StopMayHaveRun},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				n := 0
				base := roundTripFunc(func(req *http.Request) (*http.Response, error) {
					n++
					_, err := io.ReadAll(req.Body)
					req.Body.Close()
					return nil, err
				})
				newBody := func() (io.ReadCloser, error) { return &brokenBody{strings.NewReader("abc"), dns}, nil }
				req := newRequest(t, c.method, "")
				req.Body, _ = newBody()
				req.ContentLength = -1
				if c.getBody {
					req.GetBody = newBody
				}
				_, err := (&Transport{Base: base}).RoundTrip(req)
				var e *Error
				if !errors.As(err, &e) || e.Stop != c.stop || n != 1 {
					t.Errorf("got %v after %d attempts, want %v after one", err, n, c.stop)
				}
			})
		})
	}
}

func TestPrepareRetryMayReplaceTheBody(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		body := &countingBody{Reader: strings.NewReader("order")}
		req := newRequest(t, http.MethodPut, "")
		req.Body, req.ContentLength = body, 5
		base := serve(unavailable, ok)
		tr := &Transport{Base: base, PrepareRetry: func(r *http.Request) error {
			b, err := io.ReadAll(r.Body)
			r.Body = io.NopCloser(strings.NewReader(string(b)))
			return err
		}}
		resp, err := tr.RoundTrip(req)
		if err != nil {
			t.Fatal(err)
		}
		resp.Body.Close()
		if body.closes() != 1 || !slices.Equal(base.bodies, []string{"order", "order"}) {
			t.Errorf("body closed %d times, sent %q; want once, and the order twice", body.closes(), base.bodies)
		}
	})
}

func TestPrepareRetryThatForgetsTheNonce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		base := serve(unavailable)
		req := newRequest(t, http.MethodGet, "")
		req.Header.Set("X-Ca-Nonce", "n1")
		_, err := (&Transport{Base: base, PrepareRetry: func(*http.Request) error { return nil }}).RoundTrip(req)
		var e *Error
		if !errors.As(err, &e) || e.Stop != StopNonce || base.attempts() != 1 {
			t.Errorf("got %v after %d attempts, want nonce-not-renewed after one", err, base.attempts())
		}
	})
}

func TestContextOfTheResponseOutlivesAnAttemptTimeout(t *testing.T) {
	client := &http.Client{Transport: &Transport{Base: serve(quota, ok), Policy: RetryPolicy{AttemptTimeout: time.Minute}}}
	resp, err := client.Get("http://api.example.com/")
	if err != nil {
		t.Fatal(err)
	}
	resp.Body.Close()
	again, err := client.Do(resp.Request)
	if err != nil {
		t.Fatal(err)
	}
	again.Body.Close()
	if e, found := FromResponse(again); found {
		t.Errorf("the success carries the failure before it: %v", e)
	}
}
