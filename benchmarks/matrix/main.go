// Command matrix makes the checks of package roundtrippertest with the
// RoundTrippers among the peers and prints who passes what in Markdown:
//
//	go run ./matrix > results/matrix.md
package main

import (
	"fmt"
	"io"
	"net/http"
	"os"
	"runtime"
	"strings"
	"sync"
	"time"

	"github.com/apigw-go/apigw/benchmarks/peers"
	"github.com/apigw-go/apigw/roundtrippertest"
)

// column is a peer, with the delay before a retry as its parameter.
type column struct {
	name string
	wrap func(base http.RoundTripper, delay time.Duration) http.RoundTripper
}

var columns = []column{
	{"apigw", peers.NewAPIGW},
	{"go-retryablehttp", peers.NewRetryablehttp},
	{"failsafe-go", peers.NewFailsafe},
	{"rehttp", peers.NewRehttp},
}

const heading = `# Who keeps the contract of http.RoundTripper

%s, %s, made by ` + "`go run ./matrix`" + `. go-retryablehttp and failsafe-go run with the
option that returns the last response (PassthroughErrorHandler, ReturnLastFailure); rehttp, which has no policy of
its own, with the one that its documentation shows.

`

func main() {
	fmt.Printf(heading, time.Now().UTC().Format("2006-01-02"), runtime.Version())
	write(os.Stdout, roundtrippertest.Checks(), results())
}

// results makes all checks with all peers, and returns what is wrong, by column
// and check. A check that fails may wait for seconds, so the columns do not
// wait for each other.
func results() [][]error {
	checks := roundtrippertest.Checks()
	results := make([][]error, len(columns))
	var running sync.WaitGroup
	for i, c := range columns {
		results[i] = make([]error, len(checks))
		running.Go(func() {
			for j, check := range checks {
				results[i][j] = c.run(check)
			}
		})
	}
	running.Wait()
	return results
}

func (c column) run(check roundtrippertest.Check) error {
	var delay time.Duration
	if check.Waits {
		delay = time.Hour
	}
	return check.Run(func(base http.RoundTripper) http.RoundTripper { return c.wrap(base, delay) })
}

func write(w io.Writer, checks []roundtrippertest.Check, results [][]error) {
	fmt.Fprint(w, "| |")
	for _, c := range columns {
		fmt.Fprintf(w, " %s |", c.name)
	}
	fmt.Fprintf(w, "\n| --- |%s\n", strings.Repeat(" :-: |", len(columns)))
	passed := make([]int, len(columns))
	var reasons strings.Builder
	for j, check := range checks {
		fmt.Fprintf(w, "| %s |", check.Name)
		for i, c := range columns {
			if err := results[i][j]; err != nil {
				fmt.Fprint(w, " no |")
				fmt.Fprintf(&reasons, "- %s, %s: %s\n", c.name, check.Name, strings.ReplaceAll(err.Error(), "\n", "; "))
				continue
			}
			passed[i]++
			fmt.Fprint(w, " yes |")
		}
		fmt.Fprintln(w)
	}
	fmt.Fprintf(w, "| **of %d** |", len(checks))
	for _, n := range passed {
		fmt.Fprintf(w, " **%d** |", n)
	}
	fmt.Fprintf(w, "\n\n## What went wrong\n\n%s", reasons.String())
}
