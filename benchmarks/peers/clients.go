package peers

import (
	"context"
	"errors"
	"io"
	"net/http"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/runtime"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/streaming"
	"github.com/PuerkitoBio/rehttp"
	"github.com/apigw-go/apigw"
	"github.com/aws/aws-sdk-go-v2/aws/retry"
	"github.com/aws/smithy-go/middleware"
	smithyhttp "github.com/aws/smithy-go/transport/http"
	"github.com/failsafe-go/failsafe-go/failsafehttp"
	restyv2 "github.com/go-resty/resty/v2"
	"github.com/gojek/heimdall/v7"
	heimdallhttp "github.com/gojek/heimdall/v7/httpclient"
	"github.com/hashicorp/go-retryablehttp"
	restyv3 "resty.dev/v3"
)

// Peer is one way to send requests.
type Peer struct {
	Name string
	// Module is the path of its Go module, empty for the standard library.
	Module string
	// Baseline marks those without retries, which the others are compared
	// with.
	Baseline bool
	New      func(base http.RoundTripper) Do
}

// All are the peers, the bare transport first and apigw second.
var All = []Peer{
	{Name: "bare transport", Baseline: true,
		New: func(base http.RoundTripper) Do { return viaRequest(base.RoundTrip) }},
	{Name: "apigw", Module: "github.com/apigw-go/apigw",
		New: func(base http.RoundTripper) Do { return viaRequest(NewAPIGW(base, 0).RoundTrip) }},
	{Name: "failsafe-go", Module: "github.com/failsafe-go/failsafe-go",
		New: func(base http.RoundTripper) Do { return viaRequest(NewFailsafe(base, 0).RoundTrip) }},
	{Name: "rehttp", Module: "github.com/PuerkitoBio/rehttp",
		New: func(base http.RoundTripper) Do { return viaRequest(NewRehttp(base, 0).RoundTrip) }},
	{Name: "go-retryablehttp RoundTripper", Module: "github.com/hashicorp/go-retryablehttp",
		New: func(base http.RoundTripper) Do { return viaRequest(NewRetryablehttp(base, 0).RoundTrip) }},
	{Name: "http.Client", Baseline: true,
		New: func(base http.RoundTripper) Do { return viaRequest((&http.Client{Transport: base}).Do) }},
	{Name: "apigw in http.Client", Module: "github.com/apigw-go/apigw", New: func(base http.RoundTripper) Do {
		return viaRequest((&http.Client{Transport: NewAPIGW(base, 0)}).Do)
	}},
	{Name: "go-retryablehttp Do", Module: "github.com/hashicorp/go-retryablehttp", New: retryablehttpDo},
	{Name: "heimdall", Module: "github.com/gojek/heimdall/v7", New: heimdallDo},
	{Name: "resty v2", Module: "github.com/go-resty/resty/v2", New: restyV2Do},
	{Name: "resty v3", Module: "resty.dev/v3", New: restyV3Do},
	{Name: "AWS standard retryer", Module: "github.com/aws/aws-sdk-go-v2", New: awsDo},
	{Name: "azcore pipeline", Module: "github.com/Azure/azure-sdk-for-go/sdk/azcore", New: azcoreDo},
}

// NewAPIGW returns an [apigw.Transport] that waits so long between attempts.
// Its default budget is in force.
func NewAPIGW(base http.RoundTripper, delay time.Duration) http.RoundTripper {
	delay = max(2, delay) // 0 stands for the default
	return &apigw.Transport{Base: base,
		Policy: apigw.RetryPolicy{InitialBackoff: delay, MaxBackoff: delay, Jitter: apigw.JitterEqual}}
}

// NewFailsafe returns failsafe-go's RoundTripper with its HTTP policy: 3
// attempts. Without ReturnLastFailure the last response would be lost.
func NewFailsafe(base http.RoundTripper, delay time.Duration) http.RoundTripper {
	return failsafehttp.NewRoundTripper(base,
		failsafehttp.NewRetryPolicyBuilder().WithDelay(delay).ReturnLastFailure().Build())
}

