package proxy

import (
	"crypto/subtle"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"strings"
)

// HeaderToken carries the token of a proxy that is open to other machines.
const HeaderToken = "X-Apigw-Token"

// Guard keeps pages of a browser and other machines away from a server that
// signs whatever it gets. The zero value serves this machine.
type Guard struct {
	// Hosts may stand in the Host header besides the names and addresses of
	// this machine. A page of a name that an attacker points to this machine
	// (DNS rebinding) sends that name.
	Hosts []string
	// Token must come with each request, in [HeaderToken], if it is not empty.
	Token string
}

// Wrap puts the guard before next.
func (g Guard) Wrap(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if answer, ok := g.check(r); !ok {
			answer.Reached = "no"
			writeProblem(w, answer)
			return
		}
		next.ServeHTTP(w, r)
	})
}

// check returns why a request is refused.
func (g Guard) check(r *http.Request) (problem, bool) {
	switch {
	case !g.isHost(r.Host):
		return problem{
			Status: http.StatusMisdirectedRequest, Title: "not a host of this server",
			Detail: "call it by a loopback address or localhost, or list the name with --allow-host; it is no " +
				"forward proxy",
		}, false
	case !isSameOrigin(r):
		return problem{
			Status: http.StatusForbidden, Title: "cross-origin request",
			Detail: "pages of other origins are not served",
		}, false
	case g.Token != "" && !isEqual(r.Header.Get(HeaderToken), g.Token):
		return problem{
			Status: http.StatusUnauthorized, Title: "token missing or wrong",
			Detail: "send the token that the start line names, in the header " + HeaderToken,
		}, false
	}
	return problem{}, true
}

// isHost reports whether the Host header names this machine, or a listed host.
func (g Guard) isHost(host string) bool {
	name := hostname(host)
	if addr, err := netip.ParseAddr(name); err == nil && addr.Unmap().IsLoopback() {
		return true
	}
	if name == "localhost" {
		return true
	}
	for _, h := range g.Hosts {
		if strings.EqualFold(strings.TrimSuffix(h, "."), name) {
			return true
		}
	}
	return false
}

// hostname is the host of "host:port", in lower case, without brackets and a
// final dot.
func hostname(hostport string) string {
	host := hostport
	if h, _, err := net.SplitHostPort(hostport); err == nil {
		host = h
	}
	host = strings.TrimSuffix(strings.TrimPrefix(host, "["), "]")
	return strings.ToLower(strings.TrimSuffix(host, "."))
}

// isSameOrigin reports whether the request comes from no page at all, or from
// a page of this server. Browsers send Origin with all that can change
// something, and Sec-Fetch-Site with everything.
func isSameOrigin(r *http.Request) bool {
	for _, site := range r.Header["Sec-Fetch-Site"] {
		if site != "same-origin" && site != "none" {
			return false
		}
	}
	for _, origin := range r.Header["Origin"] {
		u, err := url.Parse(origin)
		if err != nil || !strings.EqualFold(u.Host, r.Host) || u.Host == "" {
			return false
		}
	}
	return true
}

// isEqual compares without telling by its time how much was right.
func isEqual(a, b string) bool { return subtle.ConstantTimeCompare([]byte(a), []byte(b)) == 1 }
