package apigw

import (
	"net/url"
	"strings"
)

// appendHost appends the host of a URL in its one spelling: small letters, no
// dot at the end, no port if it is the default one of the scheme.
func appendHost(dst []byte, u *url.URL) []byte {
	name, port := splitPort(u.Host)
	if port == defaultPort(u.Scheme) {
		port = ""
	}
	for _, c := range []byte(strings.TrimSuffix(name, ".")) {
		if 'A' <= c && c <= 'Z' {
			c += 'a' - 'A'
		}
		dst = append(dst, c)
	}
	if port != "" {
		dst = append(dst, ':')
		dst = append(dst, port...)
	}
	return dst
}

// splitPort splits off what follows the last colon, but for one within the
// brackets of an IPv6 address.
func splitPort(host string) (name, port string) {
	i := strings.LastIndexByte(host, ':')
	if i < 0 || i < strings.LastIndexByte(host, ']') {
		return host, ""
	}
	return host[:i], host[i+1:]
}

func defaultPort(scheme string) string {
	switch {
	case strings.EqualFold(scheme, "http"):
		return "80"
	case strings.EqualFold(scheme, "https"):
		return "443"
	}
	return ""
}
