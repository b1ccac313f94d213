// Command matrix checks which RoundTrippers keep the contract of net/http and
// prints who passes what in Markdown:
//
//	go run ./matrix > results/matrix.md
package main

import (
	"fmt"
	"runtime"
	"strings"
	"time"

	"github.com/apigw-go/apigw/benchmarks/contract"
	"github.com/apigw-go/apigw/benchmarks/peers"
)

var columns = []struct {
	name string
	wrap contract.Wrap
}{
	{"apigw", peers.NewAPIGW},
	{"go-retryablehttp", peers.NewRetryablehttp},
	{"failsafe-go", peers.NewFailsafe},
	{"rehttp", peers.NewRehttp},
}

func main() {
	fmt.Printf("# Who keeps the contract of http.RoundTripper\n\n%s, %s, made by `go run ./matrix`. go-retryablehttp and failsafe-go run with the\noption that returns the last response (PassthroughErrorHandler, ReturnLastFailure); rehttp, which has no policy of\nits own, with the one that its documentation shows.\n\n| |",
		time.Now().UTC().Format("2006-01-02"), runtime.Version())
	for _, c := range columns {
		fmt.Printf(" %s |", c.name)
	}
	fmt.Print("\n| --- |", strings.Repeat(" :-: |", len(columns)), "\n")
	passed := make([]int, len(columns))
	var reasons []string
	for _, check := range contract.Checks {
		fmt.Printf("| %s |", check.Name)
		for i, c := range columns {
			if err := check.Run(c.wrap); err != nil {
				fmt.Print(" no |")
				reasons = append(reasons, fmt.Sprintf("- %s, %s: %s", c.name, check.Name, strings.ReplaceAll(err.Error(), "\n", "; ")))
				continue
			}
			passed[i]++
			fmt.Print(" yes |")
		}
		fmt.Println()
	}
	fmt.Print("| **of ", len(contract.Checks), "** |")
	for _, n := range passed {
		fmt.Printf(" **%d** |", n)
	}
	fmt.Print("\n\n## What went wrong\n\n", strings.Join(reasons, "\n"), "\n")
}
