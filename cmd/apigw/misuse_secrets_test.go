package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// A complaint does not repeat a value that may be a secret: people give the
// secret where a name belongs, and the screen is shared.
func TestComplaintsShowNoSecret(t *testing.T) {
	const secret = "tops3cretappcode00"
	folder := t.TempDir()
	write := func(name, text string) string {
		file := filepath.Join(folder, name)
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return file
	}
	files := 0
	profiles := func(fields string) string {
		files++
		return write(fmt.Sprintf("profiles%d.json", files), `{"profiles": {"p": {`+fields+`}}}`)
	}
	const url = "https://api.example.com/x"
	for name, args := range map[string][]string{
		"secret file that is the secret": {"call", url, "--key", "k", "--secret-file", secret},
		"the same of sign":               {"sign", url, "--key", "k", "--secret-file", secret},
		"the same of proxy": {"proxy", "--upstream", "https://api.example.com", "--key", "k",
			"--secret-file", secret},
		"secret file that is a folder":     {"call", url, "--key", "k", "--secret-file", write("d"+secret, "") + "/x"},
		"flag for the secret":              {"call", url, "--key", "k", "--secret", secret},
		"the same with =":                  {"call", url, "--key", "k", "--secret=" + secret},
		"flag for the AppSecret":           {"call", url, "--key", "k", "--app-secret=" + secret},
		"flag that nobody knows":           {"call", url, "--token=" + secret},
		"password of curl":                 {"call", url, "-u", "me:" + secret},
		"password of curl in one":          {"call", url, "-ume:" + secret},
		"AppCode as a value":               {"call", url, "--appcode=" + secret},
		"AppCode behind its flag":          {"call", url, "--appcode", secret},
		"AppCode before the URL":           {"call", "--appcode", secret, url},
		"AppCode of proxy as a value":      {"proxy", "--upstream", url, "--appcode=" + secret},
		"AppCode of proxy behind its flag": {"proxy", "--upstream", "https://api.example.com", "--appcode", secret},
		"header without a colon":           {"call", url, "-H", "Authorization APPCODE " + secret},
		"header with a line break":         {"call", url, "-H", "Authorization: a\nb " + secret},
		"header with a bad name":           {"call", url, "-H", "Autho rization: " + secret},
		"query of a URL":                   {"call", "https://api.example.com:x/?token=" + secret},
		"query of a URL with a blank":      {"call", "https://api.example.com/ x?token=" + secret + " y"},
		"broken escape in a query":         {"call", "https://[::1/?token=" + secret},
		"password of a URL":                {"call", "https://me:" + secret + "@api.example.com:x/"},
		"user of a URL":                    {"call", "https://" + secret + ":p@[api/"},
		"password of an upstream":          {"proxy", "--upstream", "https://me:" + secret + "@api.example.com"},
		"query of an upstream":             {"proxy", "--upstream", "https://api.example.com/?token=" + secret},
		"password of a broken upstream":    {"proxy", "--upstream", "https://me:" + secret + "@api.example.com:x"},
		"timestamp":                        {"sign", url, "--key", "k", "--timestamp", "x?" + secret},
		"file of data":                     {"call", url, "-d", "@" + folder + "/no?token=" + secret},
		"variable that is the secret": {"call", url, "--profiles",
			profiles(`"appCode": true, "secretEnv": "` + secret + `"`), "--profile", "p"},
		"variable in capitals that is it": {"call", url, "--profiles",
			profiles(`"appCode": true, "secretEnv": "TOPS3CRET0123456789ABCDEF0123456"`), "--profile", "p"},
		"file of a profile that is it": {"call", url, "--profiles",
			profiles(`"appCode": true, "secretFile": "` + secret + `"`), "--profile", "p"},
		"secret in a profile": {"call", url, "--profiles",
			profiles(`"key": "k", "secret": "` + secret + `"`), "--profile", "p"},
		"AppSecret in a profile": {"call", url, "--profiles",
			profiles(`"key": "k", "appSecret": "` + secret + `"`), "--profile", "p"},
		"AppCode in a profile": {"call", url, "--profiles", profiles(`"appCode": "` + secret + `"`),
			"--profile", "p"},
		"unknown field of a profile": {"call", url, "--profiles",
			profiles(`"key": "k", "token": "` + secret + `"`), "--profile", "p"},
		"host of a profile": {"call", url, "--profiles",
			profiles(`"key": "k", "hosts": "` + secret + `"`), "--profile", "p"},
		"secret in a policy": {"policy", "check",
			write("policy.json", `{"policies": {"x.example.com/": {"secret": "`+secret+`"}}}`)},
		"number of a policy that is a text": {"policy", "check",
			write("policy2.json", `{"policies": {"x.example.com/": {"maxAttempts": "`+secret+`"}}}`)},
		"policy of another form":      {"policy", "check", write("policy3.json", `"`+secret+`"`)},
		"policy file that ends early": {"policy", "check", write("policy4.json", `{"policies": {"`+secret)},
		"secret in a script": {"gateway", "--script", write("script.json", `{"appSecret": "`+secret+`"}`),
			"--listen", "127.0.0.1:0", "--bad"},
		"signed file": {"explain", "--signed", folder + "/no?token=" + secret, "-"},
	} {
		t.Run(name, func(t *testing.T) {
			got := runCommand(args, "", nil)
			if all := got.stdout + got.stderr; got.exit == exitOK || all == "" ||
				strings.Contains(strings.ToLower(all), "tops3cret") {
				t.Errorf("exit %d, %s", got.exit, all)
			}
		})
	}
}
