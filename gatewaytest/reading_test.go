package gatewaytest_test

import (
	"bufio"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"testing"

	"github.com/apigw-go/apigw/catalog"
	"github.com/apigw-go/apigw/gatewaytest"
	"github.com/apigw-go/apigw/signer"
)

// migrationVectors are requests and answers of the vendor's own tests for
// clients that move from the classic gateway, and what that source says about
// the path in their string to sign.
type migrationVectors struct {
	Key      string        `json:"key"`
	Secret   signer.Secret `json:"secret"`
	Requests []struct {
		Name      string            `json:"name"`
		Method    string            `json:"method"`
		Target    string            `json:"target"`
		Headers   map[string]string `json:"headers"`
		Body      string            `json:"body"`
		Signature string            `json:"signature"`
		Accepted  bool              `json:"accepted"`
	} `json:"requests"`
	Paths []struct{ Wire, Signed string } `json:"paths"`
}

func readMigrationVectors(t *testing.T) migrationVectors {
	t.Helper()
	data, err := os.ReadFile("../signer/testdata/classic-gateway-vectors.json")
	if err != nil {
		t.Fatal(err)
	}
	var v migrationVectors
	if err := json.Unmarshal(data, &v); err != nil {
		t.Fatal(err)
	}
	if len(v.Requests) != 14 || len(v.Paths) != 7 {
		t.Fatalf("got %d requests and %d paths, want 14 and 7", len(v.Requests), len(v.Paths))
	}
	return v
}

// onWire parses a request as a server would.
func onWire(t *testing.T, method, target string, header map[string]string, body string) *http.Request {
	t.Helper()
	var wire strings.Builder
	fmt.Fprintf(&wire, "%s %s HTTP/1.1\r\nHost: gw.example.com\r\nContent-Length: %d\r\n", method, target, len(body))
	for name, value := range header {
		fmt.Fprintf(&wire, "%s: %s\r\n", name, value)
	}
	wire.WriteString("\r\n" + body)
	req, err := http.ReadRequest(bufio.NewReader(strings.NewReader(wire.String())))
	if err != nil {
		t.Fatal(err)
	}
	return req
}

// A gateway set to the vendor's reading, and the plug-in that has it among
// others, answer the vendor's requests as the vendor's verifier does.
func TestVendorVectors(t *testing.T) {
	v := readMigrationVectors(t)
	apps := []gatewaytest.App{{AppKey: v.Key, AppSecret: v.Secret}}
	gateways := map[string]func() *gatewaytest.Gateway{
		"migration": func() *gatewaytest.Gateway {
			return &gatewaytest.Gateway{Apps: apps, Readings: []gatewaytest.Reading{gatewaytest.MigrationReading()}}
		},
		"plug-in": func() *gatewaytest.Gateway {
			return &gatewaytest.Gateway{Apps: apps, Dialect: catalog.GenerationHigress}
		},
	}
	for name, gateway := range gateways {
		for _, r := range v.Requests {
			t.Run(name+"/"+r.Name, func(t *testing.T) {
				header := map[string]string{"X-Ca-Signature": r.Signature}
				maps.Copy(header, r.Headers)
				answer := httptest.NewRecorder()
				gateway().ServeHTTP(answer, onWire(t, r.Method, r.Target, header, r.Body))
				if got := answer.Code == 200; got != r.Accepted {
					t.Errorf("got %d %q, want accepted %v", answer.Code, answer.Header().Get("X-Ca-Error-Message"),
						r.Accepted)
				}
			})
		}
	}
}

// shownString sends a request with a wrong signature and returns the string to
// sign that the refusal shows, with "#" for line breaks.
func shownString(t *testing.T, reading gatewaytest.Reading, req *http.Request) string {
	t.Helper()
	req.Header.Set("X-Ca-Key", gatewaytest.DefaultAppKey)
	req.Header.Set("X-Ca-Signature", "wrong")
	answer := httptest.NewRecorder()
	g := &gatewaytest.Gateway{Readings: []gatewaytest.Reading{reading}}
	g.ServeHTTP(answer, req)
	_, text, ok := strings.Cut(answer.Header().Get("X-Ca-Error-Message"), "Server StringToSign:`")
	if !ok {
		t.Fatalf("got %d %q, want the string to sign", answer.Code, answer.Header().Get("X-Ca-Error-Message"))
	}
	return strings.TrimSuffix(text, "`")
}

