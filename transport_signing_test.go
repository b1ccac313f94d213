package apigw_test

import (
	"flag"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/apigw-go/apigw"
	"github.com/apigw-go/apigw/gatewaytest"
	"github.com/apigw-go/apigw/signer"
)

// quick is a policy whose delays do not slow a test down.
var quick = apigw.RetryPolicy{InitialBackoff: time.Millisecond, MaxBackoff: time.Millisecond}

func unlimited() *apigw.RetryBudget { return &apigw.RetryBudget{Unlimited: true} }

// newSigner signs for srv with the key that a gatewaytest.Gateway knows.
func newSigner(srv *gatewaytest.Server) *signer.Signer {
	return &signer.Signer{
		AppKey: gatewaytest.DefaultAppKey, AppSecret: gatewaytest.DefaultAppSecret,
		Hosts: []string{"127.0.0.1:*"}, Base: srv.Transport(),
	}
}

func refusals(n int) []gatewaytest.Outcome {
	return []gatewaytest.Outcome{{Error: "D504CO", Times: n}}
}

func post(t *testing.T, rt http.RoundTripper, url, body string) *http.Response {
	t.Helper()
	resp, err := (&http.Client{Transport: rt}).Post(url, "application/json", strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	io.Copy(io.Discard, resp.Body)
	resp.Body.Close()
	return resp
}

func nonces(g *gatewaytest.Gateway) (nonces []string) {
	for _, r := range g.Log() {
		nonces = append(nonces, r.Nonce)
	}
	return nonces
}

func TestEveryAttemptIsSignedAfresh(t *testing.T) {
	for name, newServer := range map[string]func(http.Handler) *gatewaytest.Server{
		"HTTP/1.1": gatewaytest.NewServer, "HTTP/2": gatewaytest.NewHTTP2Server,
	} {
		t.Run(name, func(t *testing.T) {
			g := &gatewaytest.Gateway{Routes: []gatewaytest.Route{{Pattern: "POST /orders", Script: refusals(2)}}}
			srv := newServer(g)
			defer srv.Close()
			resp := post(
				t,
				&apigw.Transport{Base: newSigner(srv), Policy: quick},
				srv.URL+"/orders?b=2&a=1",
				`{"item":7}`,
			)
			if resp.StatusCode != 200 || resp.Proto[:6] != name[:6] {
				t.Errorf("got %d over %s, want 200 over %s", resp.StatusCode, resp.Proto, name)
			}
			got := nonces(g)
			if slices.Sort(got); len(got) != 3 || len(slices.Compact(got)) != 3 {
				t.Errorf("nonces %q, want three different ones", got)
			}
			if c := g.Counts(); c.Executed != 1 {
				t.Errorf("the backend ran %d times, want once", c.Executed)
			}
		})
	}
}

// What an SDK does: it signs above the Transport.
func signedAbove(t *testing.T, s *signer.Signer, method, url string) *http.Request {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), method, url, strings.NewReader("order"))
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Sign(req); err != nil {
		t.Fatal(err)
	}
	return req
}

func TestSignedAboveTheTransport(t *testing.T) {
	for name, c := range map[string]struct {
		renew    bool
		status   int
		attempts int
		stop     apigw.StopReason
	}{
		"nobody renews": {false, 504, 1, apigw.StopNonce},
		"renewed":       {true, 200, 3, apigw.StopUnknown},
	} {
		t.Run(name, func(t *testing.T) {
			g := &gatewaytest.Gateway{Routes: []gatewaytest.Route{{Pattern: "/", Script: refusals(2)}}}
			srv := gatewaytest.NewServer(g)
			defer srv.Close()
			s := newSigner(srv)
			tr := &apigw.Transport{Base: srv.Transport(), Policy: quick}
			if c.renew {
				tr.PrepareRetry = s.Sign
			}
			resp, err := tr.RoundTrip(signedAbove(t, s, http.MethodPost, srv.URL))
			if err != nil {
				t.Fatal(err)
			}
			resp.Body.Close()
			stop := apigw.StopUnknown
			if e, ok := apigw.FromResponse(resp); ok {
				stop = e.Stop
			}
			if resp.StatusCode != c.status || g.Counts().Received != c.attempts || stop != c.stop {
				t.Errorf(
					"status %d after %d attempts, stop %v; want %d, %d, %v",
					resp.StatusCode,
					g.Counts().Received,
					stop,
					c.status,
					c.attempts,
					c.stop,
				)
			}
		})
	}
}

func TestWrongClockIsRepairedOnce(t *testing.T) {
	g := &gatewaytest.Gateway{}
	srv := gatewaytest.NewServer(g)
	defer srv.Close()
	s := newSigner(srv)
	s.Now = func() time.Time { return time.Now().Add(-20 * time.Minute) }
	tr := &apigw.Transport{Base: s, Policy: quick}
	for i, want := range []int{2, 3} { // the second request knows the clock
		if resp := post(t, tr, srv.URL, "order"); resp.StatusCode != 200 || g.Counts().Received != want {
			t.Errorf(
				"request %d: status %d, %d received so far, want 200, %d",
				i+1,
				resp.StatusCode,
				g.Counts().Received,
				want,
			)
		}
	}
}

