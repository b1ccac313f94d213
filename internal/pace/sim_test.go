package pace_test

import (
	"flag"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/apigw-go/apigw/internal/pacesim"
)

// The bounds of docs/limits.md, on fake time. Seeds from 1 on were used while
// the parameters were chosen; these were not.
var (
	firstSeed = flag.Uint64("seed", 7001, "first seed of the simulations")
	seeds     = flag.Uint64("seeds", 2, "number of seeds of the simulations; the gate runs more")
	verbose   = flag.Bool("figures", false, "print what each seed came to")
)

func learned(env pacesim.Env) pacesim.Limiter { return pacesim.NewLearned(env, 0, 0) }

// declared returns learners that declare a limit.
func declared(calls float64, per time.Duration) func(pacesim.Env) pacesim.Limiter {
	return func(env pacesim.Env) pacesim.Limiter { return pacesim.NewLearned(env, calls, per) }
}

// perSeed runs a scenario with each seed, at the same time.
func perSeed(
	t *testing.T, s pacesim.Scenario, start func(pacesim.Env) pacesim.Limiter,
	check func(*testing.T, uint64, pacesim.Result),
) {
	t.Helper()
	n := *seeds
	if raceEnabled {
		n = 1 // the simulation has one goroutine: one seed shows as much
	}
	for seed := *firstSeed; seed < *firstSeed+n; seed++ {
		check(t, seed, pacesim.Run(s, seed, start))
	}
}

const (
	sec    = time.Second
	minute = time.Minute
	hour   = time.Hour
	ms     = time.Millisecond
)

func opened(*rand.Rand) pacesim.Limit  { return &pacesim.Opened{Window: sec, Calls: 100} }
func sliding(*rand.Rand) pacesim.Limit { return &pacesim.Sliding{Window: sec, Calls: 100} }
func hostile(*rand.Rand) pacesim.Limit {
	return &pacesim.Sliding{Window: sec, Calls: 100, CountRefused: true}
}
func bucket(*rand.Rand) pacesim.Limit { return &pacesim.Bucket{PerSecond: 50, Burst: 20} }
func double(rng *rand.Rand) pacesim.Limit {
	return pacesim.All{pacesim.Fixed(10, sec)(rng), pacesim.Fixed(300, minute)(rng)}
}

