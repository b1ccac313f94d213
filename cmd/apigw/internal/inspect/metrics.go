package inspect

import (
	"fmt"
	"io"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"sync"
	"time"

	"github.com/apigw-go/apigw"
)

// buckets are the upper bounds of the histogram, in seconds. They are those of
// the OpenTelemetry conventions for HTTP.
var buckets = [...]float64{0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 7.5, 10}

// metrics counts calls for Prometheus. No label holds what a client or server
// chose freely: status, class and reason are closed sets.
type metrics struct {
	mu       sync.Mutex
	inFlight int
	attempts int
	calls    map[callLabels]int
	counts   [len(buckets)]int
	sum      float64
	total    int
}

type callLabels struct {
	status int
	class  string
	stop   string
}

func (m *metrics) begin() {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.inFlight++
}

func (m *metrics) attempt(apigw.Attempt) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.attempts++
}

// end counts a call that is over.
func (m *metrics) end(e *entry) {
	e.mu.Lock()
	labels := callLabels{status: e.status}
	if f := e.failure; f != nil {
		labels.class, labels.stop = f.Entry.Class.String(), f.Stop.String()
	}
	took := e.duration
	e.mu.Unlock()

	m.mu.Lock()
	defer m.mu.Unlock()
	m.inFlight--
	if m.calls == nil {
		m.calls = map[callLabels]int{}
	}
	m.calls[labels]++
	m.observe(took)
}

func (m *metrics) observe(took time.Duration) {
	seconds := took.Seconds()
	m.sum += seconds
	m.total++
	for i, bound := range buckets {
		if seconds <= bound {
			m.counts[i]++
		}
	}
}

// write prints all in the Prometheus text format, version 0.0.4.
func (m *metrics) write(w io.Writer) {
	m.mu.Lock()
	defer m.mu.Unlock()

	head(w, "apigw_calls_total", "counter",
		"Calls answered, by status (0: the client went away), class of the failure and reason for no further attempt.")
	order := func(a, b callLabels) int {
		return slices.Compare([]string{strconv.Itoa(a.status), a.class, a.stop},
			[]string{strconv.Itoa(b.status), b.class, b.stop})
	}
	for _, l := range slices.SortedFunc(maps.Keys(m.calls), order) {
		fmt.Fprintf(w, "apigw_calls_total{status=\"%d\",class=%q,stop=%q} %d\n", l.status, l.class, l.stop, m.calls[l])
	}
	head(w, "apigw_calls_in_flight", "gauge", "Calls that are not answered yet.")
	fmt.Fprintf(w, "apigw_calls_in_flight %d\n", m.inFlight)
	head(w, "apigw_attempts_total", "counter", "Requests sent to the API.")
	fmt.Fprintf(w, "apigw_attempts_total %d\n", m.attempts)
	head(w, "apigw_call_duration_seconds", "histogram", "Time from a call to the end of its answer.")
	for i, bound := range buckets {
		fmt.Fprintf(w, "apigw_call_duration_seconds_bucket{le=\"%g\"} %d\n", bound, m.counts[i])
	}
	fmt.Fprintf(w, "apigw_call_duration_seconds_bucket{le=\"+Inf\"} %d\n", m.total)
	fmt.Fprintf(w, "apigw_call_duration_seconds_sum %g\napigw_call_duration_seconds_count %d\n", m.sum, m.total)
}

// head writes what comes before the samples of a metric.
func head(w io.Writer, name, kind, help string) {
	fmt.Fprintf(w, "# HELP %s %s\n# TYPE %s %s\n", name, help, name, kind)
}

// perState is a metric with a sample for each budget or limit.
type perState[S any] struct {
	name, kind, help string
	value            func(S) any
}

var budgetMetrics = []perState[apigw.BudgetState]{
	{"apigw_retry_budget_available", "gauge", "Retries that the budget permits now.",
		func(b apigw.BudgetState) any { return b.Available }},
	{"apigw_retries_denied_total", "counter", "Retries that the budget refused.",
		func(b apigw.BudgetState) any { return b.Denied }},
}

var limitMetrics = []perState[apigw.PacerState]{
	{"apigw_limit_rate", "gauge", "Calls a second that a limit lets go; 0: no limit is known.",
		func(l apigw.PacerState) any { return l.Rate }},
	{"apigw_limit_waiting", "gauge", "Calls that wait for a place within a limit.",
		func(l apigw.PacerState) any { return l.Waiting }},
	{"apigw_limit_refused_total", "counter", "Calls that the gateway refused because of a limit.",
		func(l apigw.PacerState) any { return l.Refused }},
}

// writeStates prints metrics of states, each of which is known by a label.
func writeStates[S any](w io.Writer, metrics []perState[S], states []S, label string, of func(S) string) {
	for _, m := range metrics {
		head(w, m.name, m.kind, m.help)
		for _, s := range states {
			fmt.Fprintf(w, "%s{%s=%q} %v\n", m.name, label, of(s), m.value(s))
		}
	}
}

func (i *Inspector) serveMetrics(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Type", "text/plain; version=0.0.4; charset=utf-8")
	i.metrics.write(w)
	writeStates(w, budgetMetrics, i.budgets(), "host", func(b apigw.BudgetState) string { return b.Host })
	writeStates(w, limitMetrics, i.limits(), "key", func(l apigw.PacerState) string { return l.Key })
}

func (i *Inspector) budgets() []apigw.BudgetState {
	if i.Budgets == nil {
		return nil
	}
	return i.Budgets()
}

func (i *Inspector) limits() []apigw.PacerState {
	if i.Limits == nil {
		return nil
	}
	return i.Limits()
}
