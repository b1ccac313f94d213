package main

import (
	"encoding/json"
	"os"
	"strings"
	"testing"
)

// observed is a line of testdata/observed.tsv of the module: a text seen in
// the wild and the row that it belongs to.
type observed struct{ status, code, message, id, params string }

func readObserved(t *testing.T) []observed {
	t.Helper()
	data, err := os.ReadFile("../../testdata/observed.tsv")
	if err != nil {
		t.Fatal(err)
	}
	var lines []observed
	for i, line := range strings.Split(strings.TrimRight(string(data), "\n"), "\n") {
		f := strings.Split(line, "\t")
		if len(f) < 5 {
			t.Fatalf("line %d: got %d columns, want 5 at least", i+1, len(f))
		}
		if i > 0 {
			lines = append(lines, observed{f[0], f[1], f[2], f[3], f[4]})
		}
	}
	return lines
}

func TestExplainRecognisesWhatWasObserved(t *testing.T) {
	lines := readObserved(t)
	if len(lines) < 60 {
		t.Fatalf("got %d lines, want the whole file", len(lines))
	}
	for _, line := range lines {
		t.Run(line.id+" "+line.code+line.message+line.params, func(t *testing.T) {
			args := []string{"explain", "--json"}
			if body, ok := strings.CutPrefix(line.params, "body="); ok {
				line.message, line.params = body, ""
			}
			if code, ok := strings.CutPrefix(line.params, "body.code="); ok {
				line.code, line.params = code, ""
			}
			for _, flag := range []struct{ name, value string }{{"--status", line.status}, {"--code", line.code},
				{"--message", line.message}} {
				if flag.value != "" {
					args = append(args, flag.name, flag.value)
				}
			}
			want := exitOK
			if line.id == "unknown" {
				want = exitUnknown
			}
			got := runCommand(args, "", nil)
			if got.exit != want {
				t.Errorf("exit: got %d, want %d", got.exit, want)
			}
			x := decodeExplanation(t, got.stdout)
			if x.ID != line.id {
				t.Errorf("id: got %q, want %q", x.ID, line.id)
			}
			if name, value, ok := strings.Cut(line.params, "="); ok {
				// The file keeps the marks around a value, the explanation not.
				if value = strings.Trim(value, "`'"); strings.Trim(x.Params[name], "`'") != value {
					t.Errorf("param %s: got %q, want %q", name, x.Params[name], value)
				}
			}
		})
	}
}

func decodeExplanation(t *testing.T, text string) explanation {
	t.Helper()
	var x explanation
	dec := json.NewDecoder(strings.NewReader(text))
	dec.DisallowUnknownFields()
	if err := dec.Decode(&x); err != nil {
		t.Fatalf("%v in %q", err, text)
	}
	return x
}

