// Package retryable puts an [apigw.Transport] under a client of
// [go-retryablehttp], for a program that hands out such clients.
//
//	client := retryable.NewClient(&apigw.Transport{})
//	resp, err := client.Get("https://api.example.com/v1/weather")
//
// The Transport makes all attempts, and the loop of the library none but the
// first: it knows neither the gateway nor the whole call, and it drains a
// response without a limit of time. So every field of the Transport counts, an
// [apigw.Recorder] and [apigw.WithPolicy] work, each link of a chain of
// redirects is retried by itself, and the last response comes back with a nil
// error and its body unread, for [apigw.FromResponse]. If there is no response,
// the error wraps an [*apigw.Error].
//
// What the client calls for each of its own attempts, RequestLogHook,
// ResponseLogHook and Logger, now sees one per call; [apigw.Transport] has hooks
// and a log for attempts. A limit in HTTPClient.Timeout now holds for the whole
// call; [apigw.RetryPolicy] has one for an attempt.
//
// Where a program can take an [http.RoundTripper], the Transport itself does.
//
// [go-retryablehttp]: https://pkg.go.dev/github.com/hashicorp/go-retryablehttp
package retryable

import (
	"context"
	"net/http"

	"github.com/apigw-go/apigw"
	"github.com/hashicorp/go-retryablehttp"
)

// NewClient returns a client without a log that sends through t, which must not
// be nil. The client is safe for concurrent use, as t is, and several can share
// t. Nothing needs to be closed.
func NewClient(t *apigw.Transport) *retryablehttp.Client {
	c := new(retryablehttp.Client)
	Install(c, t)
	return c
}

// Install puts t under a client that a program has already. Call it before the
// first request of either.
//
// If t.Base is nil, Install sets it to the transport that the client has, so
// that its proxy, certificates and connections stay. The client gets an
// [http.Client] of its own, a copy: the one that it had is not changed. Its
// CheckRetry and ErrorHandler are replaced; RetryMax, Backoff, RetryWaitMin,
// RetryWaitMax and PrepareRetry no longer count. A hook that signs again belongs
// into t.PrepareRetry.
func Install(c *retryablehttp.Client, t *apigw.Transport) {
	hc := new(http.Client)
	if c.HTTPClient != nil {
		*hc = *c.HTTPClient
	}
	if below, ok := hc.Transport.(only); ok { // installed before
		hc.Transport = below.t.Base
	}
	if t.Base == nil {
		t.Base = hc.Transport
	}
	hc.Transport = only{t}
	c.HTTPClient = hc
	c.CheckRetry = func(context.Context, *http.Response, error) (bool, error) { return false, nil }
	c.ErrorHandler = retryablehttp.PassthroughErrorHandler
}

// only sends. It has no CloseIdleConnections: the library calls that after each
// failure, although other requests share the connections.
type only struct{ t *apigw.Transport }

func (o only) RoundTrip(req *http.Request) (*http.Response, error) { return o.t.RoundTrip(req) }
