package signer

import (
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"io"
	"maps"
	"net/http"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/apigw-go/apigw/internal/resign"
)

// today is a time after the edition of this package.
var today = time.Date(2027, time.March, 1, 12, 0, 0, 0, time.UTC)

// answer is one response of a gateway or of somebody who wants to be taken for
// one.
type answer struct {
	status        int
	code, message string
	date          string // Date; "" for none
	header        http.Header
	tls           *tls.ConnectionState
}

func (a answer) response(req *http.Request) *http.Response {
	h := http.Header{}
	for name, value := range map[string]string{"X-Ca-Error-Code": a.code, "X-Ca-Error-Message": a.message,
		"Date": a.date} {
		if value != "" {
			h.Set(name, value)
		}
	}
	maps.Copy(h, a.header)
	return &http.Response{StatusCode: a.status, Header: h, Body: http.NoBody, Request: req, TLS: a.tls}
}

// expired is the classic refusal of a timestamp, from a gateway whose clock is
// off by so much.
func expired(off time.Duration) answer {
	return answer{status: 400, message: "Timestamp Expired", date: today.Add(off).Format(http.TimeFormat)}
}

func (a answer) with(change func(*answer)) answer { change(&a); return a }

func TestWhatOneAnswerTeaches(t *testing.T) {
	const off = 20 * time.Minute
	tests := []struct {
		name, method, url string
		answer            answer
		set               func(*Signer)
		want              time.Duration // the offset that is learned
		sent              int
	}{
		{"a clock late by 20 minutes", "POST", "https://api.example.com/", expired(off), nil, off, 2},
		{"a clock early by 20 minutes", "POST", "https://api.example.com/", expired(-off), nil, -off, 2},
		{"loopback", "POST", "http://127.0.0.1:8080/", expired(off), nil, off, 2},
		{"loopback by name", "POST", "http://localhost:8080/", expired(off), nil, off, 2},
		{"loopback in IPv6", "POST", "http://[::1]:8080/", expired(off), nil, off, 2},
		{"three hours ahead", "POST", "https://api.example.com/", expired(3 * time.Hour), nil, 3 * time.Hour, 2},
		{"a month behind", "POST", "https://api.example.com/", expired(-30 * 24 * time.Hour), nil, -30 * 24 * time.Hour,
			2},

		{"a day ahead", "POST", "https://api.example.com/", expired(24 * time.Hour), nil, 0, 1},
		{"four hours ahead", "POST", "https://api.example.com/", expired(4 * time.Hour), nil, 0, 1},
		{"a century ahead", "POST", "https://api.example.com/", expired(100 * 365 * 24 * time.Hour), nil, 0, 1},
		{"1960", "POST", "https://api.example.com/",
			expired(0).with(func(a *answer) { a.date = "Thu, 01 Jan 1960 00:00:00 GMT" }), nil, 0, 1},
		{"1970", "POST", "https://api.example.com/",
			expired(0).with(func(a *answer) { a.date = "Thu, 01 Jan 1970 00:00:00 GMT" }), nil, 0, 1},
		{"before the build", "POST", "https://api.example.com/", expired(-365 * 24 * time.Hour), nil, 0, 1},
		{"the year 9999", "POST", "https://api.example.com/",
			expired(0).with(func(a *answer) { a.date = "Fri, 31 Dec 9999 23:59:59 GMT" }), nil, 0, 1},
		{"no Date", "POST", "https://api.example.com/", expired(0).with(func(a *answer) { a.date = "" }), nil, 0, 1},
		{"a Date that is none", "POST", "https://api.example.com/",
			expired(0).with(func(a *answer) { a.date = "tomorrow" }), nil, 0, 1},
		{"two Dates", "POST", "https://api.example.com/", expired(0).with(func(a *answer) {
			a.header = http.Header{"Date": {today.Add(off).Format(http.TimeFormat), today.Format(http.TimeFormat)}}
		}), nil, 0, 1},
		{"from a cache", "POST", "https://api.example.com/",
			expired(off).with(func(a *answer) { a.header = http.Header{"Age": {"60"}} }), nil, 0, 1},
		{"seconds", "POST", "https://api.example.com/", expired(30 * time.Second), nil, 0, 1},

		{"plain HTTP", "POST", "http://api.example.com/", expired(off), nil, 0, 1},
		{"plain HTTP, allowed", "POST", "http://api.example.com/", expired(off),
			func(s *Signer) { s.LearnOverPlainHTTP = true }, off, 2},
		{"plain HTTP, allowed, a day ahead", "POST", "http://api.example.com/", expired(24 * time.Hour),
			func(s *Signer) { s.LearnOverPlainHTTP = true }, 0, 1},
		{"localhost that net/http sends to a proxy", "POST", "http://LOCALHOST:8080/", expired(off), nil, 0, 1},
		{"localhost with a dot", "POST", "http://localhost.:8080/", expired(off), nil, 0, 1},
		{"TLS that was not verified", "POST", "https://api.example.com/",
			expired(off).with(func(a *answer) { a.tls = &tls.ConnectionState{} }), nil, 0, 1},
		{"TLS that was verified", "POST", "https://api.example.com/", expired(off).with(func(a *answer) {
			a.tls = &tls.ConnectionState{VerifiedChains: [][]*x509.Certificate{{}}}
		}), nil, off, 2},

		{"a provider's coupon", "POST", "https://api.example.com/",
			expired(off).with(func(a *answer) { a.status, a.message = 422, "coupon timestamp expired" }), nil, 0, 1},
		{"a provider's coupon with the gateway's status", "POST", "https://api.example.com/",
			expired(off).with(func(a *answer) { a.message = "coupon timestamp expired" }), nil, 0, 1},
		{"the words and more", "POST", "https://api.example.com/",
			expired(off).with(func(a *answer) { a.message += " for coupon 7" }), nil, 0, 1},
		{"another status", "POST", "https://api.example.com/", expired(off).with(func(a *answer) { a.status = 403 }),
			nil, 0, 1},
		{"a server error", "POST", "https://api.example.com/", expired(off).with(func(a *answer) { a.status = 500 }),
			nil, 0, 1},
		{"a success", "POST", "https://api.example.com/", expired(off).with(func(a *answer) { a.status = 200 }), nil, 0,
			1},
		{"another code", "POST", "https://api.example.com/", expired(off).with(func(a *answer) { a.code = "A403IS" }),
			nil, 0, 1},
		{"two messages", "POST", "https://api.example.com/", expired(off).with(func(a *answer) {
			a.header = http.Header{"X-Ca-Error-Message": {"Timestamp Expired", "OK"}}
		}), nil, 0, 1},
		{"other letter case and blanks", "POST", "https://api.example.com/",
			expired(off).with(func(a *answer) { a.message = " timestamp expired " }), nil, off, 2},
		{"malformed timestamp", "POST", "https://api.example.com/",
			expired(off).with(func(a *answer) { a.message = "Invalid Timestamp" }), nil, 0, 1},

		// S403TE is a row from memory: it teaches, but no POST is sent again.
		{"VPC-type code, GET", "GET", "https://api.example.com/",
			expired(off).with(func(a *answer) { a.status, a.code = 403, "S403TE" }), nil, off, 2},
		{"VPC-type code, POST", "POST", "https://api.example.com/",
			expired(off).with(func(a *answer) { a.status, a.code = 403, "S403TE" }), nil, off, 1},
		{"VPC-type code with another status", "GET", "https://api.example.com/",
			expired(off).with(func(a *answer) { a.status, a.code = 422, "S403TE" }), nil, 0, 1},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			s := testSigner()
			s.Hosts = []string{"api.example.com", "127.0.0.1:8080", "localhost:8080", "[::1]:8080"}
			s.Now = func() time.Time { return today }
			if tt.set != nil {
				tt.set(s)
			}
			var stamps []time.Time
			s.Base = roundTripFunc(func(req *http.Request) (*http.Response, error) {
				stamps = append(stamps, stampOf(req))
				if len(stamps) > 1 {
					return answer{status: 200}.response(req), nil
				}
				return tt.answer.response(req), nil
			})
			resp, err := s.RoundTrip(newRequest(t, tt.method, tt.url, ""))
			if err != nil {
				t.Fatal(err)
			}
			if len(stamps) != tt.sent {
				t.Errorf("sent %d times, want %d", len(stamps), tt.sent)
			}
			var got time.Duration
			for _, l := range s.Learned() {
				got = l.ClockOffset
			}
			if got != tt.want {
				t.Errorf("learned %v, want %v", got, tt.want)
			}
			if latest := stamps[len(stamps)-1]; latest.Sub(today) > maxAhead {
				t.Errorf("signed for %v, which is %v ahead", latest, latest.Sub(today))
			}
			note := resign.FromResponse(resp)
			if got := note != nil && len(note.Refused) == 1 &&
				note.Refused[0].Status == tt.answer.status; got != (tt.sent == 2) {
				t.Errorf("the refused sending is listed: %v, want %v", got, tt.sent == 2)
			}
		})
	}
}

