package apigw

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/apigw-go/apigw/catalog"
	"github.com/apigw-go/apigw/internal/resign"
)

var (
	// A row whose code proves that nothing reached the backend.
	notReached = answer{
		status: 504, code: "D504CO", message: "Backend service connect failed `Timeout connecting to 10.0.0.1:80`",
	}
	soon = RetryPolicy{InitialBackoff: time.Millisecond, MaxBackoff: time.Millisecond, Jitter: JitterNone}
)

// What may have run once may have run, whatever a later attempt meets.
func TestReachedIsAFactOfTheCall(t *testing.T) {
	for name, c := range map[string]struct {
		answers []answer
		want    catalog.Reached
	}{
		"never":                     {[]answer{dialFailed, notReached, notReached}, catalog.ReachedNo},
		"a second dial of net/http": {[]answer{notReached, dialFailed}, catalog.ReachedMaybe},
		"maybe, then not connected": {[]answer{internal, dialFailed}, catalog.ReachedMaybe},
		"maybe, then not reached":   {[]answer{internal, notReached}, catalog.ReachedMaybe},
		"maybe, then quota":         {[]answer{internal, quota}, catalog.ReachedMaybe},
		"broken, then not reached":  {[]answer{reset, notReached}, catalog.ReachedMaybe},
		"not reached, then maybe":   {[]answer{notReached, internal}, catalog.ReachedMaybe},
		"in the middle":             {[]answer{notReached, reset, dialFailed}, catalog.ReachedMaybe},
		"maybe, then nonce used":    {[]answer{internal, nonceIsUsed}, catalog.ReachedMaybe},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				req := newRequest(t, http.MethodPost, "order")
				req.Header.Set("Idempotency-Key", "k")
				resp, err := (&Transport{Base: serve(c.answers...), Policy: soon}).RoundTrip(req)
				var e *Error
				if err == nil {
					e, _ = FromResponse(resp)
				} else {
					errors.As(err, &e)
				}
				if e == nil || e.Reached != c.want {
					t.Errorf("got %v, want reached %v", e, c.want)
				}
			})
		})
	}
}

// A call that is cancelled between attempts has run if one of them has.
func TestReachedOfACallGivenUp(t *testing.T) {
	for name, c := range map[string]struct {
		answer answer
		want   catalog.Reached
	}{"not reached": {notReached, catalog.ReachedNo}, "maybe": {internal, catalog.ReachedMaybe}} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				ctx, cancel := context.WithCancel(t.Context())
				time.AfterFunc(time.Second, cancel)
				tr := &Transport{
					Base:   serve(c.answer),
					Policy: RetryPolicy{InitialBackoff: 5 * time.Second, Jitter: JitterNone},
				}
				_, err := tr.RoundTrip(newRequest(t, http.MethodGet, "").WithContext(ctx))
				var e *Error
				if !errors.As(err, &e) || e.Reached != c.want || e.Status != 0 || e.Stop != StopContext {
					t.Errorf("got %v, want reached %v and no status", err, c.want)
				}
			})
		})
	}
}

// signsInPlace is a Base as the public Go signers are: it changes the request.
type signsInPlace struct {
	*script
	n int
}

func (s *signsInPlace) RoundTrip(req *http.Request) (*http.Response, error) {
	s.n++
	if req.Header == nil {
		req.Header = http.Header{}
	}
	if req.Header.Get("X-Ca-Nonce") == "" {
		req.Header.Set("X-Ca-Nonce", fmt.Sprint("n", s.n))
	}
	req.Header.Add("Accept", "application/json")
	req.URL.Path = "/v1" + req.URL.Path
	req.URL.RawQuery = ""
	seen := *req
	seen.Header = req.Header.Clone()
	resp, err := s.script.RoundTrip(req)
	s.seen[len(s.seen)-1] = &seen
	return resp, err
}

func TestNothingThatABaseAddedRemains(t *testing.T) {
	for name, c := range map[string]struct {
		prepare func(*http.Request) error
		getBody bool
	}{
		"plain":             {nil, true},
		"one-shot body":     {nil, false},
		"with PrepareRetry": {func(r *http.Request) error { r.Header.Set("X-Try", "again"); return nil }, true},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				base := &signsInPlace{script: serve(notReached)}
				req := newRequest(t, http.MethodPost, "order")
				req.URL.Path = "/orders"
				if !c.getBody {
					req.GetBody = nil
				}
				e := mustFail(t, &Transport{Base: base, Policy: soon, PrepareRetry: c.prepare}, req)
				if e.Stop != StopMaxAttempts || len(base.seen) != 4 {
					t.Fatalf("%d attempts, %v, want 4", len(base.seen), e.Stop)
				}
				if e.Path != "/orders" {
					t.Errorf("the Error names %s, want what came in", e.Path)
				}
				for i, r := range base.seen {
					if got, want := r.Header.Get("X-Ca-Nonce"), fmt.Sprint("n", i+1); got != want {
						t.Errorf("attempt %d carries the nonce %s, want %s", i+1, got, want)
					}
					if got := r.Header["Accept"]; len(got) != 1 || base.bodies[i] != "order" {
						t.Errorf("attempt %d accepts %q and sends %q", i+1, got, base.bodies[i])
					}
					if i > 0 && r.URL.String() != "http://api.example.com/v1/orders" {
						t.Errorf("attempt %d goes to %s", i+1, r.URL)
					}
				}
			})
		})
	}
}

// What a Base signed with in place is a secret, too.
func TestSignatureAddedInPlaceIsMasked(t *testing.T) {
	base := roundTripFunc(func(req *http.Request) (*http.Response, error) {
		req.Header.Set("Authorization", "APPCODE tops3cret")
		h := http.Header{headerErrorMessage: {"no such code tops3cret"}}
		return &http.Response{StatusCode: 403, Header: h, Body: http.NoBody}, nil
	})
	e := mustFail(t, &Transport{Base: base}, newRequest(t, http.MethodGet, ""))
	if strings.Contains(e.Error(), "tops3cret") {
		t.Error(e.Error())
	}
}

