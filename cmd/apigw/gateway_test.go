package main

import (
	"bufio"
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/apigw-go/apigw/gatewaytest"
)

// lockedBuffer is written by the requests of a server.
type lockedBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *lockedBuffer) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

// startGateway runs the command until end is called, which returns all that it
// printed, and its exit code.
func startGateway(t *testing.T, ctx context.Context, args ...string) (url string, end func() outcome) {
	t.Helper()
	r, w := io.Pipe()
	var stdout bytes.Buffer
	stderr := new(lockedBuffer)
	done := make(chan int, 1)
	go func() {
		done <- run(ctx, append([]string{"gateway", "--listen", "127.0.0.1:0"}, args...), strings.NewReader(""), w,
			stderr, func(string) string { return "" })
		w.Close()
	}()
	lines := bufio.NewScanner(io.TeeReader(r, &stdout))
	for lines.Scan() {
		if _, after, ok := strings.Cut(lines.Text(), " at "); ok && url == "" {
			url = after
		}
		if strings.HasPrefix(lines.Text(), "interrupt") {
			break
		}
	}
	if url == "" {
		t.Fatalf("the gateway did not start: exit %d, %s", <-done, stderr.b.String())
	}
	return url, func() outcome {
		for lines.Scan() {
		}
		exit := <-done
		stderr.mu.Lock()
		defer stderr.mu.Unlock()
		return outcome{stdout.String(), stderr.b.String(), exit}
	}
}

// get returns the status of an answer, 0 without one. Each call has its own
// connection, since net/http would resend a GET on one that it reused.
func get(t *testing.T, url string) int {
	t.Helper()
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	resp, err := client.Get(url)
	if err != nil {
		return 0
	}
	resp.Body.Close()
	return resp.StatusCode
}

func TestGatewayServesAndStops(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	url, end := startGateway(t, ctx)
	if status := get(t, url+"/errors/D503CB"); status != 503 {
		t.Errorf("row: got status %d, want 503", status)
	}
	if status := get(t, url+"/unsigned?password=t0p"); status != 400 {
		t.Errorf("unsigned request: got status %d, want 400", status)
	}
	cancel()
	got := end()
	if got.exit != exitOK {
		t.Errorf("exit: got %d, want 0", got.exit)
	}
	compareGolden(t, "gateway", evenOut("--- stdout\n"+got.stdout+"--- stderr\n"+got.stderr))
}

func TestGatewayFollowsItsScript(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	url, end := startGateway(t, ctx, "--script", "testdata/script.json")
	for _, want := range []int{503, 0, 200} {
		if status := get(t, url+"/flaky"); status != want {
			t.Errorf("got status %d, want %d", status, want)
		}
	}
	if status := get(t, url+"/errors/D503CB"); status == 503 {
		t.Error("got a row of the catalog, want only the routes of the script")
	}
	cancel()
	got := end()
	compareGolden(t, "gateway-script", evenOut("--- stdout\n"+got.stdout+"--- stderr\n"+got.stderr))
}

func TestGatewayEndsAtASignal(t *testing.T) {
	_, end := startGateway(t, t.Context())
	self, err := os.FindProcess(os.Getpid())
	if err != nil {
		t.Fatal(err)
	}
	if err := self.Signal(os.Interrupt); err != nil {
		t.Fatal(err)
	}
	if got := end(); got.exit != exitOK || !strings.Contains(got.stdout, "stopped: requests 0,") {
		t.Errorf("got exit %d, %q; want 0 and the counts", got.exit, got.stdout)
	}
}

func TestGatewayRefusesABusyAddress(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	url, end := startGateway(t, ctx)
	got := runCommand([]string{"gateway", "--listen", strings.TrimPrefix(url, "http://")}, "", nil)
	if got.exit != exitMisuse || !strings.Contains(got.stderr, "picks a free port") {
		t.Errorf("got exit %d, %s; want 2 and the fix", got.exit, got.stderr)
	}
	cancel()
	end()
}

