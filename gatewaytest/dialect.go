package gatewaytest

import (
	"crypto/rand"
	"fmt"
	"net/http"
	"strconv"
	"time"

	"github.com/apigw-go/apigw/catalog"
)

// setCommon sets what every answer of the gateway has.
func (c *call) setCommon(h http.Header) {
	h.Set("Date", c.g.now().UTC().Format(http.TimeFormat))
	setRequestID(h, c.g.Dialect, c.requestID)
	if c.isHigress() {
		h.Set("Server", "istio-envoy")
	}
	c.addOrigin(h)
}

// setRequestID puts the id where the generation has it.
func setRequestID(h http.Header, dialect catalog.Generation, id string) {
	if dialect <= catalog.GenerationVPC {
		h.Set("X-Ca-Request-Id", id)
		return
	}
	h.Set("X-Request-Id", id)
}

// newRequestID returns a UUID in the form that the generation gives: in
// capitals where the gateway is Alibaba Cloud's own, in small letters from
// Envoy.
func newRequestID(dialect catalog.Generation) string {
	var b [16]byte
	rand.Read(b[:]) // never fails
	b[6], b[8] = b[6]&0x0f|0x40, b[8]&0x3f|0x80
	format := "%X-%X-%X-%X-%X"
	if dialect > catalog.GenerationVPC {
		format = "%x-%x-%x-%x-%x"
	}
	return fmt.Sprintf(format, b[:4], b[4:6], b[6:8], b[8:10], b[10:])
}

// addServiceTime adds the mark of Envoy that the backend has answered.
func (c *call) addServiceTime(h http.Header) {
	if c.isHigress() {
		h.Set("X-Envoy-Upstream-Service-Time", strconv.FormatInt(c.serviceLatency().Milliseconds(), 10))
	}
}

// admitted notes what a limit says of a call that it let pass.
func (c *call) admitted(verdict) {}

// refuseThrottled refuses what a limit has no room for.
func (c *call) refuseThrottled(_ verdict, why reason, params ...string) *refusal {
	return c.refuse(why, params...)
}

var _ = time.Now
