package apigw

import (
	"errors"
	"net/http"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/apigw-go/apigw/catalog"
)

// held sends a request that must be answered here.
func held(t *testing.T, tr *Transport) *Error {
	t.Helper()
	_, err := tr.RoundTrip(newRequest(t, http.MethodPost, ""))
	var e *Error
	if !errors.As(err, &e) || e.Stop != StopQuotaHeld {
		t.Fatalf("got %v, want one stopped by quota-held", err)
	}
	return e
}

func TestQuotaHold(t *testing.T) {
	for name, c := range map[string]struct {
		refusal  answer
		sentinel error
	}{
		"quota":         {quota, ErrQuota},
		"no quota left": {answer{status: 403, code: "B403MQ"}, ErrQuota},
		"arrears":       {answer{status: 403, message: "User Arrears"}, ErrBilling},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				base := serve(c.refusal, c.refusal, ok)
				tr := &Transport{Base: base, Policy: RetryPolicy{QuotaHold: time.Minute}}
				mustFail(t, tr, newRequest(t, http.MethodPost, ""))
				time.Sleep(20 * time.Second)
				e := held(t, tr)
				if !errors.Is(e, c.sentinel) || e.Reached != catalog.ReachedNo || e.NeededWait != 40*time.Second {
					t.Errorf("got %v, reached %v, needs %v, want the class of the refusal, no, 40s", e, e.Reached,
						e.NeededWait)
				}
				if text := e.Error(); !strings.Contains(text, "answered by apigw") ||
					!strings.Contains(text, "20s ago") {
					t.Errorf("text %q, want who answered and when the gateway did", text)
				}
				time.Sleep(41 * time.Second)
				mustFail(t, tr, newRequest(t, http.MethodPost, "")) // the probe is refused
				held(t, tr)
				time.Sleep(time.Minute)
				mustPass(t, tr, newRequest(t, http.MethodPost, ""))
				mustPass(t, tr, newRequest(t, http.MethodPost, ""))
				if got := base.attempts(); got != 4 {
					t.Errorf("%d sent, want 4", got)
				}
			})
		})
	}
}

// While one call asks again, others do not; if it gets no answer, the next asks.
func TestQuotaProbe(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		base := serve(quota, answer{err: dialFailed.err, delay: time.Second}, ok)
		tr := &Transport{Base: base, Policy: RetryPolicy{QuotaHold: time.Minute, MaxAttempts: 1}}
		mustFail(t, tr, newRequest(t, http.MethodPost, ""))
		time.Sleep(time.Minute)
		done := make(chan struct{})
		go func() {
			defer close(done)
			if _, err := tr.RoundTrip(newRequest(t, http.MethodPost, "")); err == nil {
				t.Error("got no error of the probe")
			}
		}()
		synctest.Wait()
		held(t, tr)
		<-done
		mustPass(t, tr, newRequest(t, http.MethodPost, ""))
	})
}

func TestQuotaIsAskedForByDefault(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		base := serve(quota)
		tr := &Transport{Base: base}
		for range 3 {
			mustFail(t, tr, newRequest(t, http.MethodPost, ""))
		}
		if got := base.attempts(); got != 3 {
			t.Errorf("%d sent, want 3", got)
		}
	})
}

// An answer of the backend that looks like a refusal holds nothing.
func TestQuotaOfTheBackendIsNotHeld(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		tr := &Transport{Base: serve(answer{status: 403}, ok), Policy: RetryPolicy{QuotaHold: time.Minute}}
		mustFail(t, tr, newRequest(t, http.MethodPost, ""))
		mustPass(t, tr, newRequest(t, http.MethodPost, ""))
	})
}

// A call is no way around the hold: each attempt asks.
func TestQuotaHoldMeetsRetries(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		base := serve(quota, unavailable, unavailable, quota, ok)
		tr := &Transport{Base: base, Policy: RetryPolicy{QuotaHold: time.Minute, Jitter: JitterNone}}
		mustFail(t, tr, newRequest(t, http.MethodGet, ""))
		time.Sleep(time.Minute)
		var wg sync.WaitGroup
		errs := make([]*Error, 3)
		for i := range errs { // a probe each, until the third finds no quota
			wg.Go(func() { errs[i] = mustFail(t, tr, newRequest(t, http.MethodGet, "")) })
			time.Sleep(10 * time.Millisecond)
		}
		wg.Wait()
		for i, e := range errs[:2] {
			if e.Stop != StopQuotaHeld || e.Status != 504 || e.NeededWait <= 0 || errors.Is(e, ErrQuota) {
				t.Errorf("call %d: %v, stopped by %v, needs %v, want its 504 stopped by quota-held", i, e, e.Stop, e.NeededWait)
			}
		}
		if got := base.attempts(); got != 4 {
			t.Errorf("%d sent, want 4", got)
		}
		time.Sleep(time.Minute)
		mustPass(t, tr, newRequest(t, http.MethodGet, ""))
	})
}