// http.Transport resends a GET by itself when a reused connection dies; the
// gateway then says "Nonce Used" to a request that nobody else resent.
func TestNonceUsedByTheTransportBelow(t *testing.T) {
	g := &gatewaytest.Gateway{
		Routes: []gatewaytest.Route{
			{Pattern: "/", Script: []gatewaytest.Outcome{{}, {Drop: gatewaytest.DropAfterBackend}}},
		},
	}
	srv := gatewaytest.NewServer(g)
	defer srv.Close()
	client := &http.Client{Transport: &apigw.Transport{Base: newSigner(srv), Policy: quick}}
	for range 2 {
		resp, err := client.Get(srv.URL)
		if err != nil {
			t.Fatal(err)
		}
		io.Copy(io.Discard, resp.Body)
		resp.Body.Close()
		if resp.StatusCode != 200 {
			t.Errorf("status %d, want 200", resp.StatusCode)
		}
	}
	var outcomes []string
	for _, r := range g.Log() {
		outcomes = append(outcomes, r.Outcome)
	}
	want := []string{"served", "dropped after-backend", "classic.nonce-used", "served"}
	if !slices.Equal(outcomes, want) {
		t.Errorf("the gateway saw %q, want %q", outcomes, want)
	}
}

// The gateway counts how often the backend ran for each of many POSTs, under
// refusals and connections dropped before and after the backend.
var posts = flag.Int("posts", 2000, "requests of TestNoPostRunsTwice; the gate sends more")

func TestNoPostRunsTwice(t *testing.T) {
	requests := *posts
	random := rand.New(rand.NewPCG(1, 2))
	var script []gatewaytest.Outcome
	for range requests {
		script = append(script, []gatewaytest.Outcome{
			{}, {}, {}, {}, {Error: "D504CO"}, {Error: "D503CB"}, {Error: "classic.internal-error"},
			{Drop: gatewaytest.DropOnArrival}, {Drop: gatewaytest.DropBeforeBackend},
			{Drop: gatewaytest.DropAfterBackend}, {Drop: gatewaytest.DropAfterBackend, Reset: true},
		}[random.IntN(11)])
	}
	g := &gatewaytest.Gateway{Routes: []gatewaytest.Route{{Pattern: "POST /", Script: script}}}
	srv := gatewaytest.NewServer(g)
	defer srv.Close()
	client := &http.Client{Transport: &apigw.Transport{Base: newSigner(srv), Policy: quick, Budget: unlimited()}}
	var next, answered, failed atomic.Int64
	var wg sync.WaitGroup
	for range 16 {
		wg.Go(func() {
			for i := next.Add(1); i <= int64(requests); i = next.Add(1) {
				req, _ := http.NewRequest(http.MethodPost, srv.URL+"/orders", strings.NewReader("order"))
				req.Header.Set("X-Test-Request", fmt.Sprint(i))
				resp, err := client.Do(req)
				if err != nil {
					failed.Add(1)
					continue
				}
				io.Copy(io.Discard, resp.Body)
				resp.Body.Close()
				answered.Add(1)
			}
		})
	}
	wg.Wait()
	for i := range requests {
		if c := g.IdentityCounts(fmt.Sprint(i + 1)); c.Executed > 1 {
			t.Errorf("request %d ran %d times", i+1, c.Executed)
		}
	}
	t.Logf(
		"%d requests: %d answered, %d ended in an error, %d received, %d executed",
		requests,
		answered.Load(),
		failed.Load(),
		g.Counts().Received,
		g.Counts().Executed,
	)
	if int(answered.Load()+failed.Load()) != requests || failed.Load() == 0 || g.Counts().Received <= requests {
		t.Errorf(
			"the faults had no effect: %d answered, %d failed, %d received",
			answered.Load(),
			failed.Load(),
			g.Counts().Received,
		)
	}
}

// Without the sentence of the signer the gateway's answer would blame the key.
func TestWithheldCredentialsAreSaid(t *testing.T) {
	server := gatewaytest.NewServer(&gatewaytest.Gateway{})
	defer server.Close()
	tr := &apigw.Transport{Base: &signer.Signer{
		AppKey: gatewaytest.DefaultAppKey, AppSecret: gatewaytest.DefaultAppSecret, Hosts: []string{"api.example.com"},
	}}
	req, err := http.NewRequest(http.MethodGet, server.URL, nil)
	if err != nil {
		t.Fatal(err)
	}
	resp, err := tr.RoundTrip(req)
	if err != nil {
		t.Fatal(err)
	}
	resp.Body.Close()
	e, _ := apigw.FromResponse(resp)
	if got, want := e.Error(),
		"no credentials were sent: host "+req.URL.Host+" is not in Hosts"; !strings.Contains(got, want) {
		t.Errorf("got %q, want %q in it", got, want)
	}
}
