package apigw

import (
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"path"
	"strings"
)

// serviceTable finds services by host, then by method, then by one segment of
// the path after the other. An http.ServeMux would do the same, but allocates,
// cleans and redirects; so it is asked only whether a pattern is well-formed
// and at peace with the others. A table is not changed once it is in use.
type serviceTable struct {
	checker  *http.ServeMux
	patterns []string
	hosts    map[string]hostServices // "" is any
	fallback *service
}

type hostServices map[string]*pathNode // by method, "" is any

// pathNode is where those patterns meet that agree in all segments so far. The
// segment "/" stands for the slash that ends a path.
type pathNode struct {
	end     *service // a pattern that ends here
	literal map[string]*pathNode
	wild    *pathNode // {x}
	rest    *service  // {x...}, or the slash that ends a pattern
}

func newServiceTable() *serviceTable {
	return &serviceTable{checker: http.NewServeMux(), hosts: map[string]hostServices{}}
}

// add puts a pattern into the table, or says why it cannot be one. A conflict
// is a *conflictError.
func (t *serviceTable) add(pattern string, policy RetryPolicy) error {
	// http.ServeMux takes what follows the blank for a host: " GET /" has the
	// host GET.
	if trimmed := strings.TrimLeft(pattern, " \t"); trimmed != pattern {
		return fmt.Errorf("a pattern does not begin with a blank: write %q", trimmed)
	}
	method, host, path := splitPattern(pattern)
	host = string(appendLower(nil, host))
	if err := t.check(method, host, path); err != nil {
		return err
	}
	t.patterns = append(t.patterns, pattern)
	h := t.hosts[host]
	if h == nil {
		h = hostServices{}
		t.hosts[host] = h
	}
	root := h[method]
	if root == nil {
		root = new(pathNode)
		h[method] = root
	}
	root.add(path, &service{pattern, policy.clone()})
	return nil
}

// splitPattern splits as http.ServeMux does. Any part can be empty, the path
// too where the pattern is none.
func splitPattern(pattern string) (method, host, path string) {
	if i := strings.IndexAny(pattern, " \t"); i >= 0 {
		method, pattern = pattern[:i], strings.TrimLeft(pattern[i+1:], " \t")
	}
	if i := strings.IndexByte(pattern, '/'); i >= 0 {
		return method, pattern[:i], pattern[i:]
	}
	return method, pattern, ""
}

// check refuses what http.ServeMux refuses, and what could never match an
// outgoing request.
func (t *serviceTable) check(method, host, urlPath string) error {
	clean := path.Clean(urlPath)
	if strings.HasSuffix(urlPath, "/") && clean != "/" {
		clean += "/"
	}
	switch {
	case urlPath == "":
		return fmt.Errorf("a pattern has a path: write %q for a host, %q for a path", host+"/", "/"+host)
	case host == "http:" || host == "https:":
		return fmt.Errorf("a pattern has no scheme: leave out %q", host+"//")
	case strings.Contains(host, "*"):
		return fmt.Errorf("host %q: there are no wildcards in hosts, name each one", host)
	case strings.Contains(host, "@"):
		return fmt.Errorf("host %q: a pattern names no user, write %q", host, host[strings.LastIndex(host, "@")+1:])
	case strings.ContainsAny(urlPath, "?#"):
		return fmt.Errorf("path %q: patterns know neither query nor fragment, write %q", urlPath, urlPath[:strings.IndexAny(urlPath, "?#")])
	case host != hostname(host):
		return fmt.Errorf("host %q: a pattern names no port, it holds for all of them: write %q", host, hostname(host))
	case method != strings.ToUpper(method):
		return fmt.Errorf("method %q: methods are in capitals, write %q", method, strings.ToUpper(method))
	case urlPath != clean:
		return fmt.Errorf("path %q is not clean: write %q", urlPath, clean)
	}
	pattern := host + urlPath
	if method != "" {
		pattern = method + " " + pattern
	}
	return t.register(pattern)
}

// register asks http.ServeMux, which answers by a panic.
func (t *serviceTable) register(pattern string) error {
	refusal := handle(t.checker, pattern)
	if refusal == "" {
		return nil
	}
	for _, other := range t.patterns {
		method, host, path := splitPattern(other)
		pair := http.NewServeMux()
		handle(pair, strings.TrimLeft(method+" "+string(appendLower(nil, host))+path, " "))
		if handle(pair, pattern) != "" {
			// The first line tells where the code is that registered
			// them, the second what they have in common.
			why := strings.Split(refusal+"\n", "\n")[1]
			return &conflictError{other, strings.TrimSuffix(why, ".") + ": take one out, or make it more specific"}
		}
	}
	return errors.New(strings.TrimPrefix(refusal, fmt.Sprintf("parsing %q: ", pattern)))
}

