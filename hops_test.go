package apigw

import (
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/apigw-go/apigw/catalog"
)

var served = http.Header{headerServiceTime: {"7"}}

// step is a request to a host, and the answer that it gets.
type step struct {
	method, url string
	status      int
	header      http.Header
	body        string
}

// postUnhealthy gets the text of a proxy that did not send the request on.
func postUnhealthy(url string, h http.Header, body string) step {
	return step{http.MethodPost, url, 503, h, body}
}

// A POST is sent again only where all hold: the exact text, no service time, and
// a host that is known to send it, over a channel that nobody can change.
func TestNotSentByThisProxy(t *testing.T) {
	const host, plain, local = "https://api.example.com/a", "http://api.example.com/a", "http://127.0.0.1:8080/a"
	const connectError = "upstream connect error or disconnect/reset before headers. "
	const resetReason = connectError + "reset reason: "
	phrase := http.Header{headerErrorMessage: {"Service Unavailable"}}
	get := func(url string, h http.Header) step { return step{http.MethodGet, url, 200, h, "fine"} }
	refused := func(url string) step { return postUnhealthy(url, nil, unhealthy) }
	for name, c := range map[string]struct {
		steps   []step
		policy  RetryPolicy
		sent    int // times that the last one is sent
		reached catalog.Reached
		origin  Origin
	}{
		"host shows it": {
			[]step{get(host, served), refused(host)}, RetryPolicy{}, 2, catalog.ReachedNo, OriginProxy,
		},
		"nothing known": {[]step{refused(host)}, RetryPolicy{}, 1, catalog.ReachedMaybe, OriginProxy},
		"host never shows it": {
			[]step{get(host, nil), refused(host)}, RetryPolicy{}, 1, catalog.ReachedMaybe, OriginProxy,
		},
		"another host shows it": {
			[]step{get("https://b.example.com/", served), refused(host)}, RetryPolicy{}, 1, catalog.ReachedMaybe,
			OriginProxy,
		},
		"spelled otherwise": {
			[]step{get("https://API.example.com.:443/", served), refused(host)}, RetryPolicy{}, 2,
			catalog.ReachedNo, OriginProxy,
		},
		"shows it now and then": {
			[]step{get(host, served), get(host, nil), get(host, served), refused(host)}, RetryPolicy{}, 1,
			catalog.ReachedMaybe, OriginProxy,
		},
		"preflight without it": {
			[]step{get(host, served), {http.MethodOptions, host, 204, nil, ""}, refused(host)}, RetryPolicy{}, 2,
			catalog.ReachedNo, OriginProxy,
		},
		"redirect without it": {
			[]step{get(host, served), {http.MethodGet, host, 302, nil, ""}, refused(host)}, RetryPolicy{}, 2,
			catalog.ReachedNo, OriginProxy,
		},
		"a failure shows it": {
			[]step{{http.MethodGet, host, 404, served, ""}, refused(host)}, RetryPolicy{}, 1, catalog.ReachedMaybe,
			OriginProxy,
		},
		"no TLS": {
			[]step{get(plain, served), refused(plain)}, RetryPolicy{}, 1, catalog.ReachedMaybe, OriginProxy,
		},
		"learned by TLS, asked plain": {
			[]step{get(host, served), refused(plain)}, RetryPolicy{}, 1, catalog.ReachedMaybe, OriginProxy,
		},
		"this machine": {
			[]step{get(local, served), refused(local)}, RetryPolicy{}, 2, catalog.ReachedNo, OriginProxy,
		},
		"policy vouches": {
			[]step{refused(plain)}, RetryPolicy{TrustProxyText: true}, 2, catalog.ReachedNo, OriginProxy,
		},
		"policy vouches, backend": {
			[]step{postUnhealthy(host, served, unhealthy)}, RetryPolicy{TrustProxyText: true}, 1,
			catalog.ReachedYes, OriginBackend,
		},
		"passed on from behind": {
			[]step{get(host, served), postUnhealthy(host, served, unhealthy)}, RetryPolicy{}, 1, catalog.ReachedYes,
			OriginBackend,
		},
		"words in front": {
			[]step{get(host, served), postUnhealthy(host, nil, "payment: "+unhealthy)}, RetryPolicy{}, 1,
			catalog.ReachedMaybe, OriginBackend,
		},
		"words behind": {
			[]step{get(host, served), postUnhealthy(host, nil, unhealthy+" for payment")}, RetryPolicy{}, 1,
			catalog.ReachedMaybe, OriginBackend,
		},
		"other case": {
			[]step{get(host, served), postUnhealthy(host, nil, "No Healthy Upstream")}, RetryPolicy{}, 1,
			catalog.ReachedMaybe, OriginBackend,
		},
		"not UTF-8": {
			[]step{get(host, served), postUnhealthy(host, nil, unhealthy+"\xff")}, RetryPolicy{}, 1,
			catalog.ReachedMaybe, OriginBackend,
		},
		"another status": {
			[]step{get(host, served), {http.MethodPost, host, 500, nil, unhealthy}}, RetryPolicy{}, 1,
			catalog.ReachedMaybe, OriginBackend,
		},
		"a mark without a value": {
			[]step{get(host, served), postUnhealthy(host, http.Header{headerServiceTime: {""}}, unhealthy)},
			RetryPolicy{}, 1, catalog.ReachedMaybe, OriginProxy,
		},
		"white space around it": {
			[]step{get(host, served), postUnhealthy(host, nil, " "+unhealthy+"\r\n")}, RetryPolicy{}, 2,
			catalog.ReachedNo, OriginProxy,
		},
		"the proxy had sent it": {
			[]step{
				get(host, served),
				postUnhealthy(host, nil, connectError+"retried and the latest reset reason: connection failure"),
			},
			RetryPolicy{}, 1, catalog.ReachedMaybe, OriginProxy,
		},
		"a reason no row has": {
			[]step{get(host, served), postUnhealthy(host, nil, resetReason+"something new")},
			RetryPolicy{}, 1, catalog.ReachedMaybe, OriginProxy,
		},
		"connection failure": {
			[]step{get(host, served),
				postUnhealthy(host, nil, resetReason+"remote connection failure, transport failure reason: 111")},
			RetryPolicy{}, 2, catalog.ReachedNo, OriginProxy,
		},
		"connection termination": {
			[]step{get(host, served), postUnhealthy(host, nil, resetReason+"connection termination")},
			RetryPolicy{}, 1, catalog.ReachedMaybe, OriginProxy,
		},
		"classic mark beside it": {
			[]step{get(host, served), postUnhealthy(host, phrase, unhealthy)},
			RetryPolicy{}, 1, catalog.ReachedMaybe, OriginUnknown,
		},
		"empty 503, host shows it": {
			[]step{get(host, served), postUnhealthy(host, nil, "")}, RetryPolicy{}, 1, catalog.ReachedMaybe,
			OriginProxy,
		},
		"empty 503": {
			[]step{postUnhealthy(host, nil, "")}, RetryPolicy{}, 1, catalog.ReachedMaybe, OriginBackend,
		},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				tr := &Transport{Policy: c.policy}
				tr.Policy.MaxAttempts = 2
				var e *Error
				sent := 0
				for _, s := range c.steps {
					sent = 0
					tr.Base = roundTripFunc(func(req *http.Request) (*http.Response, error) {
						sent++
						return &http.Response{
							StatusCode: s.status, Header: s.header, Request: req,
							ContentLength: int64(len(s.body)), Body: io.NopCloser(strings.NewReader(s.body)),
						}, nil
					})
					req, err := http.NewRequestWithContext(t.Context(), s.method, s.url, strings.NewReader("order"))
					if err != nil {
						t.Fatal(err)
					}
					resp, err := tr.RoundTrip(req)
					if err != nil {
						t.Fatal(err)
					}
					if got, _ := io.ReadAll(resp.Body); string(got) != s.body {
						t.Errorf("body %q, want %q", got, s.body)
					}
					e, _ = FromResponse(resp)
				}
				if sent != c.sent || e.Reached != c.reached || e.Origin != c.origin {
					t.Errorf("%s: sent %d times, reached %v, origin %v; want %d, %v, %v", e.Entry.ID, sent, e.Reached,
						e.Origin, c.sent, c.reached, c.origin)
				}
			})
		})
	}
}

