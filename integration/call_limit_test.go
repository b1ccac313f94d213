package integration

import (
	"flag"
	"fmt"
	"io"
	"net/http"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/apigw-go/apigw"
	"github.com/apigw-go/apigw/gatewaytest"
)

// clock is for a quiet machine: no test passes or fails by the time alone.
var clock = flag.Bool("clock", false, "TestCallLimit fails if it takes more than 25 % longer than the limit permits")

// Pools of workers at a call limit, over real sockets and in real time: no job
// fails, and all is done in little more than the limit permits.
func TestCallLimit(t *testing.T) {
	if testing.Short() {
		t.Skip("takes half a minute")
	}
	for _, test := range []struct {
		clients, workers, jobs, limit int
		kind                          gatewaytest.LimitKind
	}{
		{1, 50, 1000, 100, gatewaytest.AlignedWindow},
		{1, 8, 300, 30, gatewaytest.OpenedWindow},
		{4, 20, 1000, 100, gatewaytest.AlignedWindow},
	} {
		t.Run(fmt.Sprintf("%d-per-s-%d-clients-of-%d", test.limit, test.clients, test.workers), func(t *testing.T) {
			g := &gatewaytest.Gateway{Routes: []gatewaytest.Route{{
				Pattern: "POST /orders", Auth: gatewaytest.AuthNone,
				Limit: gatewaytest.Limit{Calls: test.limit, Window: time.Second, Kind: test.kind},
			}}}
			s := gatewaytest.NewServer(g)
			defer s.Close()
			start := time.Now()
			failed := work(t, s, test.clients, test.workers, test.jobs)
			took := time.Since(start)
			best := time.Duration(test.jobs) * time.Second / time.Duration(test.limit)
			t.Logf("%v, %v at best; %d of %d calls refused", took, best, g.Counts().Received-test.jobs,
				g.Counts().Received)
			if failed != 0 {
				t.Errorf("%d jobs failed, want none", failed)
			}
			if limit := best * 5 / 4; *clock && took > limit {
				t.Errorf("took %v, want at most %v", took, limit)
			}
		})
	}
}

// work does jobs with clients that share nothing, each with some workers.
func work(t *testing.T, s *gatewaytest.Server, clients, workers, jobs int) int {
	var left, failed atomic.Int64
	left.Store(int64(jobs))
	var wg sync.WaitGroup
	for range clients {
		base := s.Transport().Clone()
		base.MaxIdleConnsPerHost = workers
		t.Cleanup(base.CloseIdleConnections)
		c := &http.Client{Transport: &apigw.Transport{Base: base,
			Policy: apigw.RetryPolicy{MaxThrottleWait: time.Minute}}}
		for range workers {
			wg.Go(func() {
				for left.Add(-1) >= 0 {
					resp, err := c.Post(s.URL+"/orders", "text/plain", nil)
					if err != nil {
						failed.Add(1)
						t.Error(err)
						continue
					}
					_, _ = io.Copy(io.Discard, resp.Body)
					resp.Body.Close()
					if resp.StatusCode != http.StatusOK {
						failed.Add(1)
					}
				}
			})
		}
	}
	wg.Wait()
	return int(failed.Load())
}
