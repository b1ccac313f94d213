package apigw

import (
	"net/http"
	"testing"
	"testing/synctest"
)

// A text that echoes the request's credentials is masked.
func TestErrorMasksCredentials(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		req := newRequest(t, http.MethodGet, "")
		req.Header.Set("Authorization", "APPCODE 0123456789abcdef")
		req.Header.Set("X-Ca-Signature", "c2lnbmF0dXJl")
		e := mustFail(
			t,
			&Transport{
				Base: serve(
					answer{status: 403, message: "0123456789abcdef and c2lnbmF0dXJl and token=tops3cret refused"},
				),
			},
			req,
		)
		if got, want := e.SafeMessage(), `"*** and *** and *** refused"`; got != want {
			t.Errorf("got %s, want %s", got, want)
		}
	})
}

func TestErrorMasksEveryCookieAndCredential(t *testing.T) {
	req := newRequest(t, http.MethodGet, "")
	req.Header["cookie"] = []string{"session=tops3cret1; b=cccc"}
	req.Header["Authorization"] = []string{"Bearer x123456", "APPCODE deadbeef02"}
	e := mustFail(
		t,
		&Transport{Base: serve(answer{status: 400, message: "session=tops3cret1 with cccc, x123456 or deadbeef02"})},
		req,
	)
	if got, want := e.SafeMessage(), `"session=*** with ***, *** or ***"`; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}
