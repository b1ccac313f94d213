package gatewaytest

import (
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/apigw-go/apigw/internal/route"
)

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
	// for everything below. The path counts as it is on the wire, an escape
	// belongs to its segment, and there are no redirects. The backend's request
	// has the Pattern and the PathValue of each wildcard.
	Pattern string
	// Auth is what a caller needs. The zero value wants an application.
	Auth Auth
	// MaxBody is the largest body in bytes. If 0, DefaultMaxBody.
	MaxBody int64
	// HTTPSOnly refuses requests that did not come over TLS.
	HTTPSOnly bool
	// Limit and Limits limit the calls of all callers together, each of them
	// by itself.
	Limit  Limit
	Limits []Limit
	// AppLimits limit the calls of each application to this route.
	AppLimits []Limit
	// Quota is the number of purchased calls of every application. If nil,
	// there is no end to them.
	Quota *Quota
	// Breaker keeps calls from a failing backend. If nil, nothing does.
	Breaker *Breaker
	// Backend answers what the gateway lets through; nothing of its answer is
	// changed. It finds the whole body in memory. If nil, it echoes method,
	// path and length of the body as JSON.
	Backend http.Handler `json:"-"`
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

// routeState is a Route in use.
type routeState struct {
	Route
	script  scriptState
	breaker breakerState
	quota   quotaState
	limits  []*limiter
	perApp  map[*App][]*limiter
}

func newRouteState(r Route, apps []App) *routeState {
	s := &routeState{Route: r, limits: newLimiters(append([]Limit{r.Limit}, r.Limits...)...)}
	s.script.outcomes = r.Script
	if len(r.AppLimits) > 0 {
		s.perApp = make(map[*App][]*limiter, len(apps))
		for i := range apps {
			s.perApp[&apps[i]] = newLimiters(r.AppLimits...)
		}
	}
	return s
}

// reset makes the route as good as new.
func (s *routeState) reset() {
	s.script.reset()
	s.breaker.reset()
	s.quota.reset()
	for _, l := range s.limits {
		l.reset()
	}
	for _, limits := range s.perApp {
		for _, l := range limits {
			l.reset()
		}
	}
}

// match is a route that a request belongs to.
type match = route.Match[*routeState]

// find returns the route of a request as it would be with another method.
func (s *state) find(r *http.Request, method string) (match, bool) {
	target := r.URL
	if s.basePath != "" {
		rest, ok := strings.CutPrefix(target.EscapedPath(), s.basePath)
		if !ok || rest != "" && rest[0] != '/' {
			return match{}, false
		}
		plain, err := url.PathUnescape(rest)
		if err != nil {
			return match{}, false
		}
		target = &url.URL{Path: plain, RawPath: rest}
	}
	if target != r.URL || method != r.Method {
		r = &http.Request{Method: method, Host: r.Host, URL: target}
	}
	return s.routes.Find(r)
}

// withMatch gives the backend's request the pattern and its path values.
func withMatch(r *http.Request, m match) {
	r.Pattern = m.Pattern
	for name, value := range m.PathValues() {
		r.SetPathValue(name, value)
	}
}
