package apigw

import (
	"fmt"

	"github.com/apigw-go/apigw/catalog"
)

// Origin says who made a response.
type Origin uint8

// Who made a response. OriginUnknown: a text that is not in the catalog, which
// the error-mapping plug-in of the API's provider may have written after the
// backend ran, or one that anybody could have written. OriginNone: there was no
// response. OriginProxy: the proxy inside or in front of the gateway.
const (
	OriginUnknown Origin = iota
	OriginGateway
	OriginBackend // or an unknown proxy on the way
	OriginNone
	OriginProxy
	OriginFunctionCompute
)

var originNames = [...]string{"unknown", "gateway", "backend", "none", "proxy", "function-compute"}

func (o Origin) String() string {
	if int(o) < len(originNames) {
		return originNames[o]
	}
	return fmt.Sprintf("Origin(%d)", uint8(o))
}

// originOf translates what a row says.
func originOf(o catalog.Origin) Origin {
	switch o {
	case catalog.OriginGateway:
		return OriginGateway
	case catalog.OriginProxy:
		return OriginProxy
	case catalog.OriginFunctionCompute:
		return OriginFunctionCompute
	case catalog.OriginBackend:
		return OriginBackend
	}
	return OriginUnknown
}

// refused reports whether something in front of the backend made the response.
// Then its row says what another attempt can do; else the status does, as the
// policy has it.
func (o Origin) refused() bool {
	return o == OriginGateway || o == OriginProxy || o == OriginFunctionCompute
}
