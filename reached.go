package apigw

import "github.com/apigw-go/apigw/catalog"

// worse returns which of the two says more about a run. Unknown is maybe.
func worse(a, b catalog.Reached) catalog.Reached {
	if b == catalog.ReachedUnknown {
		b = catalog.ReachedMaybe
	}
	return max(a, b)
}
