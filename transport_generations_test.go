package apigw

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/apigw-go/apigw/catalog"
)

// rowServer answers /ok with a success that shows the service time, and any
// other path as the row of that ID does. It counts the requests of each.
func rowServer(t *testing.T) (url string, client *http.Transport) {
	t.Helper()
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/ok" {
			w.Header().Set(headerServiceTime, "3")
			return
		}
		row, _ := catalog.ByID(strings.TrimPrefix(r.URL.Path, "/"))
		for name, value := range row.MarkHeaders() {
			w.Header().Set(name, value)
		}
		body := row.Fill(func(name string) string { return "sample" })
		w.Header().Set("Content-Type", "text/plain")
		if strings.HasPrefix(body, "{") {
			w.Header().Set("Content-Type", "application/json")
		}
		w.Header().Set("Content-Length", fmt.Sprint(len(body)))
		if status := row.Status; status != 0 {
			w.WriteHeader(status)
		} else {
			w.WriteHeader(http.StatusServiceUnavailable)
		}
		io.WriteString(w, body)
	}))
	t.Cleanup(srv.Close)
	client = srv.Client().Transport.(*http.Transport)
	t.Cleanup(client.CloseIdleConnections)
	return srv.URL, client
}

// Every row that shows in a body or in headers is found over a socket, with the
// decision that it advises, on a host whose answers show the service time.
func TestRowsOfEveryGenerationOverASocket(t *testing.T) {
	url, client := rowServer(t)
	tr := &Transport{Base: client, Policy: RetryPolicy{
		MaxAttempts: 2, InitialBackoff: time.Millisecond,
		SuccessMarks: []SuccessMark{{Header: "X-Fc-Error-Type"}, {JSONField: "code", JSONValue: "-1"}},
	}, Budget: &RetryBudget{Unlimited: true}}
	warm, err := tr.RoundTrip(newRequestTo(t, http.MethodGet, url+"/ok"))
	if err != nil {
		t.Fatal(err)
	}
	warm.Body.Close()
	rows := 0
	for row := range catalog.All() {
		if row.Place != catalog.PlaceBody && row.Place != catalog.PlaceMark ||
			row.Confidence < catalog.ConfidenceMedium {
			continue
		}
		rows++
		for _, method := range []string{http.MethodGet, http.MethodPost} {
			t.Run(row.ID+"/"+method, func(t *testing.T) {
				resp, err := tr.RoundTrip(newRequestTo(t, method, url+"/"+row.ID))
				if err != nil {
					t.Fatal(err)
				}
				defer resp.Body.Close()
				e, ok := FromResponse(resp)
				if !ok {
					t.Fatal("no failure")
				}
				if e.Entry.ID != row.ID || e.Origin != wantOrigin(row) || row.Status != 0 &&
					e.Entry.Class != row.Class {
					t.Errorf("got %s, %v, %v; want %s, %v, %v", e.Entry.ID, e.Origin, e.Entry.Class, row.ID,
						wantOrigin(row), row.Class)
				}
				stop, attempts := wantDecision(row, method)
				if e.Stop != stop || len(e.Attempts) != attempts {
					t.Errorf("got %v after %d attempts, want %v after %d", e.Stop, len(e.Attempts), stop, attempts)
				}
				want := row.Fill(func(string) string { return "sample" })
				if got, _ := io.ReadAll(resp.Body); string(got) != want {
					t.Errorf("body %q, want %q", got, want)
				}
			})
		}
	}
	if rows < 110 {
		t.Errorf("%d rows, want at least 110", rows)
	}
}

func newRequestTo(t *testing.T, method, url string) *http.Request {
	t.Helper()
	var body io.Reader
	if method == http.MethodPost {
		body = strings.NewReader("order")
	}
	req, err := http.NewRequestWithContext(t.Context(), method, url, body)
	if err != nil {
		t.Fatal(err)
	}
	return req
}

func wantOrigin(row catalog.Entry) Origin {
	return map[catalog.Origin]Origin{
		catalog.OriginGateway: OriginGateway, catalog.OriginProxy: OriginProxy,
		catalog.OriginFunctionCompute: OriginFunctionCompute, catalog.OriginBackend: OriginBackend,
	}[row.Origin]
}

// wantDecision is what the columns of a row advise.
func wantDecision(row catalog.Entry, method string) (StopReason, int) {
	notSent := row.Reached == catalog.ReachedNo || row.Reached == catalog.ReachedNoAtThisHop
	switch {
	case row.Status == 0: // any: the server chose 503
		if method == http.MethodGet {
			return StopMaxAttempts, 2
		}
		return StopMayHaveRun, 1
	case row.Class == catalog.ClassThrottled:
		return StopThrottled, 1
	case row.Retry == catalog.RetryNo:
		return StopNotRetryable, 1
	case method == http.MethodPost && !notSent:
		return StopMayHaveRun, 1
	}
	return StopMaxAttempts, 2
}

// Nothing is known of a host at first: then no body loosens a POST.
func TestNoBodyLoosensAPostOnAnUnknownHost(t *testing.T) {
	url, client := rowServer(t)
	for row := range catalog.All() {
		if row.Place != catalog.PlaceBody {
			continue
		}
		t.Run(row.ID, func(t *testing.T) {
			tr := &Transport{Base: client, Policy: RetryPolicy{InitialBackoff: time.Millisecond}}
			resp, err := tr.RoundTrip(newRequestTo(t, http.MethodPost, url+"/"+row.ID))
			if err != nil {
				t.Fatal(err)
			}
			resp.Body.Close()
			e, failed := FromResponse(resp)
			if failed && (len(e.Attempts) != 1 || e.Reached == catalog.ReachedNo) {
				t.Errorf("%d attempts, reached %v; want one, and no proof", len(e.Attempts), e.Reached)
			}
		})
	}
}
