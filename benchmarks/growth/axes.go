package main

import (
	"context"
	"fmt"
	"io"
	"log"
	"net/http"
	"runtime"
	"strings"
	"sync"
	"time"

	"github.com/apigw-go/apigw"
	"github.com/apigw-go/apigw/policies"
	"github.com/apigw-go/apigw/signer"
)

func axes() []axis {
	const perCall, all = "a call", "kept by all"
	return []axis{
		{"hosts, each called", perCall, all, []int{1000, 10_000, 100_000}, func(n int) cost {
			return hosts(n, &apigw.Transport{Base: answer(200, nil)})
		}},
		{"hosts, each called, pacer on", perCall, all, []int{1000, 10_000, 100_000}, func(n int) cost {
			return hosts(n, &apigw.Transport{
				Base: answer(200, nil), Policy: apigw.RetryPolicy{MaxThrottleWait: time.Minute},
			})
		}},
		{"hosts, each refuses for its limit, pacer on", perCall, all, []int{1000, 10_000, 100_000}, func(n int) cost {
			return hosts(n, &apigw.Transport{
				Base:   answer(429, http.Header{"X-Ca-Error-Code": {"T429AP"}}),
				Policy: apigw.RetryPolicy{MaxThrottleWait: time.Nanosecond},
			})
		}},
		{"hosts, each shows a service time", perCall, all, []int{1000, 10_000, 100_000}, func(n int) cost {
			return hosts(n, &apigw.Transport{Base: answer(200, http.Header{"X-Envoy-Upstream-Service-Time": {"3"}})})
		}},
		{"hosts, each with another clock, signer", perCall, all, []int{1000, 10_000, 100_000}, func(n int) cost {
			return hosts(n, &signer.Signer{
				AppKey: "key-of-the-test", AppSecret: "a-secret-of-the-test", Hosts: []string{"*.example.com"},
				LearnOverPlainHTTP: true, // what stands in for a server here has no certificate
				Base: inTurn(answer(400, http.Header{
					"X-Ca-Error-Message": {"Timestamp Expired"},
					"Date":               {time.Now().Add(time.Hour).UTC().Format(http.TimeFormat)},
				}), answer(200, nil)),
			})
		}},
		{"patterns of a policy file, 100 a host: look-up", "a request", all, []int{100, 1000, 10_000}, lookUp},
		{"patterns of a policy file, 100 a host: loading", "a pattern", all, []int{100, 1000, 10_000}, loading},
		{"patterns of one host: loading", "a pattern", all, []int{40, 400, 4000}, loadingOneHost},
		{"bytes in the error message of a refusal", perCall, "kept by one error", []int{100, 10_000, 1_000_000}, longMessage},
		{"headers of a refusal", perCall, "kept by one error", []int{10, 100, 1000}, manyHeaders},
		{"bytes in the body of a refusal", perCall, "kept by one error", []int{10_000, 1_000_000, 100_000_000}, longAnswer},
		{"bytes of a request body without GetBody", "64 KiB", "kept by a call", []int{1 << 16, 1 << 22, 1 << 28}, longBody},
		{"calls in flight, Base alone", "a call", "for a call", []int{100, 1000, 10_000}, func(n int) cost {
			return inFlight(n, func(base http.RoundTripper) http.RoundTripper { return base })
		}},
		{"calls in flight, Transport on it", "a call", "for a call", []int{100, 1000, 10_000}, func(n int) cost {
			return inFlight(n, func(base http.RoundTripper) http.RoundTripper { return &apigw.Transport{Base: base} })
		}},
		{"calls that wait for a retry", "a call", "for a call", []int{100, 1000, 10_000}, waiting},
	}
}

type roundTripFunc func(*http.Request) (*http.Response, error)

func (f roundTripFunc) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

func answer(status int, h http.Header) roundTripFunc {
	if h == nil {
		h = http.Header{}
	}
	return func(r *http.Request) (*http.Response, error) {
		if r.Body != nil {
			io.Copy(io.Discard, r.Body)
			r.Body.Close()
		}
		return &http.Response{StatusCode: status, Header: h, Body: http.NoBody, Request: r}, nil
	}
}

// inTurn lets first and second answer by turns.
func inTurn(first, second roundTripFunc) roundTripFunc {
	calls := 0
	return func(r *http.Request) (*http.Response, error) {
		if calls++; calls%2 == 1 {
			return first(r)
		}
		return second(r)
	}
}

func request(method, url string) *http.Request {
	req, err := http.NewRequest(method, url, nil)
	if err != nil {
		log.Fatal(err)
	}
	return req
}

func call(rt http.RoundTripper, req *http.Request) *http.Response {
	resp, err := rt.RoundTrip(req)
	if err != nil {
		// A refusal by the pacer is one of the cases.
		return nil
	}
	resp.Body.Close()
	return resp
}

// hosts calls n of them once, and then as many again, which is timed.
func hosts(n int, rt http.RoundTripper) cost {
	const timed = 2000
	req := request(http.MethodGet, "https://h.example.com/v1/orders")
	before := heap()
	for i := range n {
		req.URL.Host = fmt.Sprintf("h%d.example.com", i)
		call(rt, req)
	}
	held := heap() - before
	names := make([]string, timed)
	for i := range names {
		names[i] = fmt.Sprintf("h%d.example.com", i*(n/timed+1)%n)
	}
	start := time.Now()
	for _, name := range names {
		req.URL.Host = name
		call(rt, req)
	}
	took := time.Since(start)
	runtime.KeepAlive(rt)
	return cost{took / timed, held}
}

