package apigw

import (
	"net/http"
	"os"
	"os/exec"
	"testing"
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