// The certificate that is printed, and the one in the file, are what a client
// needs to trust the gateway, in both versions of HTTP.
func TestGatewayOverTLS(t *testing.T) {
	for _, http2 := range []bool{false, true} {
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		file := filepath.Join(t.TempDir(), "gateway.pem")
		args := []string{"--tls", "--cert-out", file}
		if http2 {
			args = append(args, "--http2")
		}
		url, end := startGateway(t, ctx, args...)
		written, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		roots := x509.NewCertPool()
		if !roots.AppendCertsFromPEM(written) {
			t.Fatalf("got %q in the file, want a certificate", written)
		}
		tr := &http.Transport{TLSClientConfig: &tls.Config{RootCAs: roots}, ForceAttemptHTTP2: true}
		for _, name := range []string{"127.0.0.1", "localhost"} {
			resp, err := (&http.Client{Transport: tr}).Get(strings.Replace(url, "127.0.0.1", name,
				1) + "/errors/D503CB")
			if err != nil {
				t.Fatal(err)
			}
			resp.Body.Close()
			if resp.StatusCode != 503 || (resp.ProtoMajor == 2) != http2 || !strings.HasPrefix(url, "https://") {
				t.Errorf("%s: got %d over %s, want 503; HTTP/2 %v", url, resp.StatusCode, resp.Proto, http2)
			}
		}
		tr.CloseIdleConnections()
		cancel()
		got := end()
		if !strings.Contains(got.stdout, string(written)) || strings.Contains(got.stdout, "PRIVATE") {
			t.Errorf("got %s, want the certificate of the file in it, and no key", got.stdout)
		}
	}
}

func TestGatewayWithCurl(t *testing.T) {
	curl, err := exec.LookPath("curl")
	if err != nil {
		t.Skip("there is no curl here")
	}
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	file := filepath.Join(t.TempDir(), "gateway.pem")
	url, end := startGateway(t, ctx, "--tls", "--http2", "--cert-out", file, "--stages", "TEST", "--base-path", "/v1")
	out, err := exec.CommandContext(ctx, curl, "-sS", "--max-time", "20", "--cacert", file, "--http2", "-H",
		"X-Ca-Stage: test",
		"-H", "Authorization: appcode "+gatewaytest.DefaultAppCode, "-w", " %{http_code} %{http_version}",
		url+"/v1/a").CombinedOutput()
	if want := `{"method":"GET","path":"/v1/a","bytes":0} 200 2`; err != nil || string(out) != want {
		t.Errorf("got %s %v, want %s", out, err, want)
	}
	cancel()
	end()
}

// HTTP/2 without TLS, for clients that begin with it.
func TestGatewayWithHTTP2InTheClear(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	url, end := startGateway(t, ctx, "--http2")
	tr := &http.Transport{Protocols: new(http.Protocols)}
	tr.Protocols.SetUnencryptedHTTP2(true)
	resp, err := (&http.Client{Transport: tr}).Get(url + "/errors/D503CB")
	if err != nil {
		t.Fatal(err)
	}
	resp.Body.Close()
	if resp.ProtoMajor != 2 {
		t.Errorf("got %s, want HTTP/2", resp.Proto)
	}
	tr.CloseIdleConnections()
	if status := get(t, url+"/errors/D503CB"); status != 503 {
		t.Errorf("HTTP/1.1: got %d, want 503", status)
	}
	cancel()
	end()
}

// getWith returns status and error text of a call with an AppCode.
func getWith(t *testing.T, url string, header ...string) string {
	t.Helper()
	req, err := http.NewRequest("GET", url, nil)
	if err != nil {
		t.Fatal(err)
	}
	for i := 0; i+1 < len(header); i += 2 {
		req.Header.Set(header[i], header[i+1])
	}
	resp, err := (&http.Client{Transport: &http.Transport{DisableKeepAlives: true}}).Do(req)
	if err != nil {
		t.Fatal(err)
	}
	resp.Body.Close()
	return strings.TrimSpace(resp.Status[:3] + " " + resp.Header.Get("X-Ca-Error-Message"))
}

