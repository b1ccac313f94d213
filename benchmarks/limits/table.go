package main

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"time"

	"github.com/apigw-go/apigw/internal/pacesim"
)

// measured are the scenarios of the table.
var measured = []struct {
	name      string
	perSecond float64
	scenario  pacesim.Scenario
}{
	{"100/s, aligned windows", 100, scenario(pacesim.Fixed(100, time.Second), 10*time.Second, 2*time.Minute)},
	{"100/s, opened by the first call", 100, scenario(opened, 10*time.Second, 2*time.Minute)},
	{"100/s, sliding", 100, scenario(sliding, 10*time.Second, 2*time.Minute)},
	{"10/s", 10, scenario(pacesim.Fixed(10, time.Second), 30*time.Second, 10*time.Minute)},
	{"1,000/min", 1000. / 60, scenario(pacesim.Fixed(1000, time.Minute), 5*time.Minute, time.Hour)},
	{"token bucket, 50/s, burst of 20", 50, scenario(bucket, 20*time.Second, 200*time.Second)},
	{"20 processes, 200/s", 200,
		pacesim.Scenario{Limit: pacesim.Fixed(200, time.Second), Processes: 20, Warm: 30 * time.Second,
			End: 5 * time.Minute}},
}

func scenario(limit func(*rand.Rand) pacesim.Limit, warm, end time.Duration) pacesim.Scenario {
	return pacesim.Scenario{Limit: limit, Warm: warm, End: end}
}

func opened(*rand.Rand) pacesim.Limit  { return &pacesim.Opened{Window: time.Second, Calls: 100} }
func sliding(*rand.Rand) pacesim.Limit { return &pacesim.Sliding{Window: time.Second, Calls: 100} }
func bucket(*rand.Rand) pacesim.Limit  { return &pacesim.Bucket{PerSecond: 50, Burst: 20} }

// learned and those that it is compared with in the table. Who sends without
// waiting makes too many calls to be worth the time.
var compared = []int{1, 2, 3, 4}

// table writes the worst of some seeds: the lowest goodput, the largest share
// refused.
func table(seed, seeds uint64) []byte {
	var b bytes.Buffer
	fmt.Fprintf(&b, "# Callers at a call limit\n\nWritten by `go run ./limits`. Each cell: goodput as a share of "+
		"the limit / share of all calls refused, "+
		"after the first\nseconds, the worst of %d seeds from %d on. 50 workers, round trips of 5 to 50 ms.\n\n| "+
		"limit |", seeds, seed)
	for _, i := range compared {
		fmt.Fprintf(&b, " %s |", rules[i].name)
	}
	b.WriteString("\n| --- |")
	for range compared {
		b.WriteString(" --- |")
	}
	b.WriteString("\n")
	for _, m := range measured {
		fmt.Fprintf(&b, "| %s |", m.name)
		for _, i := range compared {
			goodput, refused := worst(m.scenario, m.perSecond, rules[i], seed, seeds)
			fmt.Fprintf(&b, " %.1f %% / %.2f %% |", 100*goodput, 100*refused)
		}
		b.WriteString("\n")
	}
	jobs(&b, seed, seeds)
	return b.Bytes()
}

func worst(s pacesim.Scenario, perSecond float64, r rule, seed, seeds uint64) (goodput, refused float64) {
	goodput = 2
	for i := range seeds {
		result := pacesim.Run(s, seed+i, r.start)
		goodput, refused = min(goodput, result.Goodput(perSecond, s)), max(refused, result.RefusedShare())
	}
	return goodput, refused
}

// jobs writes what a thousand jobs take.
func jobs(b *bytes.Buffer, seed, seeds uint64) {
	s := pacesim.Scenario{Limit: pacesim.Fixed(100, time.Second), Jobs: 1000, End: 10 * time.Minute}
	b.WriteString("\nA thousand jobs, 50 workers, 100 calls a second: ten seconds at best.\n\n| rule | time | " +
		"refused |\n| --- | --- | --- |\n")
	for _, r := range rules[1:] {
		var longest time.Duration
		refused := 0
		for i := range seeds {
			result := pacesim.Run(s, seed+i, r.start)
			longest, refused = max(longest, result.Finished), max(refused, result.Refused)
		}
		fmt.Fprintf(b, "| %s | %.1f s | %d |\n", r.name, longest.Seconds(), refused)
	}
}
