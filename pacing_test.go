package apigw

import (
	"context"
	"errors"
	"io"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/apigw-go/apigw/catalog"
)

// A pool of workers at a limit: nothing but MaxThrottleWait is set.
func TestThousandJobsThroughTheTransport(t *testing.T) {
	for _, test := range []struct {
		name    string
		wait    time.Duration
		limit   RateLimit
		refused int // at most
	}{
		{"learned", time.Minute, RateLimit{}, 75},
		{"learned, within a short wait", 5 * time.Second, RateLimit{}, 75},
		{"declared", time.Minute, RateLimit{Calls: 100}, 10},
	} {
		t.Run(test.name, func(t *testing.T) {
			for seed := range uint64(5) {
				synctest.Test(t, func(t *testing.T) {
					g := newLimitedGateway(100, time.Second, seed)
					tr := &Transport{Base: g, Policy: RetryPolicy{MaxThrottleWait: test.wait, Limit: test.limit}}
					start := time.Now()
					failed := jobs(t, tr, 50, 1000,
						func(int) *http.Request { return newRequest(t, http.MethodPost, "") })
					took := time.Since(start)
					t.Logf("seed %d: %v, %d refused", seed, took, g.refused)
					if failed != 0 {
						t.Errorf("seed %d: %d jobs failed, want none", seed, failed)
					}
					if limit := 10500 * time.Millisecond; took > limit {
						t.Errorf("seed %d: took %v, want at most %v", seed, took, limit)
					}
					if g.refused > test.refused {
						t.Errorf("seed %d: %d refused, want at most %d", seed, g.refused, test.refused)
					}
				})
			}
		})
	}
}

// Refusals by a limit pay neither budget nor attempts, and earn nothing.
func TestRefusalsCostNeitherBudgetNorAttempts(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		base := serve(limited, limited, limited, limited, limited, limited, unavailable, ok)
		budget := &RetryBudget{Reserve: 1, Ratio: -1, Refill: -1}
		tr := &Transport{Base: base, Budget: budget, Policy: RetryPolicy{MaxThrottleWait: time.Minute, MaxAttempts: 2}}
		resp, err := tr.RoundTrip(newRequest(t, http.MethodGet, ""))
		if err != nil || resp.StatusCode != 200 {
			t.Fatalf("got %v, %v, want a success", resp, err)
		}
		if got := base.attempts(); got != 8 {
			t.Errorf("%d attempts, want 8", got)
		}
		if s := tr.Budgets(); len(s) != 1 || s[0].Requests != 1 {
			t.Errorf("budgets %+v, want one request", s)
		}
	})
}

func TestUnmarkedThrottlePays(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		base := serve(answer{status: 429})
		tr := &Transport{Base: base, Policy: RetryPolicy{MaxThrottleWait: time.Hour, MaxAttempts: 3}}
		e := mustFail(t, tr, newRequest(t, http.MethodGet, ""))
		if e.Stop != StopMaxAttempts || base.attempts() != 3 {
			t.Errorf("stopped by %v after %d attempts, want max-attempts after 3", e.Stop, base.attempts())
		}
		if s := tr.Limits(); len(s) != 1 || s[0].Rate != 0 || s[0].Refused != 0 {
			t.Errorf("limits %+v, want nothing learned", s)
		}
	})
}

func TestOneAttemptMeansOne(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		base := serve(limited)
		tr := &Transport{Base: base, Policy: RetryPolicy{MaxThrottleWait: time.Hour, MaxAttempts: 1}}
		e := mustFail(t, tr, newRequest(t, http.MethodGet, ""))
		if e.Stop != StopMaxAttempts || base.attempts() != 1 {
			t.Errorf("stopped by %v after %d attempts, want max-attempts after 1", e.Stop, base.attempts())
		}
	})
}

