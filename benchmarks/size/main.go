// Command size prints what a program grows by that imports the Transport: its
// file, and what runs before main, beside the same program on net/http alone.
//
//	go run ./size
package main

import (
	"bytes"
	"fmt"
	"log"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
)

const runs = 21

// start is what package initialisation takes.
type start struct{ milliseconds, bytes, allocations float64 }

// initLine is one of GODEBUG=inittrace=1.
var initLine = regexp.MustCompile(`(?m)^init \S+ @\S+ ms, (\S+) ms clock, (\d+) bytes, (\d+) allocs`)

func main() {
	dir, err := os.MkdirTemp("", "size")
	if err != nil {
		log.Fatal(err)
	}
	defer os.RemoveAll(dir)
	programs := []string{"plain", "transport"}
	starts := map[string][]start{}
	for _, p := range programs {
		build(dir, p, "")
		build(dir, p, "-s -w")
	}
	for range runs {
		for _, p := range programs {
			starts[p] = append(starts[p], launch(filepath.Join(dir, p)))
		}
	}
	fmt.Println("| | file | without symbols | package init | allocated in it |\n| --- | ---: | ---: | ---: | ---: |")
	for _, p := range programs {
		s := starts[p]
		slices.SortFunc(s, func(a, b start) int { return int(1e6 * (a.milliseconds - b.milliseconds)) })
		m := s[len(s)/2]
		fmt.Printf("| %s | %d | %d | %.2f ms | %.0f bytes, %.0f allocations |\n", p,
			sizeOf(filepath.Join(dir, p)), sizeOf(filepath.Join(dir, p+"-s -w")), m.milliseconds, m.bytes, m.allocations)
	}
}

func build(dir, program, flags string) {
	cmd := exec.Command("go", "build", "-ldflags", flags, "-o", filepath.Join(dir, program+flags), "./size/"+program)
	if out, err := cmd.CombinedOutput(); err != nil {
		log.Fatalf("run it in benchmarks/: %v\n%s", err, out)
	}
}

// launch runs a program, which fails since nobody answers, and adds up its inits.
func launch(program string) (s start) {
	cmd := exec.Command(program, "http://127.0.0.1:1/")
	cmd.Env = append(os.Environ(), "GODEBUG=inittrace=1")
	var out bytes.Buffer
	cmd.Stderr = &out
	_ = cmd.Run()
	for _, m := range initLine.FindAllSubmatch(out.Bytes(), -1) {
		s.milliseconds += number(m[1])
		s.bytes += number(m[2])
		s.allocations += number(m[3])
	}
	return s
}

func number(b []byte) float64 {
	n, err := strconv.ParseFloat(string(b), 64)
	if err != nil {
		log.Fatal(err)
	}
	return n
}

func sizeOf(file string) int64 {
	info, err := os.Stat(file)
	if err != nil {
		log.Fatal(err)
	}
	return info.Size()
}
