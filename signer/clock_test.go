package signer

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/apigw-go/apigw/internal/resign"
)

// clockGateway refuses timestamps that are more than 15 minutes off its own
// time, and counts what it sees.
type clockGateway struct {
	now         time.Time
	code, text  string
	noDate      bool
	refuseAlso  bool // refuse the timestamp whatever it is
	body        string
	timestamps  []time.Time
	bodies      []string
	nonces      map[string]bool
	refusedBody countedBody
}

func (g *clockGateway) RoundTrip(req *http.Request) (*http.Response, error) {
	body := ""
	if req.Body != nil {
		data, err := io.ReadAll(req.Body)
		if err != nil {
			return nil, err
		}
		body = string(data)
		req.Body.Close()
	}
	g.bodies = append(g.bodies, body)
	if g.nonces == nil {
		g.nonces = map[string]bool{}
	}
	g.nonces[req.Header.Get("X-Ca-Nonce")] = true
	ms, _ := strconv.ParseInt(req.Header.Get("X-Ca-Timestamp"), 10, 64)
	g.timestamps = append(g.timestamps, time.UnixMilli(ms))
	resp := &http.Response{StatusCode: 200, Header: http.Header{}, Body: io.NopCloser(strings.NewReader("fine")),
		Request: req}
	if _, ok := Verify(req, []byte(body), testSecret, Rules{}); !ok {
		return nil, fmt.Errorf("the signature does not verify")
	}
	if !g.noDate {
		resp.Header.Set("Date", g.now.UTC().Format(http.TimeFormat))
	}
	if g.refuseAlso || g.now.Sub(time.UnixMilli(ms)).Abs() > 15*time.Minute {
		resp.StatusCode = 400
		resp.Header.Set("X-Ca-Error-Code", g.code)
		resp.Header.Set("X-Ca-Error-Message", g.text)
		g.refusedBody = countedBody{r: strings.NewReader(g.body)}
		resp.Body = &g.refusedBody
	}
	return resp, nil
}

func TestClockIsRepairedOnce(t *testing.T) {
	const off = 20 * time.Minute
	classic := clockGateway{text: "Timestamp Expired"}
	tests := []struct {
		name       string
		gateway    clockGateway
		skew       time.Duration // of this machine
		request    func(*http.Request)
		attempts   int
		wantStatus int
	}{
		{name: "late by 20 minutes", gateway: classic, skew: -off, attempts: 2, wantStatus: 200},
		{name: "early by 20 minutes", gateway: classic, skew: off, attempts: 2, wantStatus: 200},
		{name: "right clock", gateway: classic, attempts: 1, wantStatus: 200},
		{name: "malformed timestamp", gateway: clockGateway{text: "Invalid Timestamp"}, skew: off, attempts: 1,
			wantStatus: 400},
		{name: "another error", gateway: clockGateway{text: "Nonce Used"}, skew: off, attempts: 1, wantStatus: 400},
		{name: "no Date in the response", gateway: clockGateway{text: "Timestamp Expired", noDate: true}, skew: off,
			attempts: 1, wantStatus: 400},
		{name: "refused again", gateway: clockGateway{text: "Timestamp Expired", refuseAlso: true}, skew: off,
			attempts: 2, wantStatus: 400},
		{name: "refused though the clocks agree", gateway: clockGateway{text: "Timestamp Expired", refuseAlso: true},
			skew: 30 * time.Second, attempts: 1, wantStatus: 400},
		{name: "body that can be replayed", gateway: classic, skew: off, attempts: 2, wantStatus: 200,
			request: func(r *http.Request) {
				r.GetBody = func() (io.ReadCloser, error) { return io.NopCloser(strings.NewReader("hello")), nil }
				r.Body, _ = r.GetBody()
			}},
		{name: "one-shot body", gateway: classic, skew: off, attempts: 1, wantStatus: 400,
			request: func(r *http.Request) {
				r.Body = io.NopCloser(strings.NewReader("hello"))
			}},
		{name: "one-shot form", gateway: classic, skew: off, attempts: 2, wantStatus: 200,
			request: func(r *http.Request) {
				r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
				r.Body = io.NopCloser(strings.NewReader("a=1&b=2"))
			}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			g := &tt.gateway
			g.now, g.body = testTime, strings.Repeat("x", 100)
			s := testSigner()
			s.Now = func() time.Time { return testTime.Add(tt.skew) }
			s.Base = g
			req := newRequest(t, "POST", "https://api.example.com/", "")
			if tt.request != nil {
				tt.request(req)
			}
			resp, err := s.RoundTrip(req)
			if err != nil {
				t.Fatal(err)
			}
			if resp.StatusCode != tt.wantStatus || len(g.timestamps) != tt.attempts || len(g.nonces) != tt.attempts {
				t.Errorf("got status %d after %d attempts with %d nonces, want %d after %d",
					resp.StatusCode, len(g.timestamps), len(g.nonces), tt.wantStatus, tt.attempts)
			}
			for _, body := range g.bodies {
				if body != g.bodies[0] {
					t.Errorf("bodies %q, want the same each time", g.bodies)
				}
			}
			if want := 0; tt.wantStatus == 400 && g.refusedBody.closes != want {
				t.Errorf("the body of the last response was closed %d times, want it open", g.refusedBody.closes)
			}
			if tt.wantStatus == 200 && tt.attempts == 2 && g.refusedBody.closes != 1 {
				t.Errorf("the body of the refused response was closed %d times, want once", g.refusedBody.closes)
			}
		})
	}
}

