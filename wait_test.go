package apigw

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/apigw-go/apigw/catalog"
)

func TestCancelDuringTheDelay(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		cause := errors.New("user left")
		ctx, cancel := context.WithCancelCause(t.Context())
		time.AfterFunc(time.Second, func() { cancel(cause) })
		start := time.Now()
		tr := &Transport{
			Base:   serve(unavailable),
			Policy: RetryPolicy{InitialBackoff: 9 * time.Second, Jitter: JitterNone},
		}
		resp, err := tr.RoundTrip(newRequest(t, http.MethodGet, "").WithContext(ctx))
		if resp != nil || !errors.Is(err, cause) || !errors.Is(err, context.Canceled) {
			t.Errorf("got %v, %v, want the cause and context.Canceled", resp, err)
		}
		if got := time.Since(start); got != time.Second {
			t.Errorf("returned after %v, want 1s", got)
		}
		var e *Error
		if errors.As(err, &e) &&
			(e.Stop != StopContext || e.Status != 0 || len(e.Attempts) != 1 || e.Attempts[0].Status != 504) {
			t.Errorf("%+v: want no status, and an attempt that got the 504", e)
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
		"during the delay":   unavailable,
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				cancel := make(chan struct{})
				time.AfterFunc(time.Second, func() { close(cancel) })
				req := newRequest(t, http.MethodGet, "")
				//lint:ignore SA1019 this is what is tested
				req.Cancel = cancel
				base := serve(first)
				_, err := (&Transport{Base: base,
					Policy: RetryPolicy{InitialBackoff: 9 * time.Second, Jitter: JitterNone}}).RoundTrip(
					req,
				)
				var e *Error
				if !errors.As(err, &e) || e.Stop != StopContext || base.attempts() != 1 {
					t.Errorf("got %v after %d attempts, want %v after 1", err, base.attempts(), StopContext)
				}
			})
		})
	}
}

func TestCancelledRequestIsNotSent(t *testing.T) {
	cancel := make(chan struct{})
	close(cancel)
	req := newRequest(t, http.MethodPost, "order")
	//lint:ignore SA1019 this is what is tested
	req.Cancel = cancel
	base := serve(ok)
	e := failWithoutResponse(t, &Transport{Base: base}, req)
	if e.Stop != StopContext || e.Reached != catalog.ReachedNo || base.attempts() != 0 {
		t.Errorf("got %v, reached %v after %d attempts; want %v, no after 0", e, e.Reached, base.attempts(), StopContext)
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
