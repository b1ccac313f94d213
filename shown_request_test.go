package apigw

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httputil"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// A hook that dumps the request, as people do, does not take the body away.
func TestHookThatReadsTheBody(t *testing.T) {
	var dumps []string
	dump := func(req *http.Request) {
		text, err := httputil.DumpRequestOut(req, true)
		_, body, _ := strings.Cut(string(text), "\r\n\r\n")
		dumps = append(dumps, fmt.Sprint(body, err))
		req.Body.Close()
	}
	hooks := map[string]func(*Transport){
		"OnAttempt": func(tr *Transport) { tr.OnAttempt = func(r *http.Request, _ Attempt) { dump(r) } },
		"OnRetry":   func(tr *Transport) { tr.OnRetry = func(r *http.Request, _ Attempt, _ time.Duration) { dump(r) } },
		"OnDone":    func(tr *Transport) { tr.OnDone = func(r *http.Request, _ Result) { dump(r) } },
	}
	for name, hook := range hooks {
		for _, getBody := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s, GetBody %v", name, getBody), func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					dumps = nil
					base := serve(notReached, notReached, ok)
					tr := &Transport{Base: base, Policy: soon}
					hook(tr)
					body := &countingBody{Reader: strings.NewReader("order")}
					req := newRequest(t, http.MethodPost, "order")
					if !getBody {
						req.Body, req.GetBody = body, nil
					}
					resp, err := tr.RoundTrip(req)
					if err != nil {
						t.Fatal(err)
					}
					resp.Body.Close()
					for i, sent := range base.bodies {
						if sent != "order" {
							t.Errorf("attempt %d sent %q", i+1, sent)
						}
					}
					if len(base.bodies) != 3 || len(dumps) == 0 {
						t.Errorf("%d attempts, %d dumps", len(base.bodies), len(dumps))
					}
					if !getBody && (dumps[0] != "order<nil>" && name != "OnDone" || body.closes() != 1) {
						t.Errorf("the hook saw %q; the body was closed %d times", dumps, body.closes())
					}
				})
			})
		}
	}
}

// Without a body, or before there is one, a hook sees the caller's request.
func TestHookSeesTheRequest(t *testing.T) {
	req := newRequest(t, http.MethodGet, "")
	var seen []*http.Request
	tr := &Transport{Base: serve(ok), OnDone: func(r *http.Request, _ Result) { seen = append(seen, r) }}
	resp, err := tr.RoundTrip(req)
	if err != nil {
		t.Fatal(err)
	}
	io.Copy(io.Discard, resp.Body)
	resp.Body.Close()
	bad := newRequest(t, http.MethodGet, "")
	bad.URL = nil
	tr.RoundTrip(bad)
	if len(seen) != 2 || seen[0] != req || seen[1] != bad {
		t.Errorf("got %v", seen)
	}
}
