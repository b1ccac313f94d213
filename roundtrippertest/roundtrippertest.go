// Package roundtrippertest checks on real sockets what net/http demands from an
// [http.RoundTripper] and promises of one, for RoundTrippers that wrap another
// one and may retry:
//
//	func TestRoundTripper(t *testing.T) {
//		roundtrippertest.Run(t, func(base http.RoundTripper) http.RoundTripper {
//			return &retrying.Transport{Base: base, Delay: time.Millisecond}
//		})
//	}
//
// Some clauses are written in the documentation of [http.RoundTripper],
// [http.Client] and [http.Request]: the request is not changed, its body is
// closed on every path, an error means that there is no response. Others are
// what a program relies on because [http.Transport] does it: streams, trailers,
// upgrades, early hints, cancellation. The rest is what a retry must not do to
// others: run a POST twice, wait for a day, close their connections.
//
// It needs the standard library only.
package roundtrippertest

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"testing"
	"time"
)

// Run makes each check as a subtest of t, one after the other. It calls wrap at
// least once per check, with a base of that check's own, for a RoundTripper
// that
//
//   - sends through base,
//   - makes another attempt after a 503 without a body, for GET and PUT, and
//     after a broken connection, for GET,
//   - waits some milliseconds before it, unless a Retry-After header asks for
//     more, and not a minute in all.
//
// For a RoundTripper that never retries, make those [Checks] that are not marked
// with Retry.
func Run(t *testing.T, wrap func(base http.RoundTripper) http.RoundTripper) {
	t.Helper()
	for _, c := range Checks() {
		t.Run(c.Name, func(t *testing.T) {
			if err := c.Run(wrap); err != nil {
				t.Error(err)
			}
		})
	}
}

// Check is one clause of the contract.
type Check struct {
	Name string
	// Retry marks a check that only a RoundTripper which retries can pass.
	Retry bool
	// Waits marks a check of what happens in the delay before a retry. A
	// RoundTripper that ignores Retry-After should wait for seconds in it:
	// where it does not wait at all, nothing is checked.
	Waits bool

	run func(*env) error
}

// Checks returns all checks, in the order in which Run makes them.
func Checks() []Check {
	return slices.Concat(requestChecks, uploadChecks, responseChecks, clientChecks, retryChecks,
		cancellationChecks, http2Checks)
}

// patience is how long a check may take. It is only used up by a RoundTripper
// that fails.
const patience = 5 * time.Second

// Run makes the check, without go test, and returns what is wrong, nil if
// nothing is. It ends after some seconds even if the RoundTripper hangs. wrap
// may be called several times, and what it returns has to send through base.
func (c Check) Run(wrap func(base http.RoundTripper) http.RoundTripper) error {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	e := &env{wrap: wrap, ctx: ctx}
	defer e.close()
	result := make(chan error, 1)
	go func() {
		defer func() {
			if p := recover(); p != nil {
				result <- fmt.Errorf("panic: %v", p)
			}
		}()
		result <- c.run(e)
	}()
	select {
	case err := <-result:
		return err
	case <-time.After(patience + time.Second):
		return errors.New("hangs, whatever the context says")
	}
}
