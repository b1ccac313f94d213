package otelapigw

import (
	"sync"

	"go.opentelemetry.io/otel/attribute"
	semconv "go.opentelemetry.io/otel/semconv/v1.40.0"
)

// maxPlaces bounds the series: a server that redirects to ever new names must
// not make one for each. The places beyond share "_OTHER".
const maxPlaces = 200

// places are the hosts that have series of their own, in the order in which
// they were seen. The zero value has none. It is safe for concurrent use.
type places struct {
	mu   sync.RWMutex
	seen map[place]bool
}

type place struct{ host, port, scheme string }

// name returns the attributes of a host.
func (p *places) name(host, port, scheme string) []attribute.KeyValue {
	if !p.has(place{host, port, scheme}) {
		return []attribute.KeyValue{semconv.ServerAddress("_OTHER")}
	}
	return server(host, port, scheme)
}

// has reports whether a host has a series of its own, and gives it one while
// there is room.
func (p *places) has(at place) bool {
	p.mu.RLock()
	known, full := p.seen[at], len(p.seen) >= maxPlaces
	p.mu.RUnlock()
	if known || full {
		return known
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if len(p.seen) >= maxPlaces {
		return p.seen[at]
	}
	if p.seen == nil {
		p.seen = map[place]bool{}
	}
	p.seen[at] = true
	return true
}
