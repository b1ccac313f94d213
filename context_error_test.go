package apigw

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/apigw-go/apigw/catalog"
)

var errShutdown = errors.New("the program shuts down")

// batchError is a cause with a type.
type batchError struct{ id int }

func (e batchError) Error() string { return fmt.Sprint("batch ", e.id) }

// uncomparable cannot be compared with ==.
type uncomparable struct{ ids []int }

func (e uncomparable) Error() string { return "uncomparable" }

// siblings are what other calls of an errgroup fail with.
func siblings() map[string]error {
	dial := &net.OpError{Op: "dial", Net: "tcp", Err: syscall.ECONNREFUSED}
	quota, _ := catalog.Lookup("B403MQ")
	refused := &Error{Entry: quota, Code: "B403MQ", Status: 403, Reached: catalog.ReachedNo}
	return map[string]error{
		"dial":            dial,
		"dial, wrapped":   fmt.Errorf("users: %w", dial),
		"dial, same URL":  &url.Error{Op: "Post", URL: "http://api.example.com/v1/orders?token=tops3cret", Err: dial},
		"quota":           refused,
		"quota, wrapped":  fmt.Errorf("users: %w", refused),
		"its class":       fmt.Errorf("users: %w", ErrQuota),
		"its class alone": ErrQuota,
		"limiter":         &refusal{"limiter", nil, true},
		"certificate":     certificateError(),
		"scheme":          errors.New(`unsupported protocol scheme "http"`),
		"joined":          errors.Join(dial, errShutdown),
		"end of file":     io.EOF,
	}
}

// What a sibling failed with says nothing about this call, which was sent.
func TestCauseOfASiblingIsNotOurs(t *testing.T) {
	for name, cause := range siblings() {
		for how, wrap := range map[string]func(context.Context) error{
			"as it is": context.Cause, // as net/http does
			"by http.Client": func(ctx context.Context) error {
				return &url.Error{Op: "Post", URL: "http://api.example.com/v1/orders?token=tops3cret",
					Err: context.Cause(ctx)}
			},
			"unwrapped": func(ctx context.Context) error {
				cause := context.Cause(ctx)
				return cmp.Or(errors.Unwrap(cause), cause)
			},
			"joined": func(ctx context.Context) error { return errors.Join(context.Cause(ctx), ctx.Err()) },
		} {
			t.Run(name+" "+how, func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					ctx, cancel := context.WithCancelCause(t.Context())
					time.AfterFunc(time.Second, func() { cancel(cause) })
					base := roundTripFunc(func(r *http.Request) (*http.Response, error) {
						<-r.Context().Done()
						return nil, wrap(r.Context())
					})
					_, err := (&Transport{Base: base}).RoundTrip(newRequest(t, http.MethodPost,
						"order").WithContext(ctx))
					var e *Error
					if !errors.As(err, &e) {
						t.Fatal(err)
					}
					if e.Reached != catalog.ReachedMaybe || e.Stop != StopContext {
						t.Errorf("reached %v, stopped by %v; want maybe, context-done", e.Reached, e.Stop)
					}
					if !errors.Is(err, context.Canceled) || e.Timeout() {
						t.Errorf("%v is not context.Canceled, or a timeout", err)
					}
					for _, of := range []error{ErrQuota, syscall.ECONNREFUSED, io.EOF, &Error{Code: "B403MQ"}} {
						if errors.Is(err, of) {
							t.Errorf("%v is %v, which is the sibling's", err, of)
						}
					}
					var op *net.OpError
					if errors.As(err, &op) {
						t.Errorf("found the sibling's %v", op)
					}
				})
			})
		}
	}
}

// Why the context ended can be asked for.
func TestCauseCanBeFound(t *testing.T) {
	own := &net.OpError{Op: "dial", Err: errShutdown}
	for name, c := range map[string]struct {
		cause, target error
		want          bool
	}{
		"the cause":                 {errShutdown, errShutdown, true},
		"what it wraps":             {fmt.Errorf("batch 7: %w", errShutdown), errShutdown, true},
		"joined":                    {errors.Join(io.EOF, errShutdown), errShutdown, true},
		"a value":                   {batchError{7}, batchError{7}, true},
		"another value":             {batchError{7}, batchError{8}, false},
		"the sibling's own error":   {own, own, true},
		"what the sibling's wraps":  {own, errShutdown, false},
		"a shared timeout":          {os.ErrDeadlineExceeded, os.ErrDeadlineExceeded, false},
		"a shared end":              {io.EOF, io.EOF, false},
		"a shared errno":            {syscall.ECONNREFUSED, syscall.ECONNREFUSED, false},
		"a timeout, but cancelled":  {context.DeadlineExceeded, context.DeadlineExceeded, false},
		"what cannot be compared":   {uncomparable{[]int{1}}, uncomparable{[]int{1}}, false},
		"a class":                   {ErrQuota, ErrQuota, false},
		"the end of the context":    {errShutdown, context.Canceled, true},
		"no cause but the end":      {nil, context.Canceled, true},
		"something else altogether": {errShutdown, errBodyClosed, false},
	} {
		t.Run(name, func(t *testing.T) {
			ctx, cancel := context.WithCancelCause(t.Context())
			cancel(c.cause)
			if got := errors.Is(causeOf(ctx), c.target); got != c.want {
				t.Errorf("errors.Is(%v, %v) is %v, want %v", causeOf(ctx), c.target, got, c.want)
			}
		})
	}
}

func TestCauseCanBeFoundByType(t *testing.T) {
	ctx, cancel := context.WithCancelCause(t.Context())
	cancel(fmt.Errorf("orders: %w", batchError{7}))
	var batch batchError
	if err := causeOf(ctx); !errors.As(err, &batch) || batch.id != 7 {
		t.Errorf("%v holds no batch 7", err)
	}
	var timeout interface{ Timeout() bool }
	if err := causeOf(ctx); !errors.As(err, &timeout) || timeout.Timeout() {
		t.Errorf("%v is a timeout", err)
	}
}

// A deadline is a timeout, whatever its cause says.
func TestDeadlineWithACauseIsATimeout(t *testing.T) {
	ctx, cancel := context.WithTimeoutCause(t.Context(), 0, errShutdown)
	defer cancel()
	err := causeOf(ctx)
	var timeout interface{ Timeout() bool }
	if !errors.As(err, &timeout) || !timeout.Timeout() ||
		!errors.Is(err, context.DeadlineExceeded) || !errors.Is(err, errShutdown) {
		t.Errorf("%v is not a timeout caused by the shutdown", err)
	}
}
