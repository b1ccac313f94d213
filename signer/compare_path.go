package signer

import (
	"path"
	"strings"
)

// comparePath compares the paths, takes off what does not belong there, and
// looks at what follows them.
func (c *comparison) comparePath() {
	if !c.gateway.hasPath {
		return
	}
	if !c.client.hasPath {
		c.add("path-left-out", PartPath, "", "", c.gateway.path)
		c.client.query, c.client.params, c.gateway.query = "", nil, ""
		return
	}
	c.afterPath()
	if c.otherSeparator() {
		c.add("parameters-separator", PartParameter, "", c.client.query, c.gateway.query)
		c.client.path, c.client.query = c.gateway.path, c.gateway.query
	}
	signed, gateway := strings.ReplaceAll(c.client.path, "\n", "#"), c.gateway.path
	if c.same(signed, gateway) {
		return
	}
	add := func(code string) { c.add(code, PartPath, "", signed, gateway) }
	if rest, ok := withoutHost(signed); ok {
		add("whole-url")
		signed = rest
	} else if rest, ok := hostBefore(signed, gateway); ok {
		add("host-in-path")
		signed = rest
	}
	if before, _, ok := strings.Cut(signed, "#"); ok && !strings.Contains(gateway, "#") {
		add("fragment-signed")
		signed = before
	}
	if !strings.HasPrefix(signed, "/") && strings.HasPrefix(gateway, "/") && strings.EqualFold("/"+signed, gateway) {
		add("slash-left-out")
		signed = "/" + signed
	}
	if signed == gateway {
		c.equal++
		return
	}
	code := pathCause(signed, gateway)
	if code != "path-differs" {
		c.equal++
	}
	add(code)
}

// afterPath sorts out the lines behind the path: the rest of a value with line
// breaks, the parameters, or what does not belong there.
func (c *comparison) afterPath() {
	after := strings.Join(c.client.after, "\n")
	if len(c.client.after) == 0 {
		return
	}
	tail, gateway := c.client.path+"?"+c.client.query, c.gateway.path+"?"+c.gateway.query
	switch {
	case strings.HasPrefix(gateway, tail+"#"):
		c.client.query += "\n" + after
	case c.client.query == "" && strings.TrimPrefix(c.client.after[0], "?") == c.gateway.query && c.gateway.query != "":
		c.client.query = c.gateway.query
		c.add("query-on-own-line", PartPath, "", after, "")
	default:
		c.add("body-signed", PartWhole, "", after, "")
	}
	c.client.after = nil
}

// withoutHost returns the path of a URL.
func withoutHost(s string) (string, bool) {
	if !isURL(s) {
		return s, false
	}
	_, rest, _ := strings.Cut(s, "://")
	return authorityCut(rest), true
}

// hostBefore returns what follows a host without a scheme, where that is the
// gateway's path.
func hostBefore(signed, gateway string) (string, bool) {
	host, rest, ok := strings.Cut(strings.TrimPrefix(signed, "//"), "/")
	if !ok || !strings.ContainsAny(host, ".:") && host != "localhost" || strings.EqualFold(signed, gateway) {
		return signed, false
	}
	return "/" + rest, "/"+rest == gateway || strings.HasPrefix(signed, "//") || !strings.HasPrefix(signed, "/")
}

func pathCause(signed, gateway string) string {
	decodedSigned, decodedGateway := decode(signed, false, false), decode(gateway, false, false)
	switch {
	case strings.TrimSuffix(signed, "/") == strings.TrimSuffix(gateway, "/"):
		return "trailing-slash"
	case decodedSigned == gateway, decode(signed, false, true) == gateway:
		if strings.Contains(signed, "%25") {
			return "path-encoded-twice"
		}
		return "path-decoded-there"
	case decodedGateway == signed, decode(gateway, false, true) == signed:
		return "path-decoded-here"
	case decodedSigned == decodedGateway, decode(signed, true, false) == decodedGateway:
		return "path-escapes"
	case isTemplateOf(signed, gateway):
		return "path-template"
	case decode(decodedSigned, false, false) == decodedGateway, decode(decodedGateway, false, false) == decodedSigned:
		return "path-encoded-twice"
	case strings.EqualFold(signed, gateway):
		return "path-case"
	case path.Clean(signed) == path.Clean(gateway):
		return "path-slashes"
	case signed != "" && strings.HasSuffix(gateway, signed),
		gateway != "" && gateway != "/" && strings.HasSuffix(signed, gateway):
		return "base-path"
	}
	return "path-differs"
}

// isTemplateOf reports whether a path is the other one but for segments that are
// placeholders: {id}, [id], <id>, :id.
func isTemplateOf(template, actual string) bool {
	a, b := strings.Split(template, "/"), strings.Split(actual, "/")
	if len(a) != len(b) {
		return false
	}
	placeholders := 0
	for i := range a {
		switch {
		case a[i] == b[i]:
		case strings.HasPrefix(a[i], ":"), len(a[i]) > 1 && strings.IndexByte("{[<$", a[i][0]) >= 0:
			placeholders++
		default:
			return false
		}
	}
	return placeholders > 0
}