// A call without a place in time is not sent, and is reported at once.
func TestPaced(t *testing.T) {
	for _, test := range []struct {
		name     string
		deadline time.Duration
		wait     time.Duration
	}{
		{"MaxThrottleWait", 0, 100 * time.Millisecond},
		{"deadline", 100 * time.Millisecond, time.Minute},
	} {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				base := serve(ok)
				tr := &Transport{Base: base,
					Policy: RetryPolicy{MaxThrottleWait: test.wait, Limit: RateLimit{1, time.Second}}}
				mustPass(t, tr, newRequest(t, http.MethodGet, ""))
				body := &closeCounter{Reader: strings.NewReader("order")}
				req := newRequest(t, http.MethodPost, "")
				req.Body = body
				if test.deadline > 0 {
					ctx, cancel := context.WithTimeout(t.Context(), test.deadline)
					defer cancel()
					req = req.WithContext(ctx)
				}
				start := time.Now()
				resp, err := tr.RoundTrip(req)
				var e *Error
				if resp != nil || !errors.As(err, &e) {
					t.Fatalf("got %v, %v, want an Error", resp, err)
				}
				if e.Stop != StopPaced || e.Reached != catalog.ReachedNo || len(e.Attempts) != 0 ||
					base.attempts() != 1 {
					t.Errorf("stopped by %v, reached %v, %d attempts, %d sent, want paced, no, 0, 1",
						e.Stop, e.Reached, len(e.Attempts), base.attempts())
				}
				if e.NeededWait != time.Second || !strings.Contains(err.Error(), "1s") {
					t.Errorf("needed %v, text %q, want 1s in both", e.NeededWait, err)
				}
				if !errors.Is(err, ErrThrottled) {
					t.Errorf("%v does not match ErrThrottled", err)
				}
				if took := time.Since(start); took != 0 {
					t.Errorf("it took %v, want it at once", took)
				}
				if body.closed != 1 {
					t.Errorf("the body was closed %d times, want once", body.closed)
				}
			})
		})
	}
}

// A call that waited in vain needs more than it had.
func TestNeededWaitCountsWhatWasWaited(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		hang := make(chan struct{})
		attempts := 0
		tr := &Transport{Policy: RetryPolicy{MaxThrottleWait: time.Second}}
		tr.Base = roundTripFunc(func(req *http.Request) (*http.Response, error) {
			if attempts++; attempts > 1 {
				<-hang
			}
			time.Sleep(200 * time.Millisecond)
			return respond(req, limited), nil
		})
		var wg sync.WaitGroup
		wg.Go(func() { mustFail(t, tr, newRequest(t, http.MethodGet, "")) })
		time.Sleep(300 * time.Millisecond) // a probe is under way
		time.AfterFunc(500*time.Millisecond, func() { close(hang) })
		_, err := tr.RoundTrip(newRequest(t, http.MethodGet, "").WithContext(deadline(t, 400*time.Millisecond)))
		var e *Error
		if !errors.As(err, &e) || e.Stop != StopPaced || e.NeededWait <= 0 {
			t.Fatalf("got %v, want one stopped by paced", err)
		}
		if e.NeededWait < 100*time.Millisecond {
			t.Errorf("needed %v, want more than what was waited", e.NeededWait)
		}
		wg.Wait()
	})
}

func deadline(t *testing.T, d time.Duration) context.Context {
	ctx, cancel := context.WithTimeout(t.Context(), d)
	t.Cleanup(cancel)
	return ctx
}

// The last response is kept while a call waits for its turn, and returned if
// there is none.
func TestLastResponseIsKept(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		base := serve(answer{status: 503, message: "Service Unavailable", body: "closed"})
		tr := &Transport{Base: base, Policy: RetryPolicy{
			MaxThrottleWait: 2 * time.Second, Limit: RateLimit{1, 10 * time.Second},
			InitialBackoff: time.Second, Jitter: JitterNone,
		}}
		resp, err := tr.RoundTrip(newRequest(t, http.MethodGet, ""))
		if err != nil {
			t.Fatal(err)
		}
		defer resp.Body.Close()
		text, err := io.ReadAll(resp.Body)
		if err != nil || string(text) != "closed" {
			t.Errorf("body %q, %v, want it whole", text, err)
		}
		e, found := FromResponse(resp)
		if !found || e.Stop != StopPaced || e.NeededWait <= 0 {
			t.Errorf("got %+v, want one stopped by paced, with the wait that was needed", e)
		}
	})
}

func TestWaitingForAPlaceIsNoPartOfAttemptTimeout(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		base := serve(ok)
		tr := &Transport{Base: base, Policy: RetryPolicy{
			MaxThrottleWait: time.Minute, AttemptTimeout: time.Second, Limit: RateLimit{1, 10 * time.Second},
		}}
		var waited time.Duration
		tr.OnAttempt = func(_ *http.Request, a Attempt) { waited = a.Wait }
		mustPass(t, tr, newRequest(t, http.MethodGet, ""))
		mustPass(t, tr, newRequest(t, http.MethodGet, ""))
		if want := 10 * time.Second; waited != want {
			t.Errorf("the second call waited %v, want %v", waited, want)
		}
	})
}

