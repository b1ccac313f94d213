package gatewaytest

import (
	"fmt"
	"net/http"
	"net/url"
	"path"
	"strings"
	"sync"
	"time"

	"github.com/apigw-go/apigw/catalog"
	"github.com/apigw-go/apigw/signer"
)

// The application that a [Gateway] without Apps knows. It is authorized for
// every route. None of these is a secret.
const (
	DefaultAppKey    = "203753385"
	DefaultAppSecret = "fake-gateway-app-secret"
	DefaultAppCode   = "fakegatewayappcode"
)

// DefaultMaxBody is the largest body in bytes that a [Route] takes which does
// not say otherwise.
const DefaultMaxBody = 32 << 20

// Gateway is a fake API gateway: an [http.Handler] that checks requests as the
// real one does and refuses them with its headers, in one of its dialects.
//
// The zero value is a classic instance with one application, see
// [DefaultAppKey], that publishes one API for every method and path in the
// stage RELEASE and whose backend echoes what it got.
//
// Do not copy a Gateway, and do not change its fields after the first request;
// it is safe for concurrent use. The first request, or making a [Server] for
// it, panics where the configuration cannot be used: an invalid pattern, two
// that conflict (as [http.ServeMux.Handle]), an outcome with an unknown row.
type Gateway struct {
	// Dialect is how errors are reported: catalog.GenerationClassic (also the zero
	// value) sends a text in X-Ca-Error-Message, catalog.GenerationVPC a code as well.
	//
	// catalog.GenerationHigress verifies and answers as Higress hmac-auth: 401 and 400
	// with a text in the body, its reading of the string to sign, timestamps
	// in seconds too, Date before X-Ca-Timestamp, no check of a nonce.
	// AppCodes, stages, limits, quotas and breakers are not its business; they
	// are not looked at.
	Dialect catalog.Generation

	// Readings are how the gateway reads a request when it builds the string
	// to sign. A signature is right if it is right under one of them; a refusal
	// shows the string of the first. If empty, the documented reading, and
	// [HigressReadings] in the dialect Higress.
	Readings []Reading

	// Apps are the applications that may call. If nil, there is the default
	// one.
	Apps []App

	// Routes are the published APIs. If nil, there is one for "/".
	Routes []Route

	// Stages are the values of X-Ca-Stage that the APIs are published in,
	// in any letter case; if nil, RELEASE only. A request without the header
	// asks for RELEASE.
	Stages []string

	// UserLimits limits the calls of all applications of an [App.User], and
	// DomainLimits those to a host name, as for the second-level domain that
	// every API group has.
	UserLimits   map[string]Limit
	DomainLimits map[string]Limit

	// Now is the clock for timestamps, nonces, limits, quotas, breakers and
	// the Date header. If nil, time.Now, which is fake in a testing/synctest
	// bubble. Delays and latencies always pass in the time of package time.
	Now func() time.Time

	// SayOK adds X-Ca-Error-Message: OK to successful calls, as some
	// classic instances do. It has no effect in other dialects.
	SayOK bool

	// IdentityHeader names the request header whose value tells one logical
	// request from another through all its attempts; see
	// [Gateway.IdentityCounts]. If empty, X-Test-Request.
	IdentityHeader string

	// LogLength is how many requests [Gateway.Log] remembers. If 0, 1024.
	LogLength int

	once   sync.Once
	mux    *http.ServeMux
	routes []*route
	apps   []App
	flow   flowControl
	nonces nonceMemory
	counts counter
}

// App is an application that calls APIs.
type App struct {
	AppKey    string
	AppSecret signer.Secret
	// AppCode is for simple authentication. If empty, the application cannot
	// use that.
	AppCode signer.Secret
	// User is the account that owns the application, for
	// [Gateway.UserLimits].
	User string
	// Unauthorized applications are known but may not call anything.
	Unauthorized bool
	// Patterns, if not nil, are the routes that the application is
	// authorized for.
	Patterns []string
	// Limit limits the calls of the application over all routes.
	Limit Limit
}

// Auth is what a route wants of its callers.
type Auth uint8

