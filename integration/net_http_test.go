package integration

import (
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/cookiejar"
	"strings"
	"testing"
	"time"

	"github.com/apigw-go/apigw"
	"github.com/apigw-go/apigw/gatewaytest"
)

var netHTTP = client{
	name:    "net/http",
	inject:  "&http.Client{Transport: t}",
	reached: "apigw.FromResponse(resp)",
	call: func(c call) (*apigw.Error, error) {
		return do(c, &http.Client{Transport: c.transport})
	},
}

var netHTTPTimeout = client{
	name:    "net/http with Timeout and Jar",
	inject:  "&http.Client{Transport: t, Timeout: d, Jar: jar}",
	reached: "apigw.FromResponse(resp), r.Last() when the Timeout fired",
	call: func(c call) (*apigw.Error, error) {
		jar, err := cookiejar.New(nil)
		if err != nil {
			return nil, err
		}
		return do(c, &http.Client{Transport: c.transport, Timeout: time.Minute, Jar: jar})
	},
}

// A program that calls http.Get, and a library that gives no place for a
// client, use http.DefaultClient.
var netHTTPDefaultClient = client{
	name:    "net/http, the default client",
	inject:  "http.DefaultClient.Transport = t",
	reached: "apigw.FromResponse(resp)",
	call: func(c call) (*apigw.Error, error) {
		http.DefaultClient.Transport = c.transport
		defer func() { http.DefaultClient.Transport = nil }()
		return do(c, http.DefaultClient)
	},
}

// Every client without a transport of its own sends through the default one.
var netHTTPDefaultTransport = client{
	name:    "net/http, the default transport",
	inject:  "http.DefaultTransport = t",
	reached: "apigw.FromResponse(resp)",
	call: func(c call) (*apigw.Error, error) {
		original := http.DefaultTransport
		http.DefaultTransport = c.transport
		defer func() { http.DefaultTransport = original }()
		return do(c, new(http.Client))
	},
}

// A Transport without Base in the place of the default one sends through what
// was there before.
func TestDefaultTransportWithoutBase(t *testing.T) {
	r := newRig(t, nil, gatewaytest.Outcome{Error: "classic.service-unavailable"})
	original := http.DefaultTransport
	http.DefaultTransport = &apigw.Transport{Policy: r.transport.Policy}
	defer func() { http.DefaultTransport = original }()
	resp, err := http.Get(r.server.URL + "/v1/weather")
	if err != nil {
		t.Fatal(err)
	}
	resp.Body.Close()
	if got := r.weather().Received; got != 2 || resp.StatusCode != 200 {
		t.Errorf("got %d attempts and status %d, want 2 and 200", got, resp.StatusCode)
	}
}

// do sends a GET through a *http.Client, which several of the clients are.
func do(c call, hc *http.Client) (*apigw.Error, error) {
	req, err := http.NewRequestWithContext(c.ctx, http.MethodGet, c.url, nil)
	if err != nil {
		return nil, err
	}
	return decode(hc.Do(req))
}

// decode reads a response to its end, as a program does, and returns its error.
func decode(resp *http.Response, err error) (*apigw.Error, error) {
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close()
	if _, err := io.Copy(io.Discard, resp.Body); err != nil {
		return nil, err
	}
	decoded, _ := apigw.FromResponse(resp)
	return decoded, nil
}

// When Timeout fires, net/http puts an error of its own in the place of the
// Transport's and keeps only its text. A Recorder still has it.
func TestNetHTTPTimeoutEndsAllAttempts(t *testing.T) {
	r := newRig(t, nil, gatewaytest.Outcome{Delay: time.Hour, Times: -1})
	hc := &http.Client{Transport: r.transport, Timeout: 50 * time.Millisecond}
	ctx, recorder := apigw.WithRecorder(t.Context())
	_, err := do(call{ctx: ctx, url: r.server.URL + "/v1/weather"}, hc)
	var timeout interface{ Timeout() bool }
	if !errors.As(err, &timeout) || !timeout.Timeout() {
		t.Errorf("got %v, want a timeout", err)
	}
	// The timer of net/http can be a moment ahead of the context's deadline.
	gwErr, ok := recorder.Last()
	if !ok || gwErr.Stop != apigw.StopContext && gwErr.Stop != apigw.StopDeadline {
		t.Errorf("recorded: got %v, want an error that stopped for the context", gwErr)
	}
}

func TestNetHTTPRedirect(t *testing.T) {
	// The first hop sets a cookie and fails once, the second fails once and
	// is compressed.
	g := &gatewaytest.Gateway{Routes: []gatewaytest.Route{
		{
			Pattern: "/start", Auth: gatewaytest.AuthNone,
			Script: []gatewaytest.Outcome{{Error: "D504CO"}},
			Backend: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				http.SetCookie(w, &http.Cookie{Name: "visited", Value: "start"})
				http.Redirect(w, r, "/end", http.StatusTemporaryRedirect)
			}),
		},
		{
			Pattern: "/end", Auth: gatewaytest.AuthNone,
			Script: []gatewaytest.Outcome{{Error: "D504CO"}},
			Backend: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				body, _ := io.ReadAll(r.Body)
				cookie, err := r.Cookie("visited")
				if err != nil {
					http.Error(w, "no cookie", http.StatusBadRequest)
					return
				}
				w.Header().Set("Content-Encoding", "gzip")
				zip := gzip.NewWriter(w)
				fmt.Fprintf(zip, "%s %s from %s", r.Method, body, cookie.Value)
				zip.Close()
			}),
		},
	}}
	s := gatewaytest.NewServer(g)
	defer s.Close()
	base := s.Transport()
	defer base.CloseIdleConnections()
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	hc := &http.Client{
		Jar:       jar,
		Timeout:   time.Minute,
		Transport: &apigw.Transport{Base: base, Policy: apigw.RetryPolicy{InitialBackoff: time.Millisecond}},
	}
	ctx, recorder := apigw.WithRecorder(t.Context())
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, s.URL+"/start", strings.NewReader("order"))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Idempotency-Key", "1")
	resp, err := hc.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}

	t.Run("body replayed, cookie kept, gzip undone", func(t *testing.T) {
		if got, want := string(body), "POST order from start"; got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	})
	t.Run("every hop has a result", func(t *testing.T) {
		results := recorder.Results()
		if len(results) != 2 {
			t.Fatalf("got %d results, want 2", len(results))
		}
		for i, want := range []string{"/start", "/end"} {
			if got := results[i]; got.Path != want || len(got.Attempts) != 2 {
				t.Errorf("hop %d: got %s with %d attempts, want %s with 2", i, got.Path, len(got.Attempts), want)
			}
		}
	})
}
