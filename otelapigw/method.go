package otelapigw

import (
	"net/http"
	"strings"
)

// methodsVariable names the environment variable by which the conventions let
// users replace the list of known methods: names with commas between, in their
// letter case.
// https://opentelemetry.io/docs/specs/semconv/http/http-spans/
const methodsVariable = "OTEL_INSTRUMENTATION_HTTP_KNOWN_METHODS"

// defaultMethods are those of RFC 9110, PATCH, and QUERY, which the conventions
// name.
const defaultMethods = "GET,HEAD,POST,PUT,DELETE,CONNECT,OPTIONS,TRACE,PATCH,QUERY"

// knownMethods reads such a list; the default one if it is empty.
func knownMethods(list string) map[string]bool {
	if strings.TrimSpace(list) == "" {
		list = defaultMethods
	}
	known := map[string]bool{}
	for m := range strings.SplitSeq(list, ",") {
		if m = strings.TrimSpace(m); m != "" {
			known[m] = true
		}
	}
	return known
}

// method returns the method as it is reported: one of a closed set.
func (in *instruments) method(m string) string {
	if m == "" {
		m = http.MethodGet
	}
	if in.methods[m] {
		return m
	}
	return "_OTHER"
}
