// Command compare times apigw and its peers side by side and prints tables in
// Markdown:
//
//	go run ./compare > results/compare.md
//
// Every figure is the median of several runs. In each run all peers take turns,
// so that what else the machine does falls on all alike.
package main

import (
	"flag"
	"fmt"
	"log"
	"os"
	"runtime"
	"runtime/debug"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/apigw-go/apigw/benchmarks/peers"
)

var (
	runs   = flag.Int("runs", 15, "how often everything is timed; what does not depend on time is measured three times")
	upload = flag.Int64("upload", 256, "size of the upload in MiB")
	calls  = flag.Int("calls", 10_000, "calls made during an outage")
	only   = flag.String("only", "", "part of the name of the columns to measure, such as \"in memory, GET\"; empty: all")
	load   = flag.String("load", "", "a word on what else the machine did, for the heading")
)

var benchtime *time.Duration // named after the flag of go test, which testing.Init defines

// figure is what was measured of one peer in one column.
type figure struct {
	values []float64 // one for each run
	allocs int64
}

func (f *figure) median() float64 {
	s := slices.Sorted(slices.Values(f.values))
	if n := len(s); n%2 == 0 {
		return (s[n/2-1] + s[n/2]) / 2
	}
	return s[len(s)/2]
}

// quartiles returns the bounds between which half of the values lie.
func (f *figure) quartiles() (low, high float64) {
	s := slices.Sorted(slices.Values(f.values))
	return s[len(s)/4], s[len(s)-1-len(s)/4]
}

// column is one measurement of all peers.
type column struct {
	name    string
	place   string  // named with it where the table is not
	noise   float64 // differences up to this show nothing
	more    bool    // more is better
	absent  func(peers.Peer) bool
	measure func(peers.Peer) (value float64, allocs int64)
	show    func(f, bare *figure) string
	figures []figure // by index of the peer
}

func main() {
	testing.Init()
	benchtime = flag.Duration("time", 50*time.Millisecond, "how long each timing lasts")
	flag.Parse()
	flag.Set("test.benchtime", benchtime.String())
	log.SetFlags(0)

	stub, loopback, behaviour := columns()
	for _, group := range []*[]*column{&stub, &loopback, &behaviour} {
		*group = slices.DeleteFunc(*group, func(c *column) bool { return !strings.Contains(c.place+c.name, *only) })
	}
	for i, group := range [][]*column{stub, loopback, behaviour} {
		n := *runs
		if i == 2 {
			n = min(n, 3)
		}
		for turn := range n {
			for _, c := range group {
				c.run(turn)
			}
		}
	}

	heading()
	table("In memory: nanoseconds a call (times the bare transport), allocations", stub)
	table("Loopback: microseconds a call (times the bare transport); requests a second by 16 goroutines", loopback)
	table(fmt.Sprintf("Behaviour: growth of the heap during an upload of %d MiB, connections for 100 requests that "+
		"are refused once, attempts a call in an outage of %d calls", *upload, *calls), behaviour)
	winners(slices.Concat(stub, loopback, behaviour))
}

// run measures all peers once. Each turn begins with another one, so that none
// has the better place.
func (c *column) run(turn int) {
	if c.figures == nil {
		c.figures = make([]figure, len(peers.All))
	}
	for n := range peers.All {
		i := (n + turn) % len(peers.All)
		p := peers.All[i]
		if c.absent != nil && c.absent(p) {
			continue
		}
		value, allocs := c.measure(p)
		c.figures[i].values = append(c.figures[i].values, value)
		c.figures[i].allocs = allocs
	}
}

func columns() (stub, loopback, behaviour []*column) {
	stub, loopback = speedColumns()
	return stub, append(loopback, throughputColumn()),
		append(append(heapColumns(), connectionColumns()...), outageColumn())
}

// speedColumns has two columns for each scenario.
func speedColumns() (stub, loopback []*column) {
	for _, s := range peers.Scenarios {
		stub = append(stub, &column{
			name:  s.Name,
			place: "in memory, ",
			measure: func(p peers.Peer) (float64, int64) {
				r := testing.Benchmark(func(b *testing.B) { s.BenchmarkStub(b, p) })
				return float64(r.T.Nanoseconds()) / float64(r.N), r.AllocsPerOp()
			},
			show: func(f, bare *figure) string {
				return fmt.Sprintf("%.0f (%.2f), %d", f.median(), f.median()/bare.median(), f.allocs)
			},
		})
		loopback = append(loopback, &column{
			name:  s.Name,
			place: "loopback, ",
			measure: func(p peers.Peer) (float64, int64) {
				r := testing.Benchmark(func(b *testing.B) { s.BenchmarkLoopback(b, p) })
				return r.T.Seconds() * 1e6 / float64(r.N), 0
			},
			show: func(f, bare *figure) string {
				return fmt.Sprintf("%.0f (%.2f)", f.median(), f.median()/bare.median())
			},
		})
	}
	return stub, loopback
}

func throughputColumn() *column {
	return &column{
		name:  "GET 200 in parallel",
		place: "loopback, ",
		more:  true,
		measure: func(p peers.Peer) (float64, int64) {
			r := testing.Benchmark(func(b *testing.B) { peers.BenchmarkThroughput(b, p) })
			return float64(r.N) / r.T.Seconds(), 0
		},
		show: func(f, bare *figure) string {
			return fmt.Sprintf("%.0f/s (%.2f)", f.median(), f.median()/bare.median())
		},
	}
}