func stampOf(req *http.Request) time.Time {
	ms, err := strconv.ParseInt(req.Header.Get("X-Ca-Timestamp"), 10, 64)
	if err != nil {
		panic(err)
	}
	return time.UnixMilli(ms)
}

// script answers with one answer after the other, the last one for ever.
type script struct {
	answers []answer
	sent    []*http.Request
}

func (g *script) RoundTrip(req *http.Request) (*http.Response, error) {
	a := g.answers[min(len(g.sent), len(g.answers)-1)]
	g.sent = append(g.sent, req)
	return a.response(req), nil
}

func TestWhatWasLearnedIsDroppedWhenItIsRefused(t *testing.T) {
	const off = 20 * time.Minute
	invalid := answer{status: 400, message: "Invalid Timestamp"}
	ok := answer{status: 200}
	tests := []struct {
		name    string
		answers []answer // to two requests
		want    time.Duration
		sent    int
	}{
		{"accepted", []answer{expired(off), ok}, off, 3},
		{"refused for its form", []answer{expired(off), ok, invalid, ok}, 0, 4},
		{"refused without a Date", []answer{expired(off), ok, expired(off).with(func(a *answer) { a.date = "" }), ok},
			0, 4},
		{"refused with a Date that is not plausible", []answer{expired(off), ok, expired(99 * time.Hour), ok}, 0, 4},
		{"refused with another time", []answer{expired(off), ok, expired(-off), ok}, -off, 4},
		{"refused with the same time", []answer{expired(off), ok, expired(off), ok}, 0, 4},
		{"refused at once", []answer{expired(off), expired(off), ok}, 0, 3},
		{"always refused", []answer{expired(off)}, 0, 4},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			g := &script{answers: tt.answers}
			s := testSigner()
			s.Now, s.Base = func() time.Time { return today }, g
			for range 2 {
				if _, err := s.RoundTrip(newRequest(t, "POST", "https://api.example.com/", "")); err != nil {
					t.Fatal(err)
				}
			}
			var got time.Duration
			for _, l := range s.Learned() {
				got = l.ClockOffset
			}
			if got != tt.want || len(g.sent) != tt.sent {
				t.Errorf("got offset %v after %d sendings, want %v after %d", got, len(g.sent), tt.want, tt.sent)
			}
		})
	}
}

