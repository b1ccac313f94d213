package signer_test

import (
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/apigw-go/apigw/gatewaytest"
	"github.com/apigw-go/apigw/signer"
)

// handled is a RoundTripper that calls a handler without a network.
type handled struct{ h http.Handler }

func (t handled) RoundTrip(req *http.Request) (*http.Response, error) {
	w := httptest.NewRecorder()
	received := req.Clone(req.Context())
	received.RequestURI = req.URL.RequestURI()
	if received.Body == nil {
		received.Body = http.NoBody
	}
	t.h.ServeHTTP(w, received)
	resp := w.Result()
	resp.Request = req
	return resp, nil
}

// allReadings are those of signers and gateways that are told apart.
func allReadings() (all []signer.Rules) {
	for _, path := range []signer.Rules{{}, {DecodedPath: true}, {DecodedPath: true, KeepSlashes: true}} {
		for i := range 8 {
			path.HigressParameters, path.QueryFirst, path.RawFormNames = i&1 != 0, i&2 != 0, i&4 != 0
			all = append(all, path)
		}
	}
	return append(all, signer.Rules{Higress: true})
}

func readingOf(r signer.Rules) gatewaytest.Reading {
	if r.Higress {
		return gatewaytest.HigressReadings()[0]
	}
	reading := gatewaytest.Reading{
		HigressParameters: r.HigressParameters, QueryFirst: r.QueryFirst, BareFormNames: r.RawFormNames,
	}
	switch {
	case r.KeepSlashes:
		reading.Path = gatewaytest.PathKeepsSlashes
	case r.DecodedPath:
		reading.Path = gatewaytest.PathDecoded
	}
	return reading
}

// requests each show another point of the reading of a gateway.
var requests = []struct{ name, target, form string }{
	{"nothing special", "/orders?a=1", ""},
	{"Chinese path", "/%E5%BC%A0/get", ""},
	{"escaped slash", "/a%2Fb", ""},
	{"escaped backslash, small letters", "/%e5%bc%a0%5cb%20c", ""},
	{"empty value", "/orders?b=&a=1", ""},
	{"plus and bare name", "/orders?q=a+b&c+d&e=%2B", ""},
	{"query and form differ", "/orders?k=query", "k=form&x=1"},
	{"bare name of a form", "/orders?k=1", "c+d&x=1"},
	{"all of it", "/%E5%BC%A0%2F?k=query&e=&p=a+b&bare+name", "k=form&c+d&e2=&%65"},
}

