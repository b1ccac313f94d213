package main

import (
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/apigw-go/apigw/gatewaytest"
)

func writeProfiles(t *testing.T, text string) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), "profiles.json")
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return file
}

func TestCallWithAProfile(t *testing.T) {
	server := gatewaytest.NewServer(&gatewaytest.Gateway{Routes: callRoutes})
	defer server.Close()
	u, err := url.Parse(server.URL)
	if err != nil {
		t.Fatal(err)
	}
	file := writeProfiles(t, fmt.Sprintf(`{"profiles": {
		"signed": {"key": %q, "secretEnv": "MY_SECRET", "hosts": [%q]},
		"code": {"appCode": true, "secretFile": "code"},
		"elsewhere": {"key": %[1]q, "secretEnv": "MY_SECRET", "hosts": ["api.example.com"]}
	}}`, gatewaytest.DefaultAppKey, u.Host))
	if err := os.WriteFile(filepath.Join(filepath.Dir(file), "code"), []byte(gatewaytest.DefaultAppCode+"\n"),
		0o600); err != nil {
		t.Fatal(err)
	}
	env := map[string]string{"MY_SECRET": gatewaytest.DefaultAppSecret, "APIGW_PROFILES": file}
	for _, c := range []struct {
		name, profile, path string
		exit                int
	}{
		{"key", "signed", "/signed", exitOK},
		{"AppCode", "code", "/app-code", exitOK},
		{"credentials stay at home", "elsewhere", "/signed", exitGateway},
		{"no such profile", "sined", "/signed", exitMisuse},
	} {
		t.Run(c.name, func(t *testing.T) {
			got := runCommand([]string{"call", "--profile", c.profile, server.URL + c.path}, "", env)
			if got.exit != c.exit {
				t.Errorf("exit: got %d, want %d; %s", got.exit, c.exit, got.stderr)
			}
		})
	}
	got := runCommand([]string{"call", "--profile", "signed", "--key", "1", server.URL}, "", env)
	if got.exit != exitMisuse {
		t.Errorf("a profile and a key: got exit %d, want 2", got.exit)
	}
}

func TestProfileFaults(t *testing.T) {
	for _, c := range []struct{ name, text, want string }{
		{"inline secret", `{"profiles": {"a": {"key": "1", "secret": "x"}}}`,
			"write secretEnv, a variable, or secretFile, a file"},
		{"unknown name", `{"profiles": {"a": {"kee": "1"}}}`, `did you mean "key"?`},
		{"both", `{"profiles": {"a": {"key": "1", "appCode": true}}}`, "has both key and appCode"},
		{"two secrets", `{"profiles": {"a": {"key": "1", "secretEnv": "A", "secretFile": "b"}}}`, "keep one"},
		{"secret of nothing", `{"profiles": {"a": {"secretEnv": "A"}}}`, "nothing that it belongs to"},
		{"type", `{"profiles": {"a": {"hosts": "api.example.com"}}}`, "array of hosts"},
		{"no JSON", `profiles:`, "profiles.json:1"},
	} {
		t.Run(c.name, func(t *testing.T) {
			got := runCommand([]string{"call", "--profiles", writeProfiles(t, c.text), "--profile", "a",
				"https://api.example.com/"}, "", nil)
			if got.exit != exitMisuse || !strings.Contains(got.stderr, c.want) {
				t.Errorf("got exit %d, %s, want 2 and %q", got.exit, got.stderr, c.want)
			}
		})
	}
}

// The pages show a file that is one.
func TestTheProfilesOfThePagesAreAccepted(t *testing.T) {
	for _, lang := range []string{"en", "zh"} {
		page := (&invocation{lang: lang}).page("profiles")
		from, to := strings.Index(page, "  {\n"), strings.Index(page, "\n  }\n")
		if from < 0 || to < from {
			t.Fatalf("%s: no file on the page", lang)
		}
		profiles, err := parseProfiles("profiles.json", []byte(page[from:to+len("\n  }")]))
		if err != nil || profiles["weather"].key == "" || !profiles["market"].appCode {
			t.Errorf("%s: got %v, %v", lang, profiles, err)
		}
	}
}
