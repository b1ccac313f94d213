package faults

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/apigw-go/apigw"
	"github.com/apigw-go/apigw/catalog"
	"github.com/apigw-go/apigw/gatewaytest"
	"github.com/apigw-go/apigw/signer"
)

var (
	walks = flag.Int("walks", 10000, "number of random walks")
	seed  = flag.Uint64("seed", 1, "seed of the first walk, and of the traffic through the proxies")
)

// TestRandomWalk lets scripts drawn from a seed happen to signed requests, in
// a bubble of its own each. A goroutine that is left behind, or a wait that
// nothing ends, fails the bubble.
func TestRandomWalk(t *testing.T) {
	total := map[string]int{}
	for i := range *walks {
		s := *seed + uint64(i)
		w := &walk{}
		synctest.Test(t, func(t *testing.T) { w.run(s) })
		for _, problem := range w.problems {
			t.Errorf("seed %d: %s\n\t%s", s, problem, strings.Join(w.trace, "\n\t"))
		}
		if t.Failed() {
			t.Fatalf("replay: go test ./faults -run TestRandomWalk -walks 1 -seed %d -v", s)
		}
		for _, o := range w.outcomes {
			total[o]++
		}
		if *walks == 1 {
			t.Log(strings.Join(w.trace, "\n"))
		}
	}
	t.Logf("%d walks from seed %d: %s", *walks, *seed, counted(total))
}

// TestRandomWalkRepeats: a seed means the same events at the same moments.
func TestRandomWalkRepeats(t *testing.T) {
	for s := range uint64(200) {
		var first, second walk
		synctest.Test(t, func(*testing.T) { first.run(s) })
		synctest.Test(t, func(*testing.T) { second.run(s) })
		if !slices.Equal(first.trace, second.trace) {
			t.Errorf("seed %d: got\n\t%s\nthen\n\t%s", s, strings.Join(first.trace, "\n\t"),
				strings.Join(second.trace, "\n\t"))
		}
	}
}

func counted(total map[string]int) string {
	var lines []string
	for name, n := range total {
		lines = append(lines, fmt.Sprintf("%d %s", n, name))
	}
	slices.SortFunc(lines, func(a, b string) int {
		x, _, _ := strings.Cut(a, " ")
		y, _, _ := strings.Cut(b, " ")
		return len(y)*1000 - len(x)*1000 + strings.Compare(y, x)
	})
	return strings.Join(lines, "; ")
}

// walk is one run from one seed.
type walk struct {
	trace    []string // what happened and when
	problems []string // what must not have happened
	outcomes []string
}

// rows are the IDs of the catalog, but for refusals in the dress of a success
// and rows that may have any status: no policy here says how to tell them.
var rows = func() (ids []string) {
	for e := range catalog.All() {
		if e.Status >= 400 {
			ids = append(ids, e.ID)
		}
	}
	return ids
}()

func drawScript(r *rand.Rand) []gatewaytest.Outcome {
	script := make([]gatewaytest.Outcome, r.IntN(16))
	for i := range script {
		o := &script[i]
		switch r.IntN(8) {
		case 0: // normal service
		case 1:
			o.Status, o.Body = pick(r, 200, 400, 404, 429, 500, 502, 503, 504), "answer of a backend"
		case 2:
			o.Drop = gatewaytest.Drop(1 + r.IntN(4))
			// Whether a client reads a head before the reset that follows is
			// a race, and no seed would decide it.
			o.Reset = o.Drop != gatewaytest.DropInBody && r.IntN(2) == 0
		case 3:
			o.Error = pick(r, "classic.service-unavailable", "D503CB", "D504TO", "D504CO")
		default:
			o.Error = pick(r, rows...)
		}
		if o.Error == "D504CO" {
			// The sample reason says that the backend was not reached, which
			// the fake gateway, going by the row, does not keep to.
			o.Params = map[string]string{"Reason": "Connection reset"}
		}
		if r.IntN(6) == 0 {
			o.RetryAfter = pick(r, "1", "7", "0", "-3", "86400", "99999999999999999999",
				"Wed, 21 Oct 2015 07:28:00 GMT", "soon")
		}
		if r.IntN(6) == 0 {
			o.Delay = time.Duration(r.IntN(20000)) * time.Millisecond
		}
		if r.IntN(8) == 0 && o.Status+len(o.Error) > 0 {
			o.Body = strings.Repeat("x", 1+r.IntN(20000))
			o.DripBytes, o.DripEvery = 1+r.IntN(5000), time.Duration(r.IntN(3000))*time.Millisecond
		}
		o.Times = r.IntN(3)
	}
	return script
}

func drawPolicy(r *rand.Rand) apigw.RetryPolicy {
	return apigw.RetryPolicy{
		MaxAttempts:     r.IntN(7),
		InitialBackoff:  time.Duration(r.IntN(3000)) * time.Millisecond,
		Jitter:          apigw.JitterNone, // chance comes from the seed alone
		AttemptTimeout:  time.Duration(r.IntN(3)) * 5 * time.Second,
		MaxElapsed:      time.Duration(r.IntN(3)) * 20 * time.Second,
		MaxThrottleWait: time.Duration(r.IntN(3)) * 5 * time.Second,
	}
}

