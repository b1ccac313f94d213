package contract

import (
	"net/http"
	"testing"
	"time"

	"github.com/apigw-go/apigw/benchmarks/peers"
)

func TestAPIGW(t *testing.T) {
	for _, c := range Checks {
		t.Run(c.Name, func(t *testing.T) {
			t.Parallel()
			if err := c.Run(peers.NewAPIGW); err != nil {
				t.Error(err)
			}
		})
	}
}

// The transport of net/http keeps its own contract, so a check that it fails
// would be wrong.
func TestChecksAgainstNetHTTP(t *testing.T) {
	for _, c := range Checks {
		if c.Retry {
			continue
		}
		t.Run(c.Name, func(t *testing.T) {
			t.Parallel()
			if err := c.Run(func(base http.RoundTripper, _ time.Duration) http.RoundTripper { return base }); err != nil {
				t.Error(err)
			}
		})
	}
}
