package gatewaytest

import (
	"cmp"
	"fmt"
	"net"
	"strings"
	"sync"
	"time"

	"github.com/apigw-go/apigw/catalog"
	"github.com/apigw-go/apigw/internal/route"
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
// it is safe for concurrent use, and holds no lock while a backend runs. The first
// request, or making a [Server] for it, panics if the configuration cannot be
// used: an invalid pattern, two that conflict (as [http.ServeMux.Handle]), an
// outcome with an unknown row.
type Gateway struct {
	// Dialect is the generation of the gateway. A classic instance (also the
	// zero value) reports errors as a text in X-Ca-Error-Message, a VPC-type
	// instance with a code as well.
	//
	// catalog.GenerationHigress is a gateway of the newer generation: Plugins
	// check and refuse, Envoy answers for backends and adds
	// X-Envoy-Upstream-Service-Time to what they answered. AppCodes, stages and
	// HTTPSOnly are not its business. GenerationEnvoy, GenerationHigressAI,
	// GenerationCloudNative and GenerationAIGateway differ in the rows that
	// limits and tokens are refused with. GenerationFC is Function Compute
	// without a gateway before it; it looks at no credentials.
	Dialect catalog.Generation

	// Readings are how the gateway reads a request when it builds the string
	// to sign. A signature is right if it is right under one of them; a refusal
	// shows the string of the first. If empty, the documented reading, and
	// [HigressReadings] in those of the newer generation.
	Readings []Reading

	// Plugins are the plug-ins of a gateway of the newer generation.
	Plugins Plugins

	// Apps are the applications that may call. If nil, there is the default
	// one.
	Apps []App

	// Routes are the published APIs. If nil, there is one for "/".
	Routes []Route

	// Stages are the values of X-Ca-Stage that the APIs are published in,
	// in any letter case; if nil, RELEASE only. A request without the header
	// asks for RELEASE.
	Stages []string

	// BasePath is the base path of the API group, such as "/v1". Requests must
	// begin with it, and the patterns of Routes stand for what follows. The
	// signature and the backend see the whole path. If empty or "/", there is
	// none.
	BasePath string

	// AppCodeParam is the query parameter that may carry the AppCode in place
	// of Authorization. That there is one is documented, its name was not to be
	// read anywhere, so the default is unverified: [DefaultAppCodeParam]. If
	// "-", there is none.
	AppCodeParam string

	// Origins are those that browsers may call from, such as
	// "https://www.example.com". If nil, all. The gateway answers preflight
	// requests itself, unless a route names the method OPTIONS.
	Origins []string

	// GroupLimits limit the calls of all routes together, UserLimits those of
	// all applications of an [App.User], and DomainLimits those to a host name,
	// in any letter case, as for the second-level domain that every API group
	// has.
	//
	// Limits are asked one after the other, those of a route first; a call that
	// one of them refuses counts for those before it.
	GroupLimits  []Limit
	UserLimits   map[string]Limit
	DomainLimits map[string]Limit

	// Now is the clock for timestamps, nonces, limits, quotas, breakers and
	// the Date header. If nil, time.Now, which is fake in a testing/synctest
	// bubble. Delays and latencies always pass in the time of package time.
	Now func() time.Time `json:"-"`

	// SayOK adds X-Ca-Error-Message: OK to successful calls, as some
	// classic instances do. It has no effect in other dialects.
	SayOK bool

	// IdentityHeader names the request header whose value tells one logical
	// request from another through all its attempts; see
	// [Gateway.IdentityCounts]. If empty, X-Test-Request.
	IdentityHeader string

	// LogLength is how many requests [Gateway.Log] remembers. If 0, 1024.
	LogLength int

	// OnEnd, if not nil, is called at the end of every request, dropped ones
	// included. The client may have read its answer before. Calls may be
	// concurrent; those for one connection of HTTP/1 are not.
	OnEnd func(Record) `json:"-"`

	once sync.Once
	// used returns all that a gateway knows while it serves. Printing a Gateway
	// shows its configuration, in which secrets hide themselves, but package
	// fmt does not ask values in unexported fields to hide; it follows pointers
	// for some verbs, and never a func.
	used func() *state
	err  error
}

// DefaultAppCodeParam is a guess, see [Gateway.AppCodeParam].
const DefaultAppCodeParam = "AppCode"

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
	// Limit and Limits limit the calls of the application over all routes,
	// each of them by itself.
	Limit  Limit
	Limits []Limit
}