// learning is a signer as Base: its first refusals teach it something.
type learning struct {
	*script
	lessons []string // of its refusals, in turn
	n       int
}

func (l *learning) SendOnce(req *http.Request) (*http.Response, error) {
	resp, err := l.script.RoundTrip(req)
	if l.n < len(l.lessons) {
		if l.lessons[l.n] != "" {
			resign.Attach(resp, req, &resign.Note{Learned: true, Lesson: l.lessons[l.n]})
		}
		l.n++
	}
	return resp, err
}

func (l *learning) RoundTrip(*http.Request) (*http.Response, error) {
	return nil, errors.New("a signer below a Transport is to send once")
}
func (l *learning) Renews(*http.Request) bool { return true }

func TestWhatASignerLearnedIsTriedAtOnce(t *testing.T) {
	expired := answer{status: 400, message: "Timestamp Expired"}
	const clock, reading = resign.Clock, resign.Reading
	for name, c := range map[string]struct {
		answers []answer
		lessons []string
		policy  RetryPolicy
		oneShot bool
		stop    StopReason // 0 for a success
		sent    int
	}{
		"the clock": {[]answer{expired, ok}, []string{clock}, RetryPolicy{}, false, StopUnknown, 2},
		"clock, then reading": {
			[]answer{expired, expired, ok}, []string{clock, reading}, RetryPolicy{}, false, StopUnknown, 3,
		},
		"the clock again": {
			[]answer{expired}, []string{clock, clock}, RetryPolicy{}, false, StopNotRetryable, 2,
		},
		"nothing learned": {[]answer{expired}, nil, RetryPolicy{}, false, StopNotRetryable, 1},
		"one-shot body":   {[]answer{expired, ok}, []string{clock}, RetryPolicy{}, true, StopUnknown, 2},
		"body not kept": {
			[]answer{expired}, []string{clock}, RetryPolicy{MaxBodyBuffer: -1}, true, StopBody, 1,
		},
		"one attempt allowed": {
			[]answer{expired}, []string{clock}, RetryPolicy{MaxAttempts: 1}, false, StopMaxAttempts, 1,
		},
		"a failure before it": {
			[]answer{notReached, expired, ok}, []string{"", clock}, RetryPolicy{NewBackOff: noDelay}, false,
			StopUnknown, 3,
		},
		"a refusal that may be run": {[]answer{internal}, []string{clock}, RetryPolicy{}, false, StopMayHaveRun, 1},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				base := &learning{script: serve(c.answers...), lessons: c.lessons}
				req := newRequest(t, http.MethodPost, "order")
				if c.oneShot {
					req.GetBody = nil
				}
				hooks := 0
				tr := &Transport{
					Base: base, Policy: c.policy,
					OnRetry: func(_ *http.Request, _ Attempt, delay time.Duration) {
						if hooks++; delay != 0 {
							t.Errorf("a delay of %v, want none", delay)
						}
					},
				}
				resp, err := tr.RoundTrip(req)
				if err != nil {
					t.Fatal(err)
				}
				resp.Body.Close()
				e, failed := FromResponse(resp)
				if !failed {
					e = &Error{}
				}
				if e.Stop != c.stop || base.attempts() != c.sent || hooks != c.sent-1 {
					t.Errorf(
						"stopped by %v, sent %d times, %d hooks; want %v, %d",
						e.Stop,
						base.attempts(),
						hooks,
						c.stop,
						c.sent,
					)
				}
				if slices.ContainsFunc(base.bodies, func(b string) bool { return b != "order" }) {
					t.Errorf("sent %q, want the order each time", base.bodies)
				}
				if name == "the clock" && tr.Budgets()[0].Available != 10 {
					t.Error("the host's budget paid for our clock")
				}
			})
		})
	}
}

func noDelay() BackOff { return constant(0) }

type constant time.Duration

func (c constant) NextBackOff() time.Duration { return time.Duration(c) }

// Sendings that a signer made by itself are attempts as well.
func TestSendingsOfASignerAreShown(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		start := time.Now()
		base := roundTripFunc(func(req *http.Request) (*http.Response, error) {
			time.Sleep(3 * time.Second)
			resp := &http.Response{StatusCode: 200, Body: http.NoBody}
			h := http.Header{headerErrorMessage: {"Timestamp Expired"}, headerRequestID: {"r1"}}
			resign.Attach(resp, req, &resign.Note{Refused: []resign.Refusal{{
				Status: 400, Header: h, Start: start, Duration: time.Second, Lesson: resign.Clock,
			}}})
			return resp, nil
		})
		ctx, recorder := WithRecorder(t.Context())
		resp, err := (&Transport{Base: base}).RoundTrip(newRequest(t, http.MethodGet, "").WithContext(ctx))
		if err != nil {
			t.Fatal(err)
		}
		resp.Body.Close()
		got := recorder.Results()[0].Attempts
		if got[0].secrets == nil {
			t.Error("the refused sending does not know the secrets of its request")
		}
		got[0].secrets = nil // a pointer
		want := []Attempt{
			{
				Number: 1, Start: start, Duration: time.Second, Status: 400, Message: "Timestamp Expired",
				RequestID: "r1",
				Class:     catalog.ClassReplay, Origin: OriginGateway,
			},
			{Number: 2, Start: start.Add(time.Second), Duration: 2 * time.Second, Status: 200},
		}
		if !slices.Equal(got, want) {
			t.Errorf("got  %+v\nwant %+v", got, want)
		}
	})
}
