package integration

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"testing"
	"time"

	"github.com/apigw-go/apigw"
	"github.com/apigw-go/apigw/gatewaytest"
	"golang.org/x/oauth2"
	"golang.org/x/oauth2/clientcredentials"
)

// The client fetches its token through the Transport too: what the context
// carries as oauth2.HTTPClient is the base of both.
var oauth2Client = client{
	name:    "x/oauth2 client credentials",
	inject:  "conf.Client(context.WithValue(ctx, oauth2.HTTPClient, &http.Client{Transport: t}))",
	reached: "apigw.FromResponse(resp)",
	call: func(c call) (*apigw.Error, error) {
		return do(c, oauth2HTTP(c.ctx, c.transport, "http://"+c.host))
	},
}

func oauth2HTTP(ctx context.Context, t http.RoundTripper, url string) *http.Client {
	conf := &clientcredentials.Config{ClientID: "id", ClientSecret: "not-a-secret", TokenURL: url + "/token"}
	return conf.Client(context.WithValue(ctx, oauth2.HTTPClient, &http.Client{Transport: t}))
}

func giveToken(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Type", "application/json")
	fmt.Fprint(w, `{"access_token": "token", "token_type": "Bearer", "expires_in": 3600}`)
}

// tokenRig is a gateway whose token endpoint follows a script.
func tokenRig(t *testing.T, script ...gatewaytest.Outcome) (*gatewaytest.Gateway, *http.Client, string) {
	t.Helper()
	g := &gatewaytest.Gateway{Routes: []gatewaytest.Route{
		{Pattern: "/token", Auth: gatewaytest.AuthNone, Script: script, Backend: http.HandlerFunc(giveToken)},
		{Pattern: "/", Auth: gatewaytest.AuthNone},
	}}
	s := gatewaytest.NewServer(g)
	t.Cleanup(s.Close)
	base := s.Transport()
	t.Cleanup(base.CloseIdleConnections)
	tr := &apigw.Transport{Base: base, Policy: apigw.RetryPolicy{InitialBackoff: time.Millisecond}}
	return g, oauth2HTTP(t.Context(), tr, s.URL), s.URL
}

func TestOAuth2TokenSurvivesUnavailable(t *testing.T) {
	g, hc, url := tokenRig(t, gatewaytest.Outcome{Error: "D504CO"})
	resp, err := hc.Get(url)
	if err != nil {
		t.Fatal(err)
	}
	resp.Body.Close()
	if got := g.RouteCounts("/token"); got.Received != 2 || got.Executed != 1 {
		t.Errorf("token endpoint: got %+v, want 2 received and 1 executed", got)
	}
}

func TestOAuth2TokenErrorIsReachable(t *testing.T) {
	_, hc, url := tokenRig(t, gatewaytest.Outcome{Error: "classic.quota-exhausted", Times: -1})
	_, err := hc.Get(url)
	retrieve, ok := errors.AsType[*oauth2.RetrieveError](err)
	if !ok {
		t.Fatalf("got %T %v, want an *oauth2.RetrieveError in it", err, err)
	}
	if decoded, ok := apigw.FromResponse(retrieve.Response); !ok || !errors.Is(decoded, apigw.ErrQuota) {
		t.Errorf("got %v, want ErrQuota on the response of the token endpoint", decoded)
	}
}
