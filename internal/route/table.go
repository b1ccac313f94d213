// Package route finds what belongs to a request by patterns like those of
// [http.ServeMux]. It serves requests that a program sends as well as requests
// that a server receives.
//
// An http.ServeMux itself cannot be asked: it answers an unclean path and
// /tree beside "/tree/" with a redirect instead of the next best pattern, and
// no setting turns that off; it gives path values only to a handler that it
// calls; it wants the host in lower case and without a final dot. So it decides
// only what a pattern is and which two conflict, and the search is done here,
// over a tree of segments, without a lock and without an allocation.
package route

import (
	"fmt"
	"iter"
	"net/http"
)

// MaxPerHost is how many patterns a host can have, and how many there can be
// without a host. http.ServeMux compares a new pattern with all before it: this
// many take some tenths of a second, ten times as many would take a minute.
const MaxPerHost = 4096

// Table maps patterns to values. The zero value is empty. [Table.Add] must not
// run beside other methods; [Table.Find] may run beside itself.
//
// Patterns are "[METHOD ][HOST]/[PATH]", and the most specific one wins, as in
// http.ServeMux. Other than there:
//
//   - The host counts in any letter case, without its port and without the dot
//     that may end it.
//   - The path is matched as it is on the wire, escapes decoded segment by
//     segment. It is not cleaned, and "/tree/" does not match /tree.
//   - A pattern that can never match, or not what it means, is refused.
type Table[T any] struct {
	hosts map[string]*hostTable[T] // "" is any
}

// hostTable holds the patterns of a host.
type hostTable[T any] struct {
	rules   rules
	methods map[string]*node[T] // "" is any
}

// entry is a pattern in use.
type entry[T any] struct {
	pattern string
	path    string
	value   T
}

// Add puts a pattern into the table. If it is malformed or conflicts with an
// earlier one, which is a [*ConflictError], the table stays as it was.
func (t *Table[T]) Add(pattern string, value T) error {
	p, err := parse(pattern)
	if err != nil {
		return err
	}
	h := t.hosts[p.host]
	if h == nil {
		h = &hostTable[T]{methods: map[string]*node[T]{}}
	}
	if err := h.rules.add(p); err != nil {
		return err
	}
	if t.hosts == nil {
		t.hosts = map[string]*hostTable[T]{}
	}
	t.hosts[p.host] = h
	root := h.methods[p.method]
	if root == nil {
		root = new(node[T])
		h.methods[p.method] = root
	}
	root.add(p.path, &entry[T]{pattern, p.path, value})
	return nil
}

// Match is what [Table.Find] found.
type Match[T any] struct {
	Value   T
	Pattern string // as given to Add
	pattern string // its path
	path    wirePath
}

// Find returns the match of a request, and false if there is none. The host is
// Request.Host or, where that is empty, that of the URL. A request without a
// URL has no match. Find does not change the request.
func (t *Table[T]) Find(req *http.Request) (Match[T], bool) {
	if len(t.hosts) == 0 || req.URL == nil {
		return Match[T]{}, false
	}
	host := req.Host
	if host == "" {
		host = req.URL.Host
	}
	method := req.Method
	if method == "" {
		method = http.MethodGet
	}
	path := pathOf(req.URL)
	e := t.host(host).find(method, path)
	if e == nil {
		e = t.hosts[""].find(method, path)
	}
	if e == nil {
		return Match[T]{}, false
	}
	return Match[T]{e.value, e.pattern, e.path, path}, true
}

// host finds the patterns of a host in any spelling.
func (t *Table[T]) host(host string) *hostTable[T] {
	name := hostname(host)
	if h := t.hosts[name]; h != nil || name == "" {
		return h
	}
	var lower [253]byte // the longest name that DNS has
	if len(name) > len(lower) {
		return nil
	}
	return t.hosts[string(appendLower(lower[:0], name))]
}

func (h *hostTable[T]) find(method string, path wirePath) *entry[T] {
	if h == nil {
		return nil
	}
	e := h.methods[method].find(path)
	if e == nil && method == http.MethodHead {
		e = h.methods[http.MethodGet].find(path)
	}
	if e == nil {
		e = h.methods[""].find(path)
	}
	return e
}

// PathValues returns the names of the pattern's wildcards and what stands in
// their place, decoded, in order.
func (m Match[T]) PathValues() iter.Seq2[string, string] {
	return func(yield func(string, string) bool) {
		path := m.path
		for pattern := m.pattern; pattern != ""; {
			var segment, plain string
			segment, pattern = nextSegment(pattern)
			before := path
			plain, path = path.cut()
			name, rest := wildcard(segment)
			if rest {
				plain = before.rest()
			}
			if name != "" && !yield(name, plain) {
				return
			}
		}
	}
}

// PathValue returns what stands in the place of a wildcard, as
// [http.Request.PathValue] does, and "" if the pattern has no such wildcard.
func (m Match[T]) PathValue(name string) string {
	for n, value := range m.PathValues() {
		if n == name {
			return value
		}
	}
	return ""
}

// ConflictError says that two patterns match a common request and neither is
// more specific.
type ConflictError struct {
	With string // the pattern that was there before
	Why  string // what they have in common, and what to do about it
}

func (e *ConflictError) Error() string { return fmt.Sprintf("conflicts with %q: %s", e.With, e.Why) }
