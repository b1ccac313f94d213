package apigw

import (
	"errors"
	"net"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"strings"
	"testing"

	"github.com/apigw-go/apigw/catalog"
	"github.com/apigw-go/apigw/signer"
)

// http.DefaultTransport = &apigw.Transport{} makes a whole program retry. It is
// tried in a process of its own: a stack overflow cannot be caught.
func TestTransportAsTheDefault(t *testing.T) {
	tests := map[string]func(*Transport) http.RoundTripper{
		"itself":   func(tr *Transport) http.RoundTripper { return tr },
		"wrapped":  func(tr *Transport) http.RoundTripper { return &wrapper{tr} },
		"function": func(tr *Transport) http.RoundTripper { return roundTripFunc(tr.RoundTrip) },
	}
	if name := os.Getenv("APIGW_TEST_DEFAULT"); name != "" {
		url, attempts := os.Getenv("APIGW_TEST_URL"), 0
		atStart := http.DefaultTransport.(*http.Transport)
		http.DefaultTransport = tests[name](&Transport{
			Policy: soon, OnAttempt: func(*http.Request, Attempt) { attempts++ },
		})
		resp, err := http.Get(url)
		if err != nil || resp.StatusCode != 200 || attempts != 2 {
			t.Fatalf("got %v, %v after %d attempts, want 200 after 2", resp, err, attempts)
		}
		resp.Body.Close()
		atStart.CloseIdleConnections()
		return
	}
	for name := range tests {
		t.Run(name, func(t *testing.T) {
			srv, _ := serverOf(t, refuseFirst(func(http.ResponseWriter, *http.Request) {}))
			cmd := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^TestTransportAsTheDefault$")
			cmd.Env = append(os.Environ(), "APIGW_TEST_DEFAULT="+name, "APIGW_TEST_URL="+srv.URL)
			if out, err := cmd.CombinedOutput(); err != nil {
				t.Errorf("%v\n%.2000s", err, out)
			}
		})
	}
}

type wrapper struct{ rt http.RoundTripper }

func (w *wrapper) RoundTrip(r *http.Request) (*http.Response, error) { return w.rt.RoundTrip(r) }

func (w *wrapper) CloseIdleConnections() {
	if c, ok := w.rt.(interface{ CloseIdleConnections() }); ok {
		c.CloseIdleConnections()
	}
}

// A Transport without a Base does not multiply the attempts of the default one.
func TestTransportOverATransportAsTheDefault(t *testing.T) {
	defer func(d http.RoundTripper) { http.DefaultTransport = d }(http.DefaultTransport)
	base := serve(unavailable)
	http.DefaultTransport = &Transport{Base: base, Policy: soon}
	e := mustFail(t, &Transport{Policy: soon}, newRequest(t, http.MethodGet, ""))
	if base.attempts() != 4 || len(e.Attempts) != 4 {
		t.Errorf("%d attempts sent, %d listed, want 4", base.attempts(), len(e.Attempts))
	}
}

// As in http.DefaultTransport = &Transport{Base: signer}, whose signer sends
// through the default, which cannot be seen: the calls end.
func TestSignerWithoutABaseAsTheDefault(t *testing.T) {
	defer func(d http.RoundTripper) { http.DefaultTransport = d }(http.DefaultTransport)
	s := &signer.Signer{AppKey: "k", AppSecret: "s", Hosts: []string{"127.0.0.1:1"}}
	http.DefaultTransport = &Transport{Base: s, Policy: RetryPolicy{MaxAttempts: 1}}
	_, err := http.Get("http://127.0.0.1:1/")
	var e *Error
	if !errors.As(err, &e) || len(e.Attempts) != 1 {
		t.Errorf("got %v, want one attempt that could not connect", err)
	}
}

type textless struct{ error }

// An error that cannot be read is one all the same.
func TestErrorThatPanics(t *testing.T) {
	for name, err := range map[string]error{
		"a nil *url.Error": (*url.Error)(nil), "a nil *net.OpError": (*net.OpError)(nil), "no text": textless{},
	} {
		t.Run(name, func(t *testing.T) {
			base := serve(answer{err: err})
			e := failWithoutResponse(t, &Transport{Base: base}, newRequest(t, http.MethodPost, "order"))
			if e.Reached != catalog.ReachedMaybe || base.attempts() != 1 || !strings.Contains(e.Error(), "Base transport") {
				t.Errorf("reached %v after %d attempts, want maybe after 1: %v", e.Reached, base.attempts(), e)
			}
		})
	}
}
