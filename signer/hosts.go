package signer

import (
	"net/http"
	"net/netip"
	"strings"
)

// A denial says why a request may not carry the credentials. The zero value is
// none.
type denial struct {
	reason denialReason
	host   string
}

type denialReason uint8

const (
	allowed denialReason = iota
	foreignURL
	foreignHost
	foreignOpaque
	downgraded
)

// String says it in one sentence, for the person who looks for the reason of a
// refusal such as "Invalid AppKey".
func (d denial) String() string {
	host := printable(d.host)
	reason := "host " + host + " is not in Hosts"
	switch d.reason {
	case allowed:
		return ""
	case foreignHost:
		reason = "Request.Host " + host + " is not in Hosts"
	case foreignOpaque:
		reason = "host " + host + " in URL.Opaque is not in Hosts"
	case downgraded:
		return "no credentials were sent: a redirect led from https to http on host " + host +
			"; use https, or set AllowPlainHTTP"
	}
	if !isASCII(d.host) {
		reason += "; write the name in ASCII, as xn--..., in the URL and in Hosts"
	}
	return "no credentials were sent: " + reason
}

// denies says whether req may carry the credentials. All the names that decide
// who reads the request must be allowed: the host that is dialled, the one in
// the Host header, by which a shared front end picks the tenant and a proxy the
// server, and the authority in an opaque URL, which goes out in the request
// line.
func (s *Signer) denies(req *http.Request) denial {
	u := req.URL
	if !s.allows(u.Host, u.Scheme) {
		return denial{foreignURL, u.Host}
	}
	if req.Host != "" && req.Host != u.Host && !s.allows(req.Host, u.Scheme) {
		return denial{foreignHost, req.Host}
	}
	if rest, ok := strings.CutPrefix(u.Opaque, "//"); ok {
		if authority, _, _ := strings.Cut(rest, "/"); !s.allows(authority, u.Scheme) {
			return denial{foreignOpaque, authority}
		}
	}
	if !s.AllowPlainHTTP && !sameName(u.Scheme, "https") && redirectedFromTLS(req) {
		return denial{downgraded, u.Host}
	}
	return denial{}
}

// redirectedFromTLS reports whether one of the redirects that led to req came
// over https: what was protected then is not sent in the clear now.
func redirectedFromTLS(req *http.Request) bool {
	for resp := req.Response; resp != nil && resp.Request != nil; resp = resp.Request.Response {
		if u := resp.Request.URL; u != nil && sameName(u.Scheme, "https") {
			return true
		}
	}
	return false
}

const anyPort = "*"

// allows reports whether an authority is one of Hosts.
func (s *Signer) allows(authority, scheme string) bool {
	host, port := splitAuthority(authority)
	if port == "" {
		port = defaultPort(scheme)
	}
	for _, entry := range s.Hosts {
		name, allowedPort := splitAuthority(entry)
		if allowedPort == "" {
			allowedPort = defaultPort(scheme)
		}
		if (allowedPort == anyPort || allowedPort == port) && sameHost(name, host) {
			return true
		}
	}
	return false
}

// sameHost compares a host with an entry of Hosts. A wildcard stands for one
// label, as in certificates.
func sameHost(allowed, host string) bool {
	allowed, host = strings.TrimSuffix(allowed, "."), strings.TrimSuffix(host, ".")
	if parent, ok := strings.CutPrefix(allowed, "*."); ok {
		label, rest, _ := strings.Cut(host, ".")
		return isLabel(label) && sameName(rest, parent)
	}
	if host == "" {
		return false
	}
	if sameName(allowed, host) {
		return true
	}
	if strings.IndexByte(host, ':') < 0 { // only IPv6 has several spellings
		return false
	}
	a, errA := netip.ParseAddr(allowed)
	b, errB := netip.ParseAddr(host)
	return errA == nil && errB == nil && a == b
}

// isLabel reports whether a "*" can stand for s: one label of a name in ASCII.
// net/http maps other letters before it dials, and some of them, such as the
// ideographic full stop U+3002, to dots.
func isLabel(s string) bool {
	for i := range len(s) {
		c := lower(s[i])
		if !('a' <= c && c <= 'z' || '0' <= c && c <= '9' || c == '-' || c == '_') {
			return false
		}
	}
	return s != ""
}

func isASCII(s string) bool {
	for i := range len(s) {
		if s[i] >= 0x80 {
			return false
		}
	}
	return true
}

// splitAuthority splits "host", "host:port", "[v6]", "[v6]:port" and a bare
// IPv6 address. What has none of these shapes comes back whole, to equal
// nothing that is allowed.
func splitAuthority(s string) (host, port string) {
	if strings.HasPrefix(s, "[") {
		if end := strings.IndexByte(s, ']'); end > 0 {
			switch rest := s[end+1:]; {
			case rest == "":
				return s[1:end], ""
			case rest[0] == ':':
				return s[1:end], rest[1:]
			}
		}
		return s, ""
	}
	if i := strings.IndexByte(s, ':'); i >= 0 && i == strings.LastIndexByte(s, ':') {
		return s[:i], s[i+1:]
	}
	return s, ""
}

func defaultPort(scheme string) string {
	switch {
	case sameName(scheme, "https"):
		return "443"
	case sameName(scheme, "http"):
		return "80"
	}
	return ""
}

// badHost says what is wrong with an entry of Hosts, "" for nothing.
func badHost(entry string) string {
	host, port := splitAuthority(entry)
	switch {
	case strings.Contains(entry, "://"):
		return "is a URL; write the host alone, for example \"api.example.com\""
	case !isASCII(entry):
		return "has letters outside ASCII; write the name as net/http sends it, in its ASCII form (xn--...)"
	case host == "" || strings.ContainsAny(host, " \t\r\n/?#@,[]"):
		return "is not a host; write a name or an address, with a port if it is not the default one"
	case strings.Contains(strings.TrimPrefix(host, "*."), "*") || host == "*.":
		return "is not a wildcard that is understood; write \"*.example.com\""
	case port != anyPort && strings.Trim(port, "0123456789") != "":
		return "has a port that is not a number; write the number, or * for any port"
	}
	return ""
}

// staysHere reports whether req goes to this machine, not through a proxy
// elsewhere.
func (s *Signer) staysHere(req *http.Request) bool {
	if !isLoopback(req.URL.Hostname()) {
		return false
	}
	t, ok := s.base().(*http.Transport)
	if !ok || t.Proxy == nil {
		return true
	}
	proxy, err := t.Proxy(req)
	return err == nil && (proxy == nil || isLoopback(proxy.Hostname()))
}

// isLoopback reports whether host is this machine by the rule that keeps
// net/http from asking a proxy: "LOCALHOST" and "localhost." go through one.
func isLoopback(host string) bool {
	if host == "localhost" {
		return true
	}
	addr, err := netip.ParseAddr(host)
	return err == nil && addr.Unmap().IsLoopback()
}
