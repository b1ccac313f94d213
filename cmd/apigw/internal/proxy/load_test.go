package proxy

import (
	"context"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/apigw-go/apigw"
	"github.com/apigw-go/apigw/signer"
)

// BenchmarkThroughput compares the proxy with a bare ReverseProxy, each with 16
// clients on loopback. Both take turns, so that what else the machine does falls
// on both; "of-bare" is the middle of the ratios. Run:
//
//	go test -run '^$' -bench Throughput -benchtime 20x ./cmd/apigw/internal/proxy
func BenchmarkThroughput(b *testing.B) {
	api := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { io.WriteString(w, "ok") }))
	b.Cleanup(api.Close)
	u, _ := url.Parse(api.URL)
	base := http.DefaultTransport.(*http.Transport).Clone()
	base.MaxIdleConnsPerHost = 256
	b.Cleanup(base.CloseIdleConnections)
	bare := loaded(b, &httputil.ReverseProxy{
		Transport: base, FlushInterval: -1, Rewrite: func(r *httputil.ProxyRequest) { r.SetURL(u) },
	})
	own := loaded(b, New(Config{Upstream: u, Transport: &apigw.Transport{Base: &signer.Signer{
		AppKey: "key-of-the-test", AppSecret: "a-secret-of-the-test", Hosts: []string{u.Host}, Base: base,
	}}}))
	bare()
	own()
	var ratios, perSecond []float64
	for b.Loop() {
		before, after, got := bare(), bare(), own()
		perSecond = append(perSecond, got)
		ratios = append(ratios, got*2/(before+after))
	}
	slices.Sort(ratios)
	slices.Sort(perSecond)
	b.ReportMetric(ratios[len(ratios)/2], "of-bare")
	b.ReportMetric(perSecond[len(perSecond)/2], "calls/s")
	b.ReportMetric(0, "ns/op")
}

// loaded starts a server and returns what makes 16 clients call it 100 times
// each, in calls a second.
func loaded(b *testing.B, handler http.Handler) func() float64 {
	const clients, calls = 16, 100
	server := httptest.NewServer(handler)
	b.Cleanup(server.Close)
	client := &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 64}}
	b.Cleanup(client.CloseIdleConnections)
	return func() float64 {
		start := time.Now()
		var running sync.WaitGroup
		for range clients {
			running.Go(func() {
				for range calls {
					resp, err := client.Get(server.URL + "/v1/x?a=b")
					if err != nil {
						b.Error(err)
						return
					}
					io.Copy(io.Discard, resp.Body)
					resp.Body.Close()
				}
			})
		}
		running.Wait()
		return clients * calls / time.Since(start).Seconds()
	}
}

// BenchmarkFirstEvent measures how far the first byte of a stream is behind
// upstream.
func BenchmarkFirstEvent(b *testing.B) {
	var sent atomic.Int64
	api := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "text/event-stream")
		sent.Store(time.Now().UnixNano())
		io.WriteString(w, "data: 1\n\n")
		w.(http.Flusher).Flush()
		<-r.Context().Done()
	}))
	b.Cleanup(api.Close)
	u, _ := url.Parse(api.URL)
	server := httptest.NewServer(New(Config{Upstream: u, Transport: &apigw.Transport{}}))
	b.Cleanup(server.Close)
	var worst time.Duration
	for b.Loop() {
		ctx, cancel := context.WithCancel(context.Background())
		req, _ := http.NewRequestWithContext(ctx, http.MethodGet, server.URL, nil)
		resp, err := http.DefaultClient.Do(req)
		if err != nil {
			b.Fatal(err)
		}
		resp.Body.Read(make([]byte, 1))
		worst = max(worst, time.Duration(time.Now().UnixNano()-sent.Load()))
		cancel()
		resp.Body.Close()
	}
	b.ReportMetric(float64(worst.Microseconds())/1000, "worst-ms")
}

// zeros is a body of a given length that nobody holds in memory.
type zeros struct{ left int64 }

func (z *zeros) Read(p []byte) (int, error) {
	if z.left == 0 {
		return 0, io.EOF
	}
	n := min(int64(len(p)), z.left)
	z.left -= n
	return int(n), nil
}

// An upload streams, whatever its length: 1 GiB in at most 32 MiB of heap.
func TestUploadIsNotKept(t *testing.T) {
	const size = 1 << 30
	var got atomic.Int64
	address := start(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		n, _ := io.Copy(io.Discard, r.Body)
		got.Store(n)
	}), nil)
	runtime.GC()
	var before runtime.MemStats
	runtime.ReadMemStats(&before)
	var most atomic.Uint64
	stop := make(chan struct{})
	watched := make(chan struct{})
	go func() {
		defer close(watched)
		var now runtime.MemStats
		for {
			select {
			case <-stop:
				return
			case <-time.After(5 * time.Millisecond):
				runtime.ReadMemStats(&now)
				most.Store(max(most.Load(), now.HeapAlloc))
			}
		}
	}()
	req, _ := http.NewRequest(http.MethodPut, address+"/", &zeros{size})
	req.ContentLength = size
	resp, err := http.DefaultClient.Do(req)
	close(stop)
	<-watched
	if err != nil {
		t.Fatal(err)
	}
	resp.Body.Close()
	if got.Load() != size {
		t.Errorf("%d bytes arrived, want %d", got.Load(), size)
	}
	if grown := int64(most.Load()) - int64(before.HeapAlloc); grown > 32<<20 {
		t.Errorf("the heap grew by %d MiB, want at most 32", grown>>20)
	}
}

// A thousand clients that send a byte now and then hold little each, and leave
// nothing behind.
func TestSlowClientsAreCheap(t *testing.T) {
	const clients = 1000
	address := start(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { io.Copy(io.Discard, r.Body) }),
		nil)
	u, _ := url.Parse(address)
	runtime.GC()
	var before, during runtime.MemStats
	runtime.ReadMemStats(&before)
	goroutines := runtime.NumGoroutine()
	conns := make([]net.Conn, 0, clients)
	for range clients {
		conn, err := net.Dial("tcp", u.Host)
		if err != nil {
			t.Fatal(err)
		}
		conns = append(conns, conn)
		io.WriteString(conn, "POST /x HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 100\r\n\r\na")
	}
	for _, conn := range conns {
		conn.Write([]byte("b"))
	}
	runtime.GC()
	runtime.ReadMemStats(&during)
	if each := (int64(during.HeapAlloc) - int64(before.HeapAlloc)) / clients; each > 256<<10 {
		t.Errorf("%d KiB for each client, want at most 256", each>>10)
	}
	for _, conn := range conns {
		conn.Close()
	}
	for n := 0; runtime.NumGoroutine() > goroutines+50; n++ {
		if n == 1000 {
			t.Fatalf("%d goroutines are left, there were %d before", runtime.NumGoroutine(), goroutines)
		}
		time.Sleep(10 * time.Millisecond)
	}
}