// What is learned is bounded in number and in time.
func TestHopsAreBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var known hops
		ask := func(host string) (*http.Request, *http.Response) {
			req, _ := http.NewRequest(http.MethodGet, "https://"+host+"/", nil)
			return req, &http.Response{StatusCode: 200, Header: served}
		}
		for i := range 2 * maxHops {
			known.learn(ask(fmt.Sprintf("h%d.example.com", i)))
			time.Sleep(hopInterval)
		}
		if got := len(*known.hosts.Load()); got != maxHops {
			t.Errorf("%d hosts, want %d", got, maxHops)
		}
		latest := fmt.Sprintf("h%d.example.com", 2*maxHops-1)
		if known.shows(ask("h0.example.com")) || !known.shows(ask(latest)) {
			t.Error("not the stalest host went")
		}
		known.learn(ask("in-time.example.com"))
		table := known.hosts.Load()
		known.learn(ask("early.example.com"))
		if known.hosts.Load() != table {
			t.Error("the full table was copied for one host more within the interval")
		}
		time.Sleep(hopInterval)
		known.learn(ask("late.example.com"))
		if !known.shows(ask("late.example.com")) {
			t.Error("after the interval a new host was not learned")
		}
		known.learn(ask(strings.Repeat("x", maxHopName) + ".example.com"))
		if known.shows(ask(strings.Repeat("x", maxHopName) + ".example.com")) {
			t.Error("a name without end was kept")
		}
		time.Sleep(hopLifetime)
		if known.shows(ask(latest)) {
			t.Error("it is known for ever")
		}
	})
}