func send(t *testing.T, s *signer.Signer, target, form string) *http.Response {
	t.Helper()
	method, body := http.MethodGet, io.Reader(nil)
	if form != "" {
		method, body = http.MethodPost, strings.NewReader(form)
	}
	req, err := http.NewRequestWithContext(t.Context(), method, "https://api.example.com"+target, body)
	if err != nil {
		t.Fatal(err)
	}
	if form != "" {
		req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	resp, err := s.RoundTrip(req)
	if err != nil {
		t.Fatal(err)
	}
	resp.Body.Close()
	return resp
}

// Every pair of readings, that of the signer and that of the gateway, ends in
// 200 after at most one refusal, and what was learned stays right.
func TestEveryPairOfReadingsEndsIn200(t *testing.T) {
	pairs, refusals := 0, 0
	for _, own := range allReadings() {
		for _, theirs := range allReadings() {
			g := &gatewaytest.Gateway{Readings: []gatewaytest.Reading{readingOf(theirs)}}
			s := signerFor("api.example.com")
			s.Base = handled{g}
			s.DecodedPath, s.KeepSlashes, s.Higress = own.DecodedPath, own.KeepSlashes, own.Higress
			s.HigressParameters, s.QueryFirst, s.RawFormNames = own.HigressParameters, own.QueryFirst, own.RawFormNames
			pairs++
			for round := range 2 {
				for _, r := range requests {
					before := g.Counts().Received
					resp := send(t, s, r.target, r.form)
					sent := g.Counts().Received - before
					if resp.StatusCode != 200 || sent > 2 || round > 0 && sent > 1 {
						t.Errorf("signer %+v, gateway %v, %s, round %d: got %d after %d sendings: %s",
							own, readingOf(theirs), r.name, round+1, resp.StatusCode, sent,
							resp.Header.Get("X-Ca-Error-Message"))
					}
					refusals += sent - 1
				}
			}
		}
	}
	t.Logf("%d pairs, %d requests each, %d refusals in all", pairs, 2*len(requests), refusals)
	if pairs != 625 {
		t.Errorf("got %d pairs, want 625", pairs)
	}
}

// The vendor's and the other whole readings of the fake gateway.
func TestWholeReadingsAreLearned(t *testing.T) {
	for name, readings := range map[string][]gatewaytest.Reading{
		"migration": {gatewaytest.MigrationReading()}, "higress": gatewaytest.HigressReadings(), "documented": {{}},
	} {
		t.Run(name, func(t *testing.T) {
			g := &gatewaytest.Gateway{Readings: readings}
			s := signerFor("api.example.com")
			s.Base = handled{g}
			for round := range 2 {
				for _, r := range requests {
					before := g.Counts().Received
					resp := send(t, s, r.target, r.form)
					if sent := g.Counts().Received - before; resp.StatusCode != 200 || sent > 2-round {
						t.Errorf("%s: got %d after %d sendings", r.name, resp.StatusCode, sent)
					}
				}
			}
		})
	}
}

// Nothing is learned where the gateway's string differs in anything else, or
// did not arrive whole.
func TestReadingIsNeverGuessed(t *testing.T) {
	const target = "/%E5%BC%A0?k="
	decoded := func(req *http.Request) string {
		text := signer.StringToSign(req, nil, signer.Rules{DecodedPath: true})
		return strings.ReplaceAll(text, "\n", "#")
	}
	tests := []struct {
		name    string
		status  int
		code    string
		message func(*http.Request) string
		want    bool
	}{
		{"decoded path", 400, "",
			func(r *http.Request) string { return "Invalid Signature, Server StringToSign:`" + decoded(r) + "`" },
			true},
		{"Higress' words", 400, "", func(r *http.Request) string { return "Server StringToSign:`" + decoded(r) + "`" },
			true},
		{"VPC-type code", 403, "A403IS",
			func(r *http.Request) string { return "Invalid Signature, Server StringToSign:`" + decoded(r) + "`" },
			true},
		{"the string that was signed", 400, "", func(r *http.Request) string {
			return "Invalid Signature, Server StringToSign:`" + strings.ReplaceAll(signer.StringToSign(r, nil,
				signer.Rules{}), "\n", "#") + "`"
		}, false},
		{"cut", 400, "", func(r *http.Request) string {
			return "Invalid Signature, Server StringToSign:`" +
				decoded(r)
		}, false},
		{"cut within", 400, "", func(r *http.Request) string {
			return "Invalid Signature, Server StringToSign:`" + decoded(r)[:40] + "`"
		}, false},
		{"one more header", 400, "", func(r *http.Request) string {
			return "Invalid Signature, Server StringToSign:`" + strings.Replace(decoded(r), "#/", "#x-via:proxy#/",
				1) + "`"
		}, false},
		{"another nonce", 400, "", func(r *http.Request) string {
			return "Invalid Signature, Server StringToSign:`" + strings.Replace(decoded(r), r.Header.Get("X-Ca-Nonce"),
				"n", 1) + "`"
		}, false},
		{"another Accept", 400, "", func(r *http.Request) string {
			return "Invalid Signature, Server StringToSign:`" + strings.Replace(decoded(r), "GET#", "GET#*/*", 1) + "`"
		}, false},
		{"a provider's status", 422, "",
			func(r *http.Request) string { return "Invalid Signature, Server StringToSign:`" + decoded(r) + "`" },
			false},
		{"words before it", 400, "", func(r *http.Request) string {
			return "see: Invalid Signature, Server StringToSign:`" + decoded(r) + "`"
		}, false},
		{"another code", 403, "A403ED",
			func(r *http.Request) string { return "Invalid Signature, Server StringToSign:`" + decoded(r) + "`" },
			false},
		{"no string", 400, "", func(r *http.Request) string { return "Invalid Signature, Server StringToSign:" },
			false},
		{"empty string", 400, "", func(r *http.Request) string { return "Invalid Signature, Server StringToSign:``" },
			false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			n := 0
			s := signerFor("api.example.com")
			s.Base = handled{http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				n++
				w.Header()["X-Ca-Error-Message"] = []string{tt.message(r)}
				if tt.code != "" {
					w.Header().Set("X-Ca-Error-Code", tt.code)
				}
				w.WriteHeader(tt.status)
			})}
			resp := send(t, s, target, "")
			want := 1
			if tt.want {
				want = 2 // and no more: the gateway goes on refusing
			}
			if n != want || resp.StatusCode != tt.status || (len(s.Learned()) == 1) != tt.want {
				t.Errorf("got %d after %d sendings, learned %+v; want %d sendings", resp.StatusCode, n, s.Learned(),
					want)
			}
		})
	}
}