// heapColumns has what an upload takes, with and without GetBody.
func heapColumns() (columns []*column) {
	for _, replayable := range []bool{true, false} {
		columns = append(columns, &column{
			name:  map[bool]string{true: "heap, body can be had again", false: "heap, body only once"}[replayable],
			noise: 1,
			measure: func(p peers.Peer) (float64, int64) {
				n, err := peers.UploadHeap(p, *upload<<20, replayable)
				if err != nil {
					log.Fatal(err)
				}
				return float64(n) / (1 << 20), 0
			},
			show: func(f, _ *figure) string { return fmt.Sprintf("%.0f MiB", f.median()) },
		})
	}
	return columns
}

// connectionColumns has the connections that refusals of a size cost.
func connectionColumns() (columns []*column) {
	for _, kib := range []int{2, 32} {
		columns = append(columns, &column{
			name:   fmt.Sprintf("connections, %d KiB refusals", kib),
			absent: func(p peers.Peer) bool { return p.Baseline },
			measure: func(p peers.Peer) (float64, int64) {
				n, err := peers.Connections(p, 100, kib<<10)
				if err != nil {
					log.Fatal(err)
				}
				return float64(n), 0
			},
			show: func(f, _ *figure) string { return fmt.Sprintf("%.0f", f.median()) },
		})
	}
	return columns
}

func outageColumn() *column {
	return &column{
		name:    "attempts a call in an outage",
		measure: func(p peers.Peer) (float64, int64) { return peers.Amplification(p, *calls), 0 },
		show:    func(f, _ *figure) string { return fmt.Sprintf("%.3f", f.median()) },
	}
}

func heading() {
	fmt.Printf("# apigw and its peers\n\n%s, %s, %d cores, %s %s/%s. Medians of %d runs of %v, made by `go run "+
		"./compare%s`.\n",
		time.Now().UTC().Format("2006-01-02 15:04 MST"), cpu(), runtime.NumCPU(), runtime.Version(), runtime.GOOS,
		runtime.GOARCH, *runs, *benchtime, arguments())
	if *load != "" {
		fmt.Printf("%s\n", *load)
	}
	fmt.Print("\nDelays between attempts are zero. The transports and clients without retries make two calls where " +
		"the\nothers make two attempts. Versions: ")
	fmt.Println(strings.Join(versions(), ", ") + ".")
}

// arguments are those that change what is measured.
func arguments() string {
	var b strings.Builder
	flag.Visit(func(f *flag.Flag) {
		if f.Name != "load" && !strings.HasPrefix(f.Name, "test.") {
			fmt.Fprintf(&b, " -%s %s", f.Name, f.Value)
		}
	})
	return b.String()
}

func cpu() string {
	data, err := os.ReadFile("/proc/cpuinfo")
	if err == nil {
		for line := range strings.Lines(string(data)) {
			if name, model, ok := strings.Cut(line, ":"); ok && strings.TrimSpace(name) == "model name" {
				return strings.TrimSpace(model)
			}
		}
	}
	return "unknown CPU"
}

func versions() (list []string) {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return nil
	}
	for _, p := range peers.All {
		for _, m := range info.Deps {
			if m.Path == p.Module && m.Replace == nil {
				list = append(list, strings.TrimPrefix(m.Path, "github.com/")+" "+m.Version)
			}
		}
	}
	return slices.Compact(slices.Sorted(slices.Values(list)))
}

func table(title string, columns []*column) {
	if len(columns) == 0 {
		return
	}
	fmt.Printf("\n## %s\n\n| |", title)
	for _, c := range columns {
		fmt.Printf(" %s |", c.name)
	}
	fmt.Print("\n| --- |", strings.Repeat(" ---: |", len(columns)), "\n")
	for i, p := range peers.All {
		fmt.Printf("| %s |", p.Name)
		for _, c := range columns {
			f := &c.figures[i]
			if len(f.values) == 0 {
				fmt.Print(" – |")
				continue
			}
			fmt.Printf(" %s |", c.show(f, &c.figures[0]))
		}
		fmt.Println()
	}
	if columns[0].place == "" {
		return
	}
	fmt.Print("\nThe middle half of the runs of the bare transport and of apigw lay within")
	for i, c := range columns {
		low, high := c.figures[0].quartiles()
		ownLow, ownHigh := c.figures[1].quartiles()
		if i > 0 {
			fmt.Print(";")
		}
		fmt.Printf(" %.0f–%.0f and %.0f–%.0f", low, high, ownLow, ownHigh)
	}
	fmt.Println(", by column.")
}

// winners names, by column, the peers with retries that are better than apigw
// by more than five percent and by more than runs differ: the middle halves of
// their values do not overlap. apigw in http.Client stands for apigw where the
// peer brings an http.Client of its own.
func winners(columns []*column) {
	index := func(name string) int {
		return slices.IndexFunc(peers.All, func(p peers.Peer) bool { return p.Name == name })
	}
	plain, client := index("apigw"), index("apigw in http.Client")
	fmt.Print("\n## Where a peer is ahead of apigw by more than 5 %\n\n",
		"Clients that bring an http.Client of their own are held against apigw in an http.Client. Differences "+
			"smaller than\n",
		"those between runs are left out: the middle halves of the values overlap.\n\n")
	found := false
	for _, c := range columns {
		var ahead []string
		for i, p := range peers.All {
			f, own := &c.figures[i], &c.figures[plain]
			if i > client {
				own = &c.figures[client]
			}
			if p.Baseline || i == plain || i == client || len(f.values) == 0 {
				continue
			}
			if c.more {
				f, own = own, f
			}
			_, high := f.quartiles()
			low, _ := own.quartiles()
			if f.median() < own.median()*0.95 && own.median()-f.median() > c.noise && high < low {
				ahead = append(ahead, p.Name)
			}
		}
		if len(ahead) > 0 {
			found = true
			fmt.Printf("- %s: %s\n", c.place+c.name, strings.Join(ahead, ", "))
		}
	}
	if !found {
		fmt.Println("Nowhere.")
	}
}