func TestLearnedOffsetIsKept(t *testing.T) {
	g := &clockGateway{now: testTime, text: "Timestamp Expired"}
	s := testSigner()
	s.Now = func() time.Time { return testTime.Add(-20 * time.Minute) }
	s.Base = g
	for range 3 {
		if _, err := s.RoundTrip(newRequest(t, "GET", "https://api.example.com/", "")); err != nil {
			t.Fatal(err)
		}
	}
	if got, want := len(g.timestamps), 4; got != want {
		t.Errorf("three requests took %d attempts, want %d: the offset is learned once", got, want)
	}
	req := newRequest(t, "GET", "https://api.example.com/", "")
	if err := s.Sign(req); err != nil {
		t.Fatal(err)
	}
	ms, _ := strconv.ParseInt(req.Header.Get("X-Ca-Timestamp"), 10, 64)
	if got := time.UnixMilli(ms).Sub(testTime).Abs(); got > time.Second {
		t.Errorf("Sign is %v off the gateway's time, want at most a second", got)
	}
}

// A request that was signed before another one learned the offset is repaired
// as well, though the clock no longer changes.
func TestOffsetLearnedByAnotherRequestMeanwhile(t *testing.T) {
	g := &clockGateway{now: testTime, text: "Timestamp Expired"}
	s := testSigner()
	s.Now = func() time.Time { return testTime.Add(20 * time.Minute) }
	attempts := 0
	s.Base = roundTripFunc(func(req *http.Request) (*http.Response, error) {
		if attempts++; attempts == 1 {
			s.memory.change(req, func(l *Learned) { l.ClockOffset = -20 * time.Minute }) // the other request
		}
		return g.RoundTrip(req)
	})
	resp, err := s.RoundTrip(newRequest(t, "GET", "https://api.example.com/", ""))
	if err != nil || resp.StatusCode != 200 {
		t.Errorf("got %v, %v, want status 200", resp, err)
	}
}

