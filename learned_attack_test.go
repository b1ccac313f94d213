package apigw_test

import (
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/apigw-go/apigw"
	"github.com/apigw-go/apigw/gatewaytest"
	"github.com/apigw-go/apigw/signer"
)

// keeper keeps a copy of all that is sent, as somebody on the way can.
type keeper struct {
	base http.RoundTripper
	kept []*http.Request
}

func (k *keeper) RoundTrip(req *http.Request) (*http.Response, error) {
	k.kept = append(k.kept, req.Clone(req.Context()))
	return k.base.RoundTrip(req)
}

// Whoever lies about the time gets no signature that is good later: what was
// sent while the gateway's clock was ahead is refused when that time has come.
func TestReplayLaterIsRefused(t *testing.T) {
	for name, c := range map[string]struct {
		newServer func(http.Handler) *gatewaytest.Server
		ahead     time.Duration
		above     bool // a Transport is above the Signer
		allowed   bool // LearnOverPlainHTTP
	}{
		"a day ahead, loopback":                {gatewaytest.NewServer, 24 * time.Hour, false, false},
		"a day ahead, under a Transport":       {gatewaytest.NewServer, 24 * time.Hour, true, false},
		"a day ahead, TLS":                     {gatewaytest.NewTLSServer, 24 * time.Hour, false, false},
		"a day ahead, HTTP/2, Transport":       {gatewaytest.NewHTTP2Server, 24 * time.Hour, true, false},
		"four hours ahead, TLS":                {gatewaytest.NewTLSServer, 4 * time.Hour, true, false},
		"a year ahead, TLS":                    {gatewaytest.NewTLSServer, 365 * 24 * time.Hour, true, false},
		"a day ahead, allowed over plain HTTP": {gatewaytest.NewServer, 24 * time.Hour, true, true},
	} {
		t.Run(name, func(t *testing.T) {
			var ahead atomic.Int64
			ahead.Store(int64(c.ahead))
			g := &gatewaytest.Gateway{Now: func() time.Time { return time.Now().Add(time.Duration(ahead.Load())) }}
			srv := c.newServer(g)
			defer srv.Close()
			k := &keeper{base: srv.Transport()}
			s := newSigner(srv)
			s.Base, s.LearnOverPlainHTTP = k, c.allowed
			var rt http.RoundTripper = s
			if c.above {
				rt = &apigw.Transport{Base: s, Policy: quick}
			}
			for range 3 { // also when something may have been learned
				if resp := post(t, rt, srv.URL, "order"); resp.StatusCode != http.StatusBadRequest {
					t.Fatalf("status %d, want 400", resp.StatusCode)
				}
			}
			if learned := s.Learned(); learned != nil {
				t.Errorf("learned %v, want nothing", learned)
			}
			for _, kept := range k.kept { // the gateway's time is what it told
				kept.Body = io.NopCloser(strings.NewReader("order"))
				resp, err := srv.Transport().RoundTrip(kept)
				if err != nil {
					t.Fatal(err)
				}
				resp.Body.Close()
				if resp.StatusCode == http.StatusOK {
					t.Errorf("a copy with the timestamp %s is accepted", kept.Header.Get("X-Ca-Timestamp"))
				}
			}
			ahead.Store(0) // and the way back: the next call is in order
			if resp := post(t, rt, srv.URL, "order"); resp.StatusCode != http.StatusOK {
				t.Errorf("status %d afterwards, want 200", resp.StatusCode)
			}
		})
	}
}

// A clock that is wrong by less than a few hours is repaired over TLS.
func TestClockIsRepairedOverTLS(t *testing.T) {
	for _, off := range []time.Duration{-20 * time.Minute, 20 * time.Minute, 3 * time.Hour, -2 * time.Hour} {
		g := &gatewaytest.Gateway{}
		srv := gatewaytest.NewHTTP2Server(g)
		s := newSigner(srv)
		s.Now = func() time.Time { return time.Now().Add(off) }
		if resp := post(t, &apigw.Transport{Base: s, Policy: quick}, srv.URL,
			"order"); resp.StatusCode != http.StatusOK {
			t.Errorf("%v off: status %d, want 200", off, resp.StatusCode)
		}
		srv.Close()
	}
}

// Over plain HTTP from another machine nothing is learned.
func TestPlainHTTPTeachesNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := &gatewaytest.Gateway{Now: func() time.Time { return time.Now().Add(20 * time.Minute) }}
		srv := gatewaytest.NewMemoryServer(g)
		defer srv.Close()
		s := newSigner(srv)
		s.Hosts = []string{"api.example.com"}
		resp := post(t, &apigw.Transport{Base: s, Policy: quick}, "http://api.example.com/", "order")
		if received := g.Counts().Received; resp.StatusCode != http.StatusBadRequest || received != 1 ||
			s.Learned() != nil {
			t.Errorf("status %d, %d received, learned %v; want 400, 1, nothing", resp.StatusCode, received, s.Learned())
		}
	})
}

