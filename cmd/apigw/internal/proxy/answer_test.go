package proxy

import (
	"context"
	"errors"
	"net/http"
	"testing"
	"time"

	"github.com/apigw-go/apigw"
)

func TestNoResponse(t *testing.T) {
	for name, c := range map[string]struct {
		err  *apigw.Error
		want int
	}{
		"connection broke": {&apigw.Error{Err: errors.New("reset")}, http.StatusBadGateway},
		"took too long":    {&apigw.Error{Err: context.DeadlineExceeded}, http.StatusGatewayTimeout},
		"no place under a limit": {&apigw.Error{Err: &apigw.NoPlaceError{Needed: time.Second}, Stop: apigw.StopPaced},
			http.StatusTooManyRequests},
		"the context ended first": {&apigw.Error{Err: context.Canceled, Stop: apigw.StopContext},
			http.StatusBadGateway},
	} {
		t.Run(name, func(t *testing.T) {
			if got := noResponse(c.err); got.Status != c.want || got.Stop != c.err.Stop.String() {
				t.Errorf("status %d, stop %q, want %d, %q", got.Status, got.Stop, c.want, c.err.Stop)
			}
		})
	}
}