// handle registers a pattern and returns the text of the panic, if any.
func handle(mux *http.ServeMux, pattern string) (refusal string) {
	defer func() {
		if v := recover(); v != nil {
			refusal = fmt.Sprint(v)
		}
	}()
	mux.Handle(pattern, http.NotFoundHandler())
	return ""
}

// conflictError says that two patterns match a common request and that neither
// is more specific.
type conflictError struct{ with, why string }

func (e *conflictError) Error() string {
	return fmt.Sprintf("conflicts with %q: %s", e.with, e.why)
}

// add puts a pattern's path below n.
func (n *pathNode) add(path string, s *service) {
	for path != "" {
		segment, rest := path[1:], ""
		if i := strings.IndexByte(segment, '/'); i >= 0 {
			segment, rest = segment[:i], segment[i:]
		}
		switch {
		case segment == "" || segment[0] == '{' && strings.HasSuffix(segment, "...}"):
			n.rest = s
			return
		case segment == "{$}":
			n = n.child("/")
		case segment[0] == '{':
			if n.wild == nil {
				n.wild = new(pathNode)
			}
			n = n.wild
		default:
			if plain, err := url.PathUnescape(segment); err == nil {
				segment = plain
			}
			n = n.child(segment)
		}
		path = rest
	}
	n.end = s
}

func (n *pathNode) child(segment string) *pathNode {
	if n.literal == nil {
		n.literal = map[string]*pathNode{}
	}
	c := n.literal[segment]
	if c == nil {
		c = new(pathNode)
		n.literal[segment] = c
	}
	return c
}

// find returns the service of a request, nil if there is none.
func (t *serviceTable) find(req *http.Request) *service {
	host := req.Host
	if host == "" {
		host = req.URL.Host
	}
	method := req.Method
	if method == "" {
		method = http.MethodGet
	}
	path := pathOf(req.URL)
	if s := t.host(hostname(host)).find(method, path); s != nil {
		return s
	}
	if s := t.hosts[""].find(method, path); s != nil {
		return s
	}
	return t.fallback
}

// host finds the services of a host in any letter case.
func (t *serviceTable) host(name string) hostServices {
	if h := t.hosts[name]; h != nil {
		return h
	}
	var lower [253]byte // the longest name that DNS has
	if len(name) > len(lower) {
		return nil
	}
	return t.hosts[string(appendLower(lower[:0], name))]
}

func appendLower(b []byte, s string) []byte {
	for i := range len(s) {
		c := s[i]
		if 'A' <= c && c <= 'Z' {
			c += 'a' - 'A'
		}
		b = append(b, c)
	}
	return b
}

// hostname cuts off the port. An IPv6 address keeps its brackets.
func hostname(host string) string {
	if i := strings.LastIndexByte(host, ':'); i > strings.LastIndexByte(host, ']') {
		return host[:i]
	}
	return host
}

func (h hostServices) find(method string, path requestPath) *service {
	s := h[method].find(path)
	if s == nil && method == http.MethodHead {
		s = h[http.MethodGet].find(path)
	}
	if s == nil {
		s = h[""].find(path)
	}
	return s
}

// find goes from the most specific to the least: a literal segment, a
// wildcard, the rest. It visits no node twice.
func (n *pathNode) find(path requestPath) *service {
	if n == nil {
		return nil
	}
	if path.plain == "" {
		return n.end
	}
	segment, rest := path.cut()
	if s := n.literal[segment].find(rest); s != nil {
		return s
	}
	if segment != "/" {
		if s := n.wild.find(rest); s != nil {
			return s
		}
	}
	return n.rest
}

// requestPath is the path of a request that is still to be matched. Where an
// escaped slash or the like makes the path as sent differ from the usual
// encoding of the plain one, escaped tells where the segments end.
type requestPath struct{ plain, escaped string }

func pathOf(u *url.URL) requestPath {
	switch {
	case strings.HasPrefix(u.RawPath, "/") && encodes(u.RawPath, u.Path):
		return requestPath{u.Path, u.RawPath}
	case u.Path == "":
		return requestPath{plain: "/"}
	}
	return requestPath{plain: u.Path}
}

// cut takes off the first segment, as "/" the slash that ends a path.
func (p requestPath) cut() (segment string, rest requestPath) {
	if p.plain == "/" {
		return "/", requestPath{}
	}
	begin := 0
	if p.plain[0] == '/' {
		begin = 1
	}
	if p.escaped == "" {
		end := strings.IndexByte(p.plain[begin:], '/')
		if end < 0 {
			return p.plain[begin:], requestPath{}
		}
		return p.plain[begin : begin+end], requestPath{plain: p.plain[begin+end:]}
	}
	i, j := begin, begin
	for ; j < len(p.escaped) && p.escaped[j] != '/'; i, j = i+1, j+1 {
		if p.escaped[j] == '%' {
			j += 2
		}
	}
	return p.plain[begin:i], requestPath{p.plain[i:], p.escaped[j:]}
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
