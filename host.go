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
	from := len(dst)
	dst = append(dst, strings.TrimSuffix(name, ".")...)
	for i := from; i < len(dst); i++ {
		if c := dst[i]; 'A' <= c && c <= 'Z' {
			dst[i] = c + 'a' - 'A'
		}
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
	case scheme == "https", strings.EqualFold(scheme, "https"): // mostly in small letters
		return "443"
	case scheme == "http", strings.EqualFold(scheme, "http"):
		return "80"
	}
	return ""
}