func TestGatewaySettings(t *testing.T) {
	code := []string{"Authorization", "APPCODE " + gatewaytest.DefaultAppCode}
	for name, tt := range map[string]struct {
		args []string
		path string
		with []string
		want []string // of calls one after the other
	}{
		"limit": {[]string{"--limit", "2/h"}, "/a", code, []string{"200", "200",
			"403 Throttled by API Flow Control"}},
		"limits": {[]string{"--limit", "5/h", "--limit", "1/h sliding"}, "/a", code, []string{"200",
			"403 Throttled by API Flow Control"}},
		"window": {[]string{"--limit", "2/h", "--window", "bucket"}, "/a", code, []string{"200", "200",
			"403 Throttled by API Flow Control"}},
		"quota":     {[]string{"--quota", "1"}, "/a", code, []string{"200", "403 Quota Exhausted"}},
		"stage":     {[]string{"--stages", "TEST, PRE"}, "/a", code, []string{"400 Invalid Url"}},
		"base path": {[]string{"--base-path", "/v1"}, "/a", code, []string{"400 Invalid Url"}},
		"code in query": {[]string{"--appcode-param", "code"}, "/a?code=" + gatewaytest.DefaultAppCode, nil,
			[]string{"200"}},
		"origin": {[]string{"--origins", "https://a.example"}, "/a", append([]string{"Origin",
			"https://b.example"}, code...), []string{"403 Unauthorized"}},
		"timeout": {[]string{"--latency", "1h", "--timeout", "1ms", "--dialect", "vpc"}, "/a", code,
			[]string{"504 Backend service request timeout"}},
		"reading": {[]string{"--reading", "higress", "--dialect", "higress"}, "/a", code, []string{"401"}},
		"key-auth": {[]string{"--dialect", "higress", "--auth-plugin", "key-auth"}, "/a", []string{"X-Api-Key",
			gatewaytest.DefaultAppCode},
			[]string{"200"}},
		"replay-protection": {[]string{"--dialect", "higress", "--auth-plugin", "key-auth", "--replay-protection"},
			"/a",
			[]string{"X-Api-Key", gatewaytest.DefaultAppCode, "X-Higress-Nonce", "12345678"}, []string{"200", "429"}},
		"throttled": {[]string{"--dialect", "higress", "--throttled", "higress.too-many-requests-200", "--limit", "1/h",
			"--script",
			"testdata/script-limits.json"}, "/open", nil, []string{"200", "200"}},
		"limit beside a script": {[]string{"--limit", "1/h", "--script", "testdata/script-limits.json"}, "/open", nil,
			[]string{"200", "403 Throttled by API Flow Control"}},
		"quota beside a script": {[]string{"--quota", "1", "--script", "testdata/script-limits.json"}, "/open", nil,
			[]string{"200", "200", "403 Quota Exhausted"}},
	} {
		t.Run(name, func(t *testing.T) {
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			url, end := startGateway(t, ctx, tt.args...)
			for i, want := range tt.want {
				if got := getWith(t, url+tt.path, tt.with...); got != want {
					t.Errorf("call %d: got %s, want %s", i+1, got, want)
				}
			}
			cancel()
			if got := end(); strings.Contains(got.stderr, "warning") {
				t.Errorf("got %s, want no warning on a loopback address", got.stderr)
			}
		})
	}
}

func TestGatewayWarnsWhereOthersReachIt(t *testing.T) {
	for _, listen := range []string{"0.0.0.0:0", ":0"} {
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		url, end := startGateway(t, ctx, "--listen", listen)
		cancel()
		if got := end(); !strings.Contains(got.stderr, "other machines reach this address") ||
			!strings.Contains(got.stderr, "--listen 127.0.0.1:8080") {
			t.Errorf("%s: got %q, want a warning", listen, got.stderr)
		}
		if listen == ":0" && !strings.HasPrefix(url, "http://127.0.0.1:") {
			t.Errorf("got the address %s, want one to copy", url)
		}
	}
}
