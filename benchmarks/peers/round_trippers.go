package peers

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net/http"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/runtime"
	"github.com/aws/aws-sdk-go-v2/aws/retry"
	"github.com/aws/smithy-go/middleware"
	smithyhttp "github.com/aws/smithy-go/transport/http"
	"github.com/gojek/heimdall/v7"
	heimdallhttp "github.com/gojek/heimdall/v7/httpclient"
	restyv3 "resty.dev/v3"
)

// The clients below are no RoundTrippers. What stands here hands them method,
// URL, header and body of a request, and returns the response as they give it.

type roundTripFunc func(*http.Request) (*http.Response, error)

func (f roundTripFunc) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

// rewindable returns the body of a request for clients that want it to seek: one
// with GetBody is read into memory. It is nil if there is none.
func rewindable(r *http.Request) (io.Reader, error) {
	switch {
	case r.Body == nil || r.Body == http.NoBody:
		return nil, nil
	case r.GetBody == nil:
		return r.Body, nil
	}
	whole, err := io.ReadAll(r.Body)
	r.Body.Close()
	return bytes.NewReader(whole), err
}

// NewHeimdall calls heimdall's client: 4 attempts.
func NewHeimdall(base http.RoundTripper, delay time.Duration) http.RoundTripper {
	return roundTripFunc(heimdallhttp.NewClient(
		heimdallhttp.WithHTTPClient(&http.Client{Transport: base}),
		heimdallhttp.WithRetryCount(3),
		heimdallhttp.WithRetrier(heimdall.NewRetrier(heimdall.NewConstantBackoff(delay, 0))),
	).Do)
}

// NewAzcore calls the pipeline of the Azure SDKs: 4 attempts.
func NewAzcore(base http.RoundTripper, delay time.Duration) http.RoundTripper {
	delay = max(1, delay)
	pipeline := runtime.NewPipeline("matrix", "v0.0.0", runtime.PipelineOptions{}, &policy.ClientOptions{
		Transport: &http.Client{Transport: base},
		Retry:     policy.RetryOptions{RetryDelay: delay, MaxRetryDelay: delay},
	})
	return roundTripFunc(func(r *http.Request) (*http.Response, error) {
		req, err := runtime.NewRequestFromRequest(r)
		if err != nil {
			return nil, err
		}
		runtime.SkipBodyDownload(req)
		return pipeline.Do(req)
	})
}

// NewResty calls resty v3 and asks it for the response as it is: 4 attempts.
func NewResty(base http.RoundTripper, delay time.Duration) http.RoundTripper {
	c := restyv3.NewWithClient(&http.Client{Transport: base})
	c.SetLogger(silent{}).SetRetryCount(3).SetRetryDelayStrategy(restyv3.RetryConstantDelayStrategy(delay)).
		AddRetryConditions(restyv3.RetryConditionStatus5XX)
	return roundTripFunc(func(r *http.Request) (*http.Response, error) {
		req := c.R().SetContext(r.Context()).SetResponseDoNotParse(true)
		req.Header = r.Header.Clone()
		body, err := rewindable(r)
		if err != nil {
			return nil, err
		}
		if body != nil {
			req.SetBody(body).SetContentLength(r.ContentLength)
		}
		resp, err := req.Execute(r.Method, r.URL.String())
		if err != nil {
			return nil, err
		}
		return resp.RawResponse, nil
	})
}

// NewAWS calls the standard retryer of the AWS SDK: 3 attempts.
func NewAWS(base http.RoundTripper, delay time.Duration) http.RoundTripper {
	stack := middleware.NewStack("call", smithyhttp.NewStackRequest)
	must(stack.Serialize.Add(middleware.SerializeMiddlewareFunc("request", serializePlain), middleware.After))
	retryer := retry.NewStandard(func(o *retry.StandardOptions) {
		o.Backoff = retry.BackoffDelayerFunc(func(int, error) (time.Duration, error) { return delay, nil })
	})
	must(stack.Finalize.Add(retry.NewAttemptMiddleware(retryer, smithyhttp.RequestCloner), middleware.After))
	must(stack.Deserialize.Add(middleware.DeserializeMiddlewareFunc("status", deserializePlain), middleware.After))
	client := smithyhttp.NewClientHandlerWithOptions(&http.Client{Transport: base})
	return roundTripFunc(func(r *http.Request) (*http.Response, error) {
		out, _, err := stack.HandleMiddleware(r.Context(), r, client)
		var failed *smithyhttp.ResponseError
		switch {
		case errors.As(err, &failed):
			return failed.Response.Response, nil
		case err != nil:
			return nil, err
		}
		return out.(*smithyhttp.Response).Response, nil
	})
}

func serializePlain(
	ctx context.Context, in middleware.SerializeInput, next middleware.SerializeHandler,
) (out middleware.SerializeOutput, metadata middleware.Metadata, err error) {
	r, req := in.Parameters.(*http.Request), in.Request.(*smithyhttp.Request)
	req.Method, req.URL, req.Header, req.ContentLength = r.Method, r.URL, r.Header.Clone(), r.ContentLength
	if r.Body != nil && r.Body != http.NoBody {
		body, err := rewindable(r)
		if err != nil {
			return out, metadata, err
		}
		if req, err = req.SetStream(body); err != nil {
			return out, metadata, err
		}
		req.ContentLength = r.ContentLength
		in.Request = req
	}
	return next.HandleSerialize(ctx, in)
}

// deserializePlain makes a status of 500 and more an error, which is what the
// retryer looks at.
func deserializePlain(
	ctx context.Context, in middleware.DeserializeInput, next middleware.DeserializeHandler,
) (middleware.DeserializeOutput, middleware.Metadata, error) {
	out, metadata, err := next.HandleDeserialize(ctx, in)
	if resp, ok := out.RawResponse.(*smithyhttp.Response); err == nil && ok {
		if out.Result = resp; resp.StatusCode >= 500 {
			err = &smithyhttp.ResponseError{Response: resp, Err: errStatus}
		}
	}
	return out, metadata, err
}
