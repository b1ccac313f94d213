package integration

import (
	"errors"
	"net"
	"time"

	"github.com/aliyun/alibaba-cloud-sdk-go/sdk"
	"github.com/aliyun/alibaba-cloud-sdk-go/sdk/auth/credentials"
	"github.com/aliyun/alibaba-cloud-sdk-go/sdk/requests"
	"github.com/aliyun/alibaba-cloud-sdk-go/sdk/responses"
	"github.com/apigw-go/apigw"
)

// The SDK has no contexts. It keeps the *http.Response also when it returns an
// error, so nothing but the response is needed.
var alibabaCloudClient = client{
	name:    "alibaba-cloud-sdk-go",
	inject:  "client.SetTransport(t)",
	reached: "apigw.FromResponse(resp.GetOriginHttpResponse())",
	off:     "sdk.NewConfig().WithAutoRetry(false)",
	on:      "WithAutoRetry(true)",
	call: func(c call) (*apigw.Error, error) {
		config := sdk.NewConfig().WithTimeout(time.Minute).WithAutoRetry(c.retries == switchedOn)
		hc, err := sdk.NewClientWithOptions("cn-hangzhou", config,
			credentials.NewAccessKeyCredential("id", "not-a-secret"))
		if err != nil {
			return nil, err
		}
		hc.SetTransport(c.transport)
		req := requests.NewCommonRequest()
		host, port, err := net.SplitHostPort(c.host)
		if err != nil {
			return nil, err
		}
		req.Method, req.Scheme, req.Domain, req.Port = "GET", "http", host, port
		req.Version, req.PathPattern = "2026-11-24", "/v1/weather"
		resp := responses.NewCommonResponse()
		req.TransToAcsRequest()
		err = hc.DoAction(req, resp)
		if r := resp.GetOriginHttpResponse(); r != nil {
			if decoded, ok := apigw.FromResponse(r); ok {
				return decoded, err
			}
		} else if err == nil {
			err = errors.New("neither a response nor an error")
		}
		return nil, err
	},
}
