package route

import (
	"net/url"
	"strings"
)

// node is where those patterns meet that agree in all segments so far. The
// segment "/" stands for the slash that ends a path.
type node[T any] struct {
	end     *entry[T] // a pattern that ends here
	literal map[string]*node[T]
	wild    *node[T]  // {x}
	rest    *entry[T] // {x...}, or the slash that ends a pattern
}

// add puts a pattern's path below n.
func (n *node[T]) add(path string, e *entry[T]) {
	for path != "" {
		var segment string
		segment, path = nextSegment(path)
		_, rest := wildcard(segment)
		switch {
		case segment == "" || rest:
			n.rest = e
			return
		case segment == "{$}":
			n = n.child("/")
		case strings.HasPrefix(segment, "{"):
			if n.wild == nil {
				n.wild = new(node[T])
			}
			n = n.wild
		default:
			if plain, err := url.PathUnescape(segment); err == nil {
				segment = plain
			}
			n = n.child(segment)
		}
	}
	n.end = e
}

func (n *node[T]) child(segment string) *node[T] {
	if n.literal == nil {
		n.literal = map[string]*node[T]{}
	}
	c := n.literal[segment]
	if c == nil {
		c = new(node[T])
		n.literal[segment] = c
	}
	return c
}

// find goes from the most specific to the least: a literal segment, a
// wildcard, the rest. It visits no node twice.
func (n *node[T]) find(path wirePath) *entry[T] {
	if n == nil {
		return nil
	}
	if path.plain == "" {
		return n.end
	}
	segment, rest := path.cut()
	if e := n.literal[segment].find(rest); e != nil {
		return e
	}
	if segment != "/" {
		if e := n.wild.find(rest); e != nil {
			return e
		}
	}
	return n.rest
}
