// Command matrix makes the checks of package roundtrippertest with the
// RoundTrippers among the peers and prints who passes what in Markdown:
//
//	go run ./matrix > results/matrix.md
package main

import (
	"errors"
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
	// varies names a check that the peer passes in some runs and not in others.
	varies string
}

var columns = []column{
	{name: "apigw", wrap: peers.NewAPIGW},
	{name: "go-retryablehttp", wrap: peers.NewRetryablehttp},
	{name: "failsafe-go", wrap: peers.NewFailsafe},
	{name: "rehttp", wrap: peers.NewRehttp},
	{name: "heimdall", wrap: peers.NewHeimdall},
	{name: "resty v3", wrap: peers.NewResty},
	{name: "azcore", wrap: peers.NewAzcore},
	{name: "AWS retryer", wrap: peers.NewAWS, varies: "Expect: 100-continue holds the body back"},
}

const heading = `# Who keeps the contract of http.RoundTripper

%s, %s, made by ` + "`go run ./matrix`" + `. go-retryablehttp and failsafe-go run with the
option that returns the last response (PassthroughErrorHandler, ReturnLastFailure); rehttp, which has no policy of
its own, with the one that its documentation shows. The four on the right are clients and no RoundTrippers: they get
method, URL, header and body of the request and return the response as they give it, so that what they lose on the way
counts, and what they follow: they bring an http.Client of their own, which follows redirects. Resty and AWS get a body
with GetBody as bytes, so that they can send it again. A check that did not end within a minute counts as failed,
"varies" as not passed.

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
	ended := make(chan error, 1)
	go func() { // a peer may panic, or wait for ever
		defer func() {
			if p := recover(); p != nil {
				ended <- fmt.Errorf("panic: %v", p)
			}
		}()
		ended <- check.Run(func(base http.RoundTripper) http.RoundTripper { return c.wrap(base, delay) })
	}()
	select {
	case err := <-ended:
		return err
	case <-time.After(time.Minute):
		return errors.New("did not end within a minute")
	}
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
			if c.varies == check.Name {
				fmt.Fprint(w, " varies |")
				continue
			}
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