func TestGoodputAndRefusals(t *testing.T) {
	t.Parallel()
	slow := pacesim.Span{From: 300 * ms, To: 700 * ms}
	for _, test := range []struct {
		name      string
		scenario  pacesim.Scenario
		start     func(pacesim.Env) pacesim.Limiter
		perSecond float64
		goodput   float64 // at least
		refused   float64 // at most
		jain      float64 // at least
	}{
		{"100/s", pacesim.Scenario{
			Limit: pacesim.Fixed(100, sec), Warm: 10 * sec, End: 120 * sec,
		}, learned, 100, .97, .005, 0},
		{"100/s opened by the first call", pacesim.Scenario{
			Limit: opened, Warm: 10 * sec, End: 120 * sec,
		}, learned, 100, .96, .008, 0},
		{"100/s sliding", pacesim.Scenario{
			Limit: sliding, Warm: 10 * sec, End: 120 * sec,
		}, learned, 100, .96, .008, 0},
		{"100/s sliding, refused calls count", pacesim.Scenario{
			Limit: hostile, Warm: 10 * sec, End: 120 * sec,
		}, learned, 100, .95, .008, 0},
		{"10/s", pacesim.Scenario{
			Limit: pacesim.Fixed(10, sec), Warm: 30 * sec, End: 600 * sec,
		}, learned, 10, .97, .015, 0},
		{"1000/min", pacesim.Scenario{
			Limit: pacesim.Fixed(1000, minute), Warm: 5 * minute, End: 60 * minute,
		}, learned, 1000. / 60, .98, .002, 0},
		{"5000/h", pacesim.Scenario{
			Limit: pacesim.Fixed(5000, hour), Warm: 3 * hour, End: 24 * hour,
		}, learned, 5000. / 3600, .98, .002, 0},
		{"token bucket 50/s", pacesim.Scenario{
			Limit: bucket, Warm: 20 * sec, End: 200 * sec,
		}, learned, 50, .98, .012, 0},
		{"500 per 10 s", pacesim.Scenario{
			Limit: pacesim.Fixed(500, 10*sec), Warm: 100 * sec, End: 600 * sec,
		}, learned, 50, .97, .003, 0},
		{"3000 per 15 min", pacesim.Scenario{
			Limit: pacesim.Fixed(3000, 15*minute), Warm: 2 * hour, End: 12 * hour,
		}, learned, 3000. / 900, .97, .003, 0},
		{"10/s and 300/min", pacesim.Scenario{
			Limit: double, Warm: 5 * minute, End: 40 * minute,
		}, learned, 5, .93, .01, 0},
		{"1000/s, late timers", pacesim.Scenario{
			Limit: pacesim.Fixed(1000, sec), Workers: 200, Warm: 10 * sec, End: 60 * sec, Late: 2 * ms,
		}, learned, 1000, .97, .005, 0},
		{"long round trips, late timers", pacesim.Scenario{
			Limit: pacesim.Fixed(100, sec), Workers: 100, RoundTrip: slow, Late: 5 * ms, Warm: 20 * sec, End: 200 * sec,
		}, learned, 100, .90, .015, 0},
		{"slow backend", pacesim.Scenario{
			Limit: pacesim.Fixed(100, sec), Workers: 500, Backend: pacesim.Span{From: 2 * sec, To: 4 * sec},
			Warm: 40 * sec, End: 300 * sec,
		}, learned, 100, .90, .015, 0},
		{"20 processes", pacesim.Scenario{
			Limit: pacesim.Fixed(200, sec), Processes: 20, Warm: 30 * sec, End: 300 * sec,
		}, learned, 200, .96, .04, .9},
		{"20 processes, 4 nodes", pacesim.Scenario{
			Limit: pacesim.Fixed(50, sec), Processes: 20, Nodes: 4, Warm: 30 * sec, End: 300 * sec,
		}, learned, 200, .97, .04, .9},
		{"20 processes that declare the whole limit", pacesim.Scenario{
			Limit: pacesim.Fixed(200, sec), Processes: 20, Warm: 30 * sec, End: 300 * sec,
		}, declared(200, sec), 200, .96, .04, .9},
		{"100/s declared", pacesim.Scenario{
			Limit: pacesim.Fixed(100, sec), Warm: 10 * sec, End: 120 * sec,
		}, declared(100, sec), 100, .97, .005, 0},
		{"1000/min declared", pacesim.Scenario{
			Limit: pacesim.Fixed(1000, minute), Warm: 5 * minute, End: 60 * minute,
		}, declared(1000, minute), 1000. / 60, .98, .002, 0},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			perSeed(t, test.scenario, test.start, func(t *testing.T, seed uint64, got pacesim.Result) {
				goodput, refused, jain := got.Goodput(test.perSecond, test.scenario), got.RefusedShare(), got.Jain()
				if *verbose {
					t.Logf("seed %d: %.1f %% goodput, %.2f %% refused, Jain %.3f", seed, 100*goodput, 100*refused, jain)
				}
				if goodput < test.goodput {
					t.Errorf("seed %d: goodput %.4f, want at least %v", seed, goodput, test.goodput)
				}
				if refused > test.refused {
					t.Errorf("seed %d: %.4f refused, want at most %v", seed, refused, test.refused)
				}
				if jain < test.jain {
					t.Errorf("seed %d: Jain %.3f, want at least %v", seed, jain, test.jain)
				}
			})
		})
	}
}

func TestThousandJobs(t *testing.T) {
	t.Parallel()
	s := pacesim.Scenario{Limit: pacesim.Fixed(100, sec), Jobs: 1000, Wait: minute, End: 10 * minute}
	for _, test := range []struct {
		name    string
		start   func(pacesim.Env) pacesim.Limiter
		refused int // at most
	}{{"learned", learned, 75}, {"declared", declared(100, sec), 10}} {
		perSeed(t, s, test.start, func(t *testing.T, seed uint64, got pacesim.Result) {
			if *verbose {
				t.Logf("%s, seed %d: %v, %d refused", test.name, seed, got.Finished, got.Refused)
			}
			if got.Passed != 1000 || got.Dropped != 0 {
				t.Errorf("%s, seed %d: %d passed and %d got no place, want 1000 and 0", test.name, seed, got.Passed,
					got.Dropped)
			}
			if limit := 10500 * ms; got.Finished > limit {
				t.Errorf("%s, seed %d: done after %v, want at most %v", test.name, seed, got.Finished, limit)
			}
			if got.Refused > test.refused {
				t.Errorf("%s, seed %d: %d refused, want at most %d", test.name, seed, got.Refused, test.refused)
			}
		})
	}
}