func (w *walk) run(seed uint64) {
	r := rand.New(rand.NewPCG(seed, 0))
	gateway := &gatewaytest.Gateway{
		Dialect: pick(r, catalog.GenerationClassic, catalog.GenerationVPC),
		SayOK:   r.IntN(2) == 0,
		Routes:  []gatewaytest.Route{{Pattern: "/", Auth: gatewaytest.AuthSignature, Script: drawScript(r)}},
	}
	s := gatewaytest.NewMemoryServer(gateway)
	defer s.Close()
	base := s.Transport()
	defer base.CloseIdleConnections()
	start := time.Now()
	t := &apigw.Transport{
		Base: &signer.Signer{
			AppKey: gatewaytest.DefaultAppKey, AppSecret: gatewaytest.DefaultAppSecret,
			Hosts: []string{"api.example.com"}, Base: base,
		},
		Policy: drawPolicy(r),
		Budget: &apigw.RetryBudget{Reserve: pick(r, 0, 2, -1), Unlimited: r.IntN(3) == 0},
		OnAttempt: func(_ *http.Request, a apigw.Attempt) {
			w.note(start, "  attempt %d: %d %s %s", a.Number, a.Status, a.Code, a.Message)
		},
		OnRetry: func(_ *http.Request, _ apigw.Attempt, delay time.Duration) { w.note(start, "  delay %v", delay) },
	}
	w.note(start, "policy %+v", t.Policy)
	for i := range 1 + r.IntN(6) {
		w.send(t, gateway, drawOrder(r, strconv.Itoa(i)), time.Duration(r.IntN(4))*15*time.Second, start)
	}
}

func (w *walk) note(start time.Time, format string, args ...any) {
	w.trace = append(w.trace, fmt.Sprintf("%v ", time.Since(start))+fmt.Sprintf(format, args...))
}

func (w *walk) problem(format string, args ...any) {
	w.problems = append(w.problems, fmt.Sprintf(format, args...))
}

// send sends one request, with a deadline if there is one, and checks what the
// client learned against what the gateway counted.
func (w *walk) send(t *apigw.Transport, gateway *gatewaytest.Gateway, o order, deadline time.Duration,
	start time.Time) {
	w.note(start, "%+v, deadline %v", o, deadline)
	ctx, recorder := apigw.WithRecorder(context.Background())
	if deadline > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, deadline)
		defer cancel()
	}
	req, err := o.request("http://api.example.com/v1/orders?q=1")
	if err != nil {
		w.problem("request: %v", err)
		return
	}
	sent := time.Now()
	resp, err := t.RoundTrip(req.WithContext(ctx))
	if took := time.Since(sent); deadline > 0 && took > deadline {
		w.problem("%s: came back after %v, later than its deadline of %v", o.id, took, deadline)
	}

	var gwErr *apigw.Error
	switch {
	case err == nil && resp == nil:
		w.problem("%s: neither a response nor an error", o.id)
		return
	case err != nil:
		var ok bool
		if gwErr, ok = errors.AsType[*apigw.Error](err); !ok {
			w.problem("%s: got %T, want an *apigw.Error", o.id, err)
			return
		}
	default:
		gwErr, _ = apigw.FromResponse(resp)
		answer, bodyErr := io.ReadAll(resp.Body)
		resp.Body.Close()
		if resp.StatusCode >= 400 && gwErr == nil {
			w.problem("%s: status %d without a decoded error", o.id, resp.StatusCode)
		}
		if scripted := string(answer) == "answer of a backend" ||
			strings.HasPrefix(string(answer), "x"); resp.StatusCode < 400 && bodyErr == nil && !scripted {
			if err := o.checkEcho(answer); err != nil {
				w.problem("%s: %v", o.id, err)
			}
		}
	}
	w.outcomes = append(w.outcomes, outcome(resp, gwErr))
	w.note(start, "  %s", w.outcomes[len(w.outcomes)-1])
	w.account(t, gateway, o, recorder, gwErr)
}

// throttled counts how often the gateway answered with a row that throttles.
func throttled(gateway *gatewaytest.Gateway, id string) (n int) {
	for _, r := range gateway.Log() {
		if e, ok := catalog.ByID(r.Outcome); ok && r.Identity == id && e.Class == catalog.ClassThrottled {
			n++
		}
	}
	return n
}

// account compares both sides' numbers.
func (w *walk) account(t *apigw.Transport, gateway *gatewaytest.Gateway, o order, recorder *apigw.Recorder,
	gwErr *apigw.Error) {
	// What is on the wire arrives before it is counted.
	synctest.Wait()
	counts := gateway.IdentityCounts(o.id)
	results := recorder.Results()
	if len(results) != 1 {
		w.problem("%s: got %d results, want 1", o.id, len(results))
		return
	}
	attempts := len(results[0].Attempts)
	limit := t.Policy.MaxAttempts
	if limit == 0 {
		limit = 4
	}
	switch {
	case counts.Executed > 1 && !o.repeatable():
		w.problem("%s: %s executed %d times", o.id, o.method, counts.Executed)
	case gwErr == nil && counts.Executed == 0:
		w.problem("%s: success that the backend does not know of", o.id)
	}
	if t.Policy.MaxThrottleWait > 0 {
		limit += throttled(gateway, o.id) // a wait for a call limit is no failed attempt
	}
	if attempts > limit {
		w.problem("%s: got %d attempts, want at most %d", o.id, attempts, limit)
	}
	if counts.Received > attempts && !o.replayable() {
		w.problem("%s: gateway received %d requests, the client knows of %d", o.id, counts.Received, attempts)
	}
	if gwErr != nil && (gwErr.Stop == apigw.StopUnknown || gwErr.Entry.ID == "" || len(gwErr.Attempts) != attempts) {
		w.problem("%s: incomplete error %+v", o.id, gwErr)
	}
	if gwErr != nil && errors.Is(gwErr, apigw.ErrQuota) && gwErr.Stop != apigw.StopNotRetryable {
		w.problem("%s: quota stopped for %v", o.id, gwErr.Stop)
	}
}
