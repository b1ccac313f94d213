package otelapigw_test

import (
	"net/http"
	"testing"
	"testing/synctest"

	"github.com/apigw-go/apigw/catalog"
	"github.com/apigw-go/apigw/gatewaytest"
)

// Every error of the catalog has one error.type: an attempt and the call that
// consists of it say the same, also where the error stood in the body.
func TestErrorTypeOfAttemptAndCallAreTheSame(t *testing.T) {
	for entry := range catalog.All() {
		t.Run(entry.ID, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				outcome := gatewaytest.Outcome{Error: entry.ID}
				if entry.Status == 0 {
					outcome.Status = http.StatusServiceUnavailable // the row has none of its own
				}
				r := newRig(t, gateway(t, &gatewaytest.Gateway{}, outcome))
				r.transport.Policy.MaxAttempts = 1
				span := r.send(t.Context(), "GET", "http://api.example.com/", nil)
				ofAttempt := value(span.Events[0].Attributes, "error.type")
				ofCall := value(span.Events[len(span.Events)-1].Attributes, "error.type")
				if ofAttempt != ofCall {
					t.Errorf("error.type of the attempt %q, of the call %q (class %v, place %v)", ofAttempt, ofCall,
						entry.Class, entry.Place)
				}
			})
		})
	}
}
