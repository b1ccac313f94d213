package proxy

import (
	"fmt"
	"net/http"
	"net/http/httputil"
	"net/textproto"
	"net/url"
	"strings"

	"github.com/apigw-go/apigw/internal/redact"
)

// ParseUpstream reads the address of the API: "https://api.example.com", with a
// port if it has one, and nothing behind it, since paths pass unchanged.
func ParseUpstream(raw string) (*url.URL, error) {
	u, err := url.Parse(raw)
	switch {
	case err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https":
		return nil, fmt.Errorf("%q is no address of an API; give one such as https://api.example.com", short(raw))
	case u.User != nil:
		return nil, fmt.Errorf("the address holds a user; credentials are given by --key or --appcode")
	case u.Path != "" && u.Path != "/", u.RawQuery != "", u.Fragment != "":
		return nil, fmt.Errorf("the address has a path or query; give scheme and host alone, since the paths of " +
			"the calls pass unchanged")
	}
	return &url.URL{Scheme: u.Scheme, Host: u.Host}, nil
}

// short shows the beginning of an address, without a password and a query.
func short(s string) string { return redact.Line(redact.Plain(s), 80) }

// rewrite makes the request that goes up. Path and query pass byte for byte,
// since they are signed; what the client says of itself does not.
func (p *proxy) rewrite(r *httputil.ProxyRequest) {
	out := r.Out
	out.URL.Scheme, out.URL.Host = p.config.Upstream.Scheme, p.config.Upstream.Host
	out.URL.RawQuery, out.URL.ForceQuery = r.In.URL.RawQuery, r.In.URL.ForceQuery
	if raw := rawPath(r.In); raw != out.URL.EscapedPath() && !strings.HasPrefix(raw, "//") {
		out.URL.Opaque = raw // characters that net/url would escape
	}
	out.Host = ""
	out.Trailer = r.In.Trailer // filled in when the body ends
	for name := range out.Header {
		if !p.pass[name] && isOfTheClient(name) {
			delete(out.Header, name)
		}
	}
}

// rawPath returns the path as the client wrote it.
func rawPath(in *http.Request) string {
	path, _, _ := strings.Cut(in.RequestURI, "?")
	if !strings.HasPrefix(path, "/") {
		return in.URL.EscapedPath()
	}
	return path
}

// isOfTheClient reports whether a header is for this proxy or speaks for the
// client: X-Ca-* belongs to whoever signs, and credentials meant for other
// programs on this machine, cookies among them, are not for the API.
func isOfTheClient(name string) bool {
	switch name {
	case "Authorization", "Proxy-Authorization", "Cookie", "Origin", "Referer":
		return true
	}
	return strings.HasPrefix(name, "X-Ca-") || strings.HasPrefix(name, "X-Apigw-") ||
		strings.HasPrefix(name, "Sec-Fetch-")
}

func canonical(names []string) map[string]bool {
	set := make(map[string]bool, len(names))
	for _, name := range names {
		set[textproto.CanonicalMIMEHeaderKey(strings.TrimSpace(name))] = true
	}
	return set
}