// The connection of a refused request serves the second attempt, and a body
// that never ends does not hold it up.
func TestRefusedResponseIsDrainedBounded(t *testing.T) {
	for _, endless := range []bool{false, true} {
		t.Run(fmt.Sprintf("endless %v", endless), func(t *testing.T) {
			var mu sync.Mutex
			addresses := map[string]int{}
			server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				mu.Lock()
				addresses[r.RemoteAddr]++
				mu.Unlock()
				ms, _ := strconv.ParseInt(r.Header.Get("X-Ca-Timestamp"), 10, 64)
				if time.Since(time.UnixMilli(ms)).Abs() < 15*time.Minute {
					return
				}
				w.Header().Set("X-Ca-Error-Message", "Timestamp Expired")
				w.WriteHeader(400)
				fmt.Fprint(w, "expired")
				if endless {
					w.(http.Flusher).Flush()
					<-r.Context().Done()
				}
			}))
			defer server.Close()
			base := &http.Transport{}
			defer base.CloseIdleConnections()
			s := testSigner()
			s.Hosts = []string{server.Listener.Addr().String()}
			s.Now = func() time.Time { return time.Now().Add(20 * time.Minute) }
			s.Base = base
			resp, err := (&http.Client{Transport: s}).Get(server.URL)
			if err != nil {
				t.Fatal(err)
			}
			resp.Body.Close()
			if resp.StatusCode != 200 {
				t.Errorf("got status %d, want 200", resp.StatusCode)
			}
			mu.Lock()
			defer mu.Unlock()
			if want := map[bool]int{false: 1, true: 2}[endless]; len(addresses) != want {
				t.Errorf("got %d connections, want %d", len(addresses), want)
			}
		})
	}
}

func TestSignerIsSafeForConcurrentUse(t *testing.T) {
	s := testSigner()
	s.NewNonce = nil
	s.Now = func() time.Time { return testTime.Add(20 * time.Minute) }
	s.Base = roundTripFunc(func(req *http.Request) (*http.Response, error) {
		return (&clockGateway{now: testTime, text: "Timestamp Expired"}).RoundTrip(req)
	})
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			for range 20 {
				resp, err := s.RoundTrip(newRequest(t, "GET", "https://api.example.com/?a=1", ""))
				if err != nil || resp.StatusCode != 200 {
					t.Errorf("got %v, %v, want status 200", resp, err)
				}
			}
		})
	}
	wg.Wait()
}

// Where the second attempt cannot be prepared, the first response is the
// answer, unread.
func TestRepairThatFailsReturnsTheResponse(t *testing.T) {
	for name, spoil := range map[string]func(*http.Request, context.CancelFunc){
		"GetBody fails": func(r *http.Request, _ context.CancelFunc) {
			r.GetBody = func() (io.ReadCloser, error) { return nil, io.ErrUnexpectedEOF }
		},
		"context is done": func(_ *http.Request, cancel context.CancelFunc) { cancel() },
	} {
		t.Run(name, func(t *testing.T) {
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			g := &clockGateway{now: testTime, text: "Timestamp Expired", body: "expired"}
			s := testSigner()
			s.Now = func() time.Time { return testTime.Add(20 * time.Minute) }
			s.Base = roundTripFunc(func(r *http.Request) (*http.Response, error) {
				resp, err := g.RoundTrip(r)
				spoil(r, cancel)
				return resp, err
			})
			resp, err := s.RoundTrip(newRequest(t, "PUT", "https://api.example.com/", "hello").WithContext(ctx))
			if err != nil {
				t.Fatal(err)
			}
			if body, err := io.ReadAll(resp.Body); string(body) != "expired" || err != nil || len(g.bodies) != 1 {
				t.Errorf("got body %q, %v after %d attempts, want the first response unread", body, err, len(g.bodies))
			}
		})
	}
}

// Under a Transport the Signer sends once: it says what it learned, and the
// next call uses it.
func TestSendOnceLearnsAndDoesNotSendAgain(t *testing.T) {
	g := &clockGateway{now: testTime, text: "Timestamp Expired"}
	s := testSigner()
	s.Now = func() time.Time { return testTime.Add(20 * time.Minute) }
	s.Base = g
	req := newRequest(t, "GET", "https://api.example.com/", "")
	for i, want := range []int{400, 200} {
		resp, err := s.SendOnce(req)
		if err != nil || resp.StatusCode != want || len(g.timestamps) != i+1 {
			t.Fatalf("got %v, %v after %d sendings, want %d after %d", resp, err, len(g.timestamps), want, i+1)
		}
		note := resign.FromResponse(resp)
		if got := note != nil && note.Learned && note.Lesson == resign.Clock; got != (want == 400) {
			t.Errorf("sending %d: learned %v, want %v", i+1, got, want == 400)
		}
	}
}
