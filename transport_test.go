package apigw

import (
	"errors"
	"io"
	"net/http"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
)

func TestRecoversAfterFailures(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		base := serve(unavailable, dialFailed, ok)
		resp, err := (&Transport{Base: base}).RoundTrip(newRequest(t, http.MethodPost, "order"))
		if err != nil {
			t.Fatal(err)
		}
		defer resp.Body.Close()
		if _, found := FromResponse(resp); found || resp.StatusCode != 200 {
			t.Errorf("status %d, Error %v, want 200 without", resp.StatusCode, found)
		}
		if want := []string{"order", "order", "order"}; !slices.Equal(base.bodies, want) {
			t.Errorf("bodies sent %q, want %q", base.bodies, want)
		}
	})
}

func TestLastResponseComesBackWhole(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		last := answer{status: 503, message: "Service Unavailable", body: strings.Repeat("x", 200<<10)}
		resp, err := (&Transport{Base: serve(last), Policy: RetryPolicy{MaxAttempts: 2}}).RoundTrip(
			newRequest(t, http.MethodGet, ""),
		)
		if err != nil {
			t.Fatal(err)
		}
		body, err := io.ReadAll(resp.Body)
		resp.Body.Close()
		if err != nil || string(body) != last.body {
			t.Errorf("read %d bytes, %v, want %d", len(body), err, len(last.body))
		}
	})
}

func TestCloseIdleConnectionsIsPassedOn(t *testing.T) {
	base := &idleCounter{}
	(&http.Client{Transport: &Transport{Base: base}}).CloseIdleConnections()
	if base.calls != 1 {
		t.Errorf("Base was called %d times, want 1", base.calls)
	}
}

type idleCounter struct {
	script
	calls int
}

func (c *idleCounter) CloseIdleConnections() { c.calls++ }

func TestOddInput(t *testing.T) {
	none := func(*http.Request) (*http.Response, error) { return nil, nil }
	bare := func(req *http.Request) (*http.Response, error) { return &http.Response{StatusCode: 503}, nil }
	both := &countingBody{Reader: strings.NewReader("x")}
	for name, c := range map[string]struct {
		base roundTripFunc
		edit func(*http.Request)
		want string // in the error, empty for a response
	}{
		"nil URL":                    {bare, func(r *http.Request) { r.URL = nil }, "nil Request.URL"},
		"nil header":                 {bare, func(r *http.Request) { r.Header = nil }, ""},
		"bare response":              {bare, func(r *http.Request) {}, ""},
		"neither response nor error": {none, func(r *http.Request) {}, "neither a response nor an error"},
		"both response and error": {func(*http.Request) (*http.Response, error) {
			return &http.Response{StatusCode: 200, Body: both}, errors.New("odd")
		}, func(r *http.Request) { r.Method = "POST" }, "odd"},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				req := newRequest(t, http.MethodGet, "")
				c.edit(req)
				resp, err := (&Transport{Base: c.base}).RoundTrip(req)
				if c.want == "" {
					if err != nil || resp.StatusCode != 503 {
						t.Errorf("got %v, %v, want the 503", resp, err)
					}
				} else if err == nil || !strings.Contains(err.Error(), c.want) {
					t.Errorf("got %v, want %q in it", err, c.want)
				}
			})
		})
	}
	if both.closed == 0 {
		t.Error("the body of a response that came with an error was left open")
	}
}

func TestEveryStatusPassesThrough(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		for status := 100; status < 1000; status++ {
			resp, err := (&Transport{Base: serve(answer{status: status})}).RoundTrip(newRequest(t, http.MethodGet, ""))
			if err != nil || resp.StatusCode != status {
				t.Fatalf("status %d: got %v, %v", status, resp, err)
			}
			resp.Body.Close()
			if _, found := FromResponse(resp); found != (status >= 400) {
				t.Errorf("status %d: Error attached: %v", status, found)
			}
		}
	})
}
