// Limits runs callers at a call limit under several rules, on fake time, and
// draws docs/limits.svg and writes results/limits.md. From the folder of the
// module:
//
//	go run ./limits
//
// The fleet over Redis runs in the tests of redislimit, with a real Redis:
//
//	go test -C ../redislimit -run 'TestFleet/20_processes,_200/s' -series "$PWD/results/limits-redis.csv" .
package main

import (
	"bytes"
	"encoding/csv"
	"flag"
	"fmt"
	"log"
	"os"
	"path/filepath"
	"strconv"
	"time"

	"github.com/apigw-go/apigw/internal/pacesim"
)

// rule is what a process does about a limit.
type rule struct {
	name  string
	start func(pacesim.Env) pacesim.Limiter
}

var rules = []rule{
	{"nothing: a refused job fails", func(pacesim.Env) pacesim.Limiter { return nothing{} }},
	{"waiting: a second and more, each call by itself", func(e pacesim.Env) pacesim.Limiter { return &waiting{e} }},
	{"AWS SDK, adaptive mode", func(e pacesim.Env) pacesim.Limiter { return newAdaptive(e) }},
	{"failsafe, adaptive throttler", func(e pacesim.Env) pacesim.Limiter { return &throttler{env: e} }},
	{"apigw, learned", func(e pacesim.Env) pacesim.Limiter { return pacesim.NewLearned(e, 0, 0) }},
	{"apigw, declared", func(e pacesim.Env) pacesim.Limiter { return pacesim.NewLearned(e, 100, time.Second) }},
}

var (
	one = pacesim.Scenario{Limit: pacesim.Fixed(100, time.Second), Warm: 10 * time.Second, End: shown}
	all = pacesim.Scenario{Limit: pacesim.Fixed(200, time.Second), Processes: 20, Warm: 10 * time.Second, End: shown}
)

const shown = time.Minute

func main() {
	seed := flag.Uint64("seed", 9001, "seed of the runs that are drawn")
	seeds := flag.Uint64("seeds", 5, "number of seeds of the table")
	docs := flag.String("docs", filepath.Join("..", "docs", "limits.svg"), "file of the plot")
	results := flag.String("results", "results", "folder of the table and of the figures of Redis")
	flag.Parse()
	panels := make([]panel, 0, len(rules)+2)
	for _, r := range rules {
		panels = append(panels, panelOf(r.name, 100, pacesim.Run(one, *seed, r.start)))
	}
	panels = append(panels, panelOf("apigw, 20 processes that share nothing", 200,
		pacesim.Run(all, *seed, rules[4].start)))
	redis, err := recorded(filepath.Join(*results, "limits-redis.csv"))
	if err != nil {
		log.Fatal(err)
	}
	panels = append(panels, redis)
	if err := os.WriteFile(*docs, draw(panels), 0o644); err != nil {
		log.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(*results, "limits.md"), table(*seed, *seeds), 0o644); err != nil {
		log.Fatal(err)
	}
}

// panelOf counts what passed and what was refused in each second.
func panelOf(name string, limit int, r pacesim.Result) panel {
	p := panel{name: name, limit: limit, passed: make([]int, shown/time.Second),
		refused: make([]int, shown/time.Second)}
	for _, m := range r.PassedAt {
		p.passed[min(m, shown-1)/time.Second]++
	}
	for _, m := range r.RefusedAt {
		p.refused[min(m, shown-1)/time.Second]++
	}
	return p
}

// recorded reads the series of the fleet over Redis: second, passed, refused.
func recorded(file string) (panel, error) {
	p := panel{name: "apigw, 20 processes over Redis", limit: 200}
	data, err := os.ReadFile(file)
	if err != nil {
		return p, err
	}
	rows, err := csv.NewReader(bytes.NewReader(data)).ReadAll()
	if err != nil {
		return p, err
	}
	for _, row := range rows[1:min(len(rows), 1+int(shown/time.Second))] {
		passed, err1 := strconv.Atoi(row[1])
		refused, err2 := strconv.Atoi(row[2])
		if err1 != nil || err2 != nil {
			return p, fmt.Errorf("%s: not a number in %q", file, row)
		}
		p.passed, p.refused = append(p.passed, passed), append(p.refused, refused)
	}
	return p, nil
}
