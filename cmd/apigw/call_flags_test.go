package main

import (
	"bytes"
	"context"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/apigw-go/apigw/gatewaytest"
)

// echo answers with what it got: method, target, some headers and the body.
func echo(w http.ResponseWriter, r *http.Request) {
	body, _ := io.ReadAll(r.Body)
	fmt.Fprintf(w, "%s %s\n%s\n%s", r.Method, r.RequestURI, r.Header.Get("Content-Type"), body)
}

func decodeCall(t *testing.T, text string) callResult {
	t.Helper()
	var r callResult
	dec := json.NewDecoder(strings.NewReader(text))
	dec.DisallowUnknownFields()
	if err := dec.Decode(&r); err != nil {
		t.Fatalf("%v in %q", err, text)
	}
	return r
}

func TestCallBodies(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(echo))
	defer server.Close()
	file := filepath.Join(t.TempDir(), "note.txt")
	if err := os.WriteFile(file, []byte("a b&c"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name string
		args []string
		want string
	}{
		{"urlencode text", []string{"--data-urlencode", "a b&c"},
			"POST /\napplication/x-www-form-urlencoded\na%20b%26c"},
		{"urlencode name", []string{"--data-urlencode", "q=a b+c=d"},
			"POST /\napplication/x-www-form-urlencoded\nq=a%20b%2Bc%3Dd"},
		{"urlencode without a name", []string{"--data-urlencode", "=a=b"},
			"POST /\napplication/x-www-form-urlencoded\na%3Db"},
		{"urlencode file", []string{"--data-urlencode", "q@" + file},
			"POST /\napplication/x-www-form-urlencoded\nq=a%20b%26c"},
		{"both kinds in order", []string{"-d", "a=1", "--data-urlencode", "b=x y", "-d", "c=3"},
			"POST /\napplication/x-www-form-urlencoded\na=1&b=x%20y&c=3"},
	} {
		t.Run(c.name, func(t *testing.T) {
			got := runCommand(append([]string{"call", server.URL}, c.args...), "", nil)
			if got.exit != exitOK || got.stdout != c.want {
				t.Errorf("got exit %d, %q, want %q; %s", got.exit, got.stdout, c.want, got.stderr)
			}
		})
	}
}

func TestCallMultipart(t *testing.T) {
	file := filepath.Join(t.TempDir(), "note.txt")
	if err := os.WriteFile(file, []byte("from the file"), 0o600); err != nil {
		t.Fatal(err)
	}
	tries := 0
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if tries++; tries == 1 {
			w.WriteHeader(http.StatusServiceUnavailable) // the body must be sent again
			return
		}
		if err := r.ParseMultipartForm(1 << 20); err != nil {
			t.Error(err)
			return
		}
		upload := r.MultipartForm.File["f"][0]
		f, _ := upload.Open()
		data, _ := io.ReadAll(f)
		fmt.Fprintf(w, "%s|%s|%s|%s|%s|%d", r.FormValue("a"), r.FormValue("inline"), upload.Filename,
			upload.Header.Get("Content-Type"), data, r.ContentLength)
		if r.ContentLength <= 0 {
			t.Error("got no length, want that of the body")
		}
	}))
	defer server.Close()
	got := runCommand([]string{
		"call", "--initial-backoff", "1ms", "-X", "PUT", "-F", "a=1;2", "-F", "inline=<" + file, "-F",
		"f=@" + file + ";type=text/x-note;filename=n.txt", server.URL,
	}, "", nil)
	if want := "1;2|from the file|n.txt|text/x-note|from the file|"; !strings.HasPrefix(got.stdout, want) {
		t.Errorf("got %q, want %q…; %s", got.stdout, want, got.stderr)
	}
	if tries != 2 {
		t.Errorf("tries: got %d, want 2", tries)
	}
}

