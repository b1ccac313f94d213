package main

import (
	"bytes"
	"context"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/apigw-go/apigw/gatewaytest"
)

var update = flag.Bool("update", false, "write the golden files anew")

// golden is one run of the command, compared with testdata/NAME.golden.
type golden struct {
	name  string
	args  []string // "{URL}" is the address of the test's gateway, "{OWN}/x" a copy of testdata/x that is private
	stdin string
	env   map[string]string
	// live output holds times and random ids; they are evened out.
	live bool
	exit int
}

// outcome is what a run printed and returned.
type outcome struct {
	stdout, stderr string
	exit           int
}

func runCommand(args []string, stdin string, env map[string]string) outcome {
	var stdout, stderr bytes.Buffer
	exit := run(context.Background(), args, strings.NewReader(stdin), &stdout, &stderr,
		func(name string) string { return env[name] })
	return outcome{stdout.String(), stderr.String(), exit}
}

// evenOut replaces what differs from run to run.
func evenOut(s string) string {
	for _, r := range []struct{ pattern, with string }{
		{`[0-9A-Fa-f]{8}(-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}`, "UUID"},
		{`127\.0\.0\.1:\d{2,5}`, "127.0.0.1:PORT"},
		{`"(wait_ms|duration_ms)":[0-9.]+`, `"$1":0`},
		{`\d+\.\d+ms`, "TIME"},
		{`(; |；)\d+\.\d+s`, "${1}TIME"},
		{`go1\.\S+`, "goVERSION"},
		{`apigw \S+( version\))?, catalog`, "apigw VERSION, catalog"},
		{` {2,}`, "  "}, // columns are as wide as the times
	} {
		s = regexp.MustCompile(r.pattern).ReplaceAllString(s, r.with)
	}
	return s
}

func (g golden) test(t *testing.T, url string) {
	t.Helper()
	args := make([]string, len(g.args))
	for i, a := range g.args {
		args[i] = strings.ReplaceAll(a, "{URL}", url)
		if name, ok := strings.CutPrefix(a, "{OWN}/"); ok {
			args[i] = ownFile(t, name)
		}
	}
	got := runCommand(args, g.stdin, g.env)
	if got.exit != g.exit {
		t.Errorf("exit: got %d, want %d; stderr:\n%s", got.exit, g.exit, got.stderr)
	}
	text := fmt.Sprintf("$ apigw %s\nexit %d\n--- stdout\n%s--- stderr\n%s", strings.Join(g.args, " "), got.exit,
		got.stdout, got.stderr)
	if g.live {
		text = evenOut(text)
	}
	compareGolden(t, g.name, text)
}

// ownFile is a copy of a file of testdata that nobody else may read.
func ownFile(t *testing.T, name string) string {
	t.Helper()
	data, err := os.ReadFile(filepath.Join("testdata", name))
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(file, data, 0o600); err != nil {
		t.Fatal(err)
	}
	return file
}

