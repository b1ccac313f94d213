package integration

import (
	"time"

	"github.com/apigw-go/apigw"
	"github.com/go-resty/resty/v2"
)

var restyClient = client{
	name:    "resty v2",
	inject:  "resty.New().SetTransport(t)",
	reached: "apigw.FromResponse(resp.RawResponse)",
	off:     "SetRetryCount(0)",
	on:      "SetRetryCount(2).AddRetryCondition(…)",
	call: func(c call) (*apigw.Error, error) {
		hc := resty.New().SetTransport(c.transport)
		if c.retries == switchedOn {
			hc.SetRetryCount(2).SetRetryWaitTime(time.Millisecond).SetRetryMaxWaitTime(time.Millisecond).
				AddRetryCondition(func(r *resty.Response, err error) bool {
					return err != nil ||
						r.StatusCode() >= 500
				})
		}
		resp, err := hc.R().SetContext(c.ctx).Get(c.url)
		if err != nil {
			return nil, err
		}
		decoded, _ := apigw.FromResponse(resp.RawResponse)
		return decoded, nil
	},
}