func TestExplainReadsHeads(t *testing.T) {
	const quota = "X-Ca-Error-Message: Quota Exhausted"
	for _, c := range []struct{ name, head, id string }{
		{"HTTP/1.1 and CRLF", "HTTP/1.1 403 Forbidden\r\n" + quota + "\r\n\r\n", "classic.quota-exhausted"},
		{"HTTP/1.1 and LF", "HTTP/1.1 403 Forbidden\n" + quota + "\n\n", "classic.quota-exhausted"},
		{"HTTP/2 in lower case", "HTTP/2 403 \r\nx-ca-error-code: A403IP\r\nx-ca-request-id: 7\r\n\r\n", "A403IP"},
		{"no blank line at the end", "HTTP/1.1 403 Forbidden\n" + quota, "classic.quota-exhausted"},
		{"blank lines before", "\r\n\nHTTP/1.1 403 Forbidden\n" + quota + "\n\n", "classic.quota-exhausted"},
		{"100 Continue", "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 403 Forbidden\r\n" + quota + "\r\n\r\n",
			"classic.quota-exhausted"},
		{"proxy", "HTTP/1.0 200 Connection established\r\n\r\nHTTP/2 503\r\nX-Ca-Error-Code: D503CB\r\n\r\n", "D503CB"},
		{"redirect chain", "HTTP/1.1 302 Found\nX-Ca-Error-Code: A403IP\n\nHTTP/1.1 301 Moved\n\nHTTP/1.1 200 OK\nX-Ca-Error-Message: OK\n\n{}", "none"},
		{"redirect with a body",
			"HTTP/1.1 302 Found\r\nContent-Length: 5\r\n\r\nmovedHTTP/1.1 403 Forbidden\r\n" + quota + "\r\n\r\n",
			"classic.quota-exhausted"},
		{"head within the body", "HTTP/1.1 403 Forbidden\n" + quota + "\n\nas in:\n\nHTTP/1.1 200 OK\n\n",
			"classic.quota-exhausted"},
		{"curl -v", "* Connected\n> GET / HTTP/1.1\n> X-Ca-Key: 1\n>\n< HTTP/1.1 503 Service Unavailable\n< X-Ca-Error-Code: D503CB\n<\n* left intact\n", "D503CB"},
		{"browser, HTTP/2", ":status: 403\nx-ca-error-message: Quota Exhausted\n", "classic.quota-exhausted"},
		{"gateway headers alone", "X-Ca-Request-Id: 7\nX-Ca-Error-Code: B403MQ\n", "B403MQ"},
		{"text and no head", "Quota Exhausted\n", "classic.quota-exhausted"},
		{"Higress body", "HTTP/1.1 413 Payload Too Large\r\n\r\nPayload Too Large", "higress.payload-too-large"},
		{"folded header", "HTTP/1.1 403 Forbidden\r\nX-Ca-Error-Message: Quota\r\n Exhausted\r\n\r\n",
			"classic.quota-exhausted"},
		{"folded header with a colon", "HTTP/1.1 403 Forbidden\nServer: a\n\tx-ca-error-code: A403IP\n\n", "unknown"},
		{"byte order mark", "\xef\xbb\xbfHTTP/1.1 403 F\nx-ca-error-code: A403IP\n\n", "A403IP"},
		{"headers without a status line", "Server: foo\nx-ca-error-code: A403IP\n", "A403IP"},
		{"a body that looks like headers", "HTTP/1.1 200 OK\n\nx-ca-error-code: A403IP\n\n", noErrorID},
		{"quoted text", "\"Quota Exhausted\"\n", "classic.quota-exhausted"},
		{"backend body", "HTTP/1.1 401 Unauthorized\r\n\r\nInvalid Key, says the backend", "unknown"},
	} {
		t.Run(c.name, func(t *testing.T) {
			got := runCommand([]string{"explain", "-", "--json"}, c.head, nil)
			if x := decodeExplanation(t, got.stdout); x.ID != c.id {
				t.Errorf("id: got %q, want %q", x.ID, c.id)
			}
		})
	}
}

func TestExplainTakesCodesInAnyCase(t *testing.T) {
	for _, code := range []string{"A403IP", "a403ip", "a403Ip:"} {
		if got := runCommand([]string{"explain", "--json", code}, "", nil); decodeExplanation(t,
			got.stdout).ID != "A403IP" {
			t.Errorf("%s: got %s", code, got.stdout)
		}
	}
}

func TestStatusFlagWinsOverTheHead(t *testing.T) {
	got := runCommand([]string{"explain", "--json", "-", "--status", "200"}, "HTTP/1.1 403 x\n\n", nil)
	if x := decodeExplanation(t, got.stdout); x.Status != 200 || x.ID != noErrorID {
		t.Errorf("got %+v, want status 200, id none", x)
	}
}

// What "apigw sign" prints can be given to --signed as it is.
func TestSignedTakesTheOutputOfSign(t *testing.T) {
	env := map[string]string{"APIGW_APP_SECRET": "s3cret"}
	for _, format := range []string{"text", "json"} {
		t.Run(format, func(t *testing.T) {
			args := []string{"sign", "--key", "1", "--timestamp", "5", "--nonce", "n",
				"https://api.example.com/orders?a=1"}
			if format == "json" {
				args = append(args, "--json")
			}
			printed := runCommand(args, "", env)
			file := t.TempDir() + "/signed"
			if err := os.WriteFile(file, []byte(printed.stdout), 0o600); err != nil {
				t.Fatal(err)
			}
			message := "Invalid Signature, Server StringToSign:`GET#####x-ca-key:1#x-ca-nonce:n#x-ca-timestamp:5#/orders?a=1`"
			got := runCommand([]string{"explain", message, "--signed", file}, "", nil)
			if got.exit != exitOK || !strings.Contains(got.stdout, "both sides have the same string") {
				t.Errorf("got exit %d, %s%s; want the same string", got.exit, got.stdout, got.stderr)
			}
		})
	}
}

func TestExplainControlCharacters(t *testing.T) {
	got := runCommand([]string{"explain", "-"}, "HTTP/1.1 403 x\nX-Ca-Error-Message: a\x1b[31mb\n\n", nil)
	if strings.Contains(got.stdout, "\x1b") {
		t.Errorf("got %q, want no escape sequence", got.stdout)
	}
}

func TestExplainShortensWhatIsNoText(t *testing.T) {
	got := runCommand([]string{"explain", "-"}, strings.Repeat("abc\n", 1<<18), nil)
	if len(got.stdout) > 2000 || got.exit != exitUnknown {
		t.Errorf("got %d bytes, exit %d; want some lines, exit %d", len(got.stdout), got.exit, exitUnknown)
	}
}
