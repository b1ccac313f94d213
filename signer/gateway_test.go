package signer_test

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/apigw-go/apigw/gatewaytest"
	"github.com/apigw-go/apigw/signer"
)

func signerFor(host string) *signer.Signer {
	return &signer.Signer{AppKey: gatewaytest.DefaultAppKey, AppSecret: gatewaytest.DefaultAppSecret,
		Hosts: []string{host}}
}

// Whoever keeps a request that was signed for tomorrow can replay it tomorrow.
// A gateway whose clock, or whose answer, is a day ahead does not get one.
func TestReplayFromTomorrowFails(t *testing.T) {
	for name, ahead := range map[string]time.Duration{"a day": 24 * time.Hour, "half a day": 12 * time.Hour,
		"a year": 365 * 24 * time.Hour} {
		t.Run(name, func(t *testing.T) {
			var kept []*http.Request
			now := time.Now().Add(ahead)
			attacker := &gatewaytest.Gateway{Now: func() time.Time { return now }}
			honest := &gatewaytest.Gateway{Now: func() time.Time { return now }} // the same gateway, tomorrow
			srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				body, err := io.ReadAll(r.Body)
				if err != nil {
					t.Error(err)
				}
				r.Body = io.NopCloser(bytes.NewReader(body))
				copied := r.Clone(t.Context())
				copied.Body = io.NopCloser(bytes.NewReader(body))
				kept = append(kept, copied)
				attacker.ServeHTTP(w, r)
			}))
			defer srv.Close()
			s := signerFor("127.0.0.1:*")
			client := &http.Client{Transport: s}
			defer client.CloseIdleConnections()
			for range 2 {
				resp, err := client.Post(srv.URL+"/orders", "application/json", strings.NewReader(`{"item":7}`))
				if err != nil {
					t.Fatal(err)
				}
				resp.Body.Close()
				if resp.StatusCode != 400 {
					t.Errorf("got status %d, want 400", resp.StatusCode)
				}
			}
			if len(kept) != 2 || s.Learned() != nil {
				t.Errorf("sent %d times and learned %+v, want twice and nothing", len(kept), s.Learned())
			}
			for _, r := range kept {
				w := httptest.NewRecorder()
				honest.ServeHTTP(w, r)
				if w.Code == 200 || honest.Counts().Executed != 0 {
					t.Errorf("the replayed POST got %d and ran %d times, want it refused", w.Code,
						honest.Counts().Executed)
				}
			}
		})
	}
}

func TestClockIsRepairedOverSockets(t *testing.T) {
	for name, newServer := range map[string]func(http.Handler) *gatewaytest.Server{
		"loopback": gatewaytest.NewServer, "TLS and HTTP/2": gatewaytest.NewHTTP2Server,
	} {
		for _, skew := range []time.Duration{-20 * time.Minute, 20 * time.Minute} {
			t.Run(fmt.Sprintf("%s, %v", name, skew), func(t *testing.T) {
				g := &gatewaytest.Gateway{}
				srv := newServer(g)
				defer srv.Close()
				s := signerFor("127.0.0.1:*")
				s.Base = srv.Transport()
				s.Now = func() time.Time { return time.Now().Add(skew) }
				for i := range 3 {
					resp, err := (&http.Client{Transport: s}).Post(srv.URL+"/orders", "application/json",
						strings.NewReader("{}"))
					if err != nil {
						t.Fatal(err)
					}
					resp.Body.Close()
					if c := g.Counts(); resp.StatusCode != 200 || c.Executed != i+1 || c.Received != i+2 {
						t.Errorf("got status %d after %d sendings and %d runs, want 200, %d, %d", resp.StatusCode,
							c.Received, c.Executed, i+2, i+1)
					}
				}
				if got := s.Learned(); len(got) != 1 || (got[0].ClockOffset+skew).Abs() > 5*time.Second {
					t.Errorf("learned %+v, want %v", got, -skew)
				}
			})
		}
	}
}
