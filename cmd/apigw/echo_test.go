package main

import (
	"bufio"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
)

// echoAnswers are what a server can do with what it got. They end the
// connection, since some are no HTTP.
var echoAnswers = map[string]string{
	"unknown text":        "HTTP/1.1 403 Forbidden\r\nX-Ca-Error-Message: refused %s now\r\nContent-Length: 0\r\n\r\n",
	"known text":          "HTTP/1.1 403 Forbidden\r\nX-Ca-Error-Message: User Arrears %s\r\nContent-Length: 0\r\n\r\n",
	"string to sign":      "HTTP/1.1 400 Bad Request\r\nX-Ca-Error-Message: Invalid Signature, Server StringToSign:`GET#%s#/x`\r\nContent-Length: 0\r\n\r\n",
	"code":                "HTTP/1.1 403 Forbidden\r\nX-Ca-Error-Code: %s\r\nContent-Length: 0\r\n\r\n",
	"request id":          "HTTP/1.1 403 Forbidden\r\nX-Ca-Request-Id: %s\r\nContent-Length: 0\r\n\r\n",
	"request id of a 200": "HTTP/1.1 200 OK\r\nX-Ca-Request-Id: %s\r\nX-Echo: %[1]s\r\nContent-Length: 0\r\n\r\n",
	"another header":      "HTTP/1.1 500 %[1]s\r\nX-Echo: %[1]s\r\nSet-Cookie: a=%[1]s\r\nContent-Length: 0\r\n\r\n",
	"redirect":            "HTTP/1.1 302 Found\r\nLocation: /next?%[1]s=%[1]s\r\nContent-Length: 0\r\n\r\n",
	"redirect that fails": "HTTP/1.1 302 Found\r\nLocation: http://%%zz%[1]s\r\nContent-Length: 0\r\n\r\n",
	"status line":         "HTTP/1.1 %s\r\n\r\n",
	"no HTTP":             "%s\r\n\r\n",
	"Content-Length":      "HTTP/1.1 200 OK\r\nContent-Length: %s\r\n\r\n",
	"Transfer-Encoding":   "HTTP/1.1 200 OK\r\nTransfer-Encoding: %s\r\n\r\n",
	"line":                "HTTP/1.1 200 OK\r\n%s\r\n\r\n",
	"chunk":               "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n%s\r\n",
	"body of a gateway":   "HTTP/1.1 401 Unauthorized\r\nContent-Type: text/plain\r\n\r\nHMAC signature cannot be verified, Server StringToSign:`%s`",
}

// echoServer sends back what secretOf finds in a request, the body included.
type echoServer struct {
	net.Listener
	mu     sync.Mutex
	format string
	find   func(r *http.Request, body string) string
	told   []string
}

func newEchoServer(t *testing.T) *echoServer {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	s := &echoServer{Listener: l}
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			go s.serve(c)
		}
	}()
	return s
}

func (s *echoServer) serve(c net.Conn) {
	defer c.Close()
	r, err := http.ReadRequest(bufio.NewReader(c))
	if err != nil {
		return
	}
	body, _ := io.ReadAll(r.Body)
	s.mu.Lock()
	defer s.mu.Unlock()
	if secret := s.find(r, string(body)); secret != "" {
		s.told = append(s.told, secret)
		fmt.Fprintf(c, s.format, secret)
		return
	}
	io.WriteString(c, "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n") // the redirected call
}

