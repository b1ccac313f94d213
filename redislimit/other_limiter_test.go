package redislimit_test

import (
	"context"
	"errors"
	"net/http"
	"testing"
	"testing/synctest"
	"time"

	"github.com/apigw-go/apigw"
	"golang.org/x/time/rate"
)

// rateLimiter makes a Limiter of a limiter of golang.org/x/time/rate. It learns
// nothing: a call that the gateway refused waits a second at least.
type rateLimiter struct{ *rate.Limiter }

func (l rateLimiter) Acquire(ctx context.Context, _ string, until time.Time, _ bool) (apigw.Place, error) {
	if err := ctx.Err(); err != nil {
		return apigw.Place{}, context.Cause(ctx)
	}
	if deadline, ok := ctx.Deadline(); ok && (until.IsZero() || deadline.Before(until)) {
		until = deadline
	}
	r := l.Reserve()
	delay := r.Delay()
	if !r.OK() || !until.IsZero() && time.Now().Add(delay).After(until) {
		r.Cancel()
		return apigw.Place{}, &apigw.NoPlaceError{Needed: delay}
	}
	timer := time.NewTimer(delay)
	defer timer.Stop()
	select {
	case <-timer.C:
		return apigw.Place{Value: r}, nil
	case <-ctx.Done():
		r.Cancel()
		return apigw.Place{}, context.Cause(ctx)
	}
}

func (l rateLimiter) Done(p apigw.Place, outcome apigw.Outcome) {
	if r, ok := p.Value.(*rate.Reservation); ok && outcome == apigw.OutcomeUnsent {
		r.Cancel()
	}
}

type roundTripFunc func(*http.Request) (*http.Response, error)

func (f roundTripFunc) RoundTrip(req *http.Request) (*http.Response, error) { return f(req) }

func TestRateLimiterUnderTheTransport(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var sent []time.Duration
		start := time.Now()
		tr := &apigw.Transport{
			Limiter: rateLimiter{rate.NewLimiter(10, 1)},
			Policy:  apigw.RetryPolicy{MaxThrottleWait: 250 * time.Millisecond},
			Base: roundTripFunc(func(req *http.Request) (*http.Response, error) {
				sent = append(sent, time.Since(start))
				return &http.Response{StatusCode: http.StatusOK, Body: http.NoBody, Request: req}, nil
			}),
		}
		call := func(ctx context.Context) error {
			req, err := http.NewRequestWithContext(ctx, http.MethodPost, "https://api.example.com/orders", nil)
			if err != nil {
				return err
			}
			resp, err := tr.RoundTrip(req)
			if err == nil {
				resp.Body.Close()
			}
			return err
		}
		for range 3 {
			if err := call(t.Context()); err != nil {
				t.Fatal(err)
			}
		}
		if last := sent[2]; len(sent) != 3 || last != 200*time.Millisecond {
			t.Errorf("sent at %v, want 100ms apart", sent)
		}
		ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
		defer cancel()
		err := call(ctx)
		var e *apigw.Error
		if !errors.As(err, &e) || e.Stop != apigw.StopPaced || e.NeededWait != 100*time.Millisecond {
			t.Errorf("got %v, want one stopped by paced that needs 100ms", err)
		}
	})
}
