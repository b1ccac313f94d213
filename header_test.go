package apigw

import (
	"net/http"
	"strings"
	"testing"
)

// The id of the gateway itself goes first; each generation has its own.
func TestRequestIDs(t *testing.T) {
	for name, c := range map[string]struct {
		header http.Header
		want   string
	}{
		"classic and VPC":         {http.Header{"X-Ca-Request-Id": {"ca"}, "X-Request-Id": {"envoy"}}, "ca"},
		"cloud-native":            {http.Header{"X-Request-Id": {"envoy"}, "X-Fc-Request-Id": {"fc"}}, "envoy"},
		"Function Compute":        {http.Header{"X-Fc-Request-Id": {"fc"}, "Eagleeye-Traceid": {"trace"}}, "fc"},
		"tracing":                 {http.Header{"EagleEye-TraceId": {"trace"}}, "trace"},
		"a blank one is none":     {http.Header{"X-Ca-Request-Id": {" "}, "x-request-id": {" envoy "}}, "envoy"},
		"none":                    {http.Header{"X-Trace": {"1"}}, ""},
		"the first of two values": {http.Header{"X-Request-Id": {"", "second"}}, "second"},
	} {
		t.Run(name, func(t *testing.T) {
			e, _ := Classify(503, c.header)
			if e.RequestID != c.want {
				t.Errorf("got %q, want %q", e.RequestID, c.want)
			}
			if shown := strings.Contains(e.Error(), "request id "+c.want); shown != (c.want != "") {
				t.Errorf("the id is missing, or made up, in %q", e.Error())
			}
		})
	}
}
