package apigw

import (
	"net/http"
	"testing"
	"testing/synctest"

	"github.com/apigw-go/apigw/catalog"
)

// A signed request that is sent again as it is gets "Nonce Used".
func TestNonceThatNobodyRenews(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		base := serve(unavailable)
		req := newRequest(t, http.MethodGet, "")
		req.Header["x-ca-nonce"] = []string{"n1"}
		e := mustFail(t, &Transport{Base: base}, req)
		if e.Stop != StopNonce || base.attempts() != 1 {
			t.Errorf("stopped by %v after %d attempts, want nonce-not-renewed, 1", e.Stop, base.attempts())
		}
	})
}

type renewingBase struct{ *script }

func (renewingBase) Renews(*http.Request) bool { return true }

func TestNonceUsed(t *testing.T) {
	const get, post = http.MethodGet, http.MethodPost
	for name, c := range map[string]struct {
		answers  []answer
		method   string
		nonce    bool // the caller's own, which a renewing Base replaces
		stop     StopReason
		status   int // of the Error
		attempts int
	}{
		"first attempt, GET signed below":  {[]answer{nonceIsUsed, ok}, get, false, StopUnknown, 0, 2},
		"first attempt, GET signed anew":   {[]answer{nonceIsUsed, ok}, get, true, StopUnknown, 0, 2},
		"first attempt, POST":              {[]answer{nonceIsUsed}, post, false, StopNotRetryable, 400, 1},
		"first attempt, PUT":               {[]answer{nonceIsUsed}, http.MethodPut, false, StopNotRetryable, 400, 1},
		"one retry only":                   {[]answer{nonceIsUsed}, get, false, StopNonceUsed, 400, 2},
		"after a retry: the first failure": {[]answer{unavailable, nonceIsUsed}, post, false, StopNonceUsed, 504, 2},
		"after a broken connection":        {[]answer{reset, nonceIsUsed}, get, false, StopNonceUsed, 0, 2},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				base := serve(c.answers...)
				req := newRequest(t, c.method, "")
				if c.nonce {
					req.Header.Set("X-Ca-Nonce", "n1")
				}
				resp, err := (&Transport{Base: renewingBase{base}}).RoundTrip(req)
				if err != nil {
					t.Fatal(err)
				}
				resp.Body.Close()
				e, found := FromResponse(resp)
				if !found {
					e = &Error{}
				}
				if e.Stop != c.stop || e.Status != c.status || base.attempts() != c.attempts {
					t.Errorf(
						"got %v, status %d, %d attempts; want %v, %d, %d",
						e.Stop,
						e.Status,
						base.attempts(),
						c.stop,
						c.status,
						c.attempts,
					)
				}
				if c.stop == StopNonceUsed && e.Reached != catalog.ReachedMaybe {
					t.Errorf("backend reached: %v, want maybe", e.Reached)
				}
			})
		})
	}
}

func TestNonceUsedWithNobodyToRenewIt(t *testing.T) {
	base := serve(nonceIsUsed)
	e := mustFail(t, &Transport{Base: base}, newRequest(t, http.MethodGet, ""))
	if e.Stop != StopNotRetryable || base.attempts() != 1 {
		t.Errorf("stopped by %v after %d attempts, want not-retryable, 1", e.Stop, base.attempts())
	}
}
