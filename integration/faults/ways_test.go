package faults

import (
	"context"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/Shopify/toxiproxy/v2"
	"github.com/apigw-go/apigw/gatewaytest"
	"github.com/rs/zerolog"
)

// ways are the networks between client and gateway. A toxicity is the share of
// connections that are concerned. Limits cut the n-th byte of a connection,
// whatever it belongs to: 150 is within the head of the first response.
var ways = []struct{ name, toxics string }{
	{"clean", ``},
	{"latency and jitter", `{"type": "latency", "attributes": {"latency": 5, "jitter": 5}}`},
	{"bandwidth", `{"type": "bandwidth", "attributes": {"rate": 512}}`},
	{"reset before the gateway",
		`{"type": "reset_peer", "stream": "upstream", "toxicity": 0.3, "attributes": {"timeout": 2}}`},
	{"reset of the response", `{"type": "reset_peer", "toxicity": 0.3, "attributes": {"timeout": 2}}`},
	{"response lost, then closed", `{"type": "timeout", "toxicity": 0.2, "attributes": {"timeout": 50}}`},
	{"black hole", `{"type": "timeout", "toxicity": 0.1, "attributes": {"timeout": 0}}`},
	{"slow close", `{"type": "slow_close", "attributes": {"delay": 50}}`},
	{"cut in the head of the response", `{"type": "limit_data", "toxicity": 0.4, "attributes": {"bytes": 150}}`},
	{"cut in the body of the response", `{"type": "limit_data", "toxicity": 0.6, "attributes": {"bytes": 2500}}`},
	{"cut in the request", `{"type": "limit_data", "stream": "upstream", "toxicity": 0.3, "attributes": {"bytes": 900}}`},
	{"all at once", `{"type": "latency", "toxicity": 0.5, "attributes": {"latency": 3, "jitter": 3}}
		{"type": "slow_close", "toxicity": 0.3, "attributes": {"delay": 20}}
		{"type": "limit_data", "toxicity": 0.2, "attributes": {"bytes": 4000}}
		{"type": "reset_peer", "toxicity": 0.1, "attributes": {"timeout": 1}}`},
}

// way is one of them, with the gateway that it leads to.
type way struct {
	name    string
	gateway *gateway
	proxy   *toxiproxy.Proxy
}

// gateway is one with what is wrong with it.
type gateway struct {
	fake   *gatewaytest.Gateway
	server *gatewaytest.Server
	ahead  atomic.Int64 // its clock, in nanoseconds
}

// apps are the old and the new credentials of one caller, while keys rotate.
var apps = []gatewaytest.App{
	{AppKey: gatewaytest.DefaultAppKey, AppSecret: gatewaytest.DefaultAppSecret},
	{AppKey: "key-of-the-test", AppSecret: "a-secret-of-the-test"},
}

// clocks are how far the gateways are ahead in each quarter. A gateway takes
// fifteen minutes; one of them never agrees with the client, one changes.
var clocks = [][4]time.Duration{
	{},
	{20 * time.Minute, 20 * time.Minute, 20 * time.Minute, 20 * time.Minute},
	{0, -time.Hour, 0, 3 * time.Hour},
}

// limits are of the gateways, below what the workers could send: none, a bucket,
// and fixed windows.
var limits = []gatewaytest.Limit{
	{},
	{Calls: 300, Window: time.Second, Kind: gatewaytest.TokenBucket, Burst: 30},
	{Calls: 35, Window: 100 * time.Millisecond, Kind: gatewaytest.AlignedWindow},
}

// startWays starts ways and gateways, and returns what stops them.
func startWays(t *testing.T, runs *executions) (all []*way, gateways []*gateway, stop func()) {
	t.Helper()
	for i := range clocks {
		g := &gateway{}
		g.fake = &gatewaytest.Gateway{
			LogLength: 1, IdentityHeader: "X-Not-Sent", Apps: apps, // the backend counts for itself
			Now: func() time.Time { return time.Now().Add(time.Duration(g.ahead.Load())) },
			Routes: []gatewaytest.Route{{
				Pattern: "/", Auth: gatewaytest.AuthSignature, Limit: limits[i], Backend: backend(uint64(i), runs),
			}},
		}
		g.server = gatewaytest.NewServer(g.fake)
		gateways = append(gateways, g)
	}
	api := toxiproxy.NewServer(toxiproxy.NewMetricsContainer(nil), zerolog.Nop())
	for i, w := range ways {
		g := gateways[i%len(gateways)]
		p := toxiproxy.NewProxy(api, w.name, "127.0.0.1:0", g.server.Listener.Addr().String())
		if err := p.Start(); err != nil {
			t.Fatal(err)
		}
		for toxic := range strings.Lines(w.toxics) {
			if _, err := p.Toxics.AddToxicJson(strings.NewReader(toxic)); err != nil {
				t.Fatal(err)
			}
		}
		all = append(all, &way{w.name, g, p})
	}
	return all, gateways, func() {
		for _, w := range all {
			w.proxy.Stop()
		}
		for _, g := range gateways {
			g.server.Close()
		}
	}
}

// executions counts how often each request ran, by its number.
type executions []atomic.Uint32

func (e executions) add(id string) {
	if i, err := strconv.Atoi(id); err == nil && i > 0 && i < len(e) {
		e[i].Add(1)
	}
}

func (e executions) of(id string) int {
	i, _ := strconv.Atoi(id)
	return int(e[i].Load())
}

// padding makes answers long enough to be cut in their bodies.
var padding = strings.Repeat(" ", 1500)

// backend fails now and then by itself, lets an answer drip now and then, and
// else says what it got.
func backend(n uint64, runs *executions) http.Handler {
	var mu sync.Mutex
	r := rand.New(rand.NewPCG(*seed, n))
	return http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		runs.add(req.Header.Get("X-Test-Request"))
		mu.Lock()
		roll := r.IntN(50)
		mu.Unlock()
		if roll == 0 {
			w.WriteHeader(http.StatusBadGateway)
			return
		}
		body, _ := io.Copy(io.Discard, req.Body)
		fmt.Fprintf(w, `{"method": %q, "bytes": %d}`, req.Method, body)
		for rest := padding; rest != ""; {
			part := rest
			if roll == 1 {
				part = rest[:min(len(rest), 300)]
				time.Sleep(2 * time.Millisecond)
			}
			io.WriteString(w, part)
			if flusher, ok := w.(http.Flusher); ok && roll == 1 {
				flusher.Flush()
			}
			rest = rest[len(part):]
		}
	})
}

// connections counts those that a client has open.
type connections struct{ open, made atomic.Int64 }

func (c *connections) dial(ctx context.Context, network, address string) (net.Conn, error) {
	conn, err := new(net.Dialer).DialContext(ctx, network, address)
	if err != nil {
		return nil, err
	}
	c.open.Add(1)
	c.made.Add(1)
	return &countedConn{Conn: conn, counts: c}, nil
}

type countedConn struct {
	net.Conn
	counts *connections
	once   sync.Once
}

func (c *countedConn) Close() error {
	c.once.Do(func() { c.counts.open.Add(-1) })
	return c.Conn.Close()
}
