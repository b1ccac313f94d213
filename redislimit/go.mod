module github.com/apigw-go/apigw/redislimit

go 1.25.0

replace github.com/apigw-go/apigw => ../

require (
	github.com/apigw-go/apigw v0.0.0
	github.com/redis/go-redis/v9 v9.17.2
	go.uber.org/goleak v1.3.0
	golang.org/x/time v0.14.0
)

require (
	github.com/cenkalti/backoff/v4 v4.3.0 // indirect
	github.com/cespare/xxhash/v2 v2.3.0 // indirect
	github.com/dgryski/go-rendezvous v0.0.0-20200823014737-9f7001d12a5f // indirect
	go.uber.org/multierr v1.10.0 // indirect
	go.uber.org/zap v1.28.0 // indirect
)
