// Package defaultbase says what a RoundTripper without a Base sends through.
//
// That is http.DefaultTransport. But programs replace it, as in
//
//	http.DefaultTransport = &apigw.Transport{}
//
// and then it leads back to the one that asks: each would call the other until
// the stack is full, which no recover can catch.
package defaultbase

import (
	"context"
	"net/http"
	"reflect"
	"sync/atomic"
)

// original is http.DefaultTransport before main could replace it.
var original = http.DefaultTransport

// Of returns what self, a pointer, sends req through if it has no Base, and the
// request to send: req itself, but for a default that cannot be looked into.
// Then the request is marked, so that it is known if it comes back: again says
// so, and self has done its work on it already.
func Of(self http.RoundTripper, req *http.Request) (base http.RoundTripper, sent *http.Request, again bool) {
	base, known := look(self)
	if known {
		return base, req, false
	}
	ctx := req.Context()
	if ctx.Value(passed{self}) != nil {
		return original, req, true
	}
	return base, req.WithContext(context.WithValue(ctx, passed{self}, true)), false
}

// passed marks a request that went through self on its way to the default.
type passed struct{ self http.RoundTripper }

// For is Of without a request: where the default cannot be looked into, it
// returns the original one.
func For(self http.RoundTripper) http.RoundTripper {
	if base, known := look(self); known {
		return base
	}
	return original
}

// look returns the default, or the original one if the default leads to self.
// It returns false if it cannot know that.
func look(self http.RoundTripper) (base http.RoundTripper, known bool) {
	d := http.DefaultTransport
	switch t := d.(type) {
	case nil:
		return original, true
	case *http.Transport:
		return t, true
	}
	v := reflect.ValueOf(d)
	if v.Kind() != reflect.Pointer {
		s := search{self: reflect.ValueOf(self).Pointer()}
		return s.result(d, v)
	}
	if l := last.Load(); l != nil && l.self == self && l.found == v.Pointer() {
		return l.base, l.known
	}
	s := search{self: reflect.ValueOf(self).Pointer()}
	base, known = s.result(d, v)
	last.Store(&answer{self, v.Pointer(), base, known})
	return base, known
}

// answer is the latest one: most programs have one default and one asker.
type answer struct {
	self  http.RoundTripper
	found uintptr // the default
	base  http.RoundTripper
	known bool
}

var last atomic.Pointer[answer]

// search looks for self in a chain of RoundTrippers that wrap each other.
type search struct {
	self   uintptr
	found  bool
	hidden bool // something could not be looked into
}

func (s *search) result(d http.RoundTripper, v reflect.Value) (http.RoundTripper, bool) {
	s.walk(v, maxDepth)
	if s.found {
		return original, true
	}
	return d, !s.hidden
}

// maxDepth bounds the search in a chain that is a ring itself.
const maxDepth = 16

var roundTripper = reflect.TypeFor[http.RoundTripper]()

// walk looks at v and at all that it may send through. It reads fields that are
// not exported, but only to follow them.
func (s *search) walk(v reflect.Value, depth int) {
	for v.Kind() == reflect.Interface {
		v = v.Elem()
	}
	switch {
	case !v.IsValid() || s.found:
		return
	case depth == 0:
		s.hidden = true
		return
	case v.Kind() == reflect.Pointer:
		if v.Pointer() == s.self {
			s.found = true
			return
		}
		if v.IsNil() || v.Type() == reflect.TypeFor[*http.Transport]() {
			return
		}
		v = v.Elem()
	}
	if v.Kind() != reflect.Struct {
		s.hidden = true // a function, for example
		return
	}
	for i := range v.NumField() {
		switch f := v.Field(i); {
		case f.Kind() == reflect.Func && !f.IsNil():
			s.hidden = true // may hold one; hooks look the same
		case f.Kind() == reflect.Interface && f.Type() != roundTripper && !f.IsNil() &&
			f.Elem().Type().Implements(roundTripper),
			f.Type().Implements(roundTripper):
			s.walk(f, depth-1)
		}
	}
}
