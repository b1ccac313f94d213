package apigw

import (
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"testing/synctest"
)

func TestErrorText(t *testing.T) {
	for name, c := range map[string]struct {
		err  *Error
		want string
	}{
		"code": {
			classified(403, "B403MQ", "Api Market Subscription quota exhausted"),
			"apigw: B403MQ 403 Api Market Subscription quota exhausted: the marketplace call package is used up; buy more calls",
		},
		"classic": {
			classified(403, "", "Quota Exhausted"),
			"apigw: 403 Quota Exhausted: all purchased calls are used; buy more calls, then call again",
		},
		"unverified": {
			classified(503, "X503BZ", ""),
			"apigw: X503BZ 503 Service Busy: the gateway is busy (unverified); wait, then retry",
		},
		"inferred": {
			classified(429, "T429ZZ", ""),
			"apigw: T429ZZ 429: a rate limit that is not in the catalog refused the call (inferred from the code); slow down, retry after the limit window",
		},
		"safe parameter": {
			classified(400, "I400MH", "Header `X-Ca-Key` is Required"),
			"apigw: I400MH 400 Header `X-Ca-Key` is Required: a required request header is missing (for example X-Ca-Key on a signed API); send the named header",
		},
		"reason of a failed connection": {
			classified(504, "D504CO", "Backend service connect failed `Timeout connecting to 10.0.0.1:80`"),
			"apigw: D504CO 504 Backend service connect failed `Timeout connecting to 10.0.0.1:80`: the gateway could not get or keep a connection to the backend; provider checks address, security group, firewall, allow lists and that the service runs; retry only if it is safe to send twice",
		},
		"string to sign": {
			classified(400, "", "Invalid Signature, Server StringToSign:`POST#a##/x?password=tops3cret`"),
			"apigw: 400 Invalid Signature, Server StringToSign:…: the signature does not match; the message carries the string the gateway signed, with # for line breaks; compare StringToSign with the local one; if equal, check the secret",
		},
		"text behind a known message": {
			classified(403, "", "User Arrears tops3cret"),
			"apigw: 403 User Arrears: the calling account owes money; pay the balance",
		},
		"unknown text": {
			classified(404, "", "Role\x1b[31m Not Exists at /a?key=tops3cret now\r\nX: y"),
			`apigw: 404 "Role�[31m Not Exists at /a?… now��X: y": the backend, or a proxy on the way, answered with this status; read the body; the API's own documentation explains it`,
		},
		"unknown text with a string to sign": {
			classified(400, "E1", "bad StringToSign: GET#tops3cret"),
			`apigw: 400 "bad StringToSign…": the backend, or a proxy on the way, answered with this status; read the body; the API's own documentation explains it`,
		},
	} {
		t.Run(name, func(t *testing.T) {
			if got := c.err.Error(); got != c.want {
				t.Errorf("got  %s\nwant %s", got, c.want)
			}
		})
	}
}

func classified(status int, code, message string) *Error {
	e, _ := Classify(status, headers(code, message))
	return e
}

func TestErrorSaysTheWholeStory(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := unavailable
		a.header = http.Header{headerRequestID: {"4D-1"}}
		e := mustFail(
			t,
			&Transport{Base: serve(a), Policy: RetryPolicy{MaxAttempts: 2}},
			newRequest(t, http.MethodGet, ""),
		)
		want := "apigw: 504 " + notSentText +
			": the gateway could not get or keep a connection to the backend; provider checks address, " +
			"security group, firewall, allow lists and that the service runs; retry only if it is safe to send twice; request id 4D-1" +
			"; GET api.example.com/v1/orders; 2 attempts, no further one: all attempts are used up (MaxAttempts)"
		if got := e.Error(); got != want {
			t.Errorf("got  %s\nwant %s", got, want)
		}
	})
}

func TestErrorWithoutResponse(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		cause := &url.Error{
			Op:  "Get",
			URL: "http://inner.example/?token=tops3cret",
			Err: errors.New("connection reset"),
		}
		_, err := (&Transport{Base: serve(answer{err: fmt.Errorf("inner: %w", cause)})}).RoundTrip(
			newRequest(t, http.MethodPost, ""),
		)
		want := "apigw: no response; POST api.example.com/v1/orders: connection reset; 1 attempt, no further one: " +
			StopMayHaveRun.Text()
		if err == nil || err.Error() != want {
			t.Errorf("got  %v\nwant %s", err, want)
		}
	})
}

func TestErrorTextHoldsNoPieceOfAQuery(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		req := newRequest(t, http.MethodPost, "")
		req.URL.RawQuery = "$filter=name%20eq%20'bob'&token=tops3cret"
		for name, a := range map[string]answer{
			"in a cause":       {err: fmt.Errorf("send %s: broken", req.URL)},
			"a value repeated": {status: 403, message: "no such code tops3cret"},
			"behind other bytes": {
				status: 400, message: strings.Repeat("\xb4\xed\xce\xf3", 6) + " StringToSign:GET#tops3cret",
			},
		} {
			resp, err := (&Transport{Base: serve(a)}).RoundTrip(req)
			if err == nil {
				e, _ := FromResponse(resp)
				err = e
			}
			if strings.Contains(err.Error(), "tops3cret") {
				t.Errorf("%s: %v", name, err)
			}
		}
	})
}
