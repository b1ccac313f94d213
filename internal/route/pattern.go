package route

import (
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"path"
	"strconv"
	"strings"
)

// pattern is a pattern in its parts, the host in lower case.
type pattern struct {
	text               string // as it was given
	method, host, path string
}

// String writes a pattern for http.ServeMux.
func (p pattern) String() string {
	if p.method == "" {
		return p.host + p.path
	}
	return p.method + " " + p.host + p.path
}

// parse splits a pattern, and refuses what http.ServeMux would take but what
// could never match, or not what it means.
func parse(text string) (pattern, error) {
	// http.ServeMux takes what follows the blank for a host: " GET /" has the
	// host GET.
	if trimmed := strings.TrimLeft(text, " \t"); trimmed != text {
		return pattern{}, fmt.Errorf("a pattern does not begin with a blank: write %q", trimmed)
	}
	p := split(text)
	p.text = text
	clean := cleanPath(p.path)
	name := strings.TrimSuffix(p.host, ".")
	switch {
	case strings.Contains(p.method, "/"):
		return p, fmt.Errorf("a path has no blank: write %q", strings.ReplaceAll(text, " ", "%20"))
	case p.path == "":
		return p, fmt.Errorf("a pattern has a path: write %q for a host, %q for a path", p.host+"/", "/"+p.host)
	case p.host == "http:" || p.host == "https:":
		return p, fmt.Errorf("a pattern has no scheme: leave out %q", p.host+"//")
	case strings.Contains(p.host, "*"):
		return p, fmt.Errorf("host %q: there are no wildcards in hosts, name each one", p.host)
	case strings.Contains(p.host, "@"):
		return p, fmt.Errorf("host %q: a pattern names no user, write %q", p.host,
			p.host[strings.LastIndex(p.host, "@")+1:])
	case strings.ContainsAny(p.path, "?#"):
		return p, fmt.Errorf("path %q: patterns know neither query nor fragment, write %q",
			p.path, p.path[:strings.IndexAny(p.path, "?#")])
	case name != hostname(p.host):
		return p, fmt.Errorf("host %q: a pattern names no port, it holds for all of them: write %q", p.host,
			hostname(p.host))
	case p.method != strings.ToUpper(p.method):
		return p, fmt.Errorf("method %q: methods are in capitals, write %q", p.method, strings.ToUpper(p.method))
	case p.path != clean:
		return p, fmt.Errorf("path %q is not clean: write %q", p.path, clean)
	}
	if _, err := url.PathUnescape(p.path); err != nil {
		return p, fmt.Errorf("path %q: %w: write %%25 for a percent sign", p.path, err)
	}
	p.host = name
	return p, nil
}

// split splits as http.ServeMux does. Any part can be empty, the path too
// where the text is no pattern.
func split(text string) (p pattern) {
	if i := strings.IndexAny(text, " \t"); i >= 0 {
		p.method, text = text[:i], strings.TrimLeft(text[i+1:], " \t")
	}
	i := strings.IndexByte(text, '/')
	if i < 0 {
		i = len(text)
	}
	p.host, p.path = string(appendLower(nil, text[:i])), text[i:]
	return p
}

func cleanPath(p string) string {
	clean := path.Clean(p)
	if strings.HasSuffix(p, "/") && clean != "/" {
		clean += "/"
	}
	return clean
}

// nextSegment cuts the first segment off a pattern's path, "" for the slash
// that ends it.
func nextSegment(path string) (segment, rest string) {
	segment = path[1:]
	if i := strings.IndexByte(segment, '/'); i >= 0 {
		return segment[:i], segment[i:]
	}
	return segment, ""
}

// wildcard returns the name of a segment that is a wildcard, and whether it
// stands for the rest of the path. Neither a literal nor "{$}" has a name.
func wildcard(segment string) (name string, rest bool) {
	if segment == "" || segment[0] != '{' || segment == "{$}" {
		return "", false
	}
	name = strings.Trim(segment, "{}")
	return strings.CutSuffix(name, "...")
}

// rules are the patterns of a host as http.ServeMux sees them: it knows what a
// pattern is, and which two conflict.
type rules struct {
	mux   *http.ServeMux
	given map[string]pattern // by what the mux calls it
}

// add returns an error, and changes nothing, if p is malformed or conflicts.
func (r *rules) add(p pattern) error {
	if len(r.given) >= MaxPerHost {
		return fmt.Errorf("there are %d patterns %s already, the most that there can be: "+
			"leave out those that a more general one covers", MaxPerHost, p.where())
	}
	if r.mux == nil {
		r.mux, r.given = http.NewServeMux(), map[string]pattern{}
	}
	if refusal := handle(r.mux, p.String()); refusal != "" {
		return r.explain(p, refusal)
	}
	r.given[p.String()] = p
	return nil
}

func (p pattern) where() string {
	if p.host == "" {
		return "without a host"
	}
	return fmt.Sprintf("of host %q", p.host)
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

// explain makes an error of the text that http.ServeMux panics with.
func (r *rules) explain(p pattern, refusal string) error {
	if syntax := handle(http.NewServeMux(), p.String()); syntax != "" {
		return errors.New(strings.TrimPrefix(syntax, fmt.Sprintf("parsing %q: ", p.String())))
	}
	other := r.conflicting(p, refusal)
	// The first line says where in this program the two are registered, the
	// second what they have in common.
	_, why, _ := strings.Cut(refusal, "\n")
	why, _, _ = strings.Cut(why, "\n")
	return &ConflictError{other.text, strings.TrimSuffix(why, ".") + ": take one out, or make it more specific"}
}

// conflicting returns the pattern that p conflicts with. The text names it; in
// case that a later Go words it otherwise, each one is tried.
func (r *rules) conflicting(p pattern, refusal string) (other pattern) {
	for i := strings.IndexByte(refusal, '"'); i >= 0; i = strings.IndexByte(refusal, '"') {
		quoted, err := strconv.QuotedPrefix(refusal[i:])
		if err != nil {
			break
		}
		refusal = refusal[i+len(quoted):]
		name, _ := strconv.Unquote(quoted)
		if other, ok := r.given[name]; ok && conflict(p, other) {
			return other
		}
	}
	for _, other = range r.given {
		if conflict(p, other) {
			break
		}
	}
	return other
}

func conflict(a, b pattern) bool {
	pair := http.NewServeMux()
	return handle(pair, b.String()) == "" && handle(pair, a.String()) != ""
}
