package main

import (
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/apigw-go/apigw/gatewaytest"
	"github.com/apigw-go/apigw/signer"
)

// Nonce and timestamp may come as headers, as people have them for curl.
func TestSignTakesNonceAndTimestampFromHeaders(t *testing.T) {
	env := map[string]string{"APIGW_APP_SECRET": "tops3cret"}
	const url = "https://api.example.com/orders"
	want := runCommand([]string{"sign", "--json", "--key", "1", "--nonce", "n", "--timestamp", "5", url}, "", env)
	got := runCommand([]string{"sign", "--json", "--key", "1", "-H", "X-Ca-Nonce: n", "-H", "X-Ca-Timestamp: 5", url},
		"", env)
	if got.exit != exitOK || got.stdout != want.stdout {
		t.Errorf("got exit %d, %s%s; want %s", got.exit, got.stdout, got.stderr, want.stdout)
	}
}

// The two commands of docs/signing.md: sign as the refused request was signed,
// then compare.
func TestSignLikeARefusedRequest(t *testing.T) {
	env := map[string]string{"APIGW_APP_SECRET": "s3cret-of-the-test"}
	const refused = "HTTP/1.1 400 Bad Request\r\nX-Ca-Error-Message: Invalid Signature, Server StringToSign:`" +
		"POST#*/*##application/json##X-Ca-Key:1#X-Ca-Nonce:abc#X-Ca-Signature-Method:HmacSHA256#X-Ca-Stage:PRE#X-Ca-Timestamp:1525872629832#X-Trace:7#/orders?a=1`\r\n\r\n"
	file := filepath.Join(t.TempDir(), "refused.txt")
	if err := os.WriteFile(file, []byte(refused), 0o600); err != nil {
		t.Fatal(err)
	}
	args := []string{"sign", "--key", "1", "--stage", "PRE", "-X", "POST", "-H", "Accept: */*", "-H",
		"Content-Type: application/json", "-H", "x-trace: 7", "https://api.example.com/orders?a=1"}
	mine := filepath.Join(t.TempDir(), "mine.txt")
	compare := func(like ...string) explanation {
		printed := runCommand(append(args, like...), refused, env)
		if printed.exit != exitOK {
			t.Fatalf("sign: got exit %d, %s", printed.exit, printed.stderr)
		}
		if err := os.WriteFile(mine, []byte(printed.stdout), 0o600); err != nil {
			t.Fatal(err)
		}
		got := runCommand([]string{"explain", "-", "--json", "--signed", mine}, refused, nil)
		return decodeExplanation(t, got.stdout)
	}
	for _, like := range [][]string{{"--like", file}, {"--like", "-"}} {
		if x := compare(like...); x.Diagnosis == nil || x.Diagnosis.Part != signer.PartNone.String() {
			t.Errorf("%q: got %+v, want no difference", like, x.Diagnosis)
		}
	}
	if x := compare(); x.Diagnosis == nil || x.Diagnosis.Part == signer.PartNone.String() {
		t.Errorf("without --like: got %+v, want a difference", x.Diagnosis)
	}
	got := runCommand(append(args, "--like", "testdata/order.json"), "", env)
	if got.exit != exitMisuse {
		t.Errorf("a file without a string: got exit %d, want 2", got.exit)
	}
}

// The signature belongs to the string with the names as the gateway has them.
func TestSignLikeSignsTheNamesAsTheyAreListed(t *testing.T) {
	env := map[string]string{"APIGW_APP_SECRET": "s3cret-of-the-test"}
	like := "Invalid Signature, Server StringToSign:`GET#####X-Ca-Key:1#X-Ca-Nonce:n#X-Ca-Timestamp:5#/a`"
	got := runCommand([]string{"sign", "--json", "--key", "1", "--like", "-", "https://api.example.com/a"}, like, env)
	var s signature
	if err := json.Unmarshal([]byte(got.stdout), &s); err != nil {
		t.Fatalf("%v: %s", err, got.stderr)
	}
	if want := "GET\n\n\n\n\nX-Ca-Key:1\nX-Ca-Nonce:n\nX-Ca-Timestamp:5\n/a"; s.StringToSign != want {
		t.Errorf("got %q, want %q", s.StringToSign, want)
	}
	if want := signer.HmacSHA256.Signature("s3cret-of-the-test", s.StringToSign); s.Signature != want {
		t.Error("got another signature than that of the string")
	}
	if got, want := s.Headers["X-Ca-Signature-Headers"], "X-Ca-Key,X-Ca-Nonce,X-Ca-Timestamp"; got != want {
		t.Errorf("headers: got %q, want %q", got, want)
	}
}