// patternsOf returns a policy file with n patterns.
func patternsOf(n, perHost int) policies.File {
	f := policies.File{Services: make(map[string]apigw.RetryPolicy, n)}
	for i := range n {
		f.Services[fmt.Sprintf("GET h%d.example.com/v1/p%d/{id}", i/perHost, i)] = apigw.RetryPolicy{MaxAttempts: 2}
	}
	return f
}

func loaded(f policies.File) (*policies.Set, cost) {
	before, start := heap(), time.Now()
	set := &policies.Set{}
	if err := set.Replace(f); err != nil {
		log.Fatal(err)
	}
	took := time.Since(start) / time.Duration(len(f.Services))
	return set, cost{took, heap() - before}
}

func loading(n int) cost {
	set, c := loaded(patternsOf(n, 100))
	runtime.KeepAlive(set)
	return c
}

func loadingOneHost(n int) cost {
	set, c := loaded(patternsOf(n, n))
	runtime.KeepAlive(set)
	return c
}

func lookUp(n int) cost {
	set, c := loaded(patternsOf(n, 100))
	req := request(http.MethodGet, fmt.Sprintf("https://h%d.example.com/v1/p%d/42", (n-1)/100, n-1))
	const calls = 10_000
	start := time.Now()
	for range calls {
		if set.For(req) == nil {
			log.Fatal("no policy")
		}
	}
	c.perOp = time.Since(start) / calls
	return c
}

// refusals times calls that are refused and says what one of the errors keeps.
func refusals(base http.RoundTripper, calls int) cost {
	tr := &apigw.Transport{Base: base, Policy: apigw.RetryPolicy{MaxAttempts: 1}}
	req := request(http.MethodGet, "https://api.example.com/")
	call(tr, req)
	kept := make([]*apigw.Error, calls)
	before, start := heap(), time.Now()
	for i := range calls {
		kept[i], _ = apigw.FromResponse(call(tr, req))
	}
	took := time.Since(start) / time.Duration(calls)
	held := (heap() - before) / int64(calls)
	runtime.KeepAlive(kept)
	return cost{took, held}
}

func longMessage(n int) cost {
	// Cut out of a larger text, as net/http does with headers.
	return refusals(roundTripFunc(func(r *http.Request) (*http.Response, error) {
		return answer(403, http.Header{"X-Ca-Error-Message": {strings.Repeat("x ", n/2)}})(r)
	}), 100)
}

func manyHeaders(n int) cost {
	h := http.Header{"X-Ca-Error-Code": {"B403MQ"}}
	for i := range n {
		h.Set(fmt.Sprintf("X-Some-Header-%d", i), "value")
	}
	return refusals(answer(403, h), 1000)
}

func longAnswer(n int) cost {
	text := strings.Repeat("x", n)
	return refusals(roundTripFunc(func(r *http.Request) (*http.Response, error) {
		resp, err := answer(503, nil)(r)
		resp.Body, resp.ContentLength = io.NopCloser(strings.NewReader(text)), int64(n)
		return resp, err
	}), 1000)
}

// source is a body of n bytes that cannot be had again.
type source struct{ left int }

func (s *source) Read(p []byte) (int, error) {
	if s.left == 0 {
		return 0, io.EOF
	}
	n := min(len(p), s.left)
	s.left -= n
	return n, nil
}

func longBody(n int) cost {
	var most int64
	tr := &apigw.Transport{Base: roundTripFunc(func(r *http.Request) (*http.Response, error) {
		io.Copy(io.Discard, r.Body)
		most = heap() // while all that is remembered is held
		r.Body.Close()
		return answer(200, nil)(&http.Request{})
	})}
	before := heap()
	req := request(http.MethodPut, "https://api.example.com/")
	req.Body, req.ContentLength = io.NopCloser(&source{n}), int64(n)
	start := time.Now()
	call(tr, req)
	return cost{time.Since(start) / time.Duration(n>>16), most - before}
}

// held starts n calls, waits until all are where they stay, and returns what a
// call takes of heap and stack.
func held(n int, rt http.RoundTripper, arrived *sync.WaitGroup, release func()) cost {
	before := heap()
	arrived.Add(n)
	var done sync.WaitGroup
	start := time.Now()
	for range n {
		done.Go(func() { call(rt, request(http.MethodGet, "https://api.example.com/")) })
	}
	arrived.Wait()
	took := time.Since(start)
	time.Sleep(10 * time.Millisecond) // from the last sign of life to the wait
	grown := heap() - before
	release()
	done.Wait()
	return cost{took / time.Duration(n), grown / int64(n)}
}

func inFlight(n int, wrap func(base http.RoundTripper) http.RoundTripper) cost {
	var arrived sync.WaitGroup
	gate := make(chan struct{})
	base := roundTripFunc(func(r *http.Request) (*http.Response, error) {
		arrived.Done()
		<-gate
		return answer(200, nil)(r)
	})
	return held(n, wrap(base), &arrived, func() { close(gate) })
}

func waiting(n int) cost {
	ctx, cancel := context.WithCancel(context.Background())
	var arrived sync.WaitGroup
	tr := &apigw.Transport{
		Base:    answer(503, nil),
		Policy:  apigw.RetryPolicy{InitialBackoff: time.Hour, MaxBackoff: time.Hour, Jitter: apigw.JitterNone},
		Budget:  &apigw.RetryBudget{Unlimited: true},
		OnRetry: func(*http.Request, apigw.Attempt, time.Duration) { arrived.Done() },
	}
	rt := roundTripFunc(func(r *http.Request) (*http.Response, error) { return tr.RoundTrip(r.WithContext(ctx)) })
	return held(n, rt, &arrived, cancel)
}
