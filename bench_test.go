package apigw

import (
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/cenkalti/backoff/v4"
)

// stub is the cheapest Base that keeps the contract: a new response each time,
// after the request body is closed.
type stub struct {
	statuses []int // in turn
	header   http.Header
	body     string // of failures
	n        int
}

func (s *stub) RoundTrip(req *http.Request) (*http.Response, error) {
	if req.Body != nil {
		req.Body.Close()
	}
	status := s.statuses[s.n%len(s.statuses)]
	s.n++
	resp := &http.Response{StatusCode: status, Header: s.header, Body: http.NoBody, Request: req}
	if s.body != "" && status >= 400 {
		resp.Body, resp.ContentLength = io.NopCloser(strings.NewReader(s.body)), int64(len(s.body))
	}
	return resp, nil
}

var noHeader = http.Header{}

type benchCase struct {
	name     string
	statuses []int // of the answers, in turn
	header   http.Header
	post     bool
	allowed  float64 // allocations beyond the stub's
	body     string  // of failures
}

var benchCases = []benchCase{
	{"success GET", []int{200}, noHeader, false, 0, ""},
	{"success POST with GetBody", []int{200}, noHeader, true, 0, ""},
	{"403 with a known text", []int{403}, http.Header{headerErrorMessage: {"Quota Exhausted"}}, false, 3, ""},
	{"403 with a known code", []int{403}, http.Header{headerErrorCode: {"B403MQ"}}, false, 3, ""},
	{
		"403 with an unknown text", []int{403}, http.Header{headerErrorMessage: {"Shop closed, see /help?id=7"}}, false,
		3, "",
	},
	{"403 with an unknown code", []int{403}, http.Header{headerErrorCode: {"Shop.Closed"}}, false, 3, ""},
	{"403 with an inferred code", []int{403}, http.Header{headerErrorCode: {"A403ZZ"}}, false, 3, ""},
	{"403 with an inferred code and a text", []int{403},
		http.Header{headerErrorCode: {"A403ZZ"}, headerErrorMessage: {"Shop closed"}}, false, 3, ""},
	{"403 without a mark", []int{403}, noHeader, false, 3, ""},
	{"503 with a text of 100 bytes", []int{503}, noHeader, true, 6, strings.Repeat("Sorry. ", 15)[:100]},
	{"503 with a text of a proxy", []int{503}, noHeader, true, 6, "no healthy upstream"},
	{"success that shows the service time", []int{200}, http.Header{headerServiceTime: {"3"}}, false, 0, ""},
	{"one retry", []int{503, 200}, http.Header{headerErrorMessage: {"Service Unavailable"}}, false, 6, ""},
	{"one retry of a POST", []int{503, 200}, http.Header{headerErrorMessage: {"Service Unavailable"}}, true, 6, ""},
}

// prepare returns one call through the transport and one through the stub
// alone. A retried call needs two of the stub's.
func (c benchCase) prepare(t testing.TB, budget *RetryBudget) (through, bare func()) {
	req := newRequest(t, http.MethodGet, "")
	if c.post {
		req = newRequest(t, http.MethodPost, "order")
		body := io.NopCloser(strings.NewReader("order"))
		req.Body, req.GetBody = body, func() (io.ReadCloser, error) { return body, nil }
	}
	policy := RetryPolicy{NewBackOff: func() BackOff { return &backoff.ZeroBackOff{} }}
	call := func(rt http.RoundTripper) {
		resp, err := rt.RoundTrip(req)
		if err != nil {
			t.Fatal(err)
		}
		resp.Body.Close()
	}
	tr := &Transport{Base: &stub{statuses: c.statuses, header: c.header, body: c.body}, Policy: policy, Budget: budget}
	alone := &stub{statuses: c.statuses, header: c.header, body: c.body}
	return func() { call(tr) }, func() {
		for range c.statuses {
			call(alone)
		}
	}
}

func TestAllocations(t *testing.T) {
	if raceEnabled {
		return // the detector allocates
	}
	for _, c := range benchCases {
		for name, budget := range map[string]*RetryBudget{"budget": {Ratio: 2}, "no budget": {Unlimited: true}} {
			t.Run(c.name+"/"+name, func(t *testing.T) {
				through, bare := c.prepare(t, budget)
				got := testing.AllocsPerRun(1000, through) - testing.AllocsPerRun(1000, bare)
				t.Logf("%v allocations over the stub's", got)
				if got > c.allowed {
					t.Errorf("%v allocations over the stub's, want at most %v", got, c.allowed)
				}
			})
		}
	}
}

func BenchmarkRoundTrip(b *testing.B) {
	for _, c := range benchCases {
		through, bare := c.prepare(b, &RetryBudget{Ratio: 2})
		for name, call := range map[string]func(){"apigw": through, "stub": bare} {
			b.Run(c.name+"/"+name, func(b *testing.B) {
				b.ReportAllocs()
				for b.Loop() {
					call()
				}
			})
		}
	}
}

// A program sees the transport through http.Client.
func BenchmarkClient(b *testing.B) {
	for name, rt := range map[string]http.RoundTripper{
		"apigw": &Transport{Base: &stub{statuses: []int{200}, header: noHeader}},
		"stub":  &stub{statuses: []int{200}, header: noHeader},
	} {
		b.Run(name, func(b *testing.B) {
			client := &http.Client{Transport: rt}
			req := newRequest(b, http.MethodGet, "")
			b.ReportAllocs()
			for b.Loop() {
				resp, err := client.Do(req)
				if err != nil {
					b.Fatal(err)
				}
				resp.Body.Close()
			}
		})
	}
}

func BenchmarkClassify(b *testing.B) {
	for name, h := range map[string]http.Header{
		"text": {headerErrorMessage: {"Throttled by API Flow Control"}},
		"code": {headerErrorCode: {"B403MQ"}, headerErrorMessage: {"Api Market Subscription quota exhausted"}},
		"none": {"Content-Type": {"application/json"}},
	} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			var e Error
			for b.Loop() {
				e = Error{}
				e.classify(received{status: 403, header: h})
			}
		})
	}
}

func BenchmarkBudget(b *testing.B) {
	var budget RetryBudget
	now := monotonic()
	u := hostURL("api.example.com")
	b.ReportAllocs()
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			budget.request(u, now)
		}
	})
}