func TestCallStreamsALargeFile(t *testing.T) {
	file := filepath.Join(t.TempDir(), "large.bin")
	if err := os.WriteFile(file, bytes.Repeat([]byte("x"), 3<<20), 0o600); err != nil {
		t.Fatal(err)
	}
	tries := 0
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		n, _ := io.Copy(io.Discard, r.Body)
		if tries++; tries == 1 {
			w.WriteHeader(http.StatusBadGateway)
			return
		}
		fmt.Fprint(w, n, r.ContentLength, r.Header.Get("Content-Type"))
	}))
	defer server.Close()
	got := runCommand([]string{"call", "--initial-backoff", "1ms", "-X", "PUT", "-d", "@" + file, server.URL}, "", nil)
	if want := "3145728 3145728application/octet-stream"; got.stdout != want {
		t.Errorf("got %q, want %q; %s", got.stdout, want, got.stderr)
	}
}

// With a limit a throttled call waits for its turn.
func TestCallLimit(t *testing.T) {
	tries := 0
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if tries++; tries == 1 {
			w.Header().Set("X-Ca-Error-Code", "T429PR")
			w.WriteHeader(http.StatusTooManyRequests)
			return
		}
		io.WriteString(w, "passed")
	}))
	defer server.Close()
	got := runCommand([]string{"call", "--limit", "50/s", "-X", "POST", server.URL}, "", nil)
	if got.exit != exitOK || got.stdout != "passed" || tries != 2 {
		t.Errorf("got code %d, %q after %d attempts, want success after 2; %s", got.exit, got.stdout, tries, got.stderr)
	}
	got = runCommand([]string{"call", "--limit", "many", server.URL}, "", nil)
	if want := `--limit "many"`; got.exit != exitMisuse || !strings.Contains(got.stderr, want) {
		t.Errorf("got code %d, %q, want misuse that names %s", got.exit, got.stderr, want)
	}
}

func TestCallShowsHeads(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("X-Echo", "got "+r.Header.Get("Authorization"))
		w.Header().Set("Set-Cookie", "session=of-the-test-42")
		w.Header().Set("X-Total-Count", "7")
		w.WriteHeader(http.StatusForbidden)
		io.WriteString(w, "body")
	}))
	defer server.Close()
	args := []string{"call", "-i", "-v", "-H", "Authorization: Bearer token-of-the-test",
		server.URL + "/a?password=query-of-the-test"}
	got := runCommand(args, "", nil)
	for _, secret := range []string{"token-of-the-test", "query-of-the-test", "of-the-test-42"} {
		if strings.Contains(got.stdout+got.stderr, secret) {
			t.Errorf("got %q in the output:\n%s%s", secret, got.stdout, got.stderr)
		}
	}
	if want := "HTTP/1.1 403 Forbidden\n"; !strings.HasPrefix(got.stdout, want) ||
		!strings.HasSuffix(got.stdout, "\n\nbody") {
		t.Errorf("got %q, want the head and the body", got.stdout)
	}
	for _, want := range []string{"> GET /a?… HTTP/1.1", "> Authorization: ***", "< HTTP/1.1 403 Forbidden",
		"< X-Total-Count: 7"} {
		if want = strings.TrimSuffix(want, " HTTP/1.1"); !strings.Contains(got.stderr, want) {
			t.Errorf("got %s, want %q in it", got.stderr, want)
		}
	}
	// What -i prints can be explained.
	x := decodeExplanation(t, runCommand([]string{"explain", "-", "--json"}, got.stdout, nil).stdout)
	if x.Status != http.StatusForbidden {
		t.Errorf("got status %d of what -i printed, want 403", x.Status)
	}
}

func TestCallWritesTheBodyIntoAFile(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter,
		r *http.Request) {
		io.WriteString(w, "the body")
	}))
	defer server.Close()
	file := filepath.Join(t.TempDir(), "out")
	got := runCommand([]string{"call", "-o", file, server.URL}, "", nil)
	data, err := os.ReadFile(file)
	if err != nil || string(data) != "the body" || got.stdout != "" {
		t.Errorf("got %q, %v, standard output %q, want the body in the file", data, err, got.stdout)
	}
	if got := runCommand([]string{"call", "-o", os.DevNull, server.URL}, "", nil); strings.Contains(got.stderr, "-o") {
		t.Errorf("a device: got %s, want no complaint", got.stderr)
	}
	got = runCommand([]string{"call", "-o", filepath.Join(file, "x"), server.URL}, "", nil)
	if got.exit != exitMisuse {
		t.Errorf("a file that cannot be: got exit %d, want 2", got.exit)
	}
}

