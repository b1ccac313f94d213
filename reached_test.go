package apigw

import (
	"testing"

	"github.com/apigw-go/apigw/catalog"
)

func TestWorse(t *testing.T) {
	const no, maybe, yes, unknown = catalog.ReachedNo, catalog.ReachedMaybe, catalog.ReachedYes, catalog.ReachedUnknown
	for _, c := range []struct{ before, now, want catalog.Reached }{
		{no, no, no}, {no, maybe, maybe}, {no, yes, yes}, {no, unknown, maybe},
		{maybe, no, maybe}, {maybe, unknown, maybe}, {maybe, yes, yes}, {yes, no, yes},
	} {
		if got := worse(c.before, c.now); got != c.want {
			t.Errorf("%v, then %v: got %v, want %v", c.before, c.now, got, c.want)
		}
	}
}