// NewRehttp returns rehttp's Transport, set up as its documentation shows: it
// has no policy of its own. 4 attempts.
func NewRehttp(base http.RoundTripper, delay time.Duration) http.RoundTripper {
	return rehttp.NewTransport(base, rehttp.RetryAll(
		rehttp.RetryMaxRetries(3),
		rehttp.RetryAny(rehttp.RetryTemporaryErr(), rehttp.RetryStatuses(500, 502, 503, 504)),
	), rehttp.ConstDelay(delay))
}

// NewRetryablehttp returns go-retryablehttp's RoundTripper: 5 attempts.
func NewRetryablehttp(base http.RoundTripper, delay time.Duration) http.RoundTripper {
	return &retryablehttp.RoundTripper{Client: retryablehttpClient(base, delay)}
}

func retryablehttpClient(base http.RoundTripper, delay time.Duration) *retryablehttp.Client {
	c := retryablehttp.NewClient()
	c.HTTPClient = &http.Client{Transport: base}
	c.Logger = nil
	// Without it the last response is thrown away.
	c.ErrorHandler = retryablehttp.PassthroughErrorHandler
	c.RetryWaitMin, c.RetryWaitMax = delay, delay
	return c
}

func retryablehttpDo(base http.RoundTripper) Do {
	c := retryablehttpClient(base, 0)
	return func(ctx context.Context, call Call) (int, error) {
		var body any
		if call.Body != nil {
			if body = (io.Reader)(readOnly{call.Body()}); call.Replayable {
				body = retryablehttp.ReaderFunc(func() (io.Reader, error) { return readOnly{call.Body()}, nil })
			}
		}
		req, err := retryablehttp.NewRequestWithContext(ctx, call.Method, call.URL, body)
		if err != nil {
			return 0, err
		}
		if call.Body != nil {
			req.ContentLength = call.Length // a ReaderFunc does not know it
		}
		return finish(c.Do(req))
	}
}

// heimdallDo uses heimdall's client: 4 attempts, as it has no default.
func heimdallDo(base http.RoundTripper) Do {
	c := heimdallhttp.NewClient(
		heimdallhttp.WithHTTPClient(&http.Client{Transport: base}),
		heimdallhttp.WithRetryCount(3),
		heimdallhttp.WithRetrier(heimdall.NewNoRetrier()), // a delay of 0
	)
	return viaRequest(c.Do)
}

type silent struct{}

func (silent) Errorf(string, ...any) {}
func (silent) Warnf(string, ...any)  {}
func (silent) Debugf(string, ...any) {}

func body(call Call) io.Reader {
	if call.Replayable {
		return call.Body()
	}
	return readOnly{call.Body()}
}

// restyV2Do uses resty v2: 4 attempts, as it has no default, for a status of
// 500 and more.
func restyV2Do(base http.RoundTripper) Do {
	c := restyv2.NewWithClient(&http.Client{Transport: base})
	c.SetLogger(silent{}).SetRetryCount(3).SetRetryWaitTime(1).SetRetryMaxWaitTime(1)
	c.AddRetryCondition(func(r *restyv2.Response, _ error) bool { return r.StatusCode() >= 500 })
	return func(ctx context.Context, call Call) (int, error) {
		req := c.R().SetContext(ctx)
		if call.Body != nil {
			req.SetBody(body(call))
		}
		resp, err := req.Execute(call.Method, call.URL)
		if err != nil {
			return 0, err
		}
		return resp.StatusCode(), nil
	}
}

// restyV3Do uses resty v3: 4 attempts, as it has no default, for a status of
// 500 and more, by its own condition.
func restyV3Do(base http.RoundTripper) Do {
	c := restyv3.NewWithClient(&http.Client{Transport: base})
	c.SetLogger(silent{}).SetRetryCount(3).SetRetryDelayStrategy(restyv3.RetryConstantDelayStrategy(0)).
		AddRetryConditions(restyv3.RetryConditionStatus5XX)
	return func(ctx context.Context, call Call) (int, error) {
		req := c.R().SetContext(ctx)
		if call.Body != nil {
			req.SetBody(body(call)).SetContentLength(call.Length)
		}
		resp, err := req.Execute(call.Method, call.URL)
		if err != nil {
			return 0, err
		}
		// As its generated results do, read what nobody asked to decode.
		_ = resp.Bytes()
		return resp.StatusCode(), nil
	}
}