const (
	// AuthApp takes a signature or an AppCode. The gateway of Higress mode
	// takes signatures only.
	AuthApp Auth = iota
	// AuthSignature takes a signature only.
	AuthSignature
	// AuthAppCode takes an AppCode only.
	AuthAppCode
	// AuthNone lets everybody in and looks at no credentials.
	AuthNone
)

var authNames = [...]string{"app", "signature", "appcode", "none"}

func (a Auth) String() string {
	if int(a) < len(authNames) {
		return authNames[a]
	}
	return fmt.Sprintf("Auth(%d)", uint8(a))
}

// Route is a published API.
type Route struct {
	// Pattern says which requests are meant, as for [http.ServeMux]:
	// "POST /orders", "/items/{id}", "GET api.example.com/", a trailing slash
	// for everything below. There are no redirects.
	Pattern string
	// Auth is what a caller needs. The zero value wants an application.
	Auth Auth
	// MaxBody is the largest body in bytes. If 0, DefaultMaxBody.
	MaxBody int64
	// Limit limits the calls of all callers together.
	Limit Limit
	// Quota is the number of purchased calls of every application. If nil,
	// there is no end to them.
	Quota *Quota
	// Breaker keeps calls from a failing backend. If nil, nothing does.
	Breaker *Breaker
	// Backend answers what the gateway lets through; nothing of its answer is
	// changed. It finds the whole body in memory. If nil, it echoes method,
	// path and length of the body as JSON.
	Backend http.Handler
	// Latency passes before the backend answers. A client that goes away
	// meanwhile ends it; the call has run all the same.
	Latency time.Duration
	// Timeout is how long the gateway waits for the backend. It needs a
	// backend that obeys the context of its request; Latency does. If 0, the
	// gateway waits for ever.
	Timeout time.Duration
	// Script is what happens to the first requests of the route, one outcome
	// each; when it is used up, normal service begins.
	Script []Outcome
}

// route is a Route in use.
type route struct {
	Route
	script  scriptState
	breaker breakerState
}

// ServeHTTP only makes routes fit for a ServeMux, which is used to match.
func (*route) ServeHTTP(http.ResponseWriter, *http.Request) {}

func (g *Gateway) prepare() {
	g.once.Do(func() {
		routes := g.Routes
		if routes == nil {
			routes = []Route{{Pattern: "/"}}
		}
		g.mux = http.NewServeMux()
		for _, r := range routes {
			for i := range r.Script {
				if err := r.Script[i].check(); err != nil {
					panic(fmt.Sprintf("gatewaytest: route %q, outcome %d: %v", r.Pattern, i+1, err))
				}
			}
			rt := &route{Route: r}
			rt.script.outcomes = r.Script
			g.mux.Handle(r.Pattern, rt)
			g.routes = append(g.routes, rt)
		}
		g.apps = g.Apps
		if g.apps == nil {
			g.apps = []App{{AppKey: DefaultAppKey, AppSecret: DefaultAppSecret, AppCode: DefaultAppCode}}
		}
		g.counts.limit = g.LogLength
		if g.counts.limit <= 0 {
			g.counts.limit = 1024
		}
	})
}

// higressReadings are shared; nobody may change them.
var higressReadings, documentedReading = HigressReadings(), []Reading{{}}

func (g *Gateway) readings() []Reading {
	switch {
	case len(g.Readings) > 0:
		return g.Readings
	case g.Dialect == catalog.GenerationHigress:
		return higressReadings
	}
	return documentedReading
}

func (g *Gateway) now() time.Time {
	if g.Now != nil {
		return g.Now()
	}
	return time.Now()
}

// match finds the route of a request; nil where there is none.
func (g *Gateway) match(r *http.Request) *route {
	// A ServeMux redirects what is not clean, and an API gateway does not: it
	// is asked about a clean path.
	clean := "/"
	if r.URL.Path != "" {
		clean = path.Clean("/" + r.URL.Path)
		if clean != "/" && strings.HasSuffix(r.URL.Path, "/") {
			clean += "/"
		}
	}
	h, _ := g.mux.Handler(&http.Request{Method: r.Method, Host: r.Host, URL: &url.URL{Path: clean}})
	rt, _ := h.(*route) // anything else is a redirect or an error page
	return rt
}