// state is a Gateway in use.
type state struct {
	basePath  string // without a slash at the end
	codeParam string // empty for none
	apps      []App
	routes    route.Table[*routeState]
	all       []*routeState // of routes
	flow      flowControl
	nonces    nonceMemory
	counts    counter
}

// state returns what the gateway knows. It panics if the configuration cannot
// be used.
func (g *Gateway) state() *state {
	g.once.Do(func() {
		var s *state
		s, g.err = newState(g)
		g.used = func() *state { return s }
	})
	if g.err != nil {
		panic("gatewaytest: " + g.err.Error())
	}
	return g.used()
}

func newState(g *Gateway) (*state, error) {
	s := &state{
		basePath: strings.TrimSuffix(g.BasePath, "/"), codeParam: cmp.Or(g.AppCodeParam, DefaultAppCodeParam),
		apps: g.Apps, counts: counter{limit: cmp.Or(max(g.LogLength, 0), 1024)},
	}
	if g.Dialect > catalog.GenerationFC {
		return nil, fmt.Errorf("there is no dialect %v", g.Dialect)
	}
	if err := g.Plugins.check(); err != nil {
		return nil, err
	}
	if s.basePath != "" && s.basePath[0] != '/' {
		return nil, fmt.Errorf("base path %q does not begin with a slash", g.BasePath)
	}
	if s.codeParam == "-" {
		s.codeParam = ""
	}
	if s.apps == nil {
		s.apps = []App{{AppKey: DefaultAppKey, AppSecret: DefaultAppSecret, AppCode: DefaultAppCode}}
	}
	s.flow = newFlowControl(g, s.apps)
	routes := g.Routes
	if routes == nil {
		routes = []Route{{Pattern: "/"}}
	}
	for _, r := range routes {
		for i := range r.Script {
			if err := r.Script[i].check(); err != nil {
				return nil, fmt.Errorf("route %q, outcome %d: %w", r.Pattern, i+1, err)
			}
		}
		rt := newRouteState(r, s.apps)
		if err := s.routes.Add(r.Pattern, rt); err != nil {
			return nil, fmt.Errorf("pattern %q: %w", r.Pattern, err)
		}
		s.all = append(s.all, rt)
	}
	return s, nil
}

// Reset makes the gateway as good as new: it forgets counts, log, nonces, calls
// that limits and quotas have counted, the state of breakers, and begins all
// scripts anew. A request in progress may count before or after.
func (g *Gateway) Reset() {
	s := g.state()
	for _, rt := range s.all {
		rt.reset()
	}
	s.flow.reset()
	s.nonces.reset()
	s.counts.reset()
}

func (g *Gateway) now() time.Time {
	if g.Now != nil {
		return g.Now()
	}
	return time.Now()
}

// higressReadings are shared; nobody may change them.
var higressReadings, documentedReading = HigressReadings(), []Reading{{}}

func (g *Gateway) readings() []Reading {
	switch {
	case len(g.Readings) > 0:
		return g.Readings
	case g.Dialect > catalog.GenerationVPC:
		return higressReadings
	}
	return documentedReading
}

// hostname returns the name of a host in small letters, without port and
// without a final dot.
func hostname(host string) string {
	if name, _, err := net.SplitHostPort(host); err == nil {
		host = name
	}
	return strings.ToLower(strings.TrimSuffix(host, "."))
}