func TestLimitHalvedAndDoubled(t *testing.T) {
	t.Parallel()
	calls := func(now time.Duration) int {
		if now >= 60*sec && now < 120*sec {
			return 50
		}
		return 100
	}
	s := pacesim.Scenario{Limit: pacesim.Changing(sec, calls), End: 180 * sec}
	perSeed(t, s, learned, func(t *testing.T, seed uint64, got pacesim.Result) {
		down := windowsUntil(got, 60*sec,
			func(passed, refused int) bool { return passed >= 45 && refused <= passed/10+2 })
		up := windowsUntil(got, 120*sec, func(passed, _ int) bool { return passed >= 90 })
		if *verbose {
			t.Logf("seed %d: down %d, up %d", seed, down, up)
		}
		if down > 5 {
			t.Errorf("seed %d: %d windows after the limit was halved, want at most 5", seed, down)
		}
		if up > 30 {
			t.Errorf("seed %d: %d windows after the limit was doubled, want at most 30", seed, up)
		}
	})
}

// windowsUntil counts the seconds from a moment on until three on end are good.
func windowsUntil(r pacesim.Result, from time.Duration, good func(passed, refused int) bool) int {
	within := func(moments []time.Duration, a time.Duration) (n int) {
		for _, m := range moments {
			if m >= a && m < a+sec {
				n++
			}
		}
		return n
	}
	run := 0
	for i := range 60 {
		a := from + time.Duration(i)*sec
		if !good(within(r.PassedAt, a), within(r.RefusedAt, a)) {
			run = 0
		} else if run++; run == 3 {
			return i - 2
		}
	}
	return 60
}

func TestRefusedForEver(t *testing.T) {
	t.Parallel()
	s := pacesim.Scenario{Limit: func(*rand.Rand) pacesim.Limit { return pacesim.Nothing{} }, End: 24 * hour}
	perSeed(t, s, learned, func(t *testing.T, seed uint64, got pacesim.Result) {
		// The workers' first calls are under way when the first answer comes.
		if probes := got.Refused - 50; probes > 25 {
			t.Errorf("seed %d: %d probes in 24 hours, want at most 25", seed, probes)
		}
	})
}

func TestTwiceTheDemand(t *testing.T) {
	t.Parallel()
	s := pacesim.Scenario{Limit: pacesim.Fixed(100, sec), Wait: sec, Warm: 10 * sec, End: 120 * sec,
		Arrivals: func(int) func(*rand.Rand) (time.Duration, int) {
			return func(rng *rand.Rand) (time.Duration, int) { return time.Duration(rng.ExpFloat64() * 5e6), 1 }
		}}
	perSeed(t, s, learned, func(t *testing.T, seed uint64, got pacesim.Result) {
		if limit := sec + 2*50*ms; got.Latest > limit {
			t.Errorf("seed %d: an answer after %v, want at most %v", seed, got.Latest, limit)
		}
		if goodput := got.Goodput(100, s); goodput < .97 {
			t.Errorf("seed %d: goodput %.3f, want at least 0.97", seed, goodput)
		}
	})
}

func TestLateJoiners(t *testing.T) {
	t.Parallel()
	s := pacesim.Scenario{Limit: pacesim.Fixed(200, sec), Processes: 20, Warm: 180 * sec, End: 300 * sec,
		Join: func(process int) time.Duration { return time.Duration(process/10) * minute }}
	perSeed(t, s, learned, func(t *testing.T, seed uint64, got pacesim.Result) {
		if jain := got.Jain(); jain < .88 {
			t.Errorf("seed %d: Jain %.3f in minutes 4 and 5, want at least 0.88", seed, jain)
		}
	})
}

func TestBelowTheLimitNothingWaits(t *testing.T) {
	t.Parallel()
	s := pacesim.Scenario{Limit: pacesim.Fixed(100, sec), End: 120 * sec,
		Arrivals: func(int) func(*rand.Rand) (time.Duration, int) {
			return func(*rand.Rand) (time.Duration, int) { return sec / 2, 30 }
		}}
	perSeed(t, s, learned, func(t *testing.T, seed uint64, got pacesim.Result) {
		if got.Latest > 50*ms || got.Refused != 0 {
			t.Errorf("seed %d: longest %v with %d refused, want no wait and none", seed, got.Latest, got.Refused)
		}
	})
}
