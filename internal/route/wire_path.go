package route

import (
	"net/url"
	"strings"
)

// wirePath is the path of a request, or what is left of it, as it is on the
// wire. Where an escaped slash or the like makes that differ from the usual
// encoding of the plain path, escaped shows where the segments end.
type wirePath struct{ plain, escaped string }

// pathOf returns the path that a client sends, or a server received, for u.
func pathOf(u *url.URL) wirePath {
	switch {
	case u.Opaque != "":
		return opaquePath(u.Opaque)
	case strings.HasPrefix(u.RawPath, "/") && encodes(u.RawPath, u.Path):
		return wirePath{u.Path, u.RawPath}
	case u.Path == "":
		return wirePath{plain: "/"}
	}
	return wirePath{plain: u.Path}
}

// opaquePath is for a URL whose Opaque net/http sends in place of the path,
// with the host before it or without.
func opaquePath(opaque string) wirePath {
	if after, ok := strings.CutPrefix(opaque, "//"); ok {
		opaque = "/"
		if i := strings.IndexByte(after, '/'); i >= 0 {
			opaque = after[i:]
		}
	}
	opaque, _, _ = strings.Cut(opaque, "?")
	plain, err := url.PathUnescape(opaque)
	switch {
	case !strings.HasPrefix(opaque, "/"):
		return wirePath{plain: "/"} // no path of HTTP
	case err != nil:
		return wirePath{plain: opaque}
	}
	return wirePath{plain, opaque}
}

// cut takes off the first segment, as "/" the slash that ends a path.
func (p wirePath) cut() (segment string, rest wirePath) {
	if p.plain == "/" {
		return "/", wirePath{}
	}
	begin := p.slash()
	if p.escaped == "" {
		end := strings.IndexByte(p.plain[begin:], '/')
		if end < 0 {
			return p.plain[begin:], wirePath{}
		}
		return p.plain[begin : begin+end], wirePath{plain: p.plain[begin+end:]}
	}
	i, j := begin, begin
	for ; j < len(p.escaped) && p.escaped[j] != '/'; i, j = i+1, j+1 {
		if p.escaped[j] == '%' {
			j += 2
		}
	}
	return p.plain[begin:i], wirePath{p.plain[i:], p.escaped[j:]}
}

// rest returns all that is left, decoded, but for the slash before it.
func (p wirePath) rest() string { return p.plain[p.slash():] }

// slash returns the length of the slash that begins p, if any.
func (p wirePath) slash() int {
	if strings.HasPrefix(p.plain, "/") {
		return 1
	}
	return 0
}

// encodes reports whether raw is a valid encoding of path, without which
// url.URL.EscapedPath does not send it.
func encodes(raw, path string) bool {
	i := 0
	for j := 0; j < len(raw); i, j = i+1, j+1 {
		c := raw[j]
		switch {
		case c == '%':
			if j+2 >= len(raw) {
				return false
			}
			hi, lo := unhex(raw[j+1]), unhex(raw[j+2])
			if hi > 15 || lo > 15 {
				return false
			}
			c = hi<<4 | lo
			j += 2
		case 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9':
		case strings.IndexByte("-_.~!$&'()*+,;=:@/[]", c) < 0:
			return false
		}
		if i >= len(path) || path[i] != c {
			return false
		}
	}
	return i == len(path)
}

// unhex returns the value of a hexadecimal digit, 16 for anything else.
func unhex(c byte) byte {
	switch {
	case '0' <= c && c <= '9':
		return c - '0'
	case 'a' <= c && c <= 'f':
		return c - 'a' + 10
	case 'A' <= c && c <= 'F':
		return c - 'A' + 10
	}
	return 16
}
