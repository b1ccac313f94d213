package integration

import (
	"io"
	"net/http"
	"time"

	"github.com/aliyun/alibabacloud-oss-go-sdk-v2/oss"
	"github.com/aliyun/alibabacloud-oss-go-sdk-v2/oss/credentials"
	"github.com/aliyun/alibabacloud-oss-go-sdk-v2/oss/retry"
	"github.com/apigw-go/apigw"
)

// The SDK hides the response. Its *oss.ServiceError has the headers, for
// apigw.Classify, but not the attempts.
var ossClient = client{
	name:    "alibabacloud-oss-go-sdk-v2",
	inject:  "oss.LoadDefaultConfig().WithHttpClient(&http.Client{Transport: t})",
	reached: "r.Last()",
	off:     "WithRetryMaxAttempts(1)",
	call: func(c call) (*apigw.Error, error) {
		config := oss.LoadDefaultConfig().
			WithRegion("cn-hangzhou").WithEndpoint("http://" + c.host).WithUsePathStyle(true).
			WithCredentialsProvider(credentials.NewStaticCredentialsProvider("id", "not-a-secret")).
			WithHttpClient(&http.Client{Transport: c.transport}).
			WithRetryer(retry.NewStandard(func(o *retry.RetryOptions) {
				o.BaseDelay, o.MaxBackoff = time.Millisecond, time.Millisecond
			}))
		if c.retries == switchedOff {
			config.WithRetryMaxAttempts(1)
		}
		ctx, recorder := apigw.WithRecorder(c.ctx)
		result, err := oss.NewClient(config).GetObject(ctx,
			&oss.GetObjectRequest{Bucket: new("bucket"), Key: new("weather")})
		if err == nil {
			defer result.Body.Close()
			_, err = io.Copy(io.Discard, result.Body)
		}
		decoded, _ := recorder.Last()
		return decoded, err
	},
}