func TestCallJSONHasTheBody(t *testing.T) {
	server := gatewaytest.NewServer(&gatewaytest.Gateway{Routes: callRoutes})
	defer server.Close()
	r := decodeCall(t, runCommand([]string{"call", "--json", server.URL + "/backend"}, "", nil).stdout)
	if want := "no such order\n"; r.Body != want || r.BodyError != "" {
		t.Errorf("got body %q, error %q, want %q", r.Body, r.BodyError, want)
	}
	got := runCommand([]string{"call", "--json", server.URL + "/half"}, "", nil)
	if r := decodeCall(t, got.stdout); r.BodyError == "" || got.exit != exitNoResponse {
		t.Errorf("a body that broke off: got error %q, exit %d, want its cause and 6", r.BodyError, got.exit)
	}
	binary := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter,
		r *http.Request) {
		w.Write([]byte{0xff, 0})
	}))
	defer binary.Close()
	if r := decodeCall(t, runCommand([]string{"call", "--json", binary.URL}, "", nil).stdout); r.BodyBase64 != "/wA=" ||
		r.Body != "" {
		t.Errorf("a body that is no text: got %q, %q, want base64", r.Body, r.BodyBase64)
	}
}

func TestCallFollowsRedirectsIfAsked(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/a":
			http.Redirect(w, r, "/b?token=t0p", http.StatusFound)
		case "/loop":
			http.Redirect(w, r, "/loop", http.StatusFound)
		default:
			io.WriteString(w, "arrived")
		}
	}))
	defer server.Close()
	got := runCommand([]string{"call", "-L", server.URL + "/a"}, "", nil)
	if got.exit != exitOK || got.stdout != "arrived" || !strings.Contains(got.stderr, "redirected to GET") ||
		strings.Contains(got.stderr, "t0p") {
		t.Errorf("got exit %d, %q, %s", got.exit, got.stdout, got.stderr)
	}
	if got := runCommand([]string{"call", "-L", server.URL + "/loop"}, "", nil); got.exit != exitNoResponse ||
		!strings.Contains(got.stderr, "10 redirects") || strings.Contains(got.stderr, "not followed") ||
		strings.Contains(got.stderr, "not decided") {
		t.Errorf("a circle: got exit %d, %s", got.exit, got.stderr)
	}
}

// What cannot be sent is misuse, found before anything is sent.
func TestCallRefusesWhatNoRequestCanHold(t *testing.T) {
	for want, args := range map[string][]string{
		`holds a control character`:    {"--stage", "A\nB", "http://127.0.0.1/"},
		`the URL has the port "99999"`: {"http://127.0.0.1:99999/"},
	} {
		got := runCommand(append([]string{"call"}, args...), "", nil)
		if got.exit != exitMisuse || !strings.Contains(got.stderr, want) {
			t.Errorf("got exit %d, %s, want %s", got.exit, got.stderr, want)
		}
	}
}

