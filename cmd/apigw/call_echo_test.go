package main

import (
	"encoding/base64"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
)

// secretPlaces are where a request can carry a secret, and what of it must not
// be shown: the value as it is sent, and what it means.
var secretPlaces = []struct {
	name string
	args []string
	sent []string
}{
	{"bearer token", []string{"-H", "Authorization: Bearer token-of-the-test"}, []string{"token-of-the-test"}},
	{"Basic", []string{"-H",
		"Authorization: Basic " + base64.StdEncoding.EncodeToString([]byte("eve:value-of-the-test"))},
		[]string{"value-of-the-test", base64.StdEncoding.EncodeToString([]byte("eve:value-of-the-test"))}},
	{"cookie", []string{"-H", "Cookie: a=1; session=value-of-the-test"}, []string{"value-of-the-test"}},
	{"header of a key", []string{"-H", "X-Api-Key: value-of-the-test"}, []string{"value-of-the-test"}},
	{"form", []string{"-d", "user=eve&password=value-of-the-test"}, []string{"value-of-the-test"}},
	{"encoded form", []string{"--data-urlencode", "password=value-of-the-test &x"}, []string{"value-of-the-test &x"}},
	{"JSON", []string{"-d", `{"password":"value-of-the-test"}`}, []string{"value-of-the-test"}},
	{"query", nil, []string{"query-of-the-test"}},
}

// echoPlaces are where a server can echo what it got.
var echoPlaces = map[string]func(secret string) http.Header{
	"unknown text": func(s string) http.Header {
		return http.Header{"X-Ca-Error-Message": {"bad " + s +
			", try again"}}
	},
	"parameter": func(s string) http.Header {
		return http.Header{"X-Ca-Error-Code": {"I400HD"}, "X-Ca-Error-Message": {"Invalid Header `X-Api-Key` " + s}}
	},
	"code": func(s string) http.Header { return http.Header{"X-Ca-Error-Code": {s}} },
	"request id": func(s string) http.Header {
		return http.Header{"X-Ca-Error-Code": {"B403MQ"},
			"X-Ca-Request-Id": {s}}
	},
	"upper case": func(s string) http.Header {
		return http.Header{"X-Ca-Error-Message": {"bad " +
			strings.ToUpper(s)}}
	},
	"other header": func(s string) http.Header { return http.Header{"X-Echo": {s}, "Set-Cookie": {"a=" + s}} },
	"location": func(s string) http.Header {
		return http.Header{"Location": {"/x/" + url.PathEscape(s) + "?a=" + url.QueryEscape(s)}}
	},
	"reason phrase": func(s string) http.Header {
		return http.Header{"X-Ca-Error-Message": {s}, "X-Ca-Error-Code": {"D503CB"}}
	},
}

// Whatever place echoes a secret, no output of the command shows it: neither
// the timeline, nor the heads of -i and -v, nor JSON.
func TestCallShowsNoSecretThatIsEchoed(t *testing.T) {
	for echo, headers := range echoPlaces {
		for _, place := range secretPlaces {
			for _, secret := range place.sent {
				server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
					io.Copy(io.Discard, r.Body)
					maps.Copy(w.Header(), headers(secret))
					status := http.StatusForbidden
					if w.Header().Get("Location") != "" {
						status = http.StatusFound
					}
					w.WriteHeader(status)
				}))
				for _, output := range []string{"--json", "-i", "-v"} {
					args := append([]string{"call", output, server.URL + "/a?token=query-of-the-test"}, place.args...)
					got := runCommand(args, "", nil)
					if shown := strings.ToLower(got.stdout + got.stderr); strings.Contains(shown,
						strings.ToLower(secret)) {
						t.Errorf("%s, echoed as %s, %s: got %q in\n%s%s", place.name, echo, output, secret, got.stdout,
							got.stderr)
					}
				}
				server.Close()
			}
		}
	}
}
