package apigw

import (
	"net/http"
	"testing"
)

func TestFromResponseOfForeignResponses(t *testing.T) {
	for name, resp := range map[string]*http.Response{
		"nil":             nil,
		"without request": {StatusCode: 500},
		"never attached":  {StatusCode: 500, Request: newRequest(t, http.MethodGet, "")},
	} {
		if e, ok := FromResponse(resp); ok || e != nil {
			t.Errorf("%s: got %v, %v", name, e, ok)
		}
	}
}
