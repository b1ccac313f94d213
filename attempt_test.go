package apigw

import (
	"errors"
	"net/http"
	"reflect"
	"testing"
	"testing/synctest"
	"time"

	"github.com/apigw-go/apigw/catalog"
)

func TestAttemptsAreListed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		first := answer{
			status:  500,
			code:    "X500ER",
			message: "m",
			header:  http.Header{headerRequestID: {"r1"}},
			delay:   2 * time.Second,
		}
		tr := &Transport{
			Base:   serve(first, reset),
			Policy: RetryPolicy{MaxAttempts: 2, InitialBackoff: time.Second, Jitter: JitterNone},
		}
		start := time.Now()
		_, err := tr.RoundTrip(newRequest(t, http.MethodGet, ""))
		var e *Error
		if !errors.As(err, &e) {
			t.Fatal(err)
		}
		want := []Attempt{
			{
				Number: 1, Start: start, Duration: 2 * time.Second, Status: 500, Code: "X500ER", Message: "m",
				RequestID: "r1", Class: catalog.ClassGateway, Origin: OriginGateway,
			},
			{Number: 2, Start: start.Add(3 * time.Second), Wait: time.Second, Err: reset.err},
		}
		for i := range e.Attempts {
			want[i].secrets = e.Attempts[i].secrets
		}
		if !reflect.DeepEqual(e.Attempts, want) {
			t.Errorf("got  %+v\nwant %+v", e.Attempts, want)
		}
	})
}
