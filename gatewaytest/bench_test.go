package gatewaytest_test

import (
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/apigw-go/apigw/gatewaytest"
)

// A gateway serves runs of a million requests.
func BenchmarkGateway(b *testing.B) {
	for name, rt := range map[string]gatewaytest.Route{
		"open": {},
		"limits": {Limits: []gatewaytest.Limit{{Calls: 1 << 30, Window: time.Second}, {Calls: 1 << 20,
			Window: time.Second, Kind: gatewaytest.TokenBucket}}},
	} {
		rt.Pattern, rt.Auth = "/items/{id}", gatewaytest.AuthNone
		rt.Backend = http.HandlerFunc(func(http.ResponseWriter, *http.Request) {})
		g := &gatewaytest.Gateway{Routes: []gatewaytest.Route{rt}}
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			b.RunParallel(func(pb *testing.PB) {
				r := httptest.NewRequest("GET", "/items/7", nil)
				for pb.Next() {
					g.ServeHTTP(&discard{make(http.Header)}, r)
				}
			})
		})
	}
}