func TestEachHostTeachesForItselfAlone(t *testing.T) {
	s := testSigner()
	s.Hosts = append(s.Hosts, "b.example.com", "api.example.com:8443", "*.tenant.example")
	s.Now = func() time.Time { return today }
	s.Base = roundTripFunc(func(req *http.Request) (*http.Response, error) {
		if req.URL.Host == "api.example.com" && req.Host != "a.tenant.example" && stampOf(req).Equal(today) {
			return expired(20 * time.Minute).response(req), nil
		}
		return answer{status: 200}.response(req), nil
	})
	for range 2 {
		for _, target := range []string{"https://api.example.com/", "https://b.example.com/",
			"https://api.example.com:8443/"} {
			if _, err := s.RoundTrip(newRequest(t, "GET", target, "")); err != nil {
				t.Fatal(err)
			}
		}
		req := newRequest(t, "GET", "https://api.example.com/", "")
		req.Host = "a.tenant.example"
		if _, err := s.RoundTrip(req); err != nil {
			t.Fatal(err)
		}
	}
	got := s.Learned()
	if len(got) != 1 || got[0].Host != "https://api.example.com" || got[0].ClockOffset != 20*time.Minute ||
		got[0].Rules != nil {
		t.Fatalf("got %+v, want api.example.com alone", got)
	}
	other := newRequest(t, "GET", "https://API.example.com.:443/", "")
	if err := s.Sign(other); err != nil || !stampOf(other).Equal(today.Add(20*time.Minute)) {
		t.Errorf("another spelling of the host: got %v, %v, want the gateway's time", stampOf(other), err)
	}
	s.Forget()
	if got := s.Learned(); got != nil {
		t.Errorf("after Forget: got %+v, want nothing", got)
	}
}