func TestReadingOfThePath(t *testing.T) {
	for _, p := range readMigrationVectors(t).Paths {
		decoded := map[gatewaytest.PathReading]string{gatewaytest.PathAsSent: p.Wire,
			gatewaytest.PathKeepsSlashes: p.Signed}
		for path, want := range decoded {
			got := shownString(t, gatewaytest.Reading{Path: path}, onWire(t, "GET", p.Wire, nil, ""))
			if got != "GET#####"+want {
				t.Errorf("%s, reading %d: got %q, want %q", p.Wire, path, got, want)
			}
		}
	}
	for _, tt := range []struct {
		wire, want string
		reading    gatewaytest.PathReading
	}{
		{"/a%2Fb%5c+", `/a/b\+`, gatewaytest.PathDecoded},
		{"/a%2Fb%5c+", "/a%2Fb%5c+", gatewaytest.PathKeepsSlashes},
		{"/%ff/%41", "/\xff/A", gatewaytest.PathDecoded},
		{"/%ff/%41", "/%ff/%41", gatewaytest.PathKeepsSlashes}, // not UTF-8: as sent
		{"http://gw.example.com/a//b/?c=%20", "/a//b/?c= ", gatewaytest.PathAsSent},
		{"*", "*", gatewaytest.PathDecoded},
	} {
		method := "GET"
		if tt.wire == "*" {
			method = "OPTIONS"
		}
		got := shownString(t, gatewaytest.Reading{Path: tt.reading}, onWire(t, method, tt.wire, nil, ""))
		if want := method + "#####" + tt.want; got != want {
			t.Errorf("%s, reading %d: got %q, want %q", tt.wire, tt.reading, got, want)
		}
	}
}

func TestReadingOfParameters(t *testing.T) {
	form := map[string]string{"Content-Type": "Application/X-WWW-Form-Urlencoded; charset=utf-8"}
	higress := gatewaytest.HigressReadings()[0]
	for _, tt := range []struct {
		name, target, body string
		reading            gatewaytest.Reading
		want               string
	}{
		{"sorted by bytes, first of a name", "/?b=2&a=1&B=3&a=9", "", gatewaytest.Reading{}, "/?B=3&a=1&b=2"},
		{"empty value, bare name, empty piece", "/?c=&b&&a=1", "", gatewaytest.Reading{}, "/?a=1&b&c"},
		{"the same for Higress", "/?c=&b&&a=1", "", higress, "/?=&a=1&b=&c="},
		{"nothing behind the last &", "/?a=1&", "", higress, "/?a=1"},
		{"plus and escapes", "/?k+1=a+b%2B%26", "", gatewaytest.Reading{}, "/?k 1=a b+&"},
		{"the same for Higress, plus", "/?k+1=a+b%2B%26", "", higress, "/?k+1=a+b+&"},
		{"broken escapes are text", "/?a=%zz%4", "", gatewaytest.Reading{}, "/?a=%zz%4"},
		{"form first", "/?a=query", "a=form", gatewaytest.Reading{}, "/?a=form"},
		{"query first", "/?a=query", "a=form", gatewaytest.Reading{QueryFirst: true}, "/?a=query"},
		{"bare form name decoded", "/?q%20", "f%20+g", gatewaytest.Reading{}, "/?f  g&q "},
		{"bare form name as sent", "/?q%20", "f%20+g", gatewaytest.Reading{BareFormNames: true}, "/?f%20+g&q "},
		{"bare names of Higress", "/?q%20", "f%20+g", higress, "/?f%20+g=&q%20="},
		{"no parameters", "/", "", higress, "/"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got := shownString(t, tt.reading, onWire(t, "POST", tt.target, form, tt.body))
			if want := "POST###" + form["Content-Type"] + "##" + tt.want; got != want {
				t.Errorf("got %q, want %q", got, want)
			}
		})
	}
}

