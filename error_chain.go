package apigw

import (
	"iter"
	"reflect"
	"strings"
)

// maxErrors bounds a walk through an error, which may contain itself.
const maxErrors = 64

// isSame compares without the panic of types that cannot be compared.
func isSame(a, b error) bool {
	return a != nil && b != nil && reflect.TypeOf(a) == reflect.TypeOf(b) && reflect.ValueOf(a).Comparable() && a == b
}

// wrappedBy yields err and all that it wraps, without those errors that stop
// names and what they wrap. A nil stop names none.
func wrappedBy(err error, stop func(error) bool) iter.Seq[error] {
	return func(yield func(error) bool) { visit(err, maxErrors, stop, yield) }
}

func visit(err error, depth int, stop func(error) bool, yield func(error) bool) bool {
	if err == nil || depth == 0 || stop != nil && stop(err) {
		return true
	}
	if !yield(err) {
		return false
	}
	switch e := err.(type) {
	case interface{ Unwrap() error }:
		return visit(e.Unwrap(), depth-1, stop, yield)
	case interface{ Unwrap() []error }:
		for _, one := range e.Unwrap() {
			if !visit(one, depth-1, stop, yield) {
				return false
			}
		}
	}
	return true
}

func hasAnyPrefix(text string, prefixes []string) bool {
	for _, p := range prefixes {
		if strings.HasPrefix(text, p) {
			return true
		}
	}
	return false
}
