package apigw

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"runtime"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

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
		want := []string{"attempt Gateway Timeout", "retry", "attempt OK", "done OK"}
		if !slices.Equal(story, want) {
			t.Errorf("got %q, want %q", story, want)
		}
	})
}

// trackedBody counts how often it is closed.
func trackedResponse(a answer, body *countingBody) *http.Response {
	h := http.Header{}
	if a.code != "" {
		h.Set(headerErrorCode, a.code)
	}
	h.Set(headerErrorMessage, a.message)
	return &http.Response{StatusCode: a.status, Header: h, Body: body, ContentLength: -1}
}

// Code of others that panics leaves nothing open, and no retry paid for.
func TestPanicLeavesNothingOpen(t *testing.T) {
	for name, c := range map[string]struct {
		edit      func(*Transport)
		responses int // that a Base returned before the panic
	}{
		"PolicyFor": {func(tr *Transport) { tr.PolicyFor = func(*http.Request) *RetryPolicy { panic("hook") } }, 0},
		"OnAttempt": {func(tr *Transport) { tr.OnAttempt = func(*http.Request, Attempt) { panic("hook") } }, 1},
		"OnRetry": {
			func(tr *Transport) { tr.OnRetry = func(*http.Request, Attempt, time.Duration) { panic("hook") } }, 1,
		},
		"OnDone": {func(tr *Transport) {
			tr.Policy.MaxAttempts = 1
			tr.OnDone = func(*http.Request, Result) { panic("hook") }
		}, 1},
		"OnDone after a success": {func(tr *Transport) {
			tr.PrepareRetry = func(r *http.Request) error { r.Header.Set("X-Succeed", "yes"); return nil }
			tr.OnDone = func(*http.Request, Result) { panic("hook") }
		}, 2},
		"PrepareRetry": {
			func(tr *Transport) { tr.PrepareRetry = func(*http.Request) error { panic("hook") } }, 1,
		},
		"PrepareRetry exits": {
			func(tr *Transport) { tr.PrepareRetry = func(*http.Request) error { runtime.Goexit(); return nil } }, 1,
		},
		"NewBackOff":              {func(tr *Transport) { tr.Policy.NewBackOff = func() BackOff { panic("hook") } }, 1},
		"Slog":                    {func(tr *Transport) { tr.Slog = slog.New(panickingHandler{}) }, 1},
		"Limiter":                 {func(tr *Transport) { tr.Limiter = panickingLimiter{} }, 1},
		"Limiter after a success": {func(tr *Transport) { tr.Limiter = panickingLimiter{}; succeed(tr) }, 1},
		"Base": {func(tr *Transport) {
			next := tr.Base
			tr.Base = roundTripFunc(func(r *http.Request) (*http.Response, error) {
				if r.Header.Get("X-Try") != "" {
					panic("base")
				}
				return next.RoundTrip(r)
			})
			tr.PrepareRetry = func(r *http.Request) error { r.Header.Set("X-Try", "again"); return nil }
		}, 1},
	} {
		for _, getBody := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s, GetBody %v", name, getBody), func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					var responses []*countingBody
					requests := []*countingBody{{Reader: strings.NewReader("order")}}
					tr := &Transport{Policy: soon, Base: roundTripFunc(func(r *http.Request) (*http.Response, error) {
						io.Copy(io.Discard, r.Body)
						r.Body.Close()
						body := &countingBody{Reader: strings.NewReader("busy")}
						responses = append(responses, body)
						if r.Header.Get("X-Succeed") != "" {
							return trackedResponse(ok, body), nil
						}
						return trackedResponse(notReached, body), nil
					})}
					c.edit(tr)
					req := newRequest(t, http.MethodPost, "")
					req.Body, req.ContentLength = requests[0], 5
					if getBody {
						req.GetBody = func() (io.ReadCloser, error) {
							b := &countingBody{Reader: strings.NewReader("order")}
							requests = append(requests, b)
							return b, nil
						}
					}
					done := make(chan struct{})
					go func() { // of its own, since it can exit
						defer close(done)
						defer func() { recover() }()
						tr.RoundTrip(req)
						t.Error("no panic came through")
					}()
					<-done
					synctest.Wait()
					for i, b := range append(requests, responses...) {
						if b.closes() == 0 || i < len(requests) && b.closes() != 1 {
							t.Errorf("body %d of %d was closed %d times", i+1, len(requests)+len(responses), b.closes())
						}
					}
					if len(responses) != c.responses {
						t.Errorf("%d responses, want %d", len(responses), c.responses)
					}
					if states := tr.Budgets(); len(states) > 0 && states[0].Available != 10 {
						t.Errorf("%v retries are left, want all 10", states[0].Available)
					}
				})
			})
		}
	}
}

// succeed lets the first attempt succeed.
func succeed(tr *Transport) {
	next := tr.Base
	tr.Base = roundTripFunc(func(r *http.Request) (*http.Response, error) {
		r = r.Clone(r.Context())
		r.Header.Set("X-Succeed", "yes")
		return next.RoundTrip(r)
	})
}

type panickingLimiter struct{}

func (panickingLimiter) Acquire(context.Context, string, time.Time, bool) (Place, error) {
	return Place{}, nil
}
func (panickingLimiter) Done(Place, Outcome) { panic("limiter") }

type panickingHandler struct{ slog.Handler }

func (panickingHandler) Enabled(context.Context, slog.Level) bool  { return true }
func (panickingHandler) Handle(context.Context, slog.Record) error { panic("handler") }
