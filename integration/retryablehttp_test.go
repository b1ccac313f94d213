package integration

import (
	"net/http"
	"testing"
	"time"

	"github.com/apigw-go/apigw"
	"github.com/apigw-go/apigw/gatewaytest"
	"github.com/apigw-go/apigw/retryable"
	"github.com/hashicorp/go-retryablehttp"
)

// After its last attempt go-retryablehttp throws the response away, unless
// ErrorHandler is its PassthroughErrorHandler. A Recorder works either way.
var retryableClient = client{
	name: "go-retryablehttp",
	inject: "c := retryablehttp.NewClient(); c.HTTPClient.Transport = t; " +
		"c.ErrorHandler = retryablehttp.PassthroughErrorHandler",
	reached: "apigw.FromResponse(resp)",
	off:     "c.RetryMax = 0",
	call: func(c call) (*apigw.Error, error) {
		hc := newRetryable(c.transport, c.retries)
		hc.ErrorHandler = retryablehttp.PassthroughErrorHandler
		return doRetryable(c, hc)
	},
}

// Package retryable makes the client's own loop send once.
var retryablePackage = client{
	name:    "go-retryablehttp by package retryable",
	inject:  "c := retryable.NewClient(t)",
	reached: "apigw.FromResponse(resp)",
	call: func(c call) (*apigw.Error, error) {
		return doRetryable(c, retryable.NewClient(c.transport))
	},
}

func newRetryable(t http.RoundTripper, setting retries) *retryablehttp.Client {
	hc := retryablehttp.NewClient()
	hc.Logger = nil
	hc.HTTPClient.Transport = t
	hc.RetryWaitMin, hc.RetryWaitMax = time.Millisecond, time.Millisecond
	if setting == switchedOff {
		hc.RetryMax = 0
	}
	return hc
}

func doRetryable(c call, hc *retryablehttp.Client) (*apigw.Error, error) {
	req, err := retryablehttp.NewRequestWithContext(c.ctx, http.MethodGet, c.url, nil)
	if err != nil {
		return nil, err
	}
	return decode(hc.Do(req))
}

func TestRetryableHTTPRecorderKeepsWhatGivingUpLoses(t *testing.T) {
	r := newRig(t, nil, gatewaytest.Outcome{Error: "D504CO", Times: -1})
	ctx, recorder := apigw.WithRecorder(t.Context())
	_, err := doRetryable(call{ctx: ctx, url: r.server.URL + "/v1/weather"}, newRetryable(r.transport, asShipped))
	if err == nil {
		t.Fatal("got no error, want go-retryablehttp to give up")
	}
	decoded, ok := recorder.Last()
	if !ok || decoded.Code != "D504CO" {
		t.Errorf("got %v, want D504CO", decoded)
	}
}
