package apigw

import (
	"context"
	"errors"
	"net"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

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
		_, err := (&Transport{Base: serve(answer{delay: time.Minute})}).RoundTrip(
			newRequest(t, http.MethodGet, "").WithContext(ctx),
		)
		var e *Error
		if !errors.As(err, &e) || !e.Timeout() || !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("got %v, want a timeout", err)
		}
	})
}

// endless wraps itself.
type endless struct{}

func (e endless) Error() string { return "endless" }
func (e endless) Unwrap() error { return e }

func TestErrorThatWrapsItself(t *testing.T) {
	e := &Error{Err: endless{}}
	if e.Timeout() || !strings.Contains(e.Error(), "endless") {
		t.Errorf("got %v, timeout %v", e, e.Timeout())
	}
}
