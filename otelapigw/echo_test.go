package otelapigw_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/apigw-go/apigw/gatewaytest"
	"github.com/apigw-go/apigw/otelapigw"
)

// A request id that echoes a secret of the request is not reported, of a
// success neither.
func TestNoEchoIsReported(t *testing.T) {
	for name, c := range map[string]struct {
		url    string
		header http.Header
	}{
		"AppCode": {"http://api.example.com/", http.Header{"Authorization": {"APPCODE tops3cretappcode00"}}},
		"Bearer":  {"http://api.example.com/", http.Header{"Authorization": {"Bearer tops3cretappcode00"}}},
		"Basic": {"http://api.example.com/",
			http.Header{"Authorization": {"Basic bWU6dG9wczNjcmV0YXBwY29kZTAw"}}},
		"signature":     {"http://api.example.com/", http.Header{"X-Ca-Signature": {"tops3cretappcode00"}}},
		"custom header": {"http://api.example.com/", http.Header{"X-My-Key": {"tops3cretappcode00"}}},
		"cookie":        {"http://api.example.com/", http.Header{"Cookie": {"a=tops3cretappcode00"}}},
		"query":         {"http://api.example.com/?token=tops3cretappcode00", nil},
		"password":      {"http://me:tops3cretappcode00@api.example.com/", nil},
	} {
		for _, status := range []int{200, 403, 503} {
			t.Run(fmt.Sprint(name, " ", status), func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					r := newRig(t, gateway(t, &gatewaytest.Gateway{},
						gatewaytest.Outcome{Status: status, Header: http.Header{
							"X-Ca-Request-Id": {"tops3cretappcode00"}, "X-Ca-Error-Code": {"tops3cretappcode00"},
							"X-Ca-Error-Message": {"tops3cretappcode00"},
						}}), otelapigw.WithRequestDuration())
					span := r.send(t.Context(), "GET", c.url, c.header)
					if all := fmt.Sprint(span.Events, span.Attributes, r.metrics()); strings.Contains(all,
						"tops3cret") {
						t.Errorf("got %s, want no echo", all)
					}
				})
			})
		}
	}
}