func TestCallConnectsWhereItIsTold(t *testing.T) {
	server := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter,
		r *http.Request) {
		io.WriteString(w, r.Host)
	}))
	defer server.Close()
	ca := filepath.Join(t.TempDir(), "ca.pem")
	block := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: server.Certificate().Raw})
	if err := os.WriteFile(ca, block, 0o600); err != nil {
		t.Fatal(err)
	}
	u, err := url.Parse(server.URL)
	if err != nil {
		t.Fatal(err)
	}
	target := "https://example.com:" + u.Port() // the name in httptest's certificate
	args := []string{"call", target, "--max-attempts", "1", "--resolve", "example.com:" + u.Port() + ":" + u.Hostname()}
	if got := runCommand(args, "", nil); got.exit != exitNoResponse || !strings.Contains(got.stderr, "certificate") {
		t.Errorf("without the certificate: got exit %d, %s", got.exit, got.stderr)
	}
	if got := runCommand(append(args, "--cacert", ca), "", nil); got.stdout != "example.com:"+u.Port() {
		t.Errorf("got %q, want the host; %s", got.stdout, got.stderr)
	}
	for _, bad := range [][]string{{"--resolve", "example.com:443"}, {"--resolve", "h:x:127.0.0.1"},
		{"--cacert", "testdata/order.json"}, {"--cacert", "testdata/none"}} {
		if got := runCommand(append([]string{"call", target}, bad...), "", nil); got.exit != exitMisuse {
			t.Errorf("%q: got exit %d, want 2", bad, got.exit)
		}
	}
}

func TestURLsWithoutAScheme(t *testing.T) {
	in := &invocation{lang: "en"}
	for raw, want := range map[string]string{
		"api.example.com/orders?a=1": "https://api.example.com/orders?a=1",
		"localhost:8080/x":           "http://localhost:8080/x",
		"127.0.0.1:8080":             "http://127.0.0.1:8080",
		"[::1]:80/x":                 "http://[::1]:80/x",
		"http://api.example.com":     "http://api.example.com",
	} {
		u, err := in.parseURL(raw)
		if err != nil || u.String() != want {
			t.Errorf("%s: got %v, %v, want %s", raw, u, err, want)
		}
	}
	for _, raw := range []string{"", "/orders", "ftp://example.com/", "http:///x", "https://exa mple.com/"} {
		if u, err := in.parseURL(raw); err == nil {
			t.Errorf("%q: got %v, want a complaint", raw, u)
		}
	}
}

// Ctrl-C ends a call with the exit code that shells expect.
func TestCallInterrupted(t *testing.T) {
	arrived := make(chan struct{})
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		close(arrived)
		<-r.Context().Done()
	}))
	defer server.Close()
	go func() {
		<-arrived
		self, err := os.FindProcess(os.Getpid())
		if err == nil {
			err = self.Signal(os.Interrupt)
		}
		if err != nil {
			t.Error(err)
		}
	}()
	var stderr bytes.Buffer
	exit := run(context.Background(), []string{"call", server.URL}, strings.NewReader(""), io.Discard, &stderr,
		func(string) string { return "" })
	if exit != exitInterrupted || !strings.Contains(stderr.String(), "interrupted") {
		t.Errorf("got exit %d, %s, want %d", exit, stderr.String(), exitInterrupted)
	}
}

// One attempt and no learning: the flags alone make the signature right.
func TestCallHasTheReadingsOfASignature(t *testing.T) {
	gateway := gatewaytest.NewServer(&gatewaytest.Gateway{Readings: []gatewaytest.Reading{{Path: gatewaytest.PathDecoded, QueryFirst: true}}})
	defer gateway.Close()
	env := map[string]string{"APIGW_APP_SECRET": gatewaytest.DefaultAppSecret}
	target := gateway.URL + "/a%20b?c=1"
	args := []string{"call", "--max-attempts", "1", "--key", gatewaytest.DefaultAppKey, "--algorithm", "HmacSHA1", "-d",
		"c=2", target}
	if got := runCommand(append(args, "--decoded-path", "--query-first"), "", env); got.exit != exitOK {
		t.Errorf("got exit %d, %s", got.exit, got.stderr)
	}
	if got := runCommand(args, "", env); got.exit != exitGateway {
		t.Errorf("the documented reading: got exit %d, want a refusal", got.exit)
	}
	if got := runCommand([]string{"call", "--decoded-path", gateway.URL}, "", nil); got.exit != exitMisuse {
		t.Errorf("a reading without a key: got exit %d, want 2", got.exit)
	}
}
