package apigw

import (
	"bytes"
	"flag"
	"io"
	"math/rand/v2"
	"net/http"
	"strings"
	"testing"
	"testing/iotest"
	"testing/synctest"
	"time"

	"github.com/apigw-go/apigw/catalog"
)

var evidenceWalks = flag.Int("evidence-walks", 3000, "random worlds of TestNoBodyDoublesARun")

// world is a gateway with a backend behind, as a Base. What it answers is
// chosen by chance; what it does is written down.
type world struct {
	r     *rand.Rand
	texts []catalog.Entry // rows that show in a body or a mark
	shows bool            // the proxy marks all answers of the backend
	ran   int             // times that the backend ran this call
	sent  int
	given []byte // the body of the latest answer, as the caller has to get it
	fault bool   // that body ends in an error
}

func (w *world) RoundTrip(req *http.Request) (*http.Response, error) {
	w.sent++
	if req.Body != nil {
		io.Copy(io.Discard, req.Body)
		req.Body.Close()
	}
	resp := &http.Response{StatusCode: 200, Header: http.Header{}, Request: req}
	if w.r.IntN(3) == 0 && w.r.IntN(2) == 0 { // the proxy answers by itself, and did not send it on
		w.refuse(resp)
	} else {
		w.ran++
		w.answer(resp)
		if w.shows {
			resp.Header.Set("x-envoy-upstream-service-time", "5")
		}
	}
	return resp, nil
}

// refuse is an answer of the proxy: one of its rows that say that it sent nothing.
func (w *world) refuse(resp *http.Response) {
	row := w.texts[w.r.IntN(len(w.texts))]
	for row.Reached != catalog.ReachedNoAtThisHop {
		row = w.texts[w.r.IntN(len(w.texts))]
	}
	w.write(resp, row.Status, row.Fill(w.value), row)
}

// answer is one of the backend, which ran: it can pass on the words and headers
// of any gateway behind it, as they are, among others, or torn.
func (w *world) answer(resp *http.Response) {
	row := w.texts[w.r.IntN(len(w.texts))]
	text, status := row.Fill(w.value), row.Status
	switch w.r.IntN(8) {
	case 0:
		text = "payment: " + text
	case 1:
		text += " for payment"
	case 2:
		text = "<html><body>" + text + "</body></html>"
	case 3:
		text = text[:w.r.IntN(len(text)+1)]
	case 4:
		text += "\xff"
	case 5:
		status = []int{200, 201, 400, 403, 404, 429, 500, 502, 503, 504}[w.r.IntN(10)]
	}
	if status == 0 {
		status = 503
	}
	if w.r.IntN(4) == 0 {
		row.Mark = "" // the headers did not get through
	}
	w.write(resp, status, text, row)
	if w.r.IntN(6) == 0 { // a classic instance copies the reason phrase
		resp.Header.Set(headerErrorMessage, http.StatusText(status))
	}
}

func (w *world) value(string) string { return []string{"x", "111", "connection failure"}[w.r.IntN(3)] }

// write gives resp a body that comes in one of many ways.
func (w *world) write(resp *http.Response, status int, text string, row catalog.Entry) {
	for name, value := range row.MarkHeaders() {
		if !strings.EqualFold(name, headerServiceTime) { // its truth is the host's
			resp.Header.Set(name, value)
		}
	}
	resp.StatusCode, resp.ContentLength = status, int64(len(text))
	if w.r.IntN(8) == 0 {
		text = strings.Repeat(text+" ", 1+maxPeek/(len(text)+1))
		resp.ContentLength = -1
	}
	w.given, w.fault = []byte(text), false
	var body io.Reader = bytes.NewReader(w.given)
	switch w.r.IntN(9) {
	case 0:
		body = iotest.OneByteReader(body)
	case 1:
		body = iotest.DataErrReader(body)
	case 2:
		body, w.fault = io.MultiReader(body, iotest.ErrReader(io.ErrUnexpectedEOF)), true
	case 3:
		resp.ContentLength += int64(w.r.IntN(5) - 2) // a lie
	case 4:
		resp.ContentLength = -1
	case 5:
		source, first := body, true
		delay := time.Duration(w.r.IntN(400)) * time.Millisecond // not while others read
		body = bodyFunc(func(p []byte) (int, error) {
			if first {
				time.Sleep(delay)
				first = false
			}
			return source.Read(p)
		})
	}
	resp.Body = io.NopCloser(body)
}

// Whatever a backend writes into its answers, and however they arrive: a POST
// that ran is not sent again, "not reached" is never said of it, and the caller
// gets every byte of the last answer.
func TestNoBodyDoublesARun(t *testing.T) {
	var texts []catalog.Entry
	for e := range catalog.All() {
		if e.Place == catalog.PlaceBody || e.Place == catalog.PlaceMark {
			texts = append(texts, e)
		}
	}
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	r := rand.New(rand.NewPCG(seed, 1))
	retried := 0
	for n := 0; n < *evidenceWalks && !t.Failed(); n += walkLength {
		synctest.Test(t, func(t *testing.T) {
			w := &world{r: r, texts: texts, shows: r.IntN(2) == 0}
			tr := &Transport{Base: w, Policy: RetryPolicy{MaxThrottleWait: time.Minute}}
			tr.Budget = &RetryBudget{Unlimited: true}
			for range walkLength {
				w.ran, w.sent = 0, 0
				retried += w.walk(t, tr)
			}
			time.Sleep(time.Second) // for bodies that nobody waits for any more
		})
	}
	if retried == 0 {
		t.Error("no POST was sent again: the test proves nothing")
	}
}

// walkLength is how many calls a world gets, so that the Transport can learn.
const walkLength = 100

func (w *world) walk(t *testing.T, tr *Transport) (retries int) {
	order := strings.NewReader("order")
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, "https://api.example.com/orders", order)
	if err != nil {
		t.Fatal(err)
	}
	resp, err := tr.RoundTrip(req)
	if err != nil {
		t.Fatal(err)
	}
	e, failed := FromResponse(resp)
	if w.ran > 1 {
		t.Errorf("a POST ran %d times: host shows the time: %v, last answer %d %v %.80q", w.ran, w.shows,
			resp.StatusCode, resp.Header, w.given)
	}
	if failed && w.ran > 0 && e.Reached == catalog.ReachedNo {
		t.Errorf("not reached, of a call that ran: %d %v %.80q", resp.StatusCode, resp.Header, w.given)
	}
	got, err := io.ReadAll(resp.Body)
	if !bytes.Equal(got, w.given) || (err != nil) != w.fault {
		t.Errorf("the caller got %d bytes, %v; want %d, fault %v", len(got), err, len(w.given), w.fault)
	}
	resp.Body.Close()
	return w.sent - 1
}
