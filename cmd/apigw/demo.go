package main

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/apigw-go/apigw"
	"github.com/apigw-go/apigw/catalog"
	"github.com/apigw-go/apigw/gatewaytest"
)

// demoLine is one row of the demonstration, as --json prints it. Scripts read it:
// names and types stay.
type demoLine struct {
	ID         string `json:"id"`
	Status     int    `json:"status"`
	Code       string `json:"code"`
	Message    string `json:"message"`
	Class      string `json:"class"`
	Origin     string `json:"origin"`
	Decision   string `json:"decision"`
	Attempts   int    `json:"attempts"`
	StopReason string `json:"stop_reason"`
	Meaning    string `json:"meaning"`
	Remedy     string `json:"remedy"`
}

// The values of demoLine.Decision.
const (
	retried    = "retried"
	failedFast = "failed-fast"
)

// demoResult is what the transport did with one request.
type demoResult struct {
	err      error // the request failed without a response
	failure  *apigw.Error
	took     time.Duration
	executed int // how often the backend ran
}

func (r *demoResult) decision() string {
	if r.failure != nil && len(r.failure.Attempts) > 1 {
		return retried
	}
	return failedFast
}

// demoCase is a row of the catalog, sent with one method.
type demoCase struct {
	entry  catalog.Entry
	method string
	result demoResult
}

func (c *demoCase) pattern() string { return c.method + " /rows/" + c.entry.ID }

// runDemo shows what the transport does with every known error, and checks it.
func runDemo(in *invocation, args []string) int {
	fs := in.flags("demo")
	asJSON := fs.Bool("json", false, "")
	wide := fs.Bool("wide", false, "")
	if _, ok, code := in.parse(fs, args, 0); !ok {
		return code
	}
	// The rows are shown; the POSTs only counted, to prove that none ran twice.
	rows, posts := demoCases()
	start := time.Now()
	ctx, stop := in.untilSignal()
	defer stop()
	perform(ctx, append(append([]*demoCase(nil), rows...), posts...))
	if ctx.Err() != nil {
		in.complain("interrupted")
		return exitInterrupted
	}

	wrong := 0
	for _, c := range append(append([]*demoCase(nil), rows...), posts...) {
		if fault := c.fault(); fault != "" {
			wrong++
			in.complain("%s, %s: %s", c.entry.ID, c.method, fault)
		}
	}
	switch {
	case *asJSON:
		for _, c := range rows {
			in.json(in.demoLine(c))
		}
	case *wide:
		in.demoWide(rows)
		in.demoTotals(rows, posts, wrong, time.Since(start))
	default:
		in.demoGroups(rows)
		in.demoTotals(rows, posts, wrong, time.Since(start))
	}
	if wrong > 0 {
		return exitFailure
	}
	return exitOK
}

// demoCases returns the rows to show, in the order of the catalog, and once
// more, as POST, those that a retry can cure.
func demoCases() (rows, posts []*demoCase) {
	for e := range catalog.All() {
		if !isShown(e) {
			continue
		}
		rows = append(rows, &demoCase{entry: e, method: http.MethodGet})
		if curable(e) {
			posts = append(posts, &demoCase{entry: e, method: http.MethodPost})
		}
	}
	return rows, posts
}

// isShown reports whether the demonstration has a row: the classic ones of the
// document, all of VPC-type instances, and of the newer generations those that
// can be told apart by what is seen of one answer.
func isShown(e catalog.Entry) bool {
	switch e.Place {
	case catalog.PlaceHeader:
		return e.Generation == catalog.GenerationVPC || strings.Contains(e.Source, "classic-error-table")
	case catalog.PlaceBody, catalog.PlaceMark:
		return e.Status != 0 && !e.NeedsProof()
	}
	return false
}

// curable is what the catalog advises: another attempt can help soon. Throttled
// calls, and those whose cause lasts for a known time, are not sent again unless
// a policy says how long they may wait.
func curable(e catalog.Entry) bool {
	return e.Class != catalog.ClassThrottled && e.Wait == 0 && (e.Retry == catalog.RetrySoon ||
		e.Retry == catalog.RetryWait)
}

