package retryable_test

import (
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/apigw-go/apigw"
	"github.com/apigw-go/apigw/gatewaytest"
	"github.com/apigw-go/apigw/retryable"
	"github.com/apigw-go/apigw/signer"
)

// quick is a policy whose delays do not slow a test down.
var quick = apigw.RetryPolicy{InitialBackoff: time.Millisecond, MaxBackoff: time.Millisecond}

func TestEachAttemptIsSigned(t *testing.T) {
	g := &gatewaytest.Gateway{Routes: []gatewaytest.Route{{Pattern: "POST /orders", Script: []gatewaytest.Outcome{
		{Error: "D504CO"}, {Error: "D504CO"},
	}}}}
	s := gatewaytest.NewServer(g)
	defer s.Close()
	base := &signer.Signer{
		AppKey: gatewaytest.DefaultAppKey, AppSecret: gatewaytest.DefaultAppSecret,
		Hosts: []string{strings.TrimPrefix(s.URL, "http://")}, Base: s.Transport(),
	}
	c := retryable.NewClient(&apigw.Transport{Base: base, Policy: quick})
	resp, err := c.Post(s.URL+"/orders", "application/json", []byte(`{"n":1}`))
	if err != nil {
		t.Fatal(err)
	}
	resp.Body.Close()
	if resp.StatusCode != 200 {
		e, _ := apigw.FromResponse(resp)
		t.Errorf("got status %d (%v), want 200", resp.StatusCode, e)
	}
	if got := g.Counts(); got.Received != 3 || got.Executed != 1 {
		t.Errorf("got %+v, want 3 requests and 1 run of the backend", got)
	}
}

func TestDroppedConnection(t *testing.T) {
	g := &gatewaytest.Gateway{Routes: []gatewaytest.Route{{
		Pattern: "/orders", Auth: gatewaytest.AuthNone,
		Script: []gatewaytest.Outcome{{Drop: gatewaytest.DropAfterBackend}},
	}}}
	s := gatewaytest.NewServer(g)
	defer s.Close()
	c := retryable.NewClient(&apigw.Transport{Base: s.Transport(), Policy: quick})
	_, err := c.Post(s.URL+"/orders", "text/plain", []byte("order"))
	var e *apigw.Error
	if !errors.As(err, &e) || e.Stop != apigw.StopMayHaveRun {
		t.Errorf("got %v, want may-have-run", err)
	}
	if got := g.Counts().Executed; got != 1 {
		t.Errorf("the backend ran %d times, want once", got)
	}
}

// redirecting answers /orders with a redirect to *to, /state with 503 as many
// times as failures says, and then with "done".
func redirecting(t *testing.T, to *string, failures int) (srv *httptest.Server, posts *int) {
	t.Helper()
	posts = new(int)
	srv = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch {
		case r.URL.Path == "/orders":
			*posts++
			http.Redirect(w, r, *to, http.StatusSeeOther)
		case failures > 0:
			failures--
			w.Header().Set("X-Ca-Error-Message", "Service Unavailable")
			w.WriteHeader(http.StatusServiceUnavailable)
		default:
			io.WriteString(w, "done")
		}
	}))
	t.Cleanup(srv.Close)
	return srv, posts
}

// Each link of a chain of redirects is retried by itself, so that the POST that
// was answered is not sent again.
func TestRedirects(t *testing.T) {
	to := "/state"
	for _, standard := range []bool{false, true} {
		srv, posts := redirecting(t, &to, 2)
		c := retryable.NewClient(&apigw.Transport{Base: srv.Client().Transport, Policy: quick})
		post := func() (*http.Response, error) { return c.Post(srv.URL+"/orders", "text/plain", []byte("order")) }
		if standard {
			post = func() (*http.Response, error) {
				return c.StandardClient().Post(srv.URL+"/orders", "text/plain", strings.NewReader("order"))
			}
		}
		resp, err := post()
		if err != nil {
			t.Fatal(err)
		}
		body, _ := io.ReadAll(resp.Body)
		resp.Body.Close()
		if string(body) != "done" || *posts != 1 {
			t.Errorf("got %q after %d POSTs, want the state, after one", body, *posts)
		}
	}
}

func TestRedirectToNowhere(t *testing.T) {
	closed := httptest.NewServer(nil)
	closed.Close()
	srv, posts := redirecting(t, &closed.URL, 0)
	c := retryable.NewClient(&apigw.Transport{Base: srv.Client().Transport, Policy: quick})
	_, err := c.Post(srv.URL+"/orders", "text/plain", []byte("order"))
	var e *apigw.Error
	if !errors.As(err, &e) || len(e.Attempts) != 4 || *posts != 1 {
		t.Errorf("got %v after %d POSTs, want 4 attempts of the second link after one", err, *posts)
	}
}
