package otelapigw

import (
	"runtime/debug"
	"strings"
	"sync"
)

// version returns the version of this module in the running program.
var version = sync.OnceValue(func() string {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return ""
	}
	for _, m := range append(info.Deps, &info.Main) {
		if m.Path == ScopeName {
			return strings.Trim(m.Version, "()")
		}
	}
	return ""
})

// protocolVersion returns the version of a protocol as the conventions write it:
// "1.1" of "HTTP/1.1", "2" of "HTTP/2.0". It is one of a closed set, "" for what
// is none of it.
func protocolVersion(proto string) string {
	switch proto {
	case "HTTP/1.0", "HTTP/1.1":
		return proto[len("HTTP/"):]
	case "HTTP/2.0", "HTTP/2":
		return "2"
	case "HTTP/3.0", "HTTP/3":
		return "3"
	}
	return ""
}
