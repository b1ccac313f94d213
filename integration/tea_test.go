package integration

import (
	"context"
	"net/http"
	"time"

	"github.com/alibabacloud-go/tea/tea"
	"github.com/apigw-go/apigw"
)

// teaHTTP is a tea.HttpClient that sends through a *http.Client. The transport
// that tea offers is ignored, its timeouts and proxy with it: set those on the
// client. tea makes its requests without a context, so the adapter brings one.
type teaHTTP struct {
	ctx    context.Context
	client *http.Client
}

func (h teaHTTP) Call(req *http.Request, _ *http.Transport) (*http.Response, error) {
	return h.client.Do(req.WithContext(h.ctx))
}

// tea itself does not retry; the loop is in the code of every generated SDK,
// and teaLoop is that code.
var teaClient = client{
	name:    "alibabacloud-go/tea",
	inject:  "config.HttpClient = teaHTTP{ctx, &http.Client{Transport: t}}",
	reached: "r.Last()",
	off:     "runtime.Autoretry = tea.Bool(false)",
	on:      "runtime.Autoretry = tea.Bool(true)",
	call: func(c call) (*apigw.Error, error) {
		ctx, recorder := apigw.WithRecorder(c.ctx)
		runtime := map[string]any{"httpClient": teaHTTP{ctx,
			&http.Client{Transport: c.transport, Timeout: time.Minute}}}
		err := teaLoop(c, runtime, map[string]any{"retryable": c.retries == switchedOn, "maxAttempts": 2})
		decoded, _ := recorder.Last()
		return decoded, err
	},
}

func teaLoop(c call, runtime, retry map[string]any) (err error) {
	for times := 0; tea.BoolValue(tea.AllowRetry(retry, new(times))); times++ {
		err = teaOnce(c, runtime)
		if err == nil || !tea.BoolValue(tea.Retryable(err)) {
			return err
		}
	}
	return err
}

func teaOnce(c call, runtime map[string]any) error {
	req := tea.NewRequest()
	req.Method, req.Protocol, req.Pathname = new("GET"), new("http"), new("/v1/weather")
	req.Headers = map[string]*string{"host": new(c.host), "content-type": new("application/json")}
	resp, err := tea.DoRequest(req, runtime)
	if err != nil {
		return err
	}
	if _, err := resp.ReadBody(); err != nil {
		return err
	}
	if code := tea.IntValue(resp.StatusCode); code >= 400 {
		return tea.NewSDKError(map[string]any{
			"code": "Refused", "message": "refused", "data": map[string]any{"statusCode": code},
		})
	}
	return nil
}
