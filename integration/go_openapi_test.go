package integration

import (
	"io"

	"github.com/apigw-go/apigw"
	"github.com/go-openapi/runtime"
	openapi "github.com/go-openapi/runtime/client"
	"github.com/go-openapi/strfmt"
)

// Code that go-swagger generated sees a runtime.ClientResponse only.
var openapiClient = client{
	name:    "go-openapi/runtime (go-swagger)",
	inject:  "rt := client.New(host, basePath, schemes); rt.Transport = t",
	reached: "r.Last()",
	call: func(c call) (*apigw.Error, error) {
		rt := openapi.New(c.host, "/v1", []string{"http"})
		rt.Transport = c.transport
		ctx, recorder := apigw.WithRecorder(c.ctx)
		_, err := rt.SubmitContext(ctx, &runtime.ClientOperation{
			ID: "getWeather", Method: "GET", PathPattern: "/weather", Schemes: []string{"http"},
			ProducesMediaTypes: []string{"application/json"},
			Params: runtime.ClientRequestWriterFunc(func(runtime.ClientRequest,
				strfmt.Registry) error {
				return nil
			}),
			Reader: runtime.ClientResponseReaderFunc(func(resp runtime.ClientResponse, _ runtime.Consumer) (any,
				error) {
				if resp.Code() >= 400 {
					return nil, runtime.NewAPIError("getWeather", resp, resp.Code())
				}
				body, err := io.ReadAll(resp.Body())
				return string(body), err
			}),
		})
		decoded, _ := recorder.Last()
		return decoded, err
	},
}