func compareGolden(t *testing.T, name, got string) {
	t.Helper()
	file := filepath.Join("testdata", name+".golden")
	if *update {
		if err := os.WriteFile(file, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatalf("%v; go test ./cmd/apigw -update writes it", err)
	}
	if got != string(want) {
		t.Errorf("output differs from %s (-update accepts it); got\n%s\nwant\n%s", file, got, want)
	}
}

func testGolden(t *testing.T, url string, cases []golden) {
	t.Helper()
	for _, g := range cases {
		t.Run(g.name, func(t *testing.T) { g.test(t, url) })
	}
}

func TestHelpOutput(t *testing.T) {
	var cases []golden
	for _, c := range commands() {
		cases = append(cases, golden{name: "help-" + c.name, args: []string{c.name, "-h"}})
	}
	for _, topic := range topics {
		cases = append(cases, golden{name: "help-" + topic, args: []string{"help", topic}})
	}
	cases = append(cases,
		golden{name: "help-overview", args: []string{"help"}},
		golden{name: "help-overview-zh", args: []string{"-lang", "zh", "help"}},
		golden{name: "help-call-zh", args: []string{"call", "--help"}, env: map[string]string{"LANG": "zh_CN.UTF-8"}},
		golden{name: "help-unknown", args: []string{"help", "retri"}, exit: exitMisuse},
	)
	testGolden(t, "", cases)
}

func TestMainOutput(t *testing.T) {
	testGolden(t, "", []golden{
		{name: "main-empty", args: nil, exit: exitMisuse},
		{name: "main-unknown-command", args: []string{"explian", "x"}, exit: exitMisuse},
		{name: "main-bad-language", args: []string{"-lang", "fr", "demo"}, exit: exitMisuse},
		{name: "main-version", args: []string{"-version"}, live: true},
		{name: "main-version-too-many", args: []string{"version", "x"}, exit: exitMisuse},
	})
}

func TestDemoOutput(t *testing.T) {
	testGolden(t, "", []golden{
		{name: "demo", args: []string{"demo"}, live: true},
		{name: "demo-zh", args: []string{"demo", "-lang", "zh"}, live: true},
		{name: "demo-json", args: []string{"demo", "--json"}, live: true},
		{name: "demo-bad-argument", args: []string{"demo", "x"}, exit: exitMisuse},
	})
}

const (
	signedFile   = "testdata/signed.txt"
	refusedInput = "HTTP/1.1 400 Bad Request\r\nX-Ca-Request-Id: 7AD052CB-EE8B-4DFD-BBAF-EFB340E0A5AF\r\n" +
		"X-Ca-Error-Message: Invalid Signature, Server StringToSign:`POST#*/*##application/json##x-ca-key:1#/orders?a=1`\r\n\r\n"
)

func TestExplainOutput(t *testing.T) {
	testGolden(t, "", []golden{
		{name: "explain-code", args: []string{"explain", "b403mq"}},
		{name: "explain-code-json", args: []string{"explain", "--json", "B403MQ"}},
		{name: "explain-code-zh", args: []string{"explain", "D504CO"},
			env: map[string]string{"LC_ALL": "zh_CN.UTF-8", "LANG": "en_US.UTF-8"}},
		{name: "explain-unverified", args: []string{"explain", "A403IP"}},
		{name: "explain-text", args: []string{"explain", "Header `X-Ca-Key` is Required"}},
		{name: "explain-id", args: []string{"explain", "classic.async-service"}},
		{name: "explain-log-line",
			args: []string{"explain",
				"apigw: D504CO 504 Backend service connect failed `Timeout connecting to 192.0.2.1:80`"}},
		{name: "explain-head", args: []string{"explain", "-"}, stdin: refusedInput},
		{name: "explain-head-zh", args: []string{"explain", "-", "-lang=zh"}, stdin: refusedInput},
		{name: "explain-signed", args: []string{"explain", "-", "--signed", signedFile}, stdin: refusedInput},
		{name: "explain-signed-json", args: []string{"explain", "--json", "-", "--signed", signedFile},
			stdin: refusedInput},
		{name: "explain-signed-nothing", args: []string{"explain", "A403IP", "--signed", signedFile}, exit: exitMisuse},
		{name: "explain-signed-no-file", args: []string{"explain", "-", "--signed", "testdata/none"},
			stdin: refusedInput, exit: exitMisuse},
		{name: "explain-no-error", args: []string{"explain", "-"},
			stdin: "HTTP/1.1 200 OK\nX-Ca-Error-Message: OK\n\n{}"},
		{name: "explain-no-error-json", args: []string{"explain", "--json", "--status", "204"}},
		{name: "explain-higress-body", args: []string{"explain", "-"},
			stdin: "HTTP/1.1 401 Unauthorized\r\ncontent-type: text/plain\r\n\r\nInvalid Key"},
		{name: "explain-inferred", args: []string{"explain", "T429ZZ"}, exit: exitUnknown},
		{name: "explain-near", args: []string{"explain", "Qouta Exhausted"}, exit: exitUnknown},
		{name: "explain-file-name", args: []string{"explain", "testdata/signed.txt"}, exit: exitUnknown},
		{name: "explain-unknown-json",
			args: []string{"explain", "--json", "--status", "404", "--message", "Role Not Exists, ResultId=d02a"},
			exit: exitUnknown},
		{name: "explain-status-alone", args: []string{"explain", "403"}, exit: exitUnknown},
		{name: "explain-nothing", args: []string{"explain"}, exit: exitMisuse},
		{name: "explain-empty-text", args: []string{"explain", " "}, exit: exitMisuse},
		{name: "explain-empty-stdin", args: []string{"explain", "-"}, exit: exitMisuse},
		{name: "explain-bad-status", args: []string{"explain", "--status", "99"}, exit: exitMisuse},
		{name: "explain-status-no-number", args: []string{"explain", "--status", "many"}, exit: exitMisuse},
		{name: "explain-text-twice", args: []string{"explain", "A403IP", "--code", "A403IP"}, exit: exitMisuse},
		{name: "explain-unquoted", args: []string{"explain", "Quota", "Exhausted"}, exit: exitMisuse},
		{name: "explain-unknown-flag", args: []string{"explain", "--mesage", "x"}, exit: exitMisuse},
	})
}

func TestCatalogOutput(t *testing.T) {
	testGolden(t, "", []golden{
		{name: "catalog", args: []string{"catalog"}},
		{name: "catalog-zh", args: []string{"catalog", "-lang", "zh", "--class", "throttled"}},
		{name: "catalog-json", args: []string{"catalog", "--json", "--class=quota"}},
		{name: "catalog-tsv", args: []string{"catalog", "--tsv", "--generation", "higress"}},
		{name: "catalog-markdown", args: []string{"catalog", "--markdown", "--generation", "classic"}},
		{name: "catalog-markdown-zh",
			args: []string{"catalog", "--markdown", "--generation", "classic", "-lang", "zh"}},
		{name: "catalog-bad-class", args: []string{"catalog", "--class", "quot"}, exit: exitMisuse},
		{name: "catalog-bad-generation", args: []string{"catalog", "--generation", "new"}, exit: exitMisuse},
		{name: "catalog-two-formats", args: []string{"catalog", "--json", "--tsv"}, exit: exitMisuse},
	})
}

func TestSignOutput(t *testing.T) {
	secret := map[string]string{"APIGW_APP_SECRET": "a-secret-of-the-test"}
	fixed := func(args ...string) []string {
		return append([]string{"sign", "--key", "203753385", "--timestamp", "1525872629832", "--nonce", "42"}, args...)
	}
	url := "https://api.example.com/orders?b=2&a=%E4%B8%AD"
	testGolden(t, "", []golden{
		{name: "sign-get", args: fixed(url), env: secret},
		{name: "sign-form", args: fixed(url, "-d", "c=3", "-d", "d=%20", "--stage", "PRE"), env: secret},
		{name: "sign-json-body",
			args: fixed(url, "-X", "PUT", "-d", "@testdata/order.json", "-H", "Accept: application/json"), env: secret},
		{name: "sign-json", args: fixed("--json", url, "--algorithm", "HmacSHA1", "--signed-headers", "X-Trace", "-H",
			"X-Trace: 7"), env: secret},
		{name: "sign-worked-example",
			args: []string{"sign", "--key", "203753385", "--timestamp", "1525872629832", "--nonce",
				"c9f15cbf-f4ac-4a6c-b54d-f51abf4b5b44",
				"-H", "Accept: application/json; charset=utf-8", "-H",
				"Content-Type: application/x-www-form-urlencoded; charset=utf-8",
				"-H", "Date: Wed, 09 May 2018 13:30:29 GMT+00:00", "-H", "X-Ca-Signature-Method: HmacSHA256",
				"-d", "username=xiaoming&password=123456789", "http://api.example.com/http2test/test?param1=test"},
			env: secret},
		{name: "sign-secret-file", args: fixed("--secret-file", "{OWN}/secret.txt", url)},
		{name: "sign-no-url", args: []string{"sign", "--key", "1"}, env: secret, exit: exitMisuse},
		{name: "sign-parameter-twice", args: fixed(url, "-d", "a=1"), env: secret},
		{name: "sign-no-key", args: []string{"sign", url}, env: secret, exit: exitMisuse},
		{name: "sign-no-secret", args: []string{"sign", "--key", "1", url}, exit: exitMisuse},
		{name: "sign-secret-flag", args: []string{"sign", "--secret", "x", url}, exit: exitMisuse},
		{name: "sign-secret-blank", args: []string{"sign", "--key", "1", url},
			env: map[string]string{"APIGW_APP_SECRET": "blank "}, exit: exitMisuse},
		{name: "sign-bad-url", args: []string{"sign", "--key", "1", "/orders"}, env: secret, exit: exitMisuse},
		{name: "sign-bad-header", args: []string{"sign", "--key", "1", "-H", "Accept", url}, env: secret,
			exit: exitMisuse},
		{name: "sign-bad-method", args: []string{"sign", "--key", "1", "-X", "GET /", url}, env: secret,
			exit: exitMisuse},
		{name: "sign-bad-timestamp", args: []string{"sign", "--key", "1", "--timestamp", "today", url}, env: secret,
			exit: exitMisuse},
		{name: "sign-bad-algorithm", args: []string{"sign", "--key", "1", "--algorithm", "MD5", url}, env: secret,
			exit: exitMisuse},
		{name: "sign-glued-flag", args: []string{"sign", "-XPOST", url}, env: secret, exit: exitMisuse},
	})
}

func TestPolicyOutput(t *testing.T) {
	const file = "testdata/policy.json"
	testGolden(t, "", []golden{
		{name: "policy-check", args: []string{"policy", "check", file}},
		{name: "policy-match", args: []string{"policy", "check", file, "--url", "https://api.example.com/orders?q=1",
			"-X", "POST"}},
		{name: "policy-match-zh",
			args: []string{"policy", "check", file, "--url", "https://api.example.com/orders/7", "-lang", "zh"}},
		{name: "policy-default", args: []string{"policy", "check", file, "--url", "https://other.example.com/"}},
		{name: "policy-faults", args: []string{"policy", "check", "testdata/policy-faults.json"}, exit: exitFailure},
		{name: "policy-schema", args: []string{"policy", "schema"}},
		{name: "policy-no-file", args: []string{"policy", "check"}, exit: exitMisuse},
		{name: "policy-missing-file", args: []string{"policy", "check", "testdata/none.json"}, exit: exitMisuse},
		{name: "policy-bad-word", args: []string{"policy", "chek", file}, exit: exitMisuse},
		{name: "policy-method-alone", args: []string{"policy", "check", file, "-X", "POST"}, exit: exitMisuse},
		{name: "policy-bad-url", args: []string{"policy", "check", file, "--url", "/orders"}, exit: exitMisuse},
	})
}

// callRoutes is a gateway on which every kind of end can be had.
var callRoutes = []gatewaytest.Route{
	{Pattern: "POST /orders", Auth: gatewaytest.AuthSignature,
		Script: []gatewaytest.Outcome{{Error: "D504CO", Times: 2}, {Status: 200, Body: "done\n"}}},
	{Pattern: "/signed", Auth: gatewaytest.AuthSignature},
	{Pattern: "/app-code", Auth: gatewaytest.AuthAppCode},
	{Pattern: "/dropped", Auth: gatewaytest.AuthNone,
		Script: []gatewaytest.Outcome{{Drop: gatewaytest.DropAfterBackend}, {Status: 503}, {Status: 200, Body: "ok"}}},
	{Pattern: "/quota", Auth: gatewaytest.AuthNone, Script: []gatewaytest.Outcome{{Error: "B403MQ", Times: -1}}},
	{Pattern: "/missing", Auth: gatewaytest.AuthNone,
		Script: []gatewaytest.Outcome{{Error: "I400MH", Params: map[string]string{"HeaderName": "X-Tenant"},
			Times: -1}}},
	{Pattern: "/timeout", Auth: gatewaytest.AuthNone, Script: []gatewaytest.Outcome{{Error: "D504TO", Times: -1}}},
	{Pattern: "/inferred", Auth: gatewaytest.AuthNone,
		Script: []gatewaytest.Outcome{{Status: 503, Header: map[string][]string{"X-Ca-Error-Code": {"D503ZZ"}},
			Times: -1}}},
	{Pattern: "/mapped", Auth: gatewaytest.AuthNone,
		Script: []gatewaytest.Outcome{{Status: 404,
			Header: map[string][]string{"X-Ca-Error-Message": {"Role Not Exists, see /roles?user=eve"}}, Times: -1}}},
	{Pattern: "/backend", Auth: gatewaytest.AuthNone,
		Script: []gatewaytest.Outcome{{Status: 404, Body: "no such order\n", Times: -1}}},
	{Pattern: "/half", Auth: gatewaytest.AuthNone,
		Script: []gatewaytest.Outcome{{Status: 200, Body: "0123456789", Drop: gatewaytest.DropInBody, Times: -1}}},
	{Pattern: "/moved", Auth: gatewaytest.AuthNone,
		Script: []gatewaytest.Outcome{{Status: 302, Header: map[string][]string{"Location": {"/new?token=t0p"}},
			Times: -1}}},
	{Pattern: "/slow", Auth: gatewaytest.AuthNone, Script: []gatewaytest.Outcome{{Delay: time.Minute, Times: -1}}},
	{Pattern: "/echo", Auth: gatewaytest.AuthNone},
}

func TestCallOutput(t *testing.T) {
	server := gatewaytest.NewServer(&gatewaytest.Gateway{Routes: callRoutes})
	defer server.Close()
	env := map[string]string{"APIGW_APP_SECRET": gatewaytest.DefaultAppSecret,
		"APIGW_APP_CODE": gatewaytest.DefaultAppCode}
	const key = gatewaytest.DefaultAppKey
	fast := func(args ...string) []string {
		return append([]string{"call", "--initial-backoff", "1ms"}, args...)
	}
	testGolden(t, server.URL, []golden{
		{name: "call-signed-retried", args: fast("--key", key, "-d", `{"a":1}`, "{URL}/orders?token=t0p"), env: env,
			live: true},
		{name: "call-app-code", args: fast("--appcode", "{URL}/app-code"), env: env, live: true},
		{name: "call-app-code-file", args: fast("--appcode", "--secret-file", "{OWN}/appcode.txt", "{URL}/app-code"),
			live: true},
		{name: "call-json", args: fast("{URL}/dropped", "--json"), live: true},
		{name: "call-gateway-error", args: fast("{URL}/quota?token=t0p"), live: true, exit: exitGateway},
		{name: "call-gateway-error-zh", args: fast("-lang", "zh", "{URL}/quota"), live: true, exit: exitGateway},
		{name: "call-gateway-error-json", args: fast("{URL}/missing", "--json"), live: true, exit: exitGateway},
		{name: "call-may-have-run", args: fast("-X", "POST", "{URL}/timeout"), live: true, exit: exitGateway},
		{name: "call-inferred", args: fast("--max-attempts", "2", "{URL}/inferred"), live: true, exit: exitGateway},
		{name: "call-unknown-text", args: fast("{URL}/mapped"), live: true, exit: exitBackend},
		{name: "call-backend-error", args: fast("{URL}/backend"), live: true, exit: exitBackend},
		{name: "call-wrong-secret", args: fast("--key", key, "{URL}/signed?token=t0p"),
			env: map[string]string{"APIGW_APP_SECRET": "wrong-one"}, live: true, exit: exitGateway},
		{name: "call-no-response", args: fast("--max-attempts", "2", "http://127.0.0.1:1/x?token=t0p"), live: true,
			exit: exitNoResponse},
		{name: "call-no-response-json", args: fast("--max-attempts", "1", "--json", "http://127.0.0.1:1/x?token=t0p"),
			live: true, exit: exitNoResponse},
		{name: "call-body-broken", args: fast("{URL}/half"), live: true, exit: exitNoResponse},
		{name: "call-redirect", args: fast("{URL}/moved"), live: true},
		{name: "call-timeout", args: fast("--timeout", "30ms", "{URL}/slow?token=t0p"), live: true,
			exit: exitNoResponse},
		{name: "call-policy", args: fast("--policy", "testdata/policy-once.json", "{URL}/timeout"), live: true,
			exit: exitGateway},
		{name: "call-policy-faults", args: fast("--policy", "testdata/policy-faults.json", "{URL}/echo"), live: true,
			exit: exitMisuse},
		{name: "call-data-stdin", args: fast("-d", "@-", "-X", "PUT", "{URL}/echo"), stdin: "12345", live: true},
		{name: "call-no-url", args: []string{"call"}, exit: exitMisuse},
		{name: "call-bad-url", args: []string{"call", "http://api.example.com/%zz?token=t0p"}, exit: exitMisuse},
		{name: "call-bad-scheme", args: []string{"call", "ftp://api.example.com/"}, exit: exitMisuse},
		{name: "call-app-code-value", args: []string{"call", "--appcode=t0p", "https://api.example.com/"},
			exit: exitMisuse},
		{name: "call-app-code-argument", args: []string{"call", "--appcode", "t0p", "https://api.example.com/"},
			exit: exitMisuse},
		{name: "call-app-code-plain", args: []string{"call", "--appcode", "http://api.example.com/"}, env: env,
			exit: exitMisuse},
		{name: "call-two-credentials", args: []string{"call", "--appcode", "--key", "1", "https://api.example.com/"},
			env: env, exit: exitMisuse},
		{name: "call-secret-file-alone",
			args: []string{"call", "--secret-file", "{OWN}/secret.txt", "https://api.example.com/"}, exit: exitMisuse},
		{name: "call-bad-attempts", args: []string{"call", "--max-attempts", "0", "https://api.example.com/"},
			exit: exitMisuse},
		{name: "call-bad-backoff", args: []string{"call", "--initial-backoff", "-1s", "https://api.example.com/"},
			exit: exitMisuse},
		{name: "call-bad-timeout", args: []string{"call", "--timeout", "soon", "https://api.example.com/"},
			exit: exitMisuse},
		{name: "call-value-missing", args: []string{"call", "--key"}, exit: exitMisuse},
		{name: "call-missing-data", args: []string{"call", "-d", "@testdata/none", "https://api.example.com/"},
			exit: exitMisuse},
	})
}

func TestGatewayMisuseOutput(t *testing.T) {
	testGolden(t, "", []golden{
		{name: "gateway-bad-dialect", args: []string{"gateway", "--dialect", "vcp"}, exit: exitMisuse},
		{name: "gateway-bad-address", args: []string{"gateway", "--listen", "127.0.0.1:http:x"}, exit: exitMisuse},
		{name: "gateway-no-script", args: []string{"gateway", "--script", "testdata/none.json"}, exit: exitMisuse},
		{name: "gateway-script-faults", args: []string{"gateway", "--script", "testdata/script-faults.json"},
			exit: exitMisuse},
		{name: "gateway-script-conflict", args: []string{"gateway", "--script", "testdata/script-conflict.json"},
			exit: exitMisuse},
	})
}
