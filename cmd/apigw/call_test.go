package main

import (
	"encoding/json"
	"maps"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"testing"

	"github.com/apigw-go/apigw/gatewaytest"
)

// A server that echoes all it got, in a text that the catalog does not know
// and in one with parameters, must not bring a secret to light.
func TestCallShowsNoSecret(t *testing.T) {
	const (
		appSecret = "app-secret-of-the-test"
		appCode   = "app-code-of-the-test"
		query     = "query-of-the-test"
	)
	env := map[string]string{"APIGW_APP_SECRET": appSecret, "APIGW_APP_CODE": appCode}
	for _, c := range []struct {
		name    string
		headers func(r *http.Request) http.Header
	}{
		{"unknown text", func(r *http.Request) http.Header {
			return http.Header{"X-Ca-Error-Message": {"bad " + r.Header.Get("Authorization") + " " + appSecret + " " +
				r.RequestURI}}
		}},
		{"parameter", func(r *http.Request) http.Header {
			return http.Header{"X-Ca-Error-Code": {"I400HD"},
				"X-Ca-Error-Message": {"Invalid Header `Authorization` " + r.Header.Get("Authorization") + appSecret +
					" " + r.RequestURI}}
		}},
		{"string to sign", func(r *http.Request) http.Header {
			return http.Header{"X-Ca-Error-Message": {"Invalid Signature, Server StringToSign:`GET#####" +
				r.RequestURI + r.Header.Get("Authorization") + appSecret + "`"}}
		}},
		{"request id and code", func(r *http.Request) http.Header {
			return http.Header{"X-Ca-Error-Code": {appCode}, "X-Ca-Request-Id": {appSecret + r.URL.RawQuery}}
		}},
		{"redirect", func(r *http.Request) http.Header {
			return http.Header{"Location": {"https://example.com/" + appCode + appSecret + "?" + r.URL.RawQuery}}
		}},
	} {
		server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			maps.Copy(w.Header(), c.headers(r))
			if w.Header().Get("Location") != "" {
				w.WriteHeader(http.StatusFound)
				return
			}
			w.WriteHeader(http.StatusBadRequest)
		}))
		for _, credentials := range [][]string{{"--appcode"}, {"--key", "1"},
			{"-H", "Authorization: Bearer " + appCode}} {
			for _, format := range []string{"--json=false", "--json"} {
				t.Run(strings.Join([]string{c.name, credentials[0], format}, " "), func(t *testing.T) {
					args := append([]string{"call", format, server.URL + "/x?password=" + query}, credentials...)
					got := runCommand(args, "", env)
					for _, secret := range []string{appSecret, appCode, query} {
						if strings.Contains(got.stdout+got.stderr, secret) {
							t.Errorf("got %q in the output:\n%s%s", secret, got.stdout, got.stderr)
						}
					}
				})
			}
		}
		server.Close()
	}
}

func TestCallJSONHasTheFieldsOfTheContract(t *testing.T) {
	server := gatewaytest.NewServer(&gatewaytest.Gateway{Routes: callRoutes})
	defer server.Close()
	got := runCommand([]string{"call", "--json", server.URL + "/quota"}, "", nil)
	var result callResult
	dec := json.NewDecoder(strings.NewReader(got.stdout))
	dec.DisallowUnknownFields()
	if err := dec.Decode(&result); err != nil {
		t.Fatal(err)
	}
	for _, field := range []string{
		`"status":`, `"attempts":[{`, `"code":`, `"message":`, `"request_id":`, `"wait_ms":`, `"duration_ms":`,
		`"error":{"id":`,
		`"stop_reason":"not-retryable"`, `"body_bytes":`,
	} {
		if !strings.Contains(got.stdout, field) {
			t.Errorf("got %s, want %s in it", got.stdout, field)
		}
	}
}

func TestCallSendsOnceWithMaxAttemptsOne(t *testing.T) {
	gateway := &gatewaytest.Gateway{Routes: []gatewaytest.Route{{Pattern: "/", Auth: gatewaytest.AuthNone,
		Script: []gatewaytest.Outcome{{Status: 503, Times: -1}}}}}
	server := gatewaytest.NewServer(gateway)
	defer server.Close()
	runCommand([]string{"call", "--max-attempts", "1", server.URL}, "", nil)
	if got := gateway.Counts().Received; got != 1 {
		t.Errorf("requests: got %d, want 1", got)
	}
}

func TestFlagsStandAnywhere(t *testing.T) {
	gateway := &gatewaytest.Gateway{Routes: []gatewaytest.Route{{Pattern: "PUT /a", Auth: gatewaytest.AuthNone}}}
	server := gatewaytest.NewServer(gateway)
	defer server.Close()
	for _, args := range [][]string{
		{"call", "-X", "PUT", server.URL + "/a", "-json"},
		{"call", server.URL + "/a", "--json", "--X", "PUT"},
		{"call", "--X=PUT", "--json", "--", server.URL + "/a"},
	} {
		if got := runCommand(args, "", nil); got.exit != exitOK {
			t.Errorf("%q: got exit %d, want 0; %s", args, got.exit, got.stderr)
		}
	}
}

func TestNothingIsAFlagBehindTwoDashes(t *testing.T) {
	got := runCommand([]string{"explain", "--json", "--", "-json"}, "", nil)
	if got.exit != exitUnknown {
		t.Errorf("got exit %d, want %d: the text -json is explained; %s", got.exit, exitUnknown, got.stderr)
	}
}

func TestHostHeaderMaySeeTheCredentials(t *testing.T) {
	server := gatewaytest.NewServer(&gatewaytest.Gateway{})
	defer server.Close()
	env := map[string]string{"APIGW_APP_SECRET": gatewaytest.DefaultAppSecret}
	got := runCommand([]string{"call", "--key", gatewaytest.DefaultAppKey, "-H", "Host: api.example.com", server.URL},
		"", env)
	if got.exit != exitOK {
		t.Errorf("got exit %d, want 0; %s", got.exit, got.stderr)
	}
}

func TestSecretFileMustNotBeEmpty(t *testing.T) {
	file := t.TempDir() + "/secret"
	if err := os.WriteFile(file, []byte("\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	got := runCommand([]string{"sign", "--key", "1", "--secret-file", file, "https://api.example.com/"}, "",
		map[string]string{"APIGW_APP_SECRET": "unused"})
	if got.exit != exitMisuse || !strings.Contains(got.stderr, "is empty") {
		t.Errorf("got exit %d, %s; want 2, and that the file is empty", got.exit, got.stderr)
	}
}
