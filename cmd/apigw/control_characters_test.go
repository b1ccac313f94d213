package main

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"unicode"
)

// What comes from the network, a file or an argument moves no cursor: each
// command shows control characters in some other form.
func TestNoControlCharactersAreShown(t *testing.T) {
	const evil = "a\x1b[2Jb\x07c\u202ed\u009be"
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		for _, name := range []string{"X-Ca-Error-Message", "X-Ca-Error-Code", "X-Ca-Request-Id", "X-Other"} {
			h[name] = []string{strings.NewReplacer("\x1b", "\u001b", "\x07", "").Replace(evil)}
		}
		h.Set("X-C1", "\xc2\x9b2J \xe2\x80\xae")
		w.WriteHeader(403)
	}))
	defer server.Close()
	folder := t.TempDir()
	write := func(name, text string) string {
		file := filepath.Join(folder, name)
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return file
	}
	env := map[string]string{"APIGW_APP_SECRET": "not-a-secret", "APIGW_APP_CODE": "not-a-secret"}
	head := "HTTP/1.1 403 Forbidden\r\nX-Ca-Error-Message: " + evil + "\r\nX-Ca-Request-Id: " + evil +
		"\r\nX-Ca-Error-Code: " + evil + "\r\n\r\n"
	for name, c := range map[string]struct {
		args  []string
		stdin string
	}{
		"call":             {[]string{"call", server.URL + "/a%1b%5b2J"}, ""},
		"call -i -v":       {[]string{"call", "-i", "-v", server.URL}, ""},
		"call --json":      {[]string{"call", "--json", server.URL}, ""},
		"call, header":     {[]string{"call", "-v", "-H", "X-A: b" + "\u202e" + "c", server.URL}, ""},
		"call, bad header": {[]string{"call", "-H", evil, server.URL}, ""},
		"call, bad URL":    {[]string{"call", "http://" + evil}, ""},
		"call, method":     {[]string{"call", "-X", evil, server.URL}, ""},
		"call, no file":    {[]string{"call", "-d", "@" + evil, server.URL}, ""},
		"call, output":     {[]string{"call", "-o", "/nowhere/" + evil, server.URL}, ""},
		"call, profile": {[]string{"call", "--profile", evil, "--profiles", write("p.json", `{"profiles": {}}`),
			server.URL}, ""},
		"call, flag": {[]string{"call", "--" + evil, server.URL}, ""},
		"command":    {[]string{evil}, ""},
		"sign": {[]string{"sign", "--key", "k", "-H", "X-A: b\u202ec",
			"https://api.example.com/a%1b?x=\u202e"}, ""},
		"sign, body": {[]string{"sign", "--key", "k", "-d", "a=" + evil, "https://api.example.com/"}, ""},
		"sign --curl": {[]string{"sign", "--curl", "--key", "k", "-d", "a=" + evil, "-H", "X-A: \u202e",
			"https://api.example.com/"}, ""},
		"sign --json": {[]string{"sign", "--json", "--key", "k", "-d", "a=" + evil,
			"https://api.example.com/"}, ""},
		"sign, key":    {[]string{"sign", "--key", "k" + evil, "https://api.example.com/"}, ""},
		"sign --nonce": {[]string{"sign", "--key", "k", "--nonce", evil, "https://api.example.com/"}, ""},
		"sign --like": {[]string{"sign", "--key", "k", "--like",
			"Invalid Signature, Server StringToSign:`GET####" + evil + "`", "https://api.example.com/"}, ""},
		"explain":               {[]string{"explain", "-"}, head},
		"explain --json":        {[]string{"explain", "--json", "-"}, head},
		"explain --each":        {[]string{"explain", "--each", "-"}, head},
		"explain --each --json": {[]string{"explain", "--each", "--json", "-"}, head},
		"explain, text":         {[]string{"explain", evil}, ""},
		"explain, signature": {[]string{"explain", "-"},
			"X-Ca-Error-Message: Invalid Signature, Server StringToSign:`GET#" + evil + "#" + evil + "`\n"},
		"explain, log": {[]string{"explain", "-"},
			`{"level":"warn","msg":"` + evil + `","X-Ca-Error-Message":"` + evil + `"}`},
		"catalog": {[]string{"catalog", evil}, ""},
		"policy": {[]string{"policy", "check",
			write("policy.json", `{"policies": {"`+evil+`": {"`+evil+`": 1}}}`)}, ""},
		"policy, not JSON":   {[]string{"policy", "check", write("policy2.json", evil)}, ""},
		"policy, no file":    {[]string{"policy", "check", evil}, ""},
		"gateway, script":    {[]string{"gateway", "--script", write("script.json", `{"`+evil+`": "`+evil+`"}`)}, ""},
		"gateway, no script": {[]string{"gateway", "--script", evil}, ""},
		"gateway, address":   {[]string{"gateway", "--listen", evil}, ""},
		"proxy, upstream":    {[]string{"proxy", "--upstream", "https://" + evil}, ""},
		"proxy, address":     {[]string{"proxy", "--upstream", "https://api.example.com", "--listen", evil}, ""},
		"proxy, policy":      {[]string{"proxy", "--upstream", "https://api.example.com", "--policy", evil}, ""},
	} {
		t.Run(name, func(t *testing.T) {
			got := runCommand(c.args, c.stdin, env)
			all := got.stdout + got.stderr
			if all == "" {
				t.Fatal("nothing was shown")
			}
			for i, r := range all {
				if r != '\n' && r != '\t' && !unicode.IsPrint(r) {
					t.Fatalf("%q at %d of %s", r, i, fmt.Sprintf("%q", all))
				}
			}
		})
	}
}
