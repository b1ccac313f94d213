package apigw

import (
	"net/http"
	"slices"
	"testing"
	"testing/synctest"
	"time"
)

func TestCredentialsAreNotShown(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		tr := &Transport{Base: serve(ok), Policy: RetryPolicy{MaxThrottleWait: time.Minute}}
		for _, value := range []string{"APPCODE 0123456789abcdef", "APPCODE fedcba9876543210"} {
			req := newRequest(t, http.MethodGet, "")
			req.Header.Set("Authorization", value)
			mustPass(t, tr, req)
		}
		var got []string
		for _, s := range tr.Limits() {
			got = append(got, s.Key)
		}
		if want := []string{"api.example.com | caller 1", "api.example.com | caller 2"}; !slices.Equal(got, want) {
			t.Errorf("keys %q, want %q", got, want)
		}
	})
}