func TestLearnedReadingIsDroppedWhenItIsRefused(t *testing.T) {
	g := &gatewaytest.Gateway{Readings: []gatewaytest.Reading{gatewaytest.MigrationReading()}}
	s := signerFor("api.example.com")
	s.Base = handled{g}
	send(t, s, "/%E5%BC%A0", "")
	if got := s.Learned(); len(got) != 1 || got[0].Rules == nil || !got[0].Rules.DecodedPath ||
		!got[0].Rules.KeepSlashes {
		t.Fatalf("learned %+v, want the decoded path", got)
	}
	s.Base = handled{http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header()["X-Ca-Error-Message"] = []string{"Invalid Signature, Server StringToSign:`GET#rewritten`"}
		w.WriteHeader(400)
	})}
	send(t, s, "/%E5%BC%A0", "")
	if got := s.Learned(); got != nil {
		t.Errorf("after a refusal: %+v, want nothing", got)
	}
}

// A wrong secret is not a reading, and what was learned stays.
func TestWrongSecretTeachesNothing(t *testing.T) {
	g := &gatewaytest.Gateway{Readings: []gatewaytest.Reading{gatewaytest.MigrationReading()}}
	s := signerFor("api.example.com")
	s.Base = handled{g}
	send(t, s, "/%E5%BC%A0", "")
	s.AppSecret = "not-a-secret"
	if resp := send(t, s, "/%E5%BC%A0", ""); resp.StatusCode != 400 || len(s.Learned()) != 1 {
		t.Errorf("got %d, learned %+v; want 400 and the reading kept", resp.StatusCode, s.Learned())
	}
	s = signerFor("api.example.com")
	s.Base, s.AppSecret = handled{g}, "not-a-secret"
	before := g.Counts().Received
	if resp := send(t, s, "/orders", ""); resp.StatusCode != 400 || s.Learned() != nil ||
		g.Counts().Received != before+1 {
		t.Errorf("got %d, learned %+v; want one refusal and nothing learned", resp.StatusCode, s.Learned())
	}
}

// A wrong clock and another reading are two refusals, one after the other.
func TestClockAndReadingAreBothLearned(t *testing.T) {
	g := &gatewaytest.Gateway{Readings: []gatewaytest.Reading{{Path: gatewaytest.PathDecoded}}}
	s := signerFor("api.example.com")
	s.Base = handled{g}
	s.Now = func() time.Time { return time.Now().Add(20 * time.Minute) }
	resp := send(t, s, "/%E5%BC%A0", "")
	if c := g.Counts(); resp.StatusCode != 200 || c.Received != 3 || c.Executed != 1 {
		t.Errorf("got %d after %d sendings and %d runs, want 200 after 3 and 1", resp.StatusCode, c.Received,
			c.Executed)
	}
	if got := s.Learned(); len(got) != 1 || got[0].Rules == nil || got[0].ClockOffset == 0 {
		t.Errorf("learned %+v, want both", got)
	}
}
