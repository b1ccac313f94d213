package gatewaytest_test

import (
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/apigw-go/apigw/catalog"
	"github.com/apigw-go/apigw/gatewaytest"
)

// Every row must arrive so that a client which reads header and body finds the
// same row in the catalog again.
func TestErrorRowsAnswersEveryRow(t *testing.T) {
	s := gatewaytest.NewServer(gatewaytest.ErrorRows())
	defer s.Close()
	client := s.Client()
	client.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	found := map[catalog.Generation]int{}
	for e := range catalog.All() {
		t.Run(e.ID, func(t *testing.T) {
			resp, err := client.Get(s.URL + "/errors/" + e.ID + "?status=503")
			if err != nil {
				t.Fatal(err)
			}
			defer resp.Body.Close()
			body, err := io.ReadAll(resp.Body)
			if err != nil {
				t.Fatal(err)
			}
			code, text := resp.Header.Get("X-Ca-Error-Code"), resp.Header.Get("X-Ca-Error-Message")
			if want := e.Status; resp.StatusCode != want && (want != 0 || resp.StatusCode != 503) ||
				code != string(e.Code) {
				t.Errorf("got %d %q, want %d %q", resp.StatusCode, code, want, e.Code)
			}
			if e.Generation <= catalog.GenerationVPC && len(body) != 0 {
				t.Errorf("got the body %q, want none in the dialect %v", body, e.Generation)
			}
			for where, s := range map[string]string{"text": text, "body": string(body),
				"id": resp.Header.Get(idHeader(e.Generation))} {
				if strings.Contains(s, "${") || strings.Contains(s, "%s") {
					t.Errorf("%s: got %q with a parameter in it", where, s)
				}
			}
			if resp.Header.Get(idHeader(e.Generation)) == "" {
				t.Errorf("got no %s", idHeader(e.Generation))
			}
			if again, ok := recognize(e, resp.StatusCode, text, resp.Header, body); ok {
				found[e.Generation]++
				if again.ID != e.ID && (again.Message != e.Message || again.Status != e.Status) {
					t.Errorf("%d %q %q leads to %s", resp.StatusCode, text, body, again.ID)
				}
			} else if e.Place != catalog.PlaceNowhere && e.Message != "" && !strings.HasPrefix(e.Message, "${") {
				t.Errorf("%d %q %q is not recognized", resp.StatusCode, text, body)
			}
		})
	}
	for _, g := range []catalog.Generation{
		catalog.GenerationClassic, catalog.GenerationVPC, catalog.GenerationHigress, catalog.GenerationEnvoy,
		catalog.GenerationHigressAI, catalog.GenerationFC,
	} {
		if found[g] < 7 {
			t.Errorf("%v: recognized %d rows only", g, found[g])
		}
	}
}

func idHeader(g catalog.Generation) string {
	switch g {
	case catalog.GenerationClassic, catalog.GenerationVPC:
		return "X-Ca-Request-Id"
	case catalog.GenerationFC:
		return "X-Fc-Request-Id"
	}
	return "X-Request-Id"
}

// recognize finds the row as a client would.
func recognize(e catalog.Entry, status int, text string, header map[string][]string, body []byte) (catalog.Entry,
	bool) {
	if e.Code != "" {
		return catalog.Lookup(e.Code)
	}
	if text != "" {
		m, ok := catalog.MatchText(text, status)
		return m.Entry, ok
	}
	m, ok := catalog.MatchBody(status, header, string(body), true)
	return m.Entry, ok
}

func TestErrorRowsTakesParameters(t *testing.T) {
	s := gatewaytest.NewServer(gatewaytest.ErrorRows())
	defer s.Close()
	query := url.Values{"HeaderName": {"X-Tenant"}, "Reason": {"is\nnot\x00known"}}
	resp, err := s.Client().Get(s.URL + "/errors/I400HD?" + query.Encode())
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	if got, want := show(resp), "400 I400HD Invalid Header `X-Tenant` is#not?known"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestErrorRowsOfUnknownID(t *testing.T) {
	s := gatewaytest.NewServer(gatewaytest.ErrorRows())
	defer s.Close()
	status, _, err := get(t, s.Client(), s.URL+"/errors/nothing")
	if err != nil || status != 404 {
		t.Errorf("got %d %v, want 404", status, err)
	}
}