func TestReadingOfHeaders(t *testing.T) {
	const list = " X-Ca-Nonce,Accept, x-b,X-B,,X-Ca-Nonce,X-Ca-Signature"
	header := map[string]string{
		"X-Ca-Signature-Headers": list, "X-Ca-Nonce": "n", "X-B": "b", "Accept": "a/b",
		"Content-Type": "multipart/form-data; boundary=1", "X-Ca-Signed-Content-Type": "multipart/form-data",
	}
	for name, tt := range map[string]struct {
		reading gatewaytest.HeaderReading
		want    string
	}{
		"documented": {gatewaytest.HeadersDocumented, "GET#a/b##multipart/form-data##X-B:b#X-Ca-Nonce:n#x-b:b#/"},
		"listed": {gatewaytest.HeadersListed,
			"GET#a/b##multipart/form-data##Accept:a/b#X-B:b#X-Ca-Nonce:n#X-Ca-Nonce:n#X-Ca-Signature:wrong#x-b:b#/"},
		"higress": {gatewaytest.HeadersHigress,
			"GET#a/b##multipart/form-data; boundary=1## x-b:#x-b:b#x-ca-nonce:n#x-ca-nonce:n#/"},
	} {
		t.Run(name, func(t *testing.T) {
			if got := shownString(t, gatewaytest.Reading{Headers: tt.reading}, onWire(t, "GET", "/", header,
				"")); got != tt.want {
				t.Errorf("got %q, want %q", got, tt.want)
			}
		})
	}
}

// A refusal shows the first reading, whatever the others would have shown.
func TestPlugInShowsItsOwnReading(t *testing.T) {
	req := onWire(t, "GET", "/%41?a=", map[string]string{"X-Ca-Signature-Headers": "X-Ca-Key"}, "")
	req.Header.Set("X-Ca-Key", gatewaytest.DefaultAppKey)
	req.Header.Set("X-Ca-Signature", "wrong")
	answer := httptest.NewRecorder()
	(&gatewaytest.Gateway{Dialect: catalog.GenerationHigress}).ServeHTTP(answer, req)
	want := "Server StringToSign:`GET#####x-ca-key:" + gatewaytest.DefaultAppKey + "#/%41?a=`"
	if got := answer.Header().Get("X-Ca-Error-Message"); got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestParseReading(t *testing.T) {
	for text, want := range map[string]gatewaytest.Reading{
		"":                                {},
		"documented":                      {},
		"migration":                       gatewaytest.MigrationReading(),
		"higress":                         gatewaytest.HigressReadings()[0],
		"path-decoded":                    {Path: gatewaytest.PathDecoded},
		"query-first, path-keeps-slashes": {Path: gatewaytest.PathKeepsSlashes, QueryFirst: true},
		"form-first,migration": {Path: gatewaytest.PathKeepsSlashes, Headers: gatewaytest.HeadersListed,
			BareFormNames: true},
		"higress-parameters,bare-form-names": {HigressParameters: true, BareFormNames: true},
	} {
		got, err := gatewaytest.ParseReading(text)
		if err != nil || got != want {
			t.Errorf("%q: got %+v %v, want %+v", text, got, err, want)
		}
		if again, err := gatewaytest.ParseReading(got.String()); err != nil || again != got {
			t.Errorf("%q: String gives %q, which is %+v %v", text, got.String(), again, err)
		}
	}
	for text, want := range map[string]string{
		"path-decodet":                    `unknown word "path-decodet"; known are documented, migration, higress, path-as-sent`,
		"path-decoded,path-keeps-slashes": `"path-decoded" and "path-keeps-slashes" exclude each other`,
		"higress,documented":              `exclude each other`,
		"path-decoded,":                   `unknown word ""`,
	} {
		if _, err := gatewaytest.ParseReading(text); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: got %v, want %s", text, err, want)
		}
	}
}