// awsDo uses the standard retryer in the middleware stack of an SDK client,
// less what SDK clients add for signing, endpoints and decoding: 3 attempts.
func awsDo(base http.RoundTripper) Do {
	stack := middleware.NewStack("call", smithyhttp.NewStackRequest)
	must(stack.Serialize.Add(middleware.SerializeMiddlewareFunc("request",
		func(ctx context.Context, in middleware.SerializeInput,
			next middleware.SerializeHandler) (middleware.SerializeOutput, middleware.Metadata, error) {
			call := in.Parameters.(Call)
			req := in.Request.(*smithyhttp.Request)
			u, err := req.URL.Parse(call.URL)
			if err != nil {
				return middleware.SerializeOutput{}, middleware.Metadata{}, err
			}
			req.Method, req.URL = call.Method, u
			if call.Body != nil {
				if req, err = req.SetStream(body(call)); err != nil {
					return middleware.SerializeOutput{}, middleware.Metadata{}, err
				}
				req.ContentLength = call.Length
				in.Request = req
			}
			return next.HandleSerialize(ctx, in)
		}), middleware.After))
	retryer := retry.NewStandard(func(o *retry.StandardOptions) {
		o.Backoff = retry.BackoffDelayerFunc(func(int, error) (time.Duration, error) { return 0, nil })
	})
	must(stack.Finalize.Add(retry.NewAttemptMiddleware(retryer, smithyhttp.RequestCloner), middleware.After))
	must(stack.Deserialize.Add(middleware.DeserializeMiddlewareFunc("status",
		func(ctx context.Context, in middleware.DeserializeInput,
			next middleware.DeserializeHandler) (middleware.DeserializeOutput, middleware.Metadata, error) {
			out, metadata, err := next.HandleDeserialize(ctx, in)
			if resp, ok := out.RawResponse.(*smithyhttp.Response); err == nil && ok {
				if out.Result = resp; resp.StatusCode >= 400 {
					smithyhttp.CloseResponseBody(ctx, resp, false, errStatus)
					err = &smithyhttp.ResponseError{Response: resp, Err: errStatus}
				}
			}
			return out, metadata, err
		}), middleware.After))
	client := smithyhttp.NewClientHandlerWithOptions(&http.Client{Transport: base})
	return func(ctx context.Context, call Call) (int, error) {
		out, _, err := stack.HandleMiddleware(ctx, call, client)
		var failed *smithyhttp.ResponseError
		switch {
		case errors.As(err, &failed):
			return failed.HTTPStatusCode(), nil
		case err != nil:
			return 0, err
		}
		return finish(out.(*smithyhttp.Response).Response, nil)
	}
}

// azcoreDo uses the pipeline of the Azure SDKs: 4 attempts.
func azcoreDo(base http.RoundTripper) Do {
	pipeline := runtime.NewPipeline("compare", "v0.0.0", runtime.PipelineOptions{}, &policy.ClientOptions{
		Transport: &http.Client{Transport: base},
		Retry:     policy.RetryOptions{RetryDelay: 1}, // -1, for no delay, gives the longest one: an overflow
	})
	return func(ctx context.Context, call Call) (int, error) {
		var req *policy.Request
		var err error
		if call.Body != nil && !call.Replayable {
			var plain *http.Request
			if plain, err = call.request(ctx); err == nil {
				req, err = runtime.NewRequestFromRequest(plain)
			}
		} else if req, err = runtime.NewRequest(ctx, call.Method, call.URL); err == nil && call.Body != nil {
			err = req.SetBody(streaming.NopCloser(call.Body()), "application/octet-stream")
		}
		if err != nil {
			return 0, err
		}
		runtime.SkipBodyDownload(req)
		return finish(pipeline.Do(req))
	}
}

func must(err error) {
	if err != nil {
		panic(err)
	}
}
