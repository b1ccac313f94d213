package redislimit_test

import (
	"net/http"
	"time"

	"github.com/apigw-go/apigw"
	"github.com/apigw-go/apigw/redislimit"
	"github.com/redis/go-redis/v9"
)

// All processes with the same Redis share what is learned.
func Example() {
	shared := &redislimit.Limiter{Client: redis.NewClient(&redis.Options{Addr: "redis:6379"})}
	client := &http.Client{Transport: &apigw.Transport{
		Limiter: shared,
		Policy:  apigw.RetryPolicy{MaxThrottleWait: 30 * time.Second},
	}}
	_ = client
}
