package gatewaytest

import (
	"crypto/rand"
	"fmt"
	"math"
	"net/http"
	"strconv"
	"strings"

	"github.com/apigw-go/apigw/catalog"
)

// setCommon sets what every answer of the gateway has.
func (c *call) setCommon(h http.Header) {
	h.Set("Date", c.g.now().UTC().Format(http.TimeFormat))
	h.Set(requestIDHeader(c.g.Dialect), c.requestID)
	if c.isNewer() {
		h.Set("Server", "istio-envoy")
	}
	c.addOrigin(h)
}

// requestIDHeader is where a generation puts the id of a request.
func requestIDHeader(generation catalog.Generation) string {
	switch generation {
	case catalog.GenerationUnknown, catalog.GenerationClassic, catalog.GenerationVPC:
		return "X-Ca-Request-Id"
	case catalog.GenerationFC:
		return "X-Fc-Request-Id"
	}
	return "X-Request-Id"
}

// moveRequestID puts the id where the generation of a row has it: a scripted
// answer may be one of another generation.
func moveRequestID(h http.Header, generation catalog.Generation, id string) {
	h.Del("X-Ca-Request-Id")
	h.Del("X-Request-Id")
	h.Set(requestIDHeader(generation), id)
}

// newRequestID returns a UUID in the form that the generation gives: in
// capitals if the gateway is Alibaba Cloud's own, in small letters from
// Envoy.
func newRequestID(generation catalog.Generation) string {
	var b [16]byte
	rand.Read(b[:]) // never fails
	b[6], b[8] = b[6]&0x0f|0x40, b[8]&0x3f|0x80
	id := fmt.Sprintf("%X-%X-%X-%X-%X", b[:4], b[4:6], b[6:8], b[8:10], b[10:])
	if requestIDHeader(generation) == "X-Ca-Request-Id" {
		return id
	}
	return strings.ToLower(id)
}

// addServiceTime adds the mark of Envoy that the backend has answered.
func (c *call) addServiceTime(h http.Header) {
	if c.isNewer() && !c.g.Plugins.NoEnvoyHeaders {
		h.Set("X-Envoy-Upstream-Service-Time", strconv.FormatInt(c.serviceLatency().Milliseconds(), 10))
	}
}

// admitted notes what a limit says of a call that it let pass.
func (c *call) admitted(v verdict) {
	if c.isNewer() && c.g.Plugins.ShowQuota {
		h := c.w.Header()
		h.Set("X-Ratelimit-Limit", strconv.Itoa(v.limit))
		h.Set("X-Ratelimit-Remaining", strconv.Itoa(v.remaining))
	}
}

// refuseThrottled refuses what a limit has no room for. The newer generation
// names the seconds after which to come back, in whole ones as Redis counts
// them.
func (c *call) refuseThrottled(v verdict, why reason, params ...string) *refusal {
	if !c.isNewer() {
		return c.refuse(why, params...)
	}
	reset := strconv.Itoa(int(math.Ceil(v.wait.Seconds())))
	params = append(params, "x-ratelimit-reset:", reset, "x-tokenratelimit-reset:", reset)
	ref := c.refuse(why, params...)
	if row := c.g.Plugins.Throttled; row != "" {
		ref.entry, _ = catalog.ByID(row) // it was checked
	}
	v.remaining = 0
	c.admitted(v)
	return ref
}
