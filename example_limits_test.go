package apigw_test

import (
	"fmt"
	"net/http"
	"time"

	"github.com/apigw-go/apigw"
)

// Calls wait for their turn; nothing about the limit has to be known.
func Example_callLimit() {
	client := &http.Client{Transport: &apigw.Transport{
		Policy: apigw.RetryPolicy{MaxThrottleWait: 30 * time.Second},
	}}
	_ = client
}

// A limit that is known is declared: ceiling and start of what is learned.
func ExamplePacer() {
	pacer := &apigw.Pacer{} // for all that share a limit
	policy := apigw.RetryPolicy{
		MaxThrottleWait: 30 * time.Second,
		Limit:           apigw.RateLimit{Calls: 100, Per: time.Second},
	}
	orders := &http.Client{Transport: &apigw.Transport{Limiter: pacer, Policy: policy}}
	items := &http.Client{Transport: &apigw.Transport{Limiter: pacer, Policy: policy}}
	_, _ = orders, items
	for _, s := range pacer.States() {
		fmt.Printf("%s: %.1f calls a second, %d wait\n", s.Key, s.Rate, s.Waiting)
	}
	// Output:
}