// advice is the decision that follows from the catalog row alone. It does not
// ask the transport's own judgement, which is what the demonstration checks. A
// body proves nothing by itself, and a row that nobody verified does not either.
func (c *demoCase) advice() string {
	e := c.entry
	proof := (e.Reached == catalog.ReachedNo || c.notSent() != "") && e.Verified() && e.Place == catalog.PlaceHeader
	if curable(e) && (c.method == http.MethodGet || proof) {
		return retried
	}
	return failedFast
}

// fault says what is wrong with the result, empty if nothing is.
func (c *demoCase) fault() string {
	r := &c.result
	switch {
	case r.err != nil:
		return "no response: " + safeText(r.err)
	case r.failure == nil:
		return "the response carries no error"
	case r.failure.Entry.ID != c.entry.ID:
		return "recognised as " + r.failure.Entry.ID
	case r.decision() != c.advice():
		return fmt.Sprintf("%s, but the catalog says %s", r.decision(), c.advice())
	case c.method == http.MethodPost && r.executed > 1:
		return fmt.Sprintf("the backend ran %d times for one POST", r.executed)
	}
	return ""
}

// perform sends every case through a gateway of its own making, a few at a
// time. The requests are not signed: with a signer below the transport, a GET
// that meets a used nonce would rightly get one more attempt with a new one,
// because net/http may have sent the first one twice.
func perform(ctx context.Context, cases []*demoCase) {
	gateway := &gatewaytest.Gateway{}
	for _, c := range cases {
		gateway.Routes = append(gateway.Routes, gatewaytest.Route{
			Pattern: c.pattern(),
			Auth:    gatewaytest.AuthNone,
			Script: []gatewaytest.Outcome{{
				Error:  c.entry.ID, // whatever its dialect
				Params: map[string]string{"Reason": c.reason()},
				Times:  -1, // for ever: only the transport can end it
			}},
		})
	}
	server := gatewaytest.NewServer(gateway)
	defer server.Close()
	base := server.Transport()
	base.MaxIdleConnsPerHost = demoWorkers
	defer base.CloseIdleConnections()

	queue := make(chan *demoCase)
	var workers sync.WaitGroup
	for range demoWorkers {
		workers.Go(func() {
			for c := range queue {
				c.result = send(ctx, c, server.URL, base)
				c.result.executed = gateway.RouteCounts(c.pattern()).Executed
			}
		})
	}
	for _, c := range cases {
		queue <- c
	}
	close(queue)
	workers.Wait()
}

const demoWorkers = 8

// reason fills the reason of a message in. A broken connection to the backend is
// shown in the kind that leaves open whether the backend ran, and to POST in one
// that does not.
func (c *demoCase) reason() string {
	switch {
	case c.notSent() != "":
		return c.notSent()
	case len(c.entry.NotSentReasons()) > 0:
		return "Connection is closed"
	}
	return "demonstration"
}

// notSent is a reason of the row that proves that nothing was sent, for POST.
func (c *demoCase) notSent() string {
	if reasons := c.entry.NotSentReasons(); len(reasons) > 0 && c.method == http.MethodPost {
		return reasons[0]
	}
	return ""
}

// send makes one request as a program would. Every request has a transport
// with a budget of its own, so that none takes the retries of another.
func send(ctx context.Context, c *demoCase, url string, base http.RoundTripper) (r demoResult) {
	client := &http.Client{Transport: &apigw.Transport{
		Base: base,
		Policy: apigw.RetryPolicy{
			InitialBackoff: 4 * time.Millisecond, MaxBackoff: 20 * time.Millisecond,
			SuccessMarks: []apigw.SuccessMark{{Header: "X-Fc-Error-Type"}, {JSONField: "code", JSONValue: "-1"}},
		},
	}}
	var body io.Reader
	if c.method == http.MethodPost {
		body = strings.NewReader(`{"demonstration":true}`)
	}
	req, err := http.NewRequestWithContext(ctx, c.method, url+"/rows/"+c.entry.ID, body)
	if err != nil {
		r.err = err
		return r
	}
	if body != nil {
		req.Header.Set("Content-Type", "application/json")
	}
	start := time.Now()
	resp, err := client.Do(req)
	r.took = time.Since(start)
	if err != nil {
		r.err = err
		return r
	}
	io.Copy(io.Discard, resp.Body)
	resp.Body.Close()
	r.failure, _ = apigw.FromResponse(resp)
	return r
}
