package integration

import (
	"net/http"

	"github.com/apigw-go/apigw"
	"github.com/apigw-go/apigw/integration/weatherapi"
)

var oapiClient = client{
	name:    "oapi-codegen",
	inject:  "NewClientWithResponses(url, WithHTTPClient(&http.Client{Transport: t}))",
	reached: "apigw.FromResponse(resp.HTTPResponse)",
	call: func(c call) (*apigw.Error, error) {
		hc, err := weatherapi.NewClientWithResponses("http://"+c.host,
			weatherapi.WithHTTPClient(&http.Client{Transport: c.transport}))
		if err != nil {
			return nil, err
		}
		resp, err := hc.GetWeatherWithResponse(c.ctx, &weatherapi.GetWeatherParams{City: "hz"})
		if err != nil {
			return nil, err
		}
		decoded, _ := apigw.FromResponse(resp.HTTPResponse)
		return decoded, nil
	},
}
