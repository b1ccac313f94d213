package apigw

import (
	"context"
	"errors"
	"io"
	"net"
	"net/url"
	"os"
	"reflect"
	"strings"
	"time"
)

// causeOf returns why ctx ended.
func causeOf(ctx context.Context) error {
	return &contextError{context.Cause(ctx), ctx.Err()}
}

// ended returns why ctx ended, nil if it did not. A deadline that passed counts
// before the context's own timer fires: that of http.Client.Timeout may have
// cancelled the request a moment earlier.
func ended(ctx context.Context, now time.Time) error {
	if ctx.Err() != nil {
		return causeOf(ctx)
	}
	if deadline, ok := ctx.Deadline(); ok && !now.Before(deadline) {
		return context.DeadlineExceeded
	}
	return nil
}

// ownError returns err, of a Base, unless it is or holds the cause of the ended
// ctx: net/http returns that since Go 1.23.
func ownError(ctx context.Context, err error) error {
	if ctx.Err() == nil {
		return err
	}
	cause := context.Cause(ctx)
	if cause == ctx.Err() {
		return err
	}
	for of := range wrappedBy(cause, nil) {
		for e := range wrappedBy(err, nil) {
			if isSame(e, of) {
				return causeOf(ctx)
			}
		}
	}
	return err
}

// contextError says that a context ended. For [errors.Is] it is
// context.Canceled or context.DeadlineExceeded.
//
// The cause says why the context ended, not what became of this request: in an
// errgroup it is the failure of a sibling. So the text shows it, but Unwrap does
// not. errors.Is still finds the cause itself, and Is and [errors.As] find the
// errors in it that do not speak of a sending; see aboutSending. Nobody can take
// the quota or the dial of a sibling for that of this request.
type contextError struct{ cause, err error }

func (e *contextError) Error() string {
	cause := e.cause.Error()
	if strings.Contains(cause, e.err.Error()) {
		return cause
	}
	return e.err.Error() + ": " + cause
}

func (e *contextError) Unwrap() error { return e.err }
func (e *contextError) Timeout() bool { return errors.Is(e.err, context.DeadlineExceeded) }

func (e *contextError) Is(target error) bool {
	if isSame(e.cause, target) && !isShared(target) {
		return true
	}
	for err := range wrappedBy(e.cause, aboutSending) {
		if isSame(err, target) {
			return true
		}
	}
	return false
}

// As finds concrete types only. An interface asks for a fact, such as a timeout.
func (e *contextError) As(target any) bool {
	to := reflect.ValueOf(target).Elem()
	if to.Kind() == reflect.Interface {
		return false
	}
	for err := range wrappedBy(e.cause, aboutSending) {
		if reflect.TypeOf(err) == to.Type() {
			to.Set(reflect.ValueOf(err))
			return true
		}
	}
	return false
}

// aboutSending reports whether err says what became of some request, and not
// why a program gave it up. What such an error wraps belongs to it.
func aboutSending(err error) bool {
	switch err.(type) {
	case *Error, *classSentinel, *url.Error, net.Error:
		return true
	}
	return err == io.EOF || err == io.ErrUnexpectedEOF || err == context.Canceled
}

// isShared reports whether others may return the same error value, so that
// being the same proves nothing. A pointer is somebody's own, but for variables.
func isShared(err error) bool {
	if _, ok := err.(*classSentinel); ok || reflect.TypeOf(err).Kind() != reflect.Pointer {
		return true
	}
	return err == io.EOF || err == io.ErrUnexpectedEOF || err == context.Canceled || err == os.ErrDeadlineExceeded
}
