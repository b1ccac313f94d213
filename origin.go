package apigw

import "fmt"

// Origin says who made a response.
type Origin uint8

// Who made a response. OriginUnknown: a text that is not in the catalog, which
// the error-mapping plug-in of the API's provider may have written after the
// backend ran. OriginNone: there was no response.
const (
	OriginUnknown Origin = iota
	OriginGateway
	OriginBackend // or an unknown proxy on the way
	OriginNone
)

var originNames = [...]string{"unknown", "gateway", "backend", "none"}

func (o Origin) String() string {
	if int(o) < len(originNames) {
		return originNames[o]
	}
	return fmt.Sprintf("Origin(%d)", uint8(o))
}