// A terminal must not obey what a parameter holds, and explain must still read
// the string that was signed.
func TestSignEscapesControlCharacters(t *testing.T) {
	env := map[string]string{"APIGW_APP_SECRET": "s3cret-of-the-test"}
	fixed := []string{"sign", "--key", "1", "--nonce", "n", "--timestamp", "5",
		"https://api.example.com/a?t=%1b%5b31m%c2%9b%ff%00%0d%22%5c&u=%e4%b8%ad"}
	got := runCommand(fixed, "", env)
	for _, raw := range []string{"\x1b", "\x9b", "\x00", "\r", "\xff"} {
		if strings.Contains(got.stdout, raw) {
			t.Errorf("got %q in the output", raw)
		}
	}
	mine := filepath.Join(t.TempDir(), "mine.txt")
	if err := os.WriteFile(mine, []byte(got.stdout), 0o600); err != nil {
		t.Fatal(err)
	}
	var exact signature
	if err := json.Unmarshal([]byte(runCommand(append(fixed, "--json"), "", env).stdout), &exact); err != nil {
		t.Fatal(err)
	}
	read, err := new(invocation).readSigned(mine)
	if err != nil || !strings.Contains(read.text, "t=\x1b[31m\u009b") || !strings.Contains(read.text, "\xff\x00\r\"\\&u=中") {
		t.Errorf("got %q, %v, want the bytes that were signed", read.text, err)
	}
}

func FuzzEscapeText(f *testing.F) {
	for _, seed := range []string{"", "a\nb", "\x1b[31m", "\\", "\"", "\xff\u009b\u200b", "中\r\n"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, s string) {
		escaped := escapeText(s)
		if !isPlainText(escaped) {
			t.Errorf("got %q, want what prints", escaped)
		}
		if plain, err := unescapeText(escaped); err != nil || plain != s {
			t.Errorf("got %q, %v, want %q", plain, err, s)
		}
	})
}

// The command that --curl prints, run by a shell, is accepted by a gateway.
func TestSignCurl(t *testing.T) {
	if _, err := exec.LookPath("curl"); err != nil {
		t.Skip("no curl here")
	}
	gateway := gatewaytest.NewServer(&gatewaytest.Gateway{})
	defer gateway.Close()
	env := map[string]string{"APIGW_APP_SECRET": gatewaytest.DefaultAppSecret}
	for _, args := range [][]string{
		{gateway.URL + "/a?b=%20c&d=[1]"},
		{"-d", `{"it's":"a\b"}`, gateway.URL + "/a"},
		{"-d", "a=1&b=%20", "-X", "PUT", gateway.URL + "/a?c=d'e"},
		{"-H", "Accept: application/json", "-H", "X-Note: say \"hi\" to $HOME `now`", "--signed-headers", "X-Note",
			gateway.URL + "/"},
	} {
		got := runCommand(append([]string{"sign", "--curl", "--key", gatewaytest.DefaultAppKey}, args...), "", env)
		if got.exit != exitOK {
			t.Fatalf("%q: got exit %d, %s", args, got.exit, got.stderr)
		}
		out, err := exec.CommandContext(t.Context(), "sh", "-c",
			strings.Replace(got.stdout, "curl -i ", "curl -sS -i --noproxy '*' ", 1)).CombinedOutput()
		if err != nil || !strings.HasPrefix(string(out), "HTTP/1.1 200") {
			t.Errorf("%s\ngot %v, %s", got.stdout, err, out)
		}
	}
}

func TestShellQuote(t *testing.T) {
	for _, word := range []string{"plain", "", "it's", "a b", "$HOME `x` \"y\"", "tab\there", "\x1b[31m", "line\nbreak",
		"中文", "\xff", `back\slash`, "!history"} {
		quoted := shellQuote(word)
		if !isPlainText(quoted) || strings.Contains(quoted, "\n") {
			t.Errorf("%q: got %q, want one line that prints", word, quoted)
		}
		if _, err := exec.LookPath("bash"); err != nil {
			continue
		}
		out, err := exec.CommandContext(t.Context(), "bash", "-c", fmt.Sprintf("printf %%s %s", quoted)).Output()
		if err != nil || string(out) != word {
			t.Errorf("%s: bash reads %q, %v, want %q", quoted, out, err, word)
		}
	}
}

// The head that this command shows has no string to sign: say so, and what has.
func TestAStringThatWasTakenOutIsNamed(t *testing.T) {
	shown := "HTTP/1.1 400 Bad Request\nX-Ca-Error-Message: Invalid Signature, Server StringToSign…\n\n"
	env := map[string]string{"APIGW_APP_SECRET": "fake-gateway-app-secret"}
	for _, args := range [][]string{
		{"sign", "--key", "203753385", "--like", "-", "https://api.example.com/"},
		{"explain", "--signed", "testdata/signed.txt", "-"},
	} {
		got := runCommand(args, shown, env)
		if want := "save the answer itself, with curl -si"; got.exit != exitMisuse || !strings.Contains(got.stderr, want) {
			t.Errorf("%s: got exit %d, %s, want %s", args[0], got.exit, got.stderr, want)
		}
	}
}
