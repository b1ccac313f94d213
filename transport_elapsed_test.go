package apigw

import (
	"context"
	"errors"
	"io"
	"net/http"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/cenkalti/backoff/v4"
)

// quarter is when a closed gate is probed first, if nothing else is known.
const quarter = 250 * time.Millisecond

var limited = answer{status: 429, code: "T429PR"}

func limitedFor(seconds string) answer {
	a := limited
	a.header = http.Header{"Retry-After": {seconds}}
	return a
}

func TestThrottlingWaitsOnRequest(t *testing.T) {
	for name, c := range map[string]struct {
		answers []answer
		wait    time.Duration
		stop    StopReason
		at      []time.Duration
	}{
		"a probe is admitted": {[]answer{throttled, ok}, 5 * time.Second, StopUnknown, []time.Duration{0, quarter}},
		"POST never ran":      {[]answer{limited, ok}, 5 * time.Second, StopUnknown, []time.Duration{0, quarter}},
		"Retry-After": {
			[]answer{limitedFor("4"), ok}, 5 * time.Second, StopUnknown, []time.Duration{0, 4 * time.Second},
		},
		"Retry-After too long": {[]answer{limitedFor("6")}, 5 * time.Second, StopThrottled, []time.Duration{0}},
		"bounded in all": {[]answer{throttled}, 2500 * time.Millisecond, StopThrottled,
			[]time.Duration{0, quarter, 2 * quarter, 1010 * time.Millisecond, 1510 * time.Millisecond,
				2010 * time.Millisecond}},
		"less than a probe takes": {[]answer{throttled}, time.Millisecond, StopThrottled, []time.Duration{0}},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				base := serve(c.answers...)
				tr := &Transport{
					Base: base,
					Policy: RetryPolicy{
						MaxThrottleWait: c.wait,
						NewBackOff:      func() BackOff { return &backoff.ZeroBackOff{} },
					},
				}
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
			t.Errorf(
				"stopped by %v after %d attempts and %v, want deadline, 2, 4s",
				e.Stop,
				base.attempts(),
				time.Since(start),
			)
		}
	})
}

func TestTotalTimeEndsTheAttempts(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		base := serve(unavailable)
		tr := &Transport{
			Base: base,
			Policy: RetryPolicy{
				MaxElapsed:     3 * time.Second,
				InitialBackoff: time.Second,
				Jitter:         JitterNone,
				MaxAttempts:    9,
			},
		}
		e := mustFail(t, tr, newRequest(t, http.MethodGet, ""))
		if want := []time.Duration{0, time.Second, 3 * time.Second}; e.Stop != StopMaxElapsed ||
			!slices.Equal(base.at, want) {
			t.Errorf("stopped by %v with attempts at %v, want max-elapsed, %v", e.Stop, base.at, want)
		}
	})
}

// dripping is the body of a refusal that comes slowly: a byte each interval.
type dripping struct {
	interval time.Duration
	closed   chan struct{}
	once     sync.Once
}

func drip(interval time.Duration) *dripping {
	return &dripping{interval: interval, closed: make(chan struct{})}
}

func (d *dripping) Read(p []byte) (int, error) {
	select {
	case <-time.After(d.interval):
		return copy(p, "x"), nil
	case <-d.closed:
		return 0, errors.New("closed")
	}
}

func (d *dripping) Close() error {
	d.once.Do(func() { close(d.closed) })
	return nil
}

// No attempt begins behind MaxElapsed or the deadline, however long the refused
// response takes.
func TestLimitHoldsWhileARefusalDrips(t *testing.T) {
	const limit = 100 * time.Millisecond
	for name, c := range map[string]struct {
		policy  RetryPolicy
		timeout time.Duration
		stop    StopReason
	}{
		"MaxElapsed": {RetryPolicy{MaxElapsed: limit}, time.Hour, StopMaxElapsed},
		"deadline":   {RetryPolicy{}, limit, StopDeadline},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				ctx, cancel := context.WithTimeout(t.Context(), c.timeout)
				defer cancel()
				start, last := time.Now(), time.Time{}
				base := roundTripFunc(func(*http.Request) (*http.Response, error) {
					last = time.Now()
					h := http.Header{headerErrorMessage: {"Service Unavailable"}}
					return &http.Response{
						StatusCode:    503,
						Header:        h,
						ContentLength: -1,
						Body:          drip(30 * time.Millisecond),
					}, nil
				})
				c.policy.MaxAttempts, c.policy.InitialBackoff, c.policy.Jitter = 99, time.Millisecond, JitterNone
				resp, err := (&Transport{Base: base, Policy: c.policy}).RoundTrip(
					newRequest(t, http.MethodGet, "").WithContext(ctx),
				)
				if err != nil {
					t.Fatal(err)
				}
				resp.Body.Close()
				if e, _ := FromResponse(resp); e == nil || e.Stop != c.stop {
					t.Errorf("got %v, want %v", e, c.stop)
				}
				if late := last.Sub(start); late > limit {
					t.Errorf("an attempt began after %v, the limit is %v", late, limit)
				}
			})
		})
	}
}

// A refusal is still there, and whole, if its retry would come too late.
func TestRefusalIsKeptForARetryThatComesTooLate(t *testing.T) {
	sleeps := func() { time.Sleep(time.Minute) } // as the machine may
	for name, edit := range map[string]func(*Transport){
		"in OnRetry": func(tr *Transport) {
			tr.OnRetry = func(*http.Request, Attempt,
				time.Duration) {
				sleeps()
			}
		},
		"in PrepareRetry": func(tr *Transport) { tr.PrepareRetry = func(*http.Request) error { sleeps(); return nil } },
	} {
		for text, drips := range map[string]time.Duration{"busy": 0, "dripping": 60 * time.Millisecond} {
			t.Run(name+", "+text, func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					refusal := notReached
					refusal.body = text
					base := serve(refusal)
					tr := &Transport{
						Base: roundTripFunc(func(req *http.Request) (*http.Response, error) {
							resp, err := base.RoundTrip(req)
							if drips > 0 {
								resp.Body = &slowBody{resp.Body, drips}
								resp.ContentLength = -1
							}
							return resp, err
						}),
						Policy: RetryPolicy{
							MaxElapsed:     time.Second,
							InitialBackoff: 900 * time.Millisecond,
							Jitter:         JitterNone,
						},
					}
					edit(tr)
					resp, err := tr.RoundTrip(newRequest(t, http.MethodPost, "order"))
					if err != nil {
						t.Fatal(err)
					}
					body, err := io.ReadAll(resp.Body)
					resp.Body.Close()
					e, _ := FromResponse(resp)
					if e == nil || e.Stop != StopMaxElapsed || e.Status != 504 || base.attempts() != 1 {
						t.Errorf("got %v after %d attempts, want max-elapsed after one", e, base.attempts())
					}
					if string(body) != text || err != nil {
						t.Errorf("the refusal is %q, %v, want %q", body, err, text)
					}
					if got := tr.Budgets()[0].Available; got != 10 {
						t.Errorf("%v retries are left, want all 10", got)
					}
				})
			})
		}
	}
}

// slowBody gives a byte at a time.
type slowBody struct {
	io.ReadCloser
	each time.Duration
}

func (b *slowBody) Read(p []byte) (int, error) {
	time.Sleep(b.each)
	return b.ReadCloser.Read(p[:min(1, len(p))])
}
