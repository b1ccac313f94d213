package gatewaytest_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/apigw-go/apigw/gatewaytest"
)

// heap is what is in use after a collection.
func heap() uint64 {
	var m runtime.MemStats
	runtime.GC()
	runtime.GC()
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}

// discard is a client that looks at nothing.
type discard struct{ header http.Header }

func (d *discard) Header() http.Header         { return d.header }
func (d *discard) Write(p []byte) (int, error) { return len(p), nil }
func (d *discard) WriteHeader(int)             {}

// serveMany sends n requests that differ in all that a gateway might remember.
func serveMany(g *gatewaytest.Gateway, from, n int, fill string) {
	for i := from; i < from+n; i++ {
		r := httptest.NewRequest("GET", fmt.Sprintf("/%d/%s", i, fill), nil)
		r.Host = fmt.Sprintf("host%d.example.com", i)
		for _, name := range []string{"X-Ca-Nonce", "X-Test-Request", "X-Ca-Key"} {
			r.Header.Set(name, fmt.Sprint(i, fill))
		}
		g.ServeHTTP(&discard{make(http.Header)}, r)
	}
}

func TestMemoryIsFlat(t *testing.T) {
	g := &gatewaytest.Gateway{
		DomainLimits: map[string]gatewaytest.Limit{"a.example.com": {Calls: 1, Window: time.Hour}},
		Routes: []gatewaytest.Route{{
			Pattern: "/", Auth: gatewaytest.AuthNone, Breaker: &gatewaytest.Breaker{Failures: 10, Within: time.Hour},
			Quota: &gatewaytest.Quota{Calls: 1 << 30}, Limits: []gatewaytest.Limit{{Calls: 1 << 30,
				Window: time.Nanosecond}},
			AppLimits: []gatewaytest.Limit{{Calls: 1000, Window: time.Minute, Kind: gatewaytest.SlidingLog}},
		}},
	}
	before := heap()
	// All that is bounded is full after so many, and grows no further.
	full, more := 70_000, 30_000
	if raceEnabled {
		full, more = 10_000, 100
	}
	serveMany(g, 0, full, "")
	filled := heap()
	serveMany(g, full, more, "")
	if n := full + more; g.Counts() != (gatewaytest.Counts{Received: n, Executed: n}) {
		t.Fatalf("got %+v, want %d of both", g.Counts(), n)
	}
	if grown := int64(filled) - int64(before); grown > 8<<20 {
		t.Errorf("%d requests left %d KiB behind, want at most 8 MiB", full, grown>>10)
	}
	if grown := int64(heap()) - int64(filled); grown > 512<<10 {
		t.Errorf("%d requests more left %d KiB behind, want next to nothing", more, grown>>10)
	}
	runtime.KeepAlive(g)
}

// Nonces count for 15 minutes, but only the last 65536.
func TestMemoryOfNoncesIsBounded(t *testing.T) {
	g := &gatewaytest.Gateway{Now: newClock().now}
	before := heap()
	if raceEnabled {
		t.Skip("it is about memory, which the race detector needs itself")
	}
	for i := range 70_000 {
		if got := (request{nonce: fmt.Sprint("n", i)}).do(t, g).StatusCode; got != 200 {
			t.Fatalf("call %d: got %d, want 200", i, got)
		}
	}
	if grown := int64(heap()) - int64(before); grown > 8<<20 {
		t.Errorf("the nonces left %d KiB behind, want at most 8 MiB", grown>>10)
	}
	if got, want := show(request{nonce: "n69999"}.do(t, g)), "400 Nonce Used"; got != want {
		t.Errorf("the last nonce: got %s, want %s", got, want)
	}
}

// A header may have a megabyte; what the log keeps of it is short.
func TestLongHeadersAreNotKept(t *testing.T) {
	g := &gatewaytest.Gateway{Routes: []gatewaytest.Route{{Pattern: "/", Auth: gatewaytest.AuthNone}}}
	before := heap()
	serveMany(g, 0, 256, strings.Repeat("x", 100<<10))
	if grown := int64(heap()) - int64(before); grown > 4<<20 {
		t.Errorf("256 requests with long headers left %d KiB behind, want at most 4 MiB", grown>>10)
	}
	for _, r := range g.Log() {
		if len(r.Path) > 256 || len(r.Nonce) > 256 || len(r.AppKey) > 256 || len(r.Identity) > 256 {
			t.Fatalf("got a record with a long text: %d, %d, %d, %d bytes", len(r.Path), len(r.Nonce), len(r.AppKey),
				len(r.Identity))
		}
	}
	if got := g.IdentityCounts(fmt.Sprint(7, strings.Repeat("x", 100<<10))); got.Executed != 1 {
		t.Errorf("identity: got %+v, want one execution: the whole of it counts", got)
	}
}
