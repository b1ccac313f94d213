// Command growth measures what the library costs as the work grows, and prints
// a table in Markdown:
//
//	go run ./growth > results/growth.md
//
// Each line has three sizes, each ten times the one before where that can be,
// and how time and memory grew from the first to the last. Times are the median
// of several runs in which the sizes take turns.
package main

import (
	"flag"
	"fmt"
	"runtime"
	"slices"
	"time"
)

var runs = flag.Int("runs", 5, "how often everything is measured")

// cost is what one size came to.
type cost struct {
	perOp time.Duration // for one call, or what else the axis counts
	held  int64         // bytes that are kept at the end
}

// axis is something that grows.
type axis struct {
	name    string
	op      string // what the time is for
	held    string // what the bytes are
	sizes   []int
	measure func(n int) cost
}

func main() {
	flag.Parse()
	fmt.Printf("# Cost as the work grows\n\n%s, %d cores, %s %s/%s. Medians of %d runs, made by `go run ./growth`.\n\n",
		time.Now().UTC().Format("2006-01-02"), runtime.NumCPU(), runtime.Version(), runtime.GOOS, runtime.GOARCH, *runs)
	fmt.Println("| | sizes | time for | time, by size | growth | bytes | bytes, by size |")
	fmt.Println("| --- | --- | --- | --- | ---: | --- | --- |")
	for _, a := range axes() {
		fmt.Println(a.line())
	}
}

func (a axis) line() string {
	costs := make([][]cost, len(a.sizes))
	for range *runs {
		for i, n := range a.sizes {
			costs[i] = append(costs[i], a.measure(n))
		}
	}
	var sizes, times, bytes string
	var first, last time.Duration
	for i, n := range a.sizes {
		c := median(costs[i])
		if i == 0 {
			first = c.perOp
		} else {
			sizes, times, bytes = sizes+", ", times+", ", bytes+", "
		}
		last = c.perOp
		sizes, times, bytes = sizes+grouped(n), times+short(c.perOp), bytes+size(c.held)
	}
	return fmt.Sprintf("| %s | %s | %s | %s | %.1f | %s | %s |",
		a.name, sizes, a.op, times, float64(last)/float64(max(first, 1)), a.held, bytes)
}

// median takes time and bytes each by itself.
func median(costs []cost) cost {
	byTime, byBytes := slices.Clone(costs), slices.Clone(costs)
	slices.SortFunc(byTime, func(a, b cost) int { return int(a.perOp - b.perOp) })
	slices.SortFunc(byBytes, func(a, b cost) int { return int(a.held - b.held) })
	return cost{byTime[len(costs)/2].perOp, byBytes[len(costs)/2].held}
}

// heap is what is in use after a collection, stacks included.
func heap() int64 {
	var m runtime.MemStats
	runtime.GC()
	runtime.GC()
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc + m.StackInuse)
}

func grouped(n int) string {
	s := fmt.Sprint(n)
	for i := len(s) - 3; i > 0; i -= 3 {
		s = s[:i] + " " + s[i:]
	}
	return s
}

func short(d time.Duration) string {
	switch {
	case d >= time.Millisecond:
		return fmt.Sprintf("%.1f ms", float64(d)/float64(time.Millisecond))
	case d >= 10*time.Microsecond:
		return fmt.Sprintf("%.0f µs", float64(d)/float64(time.Microsecond))
	}
	return fmt.Sprintf("%d ns", d.Nanoseconds())
}

func size(n int64) string {
	switch n = max(n, 0); {
	case n >= 10<<20:
		return fmt.Sprintf("%d MiB", n>>20)
	case n >= 10<<10:
		return fmt.Sprintf("%d KiB", n>>10)
	}
	return fmt.Sprintf("%d B", n)
}
