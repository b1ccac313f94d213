package main

import (
	"bufio"
	"context"
	"io"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/apigw-go/apigw/gatewaytest"
)

// startProxy runs the command until the test ends. It returns the address of
// the proxy, that of the page with its token, and a function that interrupts it
// and returns the exit code.
func startProxy(t *testing.T, args ...string) (address, page string, stop func() int) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	stdout, w := io.Pipe()
	env := func(name string) string {
		return map[string]string{"APIGW_APP_SECRET": gatewaytest.DefaultAppSecret,
			"APIGW_PROXY_TOKEN": "token-of-the-test"}[name]
	}
	code := make(chan int, 1)
	go func() {
		code <- run(ctx, append([]string{"proxy", "--listen", "127.0.0.1:0"}, args...), strings.NewReader(""), w,
			io.Discard, env)
		w.Close()
	}()
	lines := bufio.NewScanner(stdout)
	for lines.Scan() {
		line := lines.Text()
		if _, rest, ok := strings.Cut(line, " at http://"); ok && address == "" {
			address = "http://" + rest
		} else if ok {
			page = "http://" + rest
		}
		if strings.HasPrefix(line, "interrupt") {
			break
		}
	}
	go io.Copy(io.Discard, stdout)
	var ended bool
	stop = func() int {
		cancel()
		ended = true
		return <-code
	}
	t.Cleanup(func() {
		if !ended {
			stop()
		}
	})
	return address, page, stop
}

func TestProxySignsForTheFakeGateway(t *testing.T) {
	gateway := gatewaytest.NewServer(&gatewaytest.Gateway{})
	defer gateway.Close()
	address, _, stop := startProxy(t, "--upstream", gateway.URL, "--key", gatewaytest.DefaultAppKey)
	resp, err := http.Get(address + "/v1/weather?city=hz")
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	if got := resp.Header.Get("X-Apigw-Attempts"); resp.StatusCode != http.StatusOK || got != "1" {
		t.Errorf("got %d after %s attempts, want 200 after 1", resp.StatusCode, got)
	}
	if got, want := stop(), exitOK; got != want {
		t.Errorf("exit code %d, want %d", got, want)
	}
}

func TestProxyPageWantsItsToken(t *testing.T) {
	gateway := gatewaytest.NewServer(&gatewaytest.Gateway{})
	defer gateway.Close()
	_, page, _ := startProxy(t, "--upstream", gateway.URL, "--key", gatewaytest.DefaultAppKey, "--inspect",
		"127.0.0.1:0")
	address, _, _ := strings.Cut(page, "?")
	for url, want := range map[string]int{page: http.StatusSeeOther, address: http.StatusUnauthorized,
		address + "healthz": http.StatusOK, address + "metrics": http.StatusOK} {
		client := &http.Client{CheckRedirect: func(*http.Request,
			[]*http.Request) error {
			return http.ErrUseLastResponse
		}}
		resp, err := client.Get(url)
		if err != nil {
			t.Fatal(err)
		}
		resp.Body.Close()
		if resp.StatusCode != want {
			t.Errorf("%s: got %d, want %d", url, resp.StatusCode, want)
		}
	}
}

// Calls in flight end; new ones find the port closed.
func TestProxyDrains(t *testing.T) {
	begun, finish := make(chan struct{}), make(chan struct{})
	begin := sync.OnceFunc(func() { close(begun) }) // a retry begins it again
	gateway := gatewaytest.NewServer(&gatewaytest.Gateway{Routes: []gatewaytest.Route{{Pattern: "/"}, {
		Pattern: "/slow", Backend: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			begin()
			<-finish
			io.WriteString(w, "done")
		}),
	}}})
	defer gateway.Close()
	address, _, stop := startProxy(t, "--upstream", gateway.URL, "--key", gatewaytest.DefaultAppKey)
	body := make(chan string, 1)
	go func() {
		resp, err := http.Get(address + "/slow")
		if err != nil {
			body <- err.Error()
			return
		}
		defer resp.Body.Close()
		text, _ := io.ReadAll(resp.Body)
		body <- string(text)
	}()
	<-begun
	code := make(chan int, 1)
	go func() { code <- stop() }()
	for { // until the port is closed
		resp, err := http.Get(address + "/new")
		if err != nil {
			break
		}
		resp.Body.Close()
		time.Sleep(time.Millisecond)
	}
	close(finish)
	if got, want := <-body, "done"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	if got, want := <-code, exitOK; got != want {
		t.Errorf("exit code %d, want %d", got, want)
	}
}

func TestProxyRefusesWrongFlags(t *testing.T) {
	for name, c := range map[string]struct {
		args []string
		want string
	}{
		"no upstream":          {nil, "no --upstream"},
		"upstream with a path": {[]string{"--upstream", "https://h/v1"}, "--upstream: the address has a path"},
		"open to others":       {[]string{"--upstream", "https://h", "--listen", "0.0.0.0:0"}, "--allow-remote"},
		"all interfaces":       {[]string{"--upstream", "https://h", "--listen", ":0"}, "--allow-remote"},
		"page open to others":  {[]string{"--upstream", "https://h", "--inspect", "192.0.2.1:0"}, "--allow-remote"},
		"no address":           {[]string{"--upstream", "https://h", "--listen", "8079"}, "is no address"},
		"bodies alone":         {[]string{"--upstream", "https://h", "--bodies"}, "--inspect"},
		"stage alone":          {[]string{"--upstream", "https://h", "--stage", "TEST"}, "--key"},
		"no secret":            {[]string{"--upstream", "https://h", "--key", "k"}, "APIGW_APP_SECRET"},
		"AppCode in the clear": {[]string{"--upstream", "http://h", "--appcode"}, "plain HTTP"},
		"no header to pass":    {[]string{"--upstream", "https://h", "--pass", "a b"}, "is not the name of a header"},
		"no policy file":       {[]string{"--upstream", "https://h", "--policy", "missing.json"}, "--policy: "},
		"form limit":           {[]string{"--upstream", "https://h", "--form-limit", "0"}, "--form-limit 0"},
	} {
		t.Run(name, func(t *testing.T) {
			var stderr strings.Builder
			code := run(t.Context(), append([]string{"proxy", "--listen", "127.0.0.1:0"}, c.args...),
				strings.NewReader(""), io.Discard, &stderr, func(string) string { return "" })
			if code != exitMisuse || !strings.Contains(stderr.String(), c.want) {
				t.Errorf("got %d %q, want %d and %q", code, stderr.String(), exitMisuse, c.want)
			}
		})
	}
}