func TestMemoryIsBounded(t *testing.T) {
	s := testSigner()
	s.Hosts = []string{"*.example.com"}
	s.Now = func() time.Time { return today }
	s.Base = roundTripFunc(func(req *http.Request) (*http.Response, error) {
		return expired(20 * time.Minute).response(req), nil
	})
	for i := range 2 * maxHosts {
		if _, err := s.SendOnce(newRequest(t, "GET", fmt.Sprintf("https://h%d.example.com/", i), "")); err != nil {
			t.Fatal(err)
		}
	}
	if got := len(s.Learned()); got != maxHosts {
		t.Errorf("got %d hosts, want %d", got, maxHosts)
	}
}

// A stream cannot be sent again, but it teaches the next request.
func TestStreamsLearnToo(t *testing.T) {
	g := &script{answers: []answer{expired(20 * time.Minute), {status: 200}}}
	s := testSigner()
	s.Now, s.Base = func() time.Time { return today }, g
	req := newRequest(t, "POST", "https://api.example.com/", "")
	req.Body = io.NopCloser(strings.NewReader("once"))
	resp, err := s.RoundTrip(req)
	if err != nil || resp.StatusCode != 400 || len(g.sent) != 1 {
		t.Fatalf("got %v, %v after %d sendings, want the refusal after one", resp, err, len(g.sent))
	}
	if note := resign.FromResponse(resp); note == nil || !note.Learned || note.Lesson != resign.Clock {
		t.Errorf("got note %+v, want one that says what was learned", note)
	}
	if l := s.Learned(); len(l) != 1 || l[0].ClockOffset != 20*time.Minute {
		t.Errorf("got %+v, want 20 minutes", l)
	}
}

// Where the second sending fails, the first is not lost.
func TestErrorAfterARefusalListsIt(t *testing.T) {
	n := 0
	s := testSigner()
	s.Now = func() time.Time { return today }
	s.Base = roundTripFunc(func(req *http.Request) (*http.Response, error) {
		if n++; n == 1 {
			return expired(20 * time.Minute).response(req), nil
		}
		return nil, io.ErrUnexpectedEOF
	})
	_, err := s.RoundTrip(newRequest(t, "GET", "https://api.example.com/", ""))
	failure, ok := err.(*resign.Error)
	if !ok || failure.Unwrap() != io.ErrUnexpectedEOF || len(failure.Refused) != 1 ||
		err.Error() != io.ErrUnexpectedEOF.Error() {
		t.Errorf("got %#v, want an error that lists the refused sending", err)
	}
}

func TestPlausible(t *testing.T) {
	early := time.Date(2000, time.January, 1, 0, 0, 0, 0, time.UTC) // a test's clock, or a board's without a battery
	tests := []struct {
		name        string
		local, told time.Time
		want        bool
	}{
		{"equal", today, today, true},
		{"the bound ahead", today, today.Add(maxAhead), true},
		{"a second more", today, today.Add(maxAhead + time.Second), false},
		{"years behind, after the edition", today.AddDate(3, 0, 0), today, true},
		{"the edition", today, earliest(), true},
		{"before the edition", today, earliest().Add(-time.Second), false},
		{"both early, ahead", early, early.Add(20 * time.Minute), true},
		{"both early, behind", early, early.Add(-20 * time.Minute), true},
		{"both early, far behind", early, early.Add(-4 * time.Hour), false},
		{"both early, a day ahead", early, early.Add(24 * time.Hour), false},
		{"the local clock alone is early", early, today, false},
		{"before 1970", time.UnixMilli(1), time.UnixMilli(-1), false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got := plausible(tt.told, tt.local); got != tt.want {
				t.Errorf("got %v, want %v", got, tt.want)
			}
		})
	}
}

// The clock of this machine was set right after the offset was learned.
func TestOffsetThatIsNoLongerPlausibleIsNotUsed(t *testing.T) {
	s := testSigner()
	now := today.Add(-2 * time.Hour)
	s.Now = func() time.Time { return now }
	s.Base = &script{answers: []answer{expired(0), {status: 200}}}
	if _, err := s.RoundTrip(newRequest(t, "GET", "https://api.example.com/", "")); err != nil {
		t.Fatal(err)
	}
	for _, local := range []time.Time{now, time.UnixMilli(0).Add(time.Hour)} {
		now = local
		req := newRequest(t, "GET", "https://api.example.com/", "")
		if err := s.Sign(req); err != nil {
			t.Fatal(err)
		}
		if got := stampOf(req); got.Sub(local) < 0 || got.Sub(local) > maxAhead {
			t.Errorf("at %v: signed for %v", local, got)
		}
	}
}
