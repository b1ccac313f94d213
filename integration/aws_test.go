package integration

import (
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/apigw-go/apigw"
	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/retry"
	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/sts"
)

var awsClient = client{
	name:    "aws-sdk-go-v2",
	inject:  "aws.Config{HTTPClient: &http.Client{Transport: t}}",
	reached: "e, _ := errors.AsType[*awshttp.ResponseError](err); apigw.FromResponse(e.Response.Response)",
	off:     "aws.Config{RetryMaxAttempts: 1}",
	// GetCallerIdentity is a POST, retried only because the gateway says
	// that the backend was not reached.
	call: func(c call) (*apigw.Error, error) {
		config := aws.Config{
			Region:      "us-east-1",
			Credentials: credentials.NewStaticCredentialsProvider("id", "not-a-secret", ""),
			HTTPClient:  &http.Client{Transport: c.transport},
			Retryer: func() aws.Retryer {
				return retry.NewStandard(func(o *retry.StandardOptions) { o.MaxBackoff = time.Millisecond })
			},
		}
		if c.retries == switchedOff {
			config.RetryMaxAttempts = 1
		}
		hc := sts.NewFromConfig(config, func(o *sts.Options) {
			o.BaseEndpoint = aws.String("http://" + c.host + "/v1/weather")
		})
		_, err := hc.GetCallerIdentity(c.ctx, nil)
		if e, ok := errors.AsType[*awshttp.ResponseError](err); ok {
			decoded, _ := apigw.FromResponse(e.Response.Response)
			return decoded, err
		}
		return nil, err
	},
	backend: http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/xml")
		fmt.Fprint(w, `<GetCallerIdentityResponse><GetCallerIdentityResult><Account>1</Account>`+
			`</GetCallerIdentityResult></GetCallerIdentityResponse>`)
	}),
}