func TestLearningAllocatesNothing(t *testing.T) {
	if raceEnabled {
		return // the detector allocates
	}
	for name, h := range map[string]http.Header{"shows it": served, "does not": {}} {
		req, _ := http.NewRequest(http.MethodGet, "https://api.example.com/", nil)
		tr := &Transport{Base: roundTripFunc(func(*http.Request) (*http.Response, error) { return nil, nil })}
		tr.hops.learn(req, &http.Response{StatusCode: 200, Header: served})
		resp := &http.Response{StatusCode: 200, Header: h}
		if got := testing.AllocsPerRun(100, func() { tr.hops.learn(req, resp) }); got != 0 {
			t.Errorf("%s: %v allocations, want 0", name, got)
		}
	}
}

// Who can be taken for this machine or for the host itself.
func TestTrusted(t *testing.T) {
	verified := &tls.ConnectionState{VerifiedChains: [][]*x509.Certificate{{{}}}}
	for name, c := range map[string]struct {
		url  string
		tls  *tls.ConnectionState
		want bool
	}{
		"TLS":                    {"https://api.example.com/", verified, true},
		"TLS of a stub":          {"https://api.example.com/", nil, true},
		"TLS not verified":       {"https://api.example.com/", &tls.ConnectionState{}, false},
		"TLS not verified, here": {"https://127.0.0.1/", &tls.ConnectionState{}, false},
		"plain":                  {"http://api.example.com/", nil, false},
		"letter case of TLS":     {"HTTPS://api.example.com/", verified, true},
		"loopback":               {"http://127.0.0.1:80/", nil, true},
		"loopback 127.8":         {"http://127.8.0.1/", nil, true},
		"loopback IPv6":          {"http://[::1]:80/", nil, true},
		"loopback mapped":        {"http://[::ffff:127.0.0.1]/", nil, true},
		"not the loopback":       {"http://[::2]/", nil, false},
		"localhost":              {"http://localhost:80/", nil, true},
		"LOCALHOST":              {"http://LOCALHOST/", nil, false},
		"localhost with a dot":   {"http://localhost./", nil, false},
		"below localhost":        {"http://a.localhost/", nil, false},
		"like localhost":         {"http://localhost.example.com/", nil, false},
		"like the loopback":      {"http://127.0.0.1.example.com/", nil, false},
		"short loopback":         {"http://127.1/", nil, false},
		"this network":           {"http://0.0.0.0/", nil, false},
		"private network":        {"http://10.0.0.1/", nil, false},
		"no host":                {"http:///", nil, false},
	} {
		t.Run(name, func(t *testing.T) {
			u, err := url.Parse(c.url)
			if err != nil {
				t.Fatal(err)
			}
			if got := trusted(u, &http.Response{TLS: c.tls}); got != c.want {
				t.Errorf("got %v, want %v", got, c.want)
			}
		})
	}
}