// A server that redirects to ever new names fills no memory: what is kept of
// 20,000 hosts is bounded everywhere.
func TestManyHostsFillNoMemory(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &signer.Signer{AppKey: "key", AppSecret: "not-a-secret", Hosts: []string{"*.example.com"}}
		s.Base = roundTripper(func(req *http.Request) (*http.Response, error) {
			told := time.Now().Add(20 * time.Minute)
			if req.Header.Get("X-Ca-Timestamp") == strconv.FormatInt(told.UnixMilli(), 10) {
				h := http.Header{"X-Envoy-Upstream-Service-Time": {"7"}}
				return &http.Response{Status: "200 OK", StatusCode: 200, Header: h, Body: http.NoBody, Request: req},
					nil
			}
			h := http.Header{"Date": {told.UTC().Format(http.TimeFormat)}, "X-Ca-Error-Message": {"Timestamp Expired"}}
			return &http.Response{Status: "400 Bad Request", StatusCode: 400, Header: h, Body: http.NoBody,
				Request: req}, nil
		})
		tr := &apigw.Transport{Base: s, Policy: quick}
		tr.Policy.MaxThrottleWait = time.Second
		for i := range 20_000 {
			req, err := http.NewRequestWithContext(t.Context(), http.MethodGet,
				fmt.Sprintf("https://h%d.example.com/", i), nil)
			if err != nil {
				t.Fatal(err)
			}
			if _, err := tr.RoundTrip(req); err != nil {
				t.Fatal(err)
			}
		}
		if learned, limits, budgets := len(s.Learned()), len(tr.Limits()), len(tr.Budgets()); learned == 0 ||
			learned > 256 || limits > 1025 || budgets > 1025 {
			t.Errorf("%d hosts learned, %d limits, %d budgets; want some, and at most 256, 1025, 1025", learned, limits,
				budgets)
		}
	})
}

// A POST runs once, whatever a backend says after it ran.
func TestTextOfABackendResendsNothing(t *testing.T) {
	const forged = "Invalid Signature, Server StringToSign:`POST#*/*##application/json##/a b`"
	for name, c := range map[string]struct {
		status, message, code string
		more                  http.Header
	}{
		"coupon":                      {status: "422 Unprocessable Entity", message: "coupon timestamp expired"},
		"coupon at 400":               {status: "400 Bad Request", message: "coupon timestamp expired"},
		"the words at 422":            {status: "422 Unprocessable Entity", message: "Timestamp Expired"},
		"the words at 200":            {status: "200 OK", message: "Timestamp Expired"},
		"the words at 500":            {status: "500 Internal Server Error", message: "Timestamp Expired"},
		"the words at 503":            {status: "503 Service Unavailable", message: "Timestamp Expired"},
		"the words at 409":            {status: "409 Conflict", message: "timestamp expired"},
		"with a full stop":            {status: "400 Bad Request", message: "Timestamp Expired."},
		"with more":                   {status: "400 Bad Request", message: "Timestamp Expired for voucher 7"},
		"behind more":                 {status: "400 Bad Request", message: "Your Timestamp Expired"},
		"the backend's reason phrase": {status: "400 Timestamp Expired", message: "Timestamp Expired"},
		"phrase in other letters":     {status: "400 TIMESTAMP  EXPIRED", message: "Timestamp Expired"},
		"with a code of the backend":  {status: "400 Bad Request", message: "Timestamp Expired", code: "C400TE"},
		"with a code that is none":    {status: "400 Bad Request", message: "Timestamp Expired", code: "expired"},
		"code with another status":    {status: "422 Unprocessable Entity", code: "S403TE"},
		"code that nobody verified":   {status: "403 Forbidden", code: "S403TE"},
		"two messages": {status: "400 Bad Request", message: "Timestamp Expired",
			more: http.Header{"X-Ca-Error-Message": {"voucher"}}},
		"timestamp of the form":        {status: "400 Bad Request", message: "Invalid Timestamp"},
		"signature of a document":      {status: "422 Unprocessable Entity", message: "Invalid Signature"},
		"signature, no string":         {status: "400 Bad Request", message: "Invalid Signature"},
		"string to sign at 422":        {status: "422 Unprocessable Entity", message: forged},
		"string that explains nothing": {status: "400 Bad Request", message: forged},
		"nonce":                        {status: "400 Bad Request", message: "Nonce Used"},
		"cached": {status: "400 Bad Request", message: "Timestamp Expired",
			more: http.Header{"Age": {"5"}}},
	} {
		for above, rtOf := range map[string]func(*signer.Signer) http.RoundTripper{
			"Signer":    func(s *signer.Signer) http.RoundTripper { return s },
			"Transport": func(s *signer.Signer) http.RoundTripper { return &apigw.Transport{Base: s, Policy: quick} },
		} {
			t.Run(name+" under "+above, func(t *testing.T) {
				runs := 0
				s := &signer.Signer{AppKey: "key", AppSecret: "not-a-secret", Hosts: []string{"api.example.com"}}
				s.Base = roundTripper(func(req *http.Request) (*http.Response, error) {
					runs++
					io.Copy(io.Discard, req.Body)
					req.Body.Close()
					h := http.Header{"Date": {time.Now().Add(20 * time.Minute).UTC().Format(http.TimeFormat)}}
					for name, value := range map[string]string{"X-Ca-Error-Message": c.message,
						"X-Ca-Error-Code": c.code} {
						if value != "" {
							h.Set(name, value)
						}
					}
					for name, values := range c.more {
						h[name] = append(h[name], values...)
					}
					var status int
					fmt.Sscan(c.status, &status)
					return &http.Response{Status: c.status, StatusCode: status, Header: h, Body: http.NoBody,
						Request: req}, nil
				})
				post(t, rtOf(s), "https://api.example.com/a%20b", "order")
				if runs != 1 {
					t.Errorf("the POST ran %d times, want once", runs)
				}
			})
		}
	}
}

type roundTripper func(*http.Request) (*http.Response, error)

func (f roundTripper) RoundTrip(req *http.Request) (*http.Response, error) { return f(req) }
