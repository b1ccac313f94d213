package signer

import (
	"net/http"
	"net/netip"
	"strings"
)

// covers reports whether req may carry the credentials. All the names that
// decide who reads the request must be allowed: the host that is dialled, the
// one in the Host header, by which a shared front end picks the tenant, and
// the authority in an opaque URL, which goes out in the request line.
func (s *Signer) covers(req *http.Request) bool {
	u := req.URL
	host, port := splitAuthority(u.Host)
	if port == "" {
		port = defaultPort(u.Scheme)
	}
	if !s.allows(host, port, u.Scheme) {
		return false
	}
	// The port in these two decides nothing: the connection is to URL.Host.
	if req.Host != "" && req.Host != u.Host {
		if name, _ := splitAuthority(req.Host); !s.allows(name, anyPort, "") {
			return false
		}
	}
	if rest, ok := strings.CutPrefix(u.Opaque, "//"); ok {
		authority, _, _ := strings.Cut(rest, "/")
		if name, _ := splitAuthority(authority); !s.allows(name, anyPort, "") {
			return false
		}
	}
	return true
}

const anyPort = "*"

func (s *Signer) allows(host, port, scheme string) bool {
	for _, entry := range s.Hosts {
		allowed, allowedPort := splitAuthority(entry)
		if allowedPort == "" {
			allowedPort = defaultPort(scheme)
		}
		if (port == anyPort || allowedPort == anyPort || allowedPort == port) && sameHost(allowed, host) {
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
		return label != "" && sameName(rest, parent)
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
	case host == "" || strings.ContainsAny(host, " \t\r\n/?#@,[]"):
		return "is not a host; write a name or an address, with a port if it is not the default one"
	case strings.Contains(strings.TrimPrefix(host, "*."), "*") || host == "*.":
		return "is not a wildcard that is understood; write \"*.example.com\""
	case port != anyPort && strings.Trim(port, "0123456789") != "":
		return "has a port that is not a number; write the number, or * for any port"
	}
	return ""
}

// isLoopback reports whether host is this machine by name or address.
func isLoopback(host string) bool {
	host = strings.TrimSuffix(host, ".")
	if sameName(host, "localhost") {
		return true
	}
	addr, err := netip.ParseAddr(host)
	return err == nil && addr.Unmap().IsLoopback()
}
