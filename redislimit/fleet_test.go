package redislimit

import (
	"context"
	"flag"
	"fmt"
	"math/rand/v2"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/apigw-go/apigw"
	"github.com/apigw-go/apigw/internal/pacesim"
	"github.com/redis/go-redis/v9"
)

// fleet is a number of processes on the time of a bubble, with a real Redis
// whose clock is that of the bubble.
type fleet struct {
	limit     pacesim.Limit
	processes int
	workers   int
	warm, end time.Duration
	declared  apigw.RateLimit
	seed      uint64

	mu            sync.Mutex
	rng           *rand.Rand
	start         time.Time
	passed        []int
	series        [][2]int // passed and refused in each second
	refused, sent int
	late          int
	trips         atomic.Int64
}

// counting counts the round trips to Redis.
type counting struct {
	redis.Scripter
	trips *atomic.Int64
}

func (c counting) EvalSha(ctx context.Context, sha string, keys []string, args ...any) *redis.Cmd {
	c.trips.Add(1)
	return c.Scripter.EvalSha(ctx, sha, keys, args...)
}

func (f *fleet) trip() time.Duration {
	f.mu.Lock()
	defer f.mu.Unlock()
	return 2500*time.Microsecond + time.Duration(f.rng.Int64N(int64(22500*time.Microsecond)))
}

// call sends one call through a limiter and returns whether it passed.
func (f *fleet) call(ctx context.Context, l *Limiter, process int, again bool, wait time.Duration) bool {
	until := time.Time{}
	if wait > 0 {
		until = time.Now().Add(wait)
	}
	place, err := l.Acquire(ctx, "gw|orders", until, again)
	if err != nil {
		f.mu.Lock()
		f.late++
		f.mu.Unlock()
		return ctx.Err() == nil
	}
	time.Sleep(f.trip())
	f.mu.Lock()
	ok := f.limit.Admit(time.Since(f.start))
	f.record(ok)
	if time.Since(f.start) >= f.warm {
		f.sent++
		if ok {
			f.passed[process]++
		} else {
			f.refused++
		}
	}
	f.mu.Unlock()
	time.Sleep(f.trip())
	if ok {
		l.Done(place, apigw.OutcomePassed)
	} else {
		l.Done(place, apigw.OutcomeRefused)
	}
	return ok
}

func (f *fleet) run(t *testing.T, s *server, limit func(*rand.Rand) pacesim.Limit) {
	f.rng = rand.New(rand.NewPCG(f.seed, 9))
	f.start = time.Now()
	f.limit = limit(f.rng)
	f.passed = make([]int, f.processes)
	ctx, cancel := context.WithCancel(context.Background()) // a deadline would keep calls back
	defer time.AfterFunc(f.end, cancel).Stop()
	var wg sync.WaitGroup
	for p := range f.processes {
		client := s.client()
		defer client.Close()
		l := s.limiter(t)
		l.Client, l.Limit = counting{client, &f.trips}, f.declared
		for range f.workers {
			delay := f.trip()
			wg.Go(func() {
				time.Sleep(delay)
				for again := false; ctx.Err() == nil; {
					again = !f.call(ctx, l, p, again, 0)
				}
			})
		}
	}
	time.Sleep(f.warm)
	before := f.trips.Load()
	wg.Wait()
	f.trips.Store(f.trips.Load() - before)
}

func (f *fleet) record(passed bool) {
	second := int(time.Since(f.start) / time.Second)
	for len(f.series) <= second {
		f.series = append(f.series, [2]int{})
	}
	i := 0
	if !passed {
		i = 1
	}
	f.series[second][i]++
}

// series is where the plot of docs/limits.md gets its figures from.
var series = flag.String("series", "", "write the calls of each second to this file")

func (f *fleet) write(t *testing.T) {
	if *series == "" || f.processes != 20 || f.seed != freshSeeds {
		return
	}
	var b strings.Builder
	b.WriteString("second,passed,refused\n")
	for i, s := range f.series {
		fmt.Fprintf(&b, "%d,%d,%d\n", i, s[0], s[1])
	}
	if err := os.WriteFile(*series, []byte(b.String()), 0o644); err != nil {
		t.Fatal(err)
	}
}

func (f *fleet) goodput(perSecond float64) float64 {
	sum := 0
	for _, n := range f.passed {
		sum += n
	}
	return float64(sum) / (perSecond * (f.end - f.warm).Seconds())
}

// freshSeeds were not used while the parameters were chosen.
const freshSeeds = 9101

func TestFleet(t *testing.T) {
	s := startRedis(t)
	for _, test := range []struct {
		name      string
		processes int
		workers   int
		limit     func(*rand.Rand) pacesim.Limit
		perSecond float64
		declared  apigw.RateLimit
		warm, end time.Duration
		seeds     uint64
		goodput   float64 // at least
		refused   float64 // at most
		jain      float64 // at least
		trips     float64 // at most, for each call
	}{
		{
			"20 processes, 200/s", 20, 50, pacesim.Fixed(200, sec), 200,
			apigw.RateLimit{}, 30 * sec, 300 * sec, 5, .97, .01, .97, .2,
		},
		{
			"the same, declared", 20, 50, pacesim.Fixed(200, sec), 200,
			apigw.RateLimit{Calls: 200}, 30 * sec, 120 * sec, 2, .97, .01, .97, .2,
		},
		{
			"one process, 100/s", 1, 50, pacesim.Fixed(100, sec), 100,
			apigw.RateLimit{}, 10 * sec, 120 * sec, 2, .97, .01, 1, .2,
		},
		{
			"5 processes, 10/s", 5, 10, pacesim.Fixed(10, sec), 10,
			apigw.RateLimit{}, 60 * sec, 600 * sec, 2, .95, .02, .95, 1.5,
		},
		{
			"5 processes, 1000/min", 5, 20, pacesim.Fixed(1000, time.Minute), 1000. / 60,
			apigw.RateLimit{}, 300 * sec, 3600 * sec, 2, .97, .005, .97, .5,
		},
		{"token bucket", 10, 20, bucket, 50, apigw.RateLimit{}, 30 * sec, 300 * sec, 2, .95, .05, .97, .6},
	} {
		t.Run(test.name, func(t *testing.T) {
			if testing.Short() {
				test.seeds = 1
			}
			for seed := uint64(freshSeeds); seed < freshSeeds+test.seeds; seed++ {
				s.forget(t)
				synctest.Test(t, func(t *testing.T) {
					f := &fleet{
						processes: test.processes, workers: test.workers, warm: test.warm, end: test.end,
						seed: seed, declared: test.declared,
					}
					f.run(t, s, test.limit)
					f.write(t)
					goodput, refused := f.goodput(test.perSecond), float64(f.refused)/float64(f.sent)
					jain, trips := pacesim.Jain(f.passed), float64(f.trips.Load())/float64(f.sent)
					t.Logf("seed %d: %.1f %% goodput, %.2f %% refused, Jain %.3f, %.3f round trips a call",
						seed, 100*goodput, 100*refused, jain, trips)
					if goodput < test.goodput || refused > test.refused || jain < test.jain || trips > test.trips {
						t.Errorf("seed %d: want at least %v, at most %v, at least %v, at most %v",
							seed, test.goodput, test.refused, test.jain, test.trips)
					}
				})
			}
		})
	}
}

const sec = time.Second

func bucket(*rand.Rand) pacesim.Limit { return &pacesim.Bucket{PerSecond: 50, Burst: 20} }