func TestCancelledWhileWaiting(t *testing.T) {
	for _, old := range []bool{false, true} {
		synctest.Test(t, func(t *testing.T) {
			base := serve(ok)
			tr := &Transport{Base: base,
				Policy: RetryPolicy{MaxThrottleWait: time.Minute, Limit: RateLimit{1, 10 * time.Second}}}
			mustPass(t, tr, newRequest(t, http.MethodGet, ""))
			req := newRequest(t, http.MethodGet, "")
			if old {
				cancel := make(chan struct{})
				//lint:ignore SA1019 older programs use it
				req.Cancel = cancel
				time.AfterFunc(time.Second, func() { close(cancel) })
			} else {
				ctx, cancel := context.WithCancel(t.Context())
				time.AfterFunc(time.Second, cancel)
				req = req.WithContext(ctx)
			}
			start := time.Now()
			_, err := tr.RoundTrip(req)
			var e *Error
			if !errors.As(err, &e) || e.Stop != StopContext || e.Reached != catalog.ReachedNo {
				t.Errorf("got %v, want one stopped by the context, not reached", err)
			}
			if took := time.Since(start); took != time.Second {
				t.Errorf("it took %v, want 1s", took)
			}
			if s := tr.Limits(); s[0].Waiting != 0 {
				t.Errorf("%d calls wait, want none", s[0].Waiting)
			}
		})
	}
}

// What ends an attempt without an answer must free the probe.
func TestProbeIsFreed(t *testing.T) {
	for name, end := range map[string]func(*http.Request) (*http.Response, error){
		"broken":   func(*http.Request) (*http.Response, error) { return nil, io.ErrUnexpectedEOF },
		"panics":   func(*http.Request) (*http.Response, error) { panic("base") },
		"not sent": func(*http.Request) (*http.Response, error) { return nil, notSentError{} },
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				sent := 0
				tr := &Transport{Policy: RetryPolicy{MaxThrottleWait: time.Minute}}
				tr.Base = roundTripFunc(func(req *http.Request) (*http.Response, error) {
					switch sent++; sent {
					case 1:
						return respond(req, limited), nil
					case 2:
						return end(req)
					}
					return respond(req, ok), nil
				})
				func() {
					defer func() { _ = recover() }()
					resp, err := tr.RoundTrip(newRequest(t, http.MethodPost, ""))
					if err == nil {
						resp.Body.Close()
					}
				}()
				start := time.Now()
				mustPass(t, tr, newRequest(t, http.MethodPost, ""))
				if took := time.Since(start); took > time.Second {
					t.Errorf("the next call waited %v, want at most 1s", took)
				}
			})
		})
	}
}

type notSentError struct{}

func (notSentError) Error() string { return "not sent" }
func (notSentError) NotSent() bool { return true }

func TestShadowPacesNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		base := serve(limited, ok)
		p := &Pacer{Shadow: true}
		tr := &Transport{Base: base, Limiter: p, Policy: RetryPolicy{MaxThrottleWait: time.Minute, Jitter: JitterNone}}
		mustPass(t, tr, newRequest(t, http.MethodGet, ""))
		if want := []time.Duration{0, time.Second + quarter}; !slices.Equal(base.at, want) {
			t.Errorf("attempts at %v, want %v as without a pacer", base.at, want)
		}
		if s := p.States(); len(s) != 1 || s[0].Refused != 1 || s[0].Rate == 0 {
			t.Errorf("states %+v, want one refusal and a rate", s)
		}
	})
}

func TestPacedSuccessAllocatesNothing(t *testing.T) {
	tr := &Transport{Base: &stub{statuses: []int{200}, header: noHeader},
		Policy: RetryPolicy{MaxThrottleWait: time.Minute}}
	alone := &stub{statuses: []int{200}, header: noHeader}
	req := newRequest(t, http.MethodGet, "")
	req.Header.Set("X-Ca-Key", "203753385")
	run := func(rt http.RoundTripper) func() {
		return func() {
			resp, err := rt.RoundTrip(req)
			if err != nil {
				t.Fatal(err)
			}
			resp.Body.Close()
		}
	}
	run(tr)()
	if got, bare := testing.AllocsPerRun(200, run(tr)), testing.AllocsPerRun(200, run(alone)); got > bare &&
		!raceEnabled {
		t.Errorf("%v allocations, want the %v of the Base alone", got, bare)
	}
}

func BenchmarkPacedSuccess(b *testing.B) {
	for _, wait := range []time.Duration{0, time.Minute} {
		b.Run(wait.String(), func(b *testing.B) {
			tr := &Transport{Base: &stub{statuses: []int{200}, header: noHeader},
				Policy: RetryPolicy{MaxThrottleWait: wait}}
			req := newRequest(b, http.MethodGet, "")
			req.Header.Set("X-Ca-Key", "203753385")
			b.ReportAllocs()
			for b.Loop() {
				resp, err := tr.RoundTrip(req)
				if err != nil {
					b.Fatal(err)
				}
				resp.Body.Close()
			}
		})
	}
}