// No output of "apigw call" but the body shows what a request carried, wherever
// the server puts it.
func TestCallShowsNoEcho(t *testing.T) {
	const secret = "tops3cretappcode00"
	server := newEchoServer(t)
	base := "http://" + server.Addr().String()
	file := filepath.Join(t.TempDir(), "secret")
	if err := os.WriteFile(file, []byte(secret+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	profiles := filepath.Join(t.TempDir(), "profiles.json")
	profile := `{"profiles": {"weather": {"appCode": true, "secretEnv": "WEATHER_CODE", "hosts": ["127.0.0.1:*"]}}}`
	if err := os.WriteFile(profiles, []byte(profile), 0o600); err != nil {
		t.Fatal(err)
	}
	header := func(name string) func(*http.Request, string) string {
		return func(r *http.Request, _ string) string {
			_, code, ok := strings.Cut(r.Header.Get(name), "APPCODE ")
			if !ok {
				code = r.Header.Get(name)
			}
			return code
		}
	}
	basic := "Basic " + base64.StdEncoding.EncodeToString([]byte("me:"+secret))
	decoded := func(r *http.Request, _ string) string { _, p, _ := r.BasicAuth(); return p }
	for place, c := range map[string]struct {
		args []string
		url  string
		find func(r *http.Request, body string) string
	}{
		"AppCode":           {[]string{"--appcode"}, base + "/x", header("Authorization")},
		"AppCode in a file": {[]string{"--appcode", "--secret-file", file}, base + "/x", header("Authorization")},
		"AppCode of a profile": {[]string{"--profile", "weather", "--profiles", profiles}, base + "/x",
			header("Authorization")},
		"signature":     {[]string{"--key", "203753385"}, base + "/x", header("X-Ca-Signature")},
		"custom header": {[]string{"-H", "X-My-Key: " + secret}, base + "/x", header("X-My-Key")},
		"Bearer":        {[]string{"-H", "Authorization: Bearer " + secret}, base + "/x", header("Authorization")},
		"Basic":         {[]string{"-H", "Authorization: " + basic}, base + "/x", decoded},
		"Basic as sent": {[]string{"-H", "Authorization: " + basic}, base + "/x", header("Authorization")},
		"cookie": {[]string{"-H", "Cookie: a=b; session=" + secret}, base + "/x",
			func(*http.Request, string) string { return secret }},
		"query": {nil, base + "/x?token=" + secret,
			func(r *http.Request, _ string) string { return r.URL.Query().Get("token") }},
		"whole query": {nil, base + "/x?token=" + secret + "&b=c",
			func(r *http.Request, _ string) string { return r.URL.RawQuery }},
		"query in the path": {nil, base + "/x%3Ftoken=" + secret,
			func(r *http.Request, _ string) string { return secret }},
		"form": {[]string{"-d", "pin=" + secret}, base + "/x",
			func(_ *http.Request, b string) string { return strings.TrimPrefix(b, "pin=") }},
		"form as sent": {[]string{"-d", "pin=" + secret + "&a=b"}, base + "/x",
			func(_ *http.Request, b string) string { return b }},
		"JSON": {[]string{"-H", "Content-Type: application/json", "-d", `{"pin":"` + secret + `"}`}, base + "/x",
			func(_ *http.Request, b string) string { return strings.Split(b+`"""""`, `"`)[3] }},
		"AppSecret": {[]string{"--key", "203753385"}, base + "/x",
			func(r *http.Request, _ string) string { return secret }},
	} {
		for where, format := range echoAnswers {
			for _, flags := range [][]string{nil, {"--json"}, {"-i"}, {"-v", "-L"}} {
				t.Run(place+" in "+where+" "+strings.Join(flags, ""), func(t *testing.T) {
					server.mu.Lock()
					told := 0
					server.format, server.told = format, nil
					server.find = func(r *http.Request, body string) string {
						if told++; told > 1 && strings.HasPrefix(where, "redirect") {
							return ""
						}
						return c.find(r, body)
					}
					server.mu.Unlock()
					args := append(append([]string{"call", c.url, "--max-attempts", "1"}, flags...), c.args...)
					got := runCommand(args, "",
						map[string]string{"APIGW_APP_SECRET": secret, "APIGW_APP_CODE": secret, "WEATHER_CODE": secret})
					server.mu.Lock()
					defer server.mu.Unlock()
					if len(server.told) == 0 {
						t.Fatalf("nothing was repeated: %s", got.stderr)
					}
					stdout := got.stdout
					if where == "body of a gateway" {
						stdout = "" // the body is what was asked for
					}
					for _, s := range append(server.told, secret) {
						for _, form := range []string{s, url.QueryEscape(s), hex.EncodeToString([]byte(s))} {
							if all := stdout + got.stderr; strings.Contains(strings.ToLower(all),
								strings.ToLower(form)) {
								t.Errorf("%q is shown in %s", form, all)
							}
						}
					}
				})
			}
		}
	}
}
