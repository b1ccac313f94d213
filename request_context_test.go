package apigw

import (
	"net/http"
	"testing"
	"testing/synctest"
)

func TestPolicyOfTheRequest(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		base := serve(unavailable)
		req := newRequest(t, http.MethodGet, "")
		req = req.WithContext(WithPolicy(req.Context(), RetryPolicy{MaxAttempts: 2}))
		mustFail(t, &Transport{Base: base}, req)
		if got := base.attempts(); got != 2 {
			t.Errorf("%d attempts, want 2", got)
		}
	})
}
