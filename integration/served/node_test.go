package served

import (
	"bufio"
	"io"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"

	"github.com/apigw-go/apigw/gatewaytest"
	"github.com/apigw-go/apigw/integration/command"
)

// binary is the command, built once.
var binary string

func TestMain(m *testing.M) { command.Main(m, &binary) }

// program installs the npm package beside the program that uses it. Without
// Node the test is left out on a developer's machine; the gate has it.
func program(t *testing.T) (dir string) {
	t.Helper()
	for _, name := range []string{"node", "npm"} {
		if _, err := exec.LookPath(name); err != nil {
			if os.Getenv("CI") != "" {
				t.Fatal(err)
			}
			t.Skip(err)
		}
	}
	dir = t.TempDir()
	if err := os.CopyFS(dir, os.DirFS(filepath.Join("testdata", "node"))); err != nil {
		t.Fatal(err)
	}
	install := exec.Command("npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund")
	install.Dir = dir
	if out, err := install.CombinedOutput(); err != nil {
		t.Fatalf("npm ci: %v\n%s", err, out)
	}
	return dir
}

// start runs the command until the test ends, and returns its address.
func start(t *testing.T, args ...string) (url string) {
	t.Helper()
	command := exec.Command(binary, append([]string{"gateway", "--lang", "en", "--listen", "127.0.0.1:0"}, args...)...)
	stdout, err := command.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	var stderr strings.Builder
	command.Stderr = &stderr
	if err := command.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		command.Process.Signal(syscall.SIGTERM)
		io.Copy(io.Discard, stdout)
		if err := command.Wait(); err != nil {
			t.Errorf("the gateway ended with %v\n%s", err, stderr.String())
		}
	})
	for lines := bufio.NewScanner(stdout); lines.Scan(); {
		if _, address, ok := strings.Cut(lines.Text(), " at "); ok && url == "" {
			url = address
		}
		if strings.HasPrefix(lines.Text(), "interrupt") {
			return url
		}
	}
	t.Fatalf("the gateway did not start\n%s", stderr.String())
	return ""
}

func TestNodeClient(t *testing.T) {
	dir := program(t)
	for _, gateway := range []struct {
		name string
		args []string
		want map[string]string
	}{
		{"documented", []string{"--tls", "--http2", "--stages", "RELEASE,TEST"}, map[string]string{
			"chinese path and query":  "200 GET /你好/get",
			"json":                    "200 POST /json",
			"put with another digest": "400 Invalid Content-MD5",
			"form":                    "200 POST /form",
			"multipart":               "200 POST /parts",
			"put":                     "200 PUT /json",
			"delete":                  "200 DELETE /json",
			"stage TEST":              "200 GET /staged",
			"stage PRE":               "400 Invalid Url",
			"wrong secret":            "400 Invalid Signature",
			"wrong secret, long form": "400 Invalid Signature",
			"unknown key":             "400 Invalid AppKey",
			"old timestamp":           "400 Timestamp Expired",
			"nonce twice":             "400 Nonce Used",
			"appcode":                 "200 GET /a",
			"wrong appcode":           "400 Invalid AppCode",
		}},
		// The reading of the vendor's migration code refuses the package's
		// Chinese path, as an open issue of the package says.
		{"migration", []string{"--tls", "--reading", "migration"}, map[string]string{
			"chinese path and query": "400 Invalid Signature",
			"json":                   "200 POST /json",
			"form":                   "200 POST /form",
		}},
		{"vpc", []string{"--tls", "--dialect", "vpc"}, map[string]string{
			"json":       "200 POST /json",
			"stage TEST": "400 Invalid Stage",
			"appcode":    "200 GET /a",
		}},
	} {
		t.Run(gateway.name, func(t *testing.T) {
			url := start(t, gateway.args...)
			if !strings.HasPrefix(url, "https://") {
				t.Fatalf("got %s, want TLS", url)
			}
			names := slices.Sorted(maps.Keys(gateway.want))
			args := append([]string{"calls.mjs", url, gatewaytest.DefaultAppKey, gatewaytest.DefaultAppCode}, names...)
			node := exec.Command("node", args...)
			node.Dir, node.Env = dir, append(os.Environ(), "APIGW_APP_SECRET="+gatewaytest.DefaultAppSecret)
			out, err := node.Output()
			if err != nil {
				t.Fatalf("%v\n%s", err, out)
			}
			var want []string
			for _, name := range names {
				want = append(want, name+": "+gateway.want[name])
			}
			got := strings.Split(strings.TrimSpace(string(out)), "\n")
			if !slices.Equal(got, want) {
				t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
			}
		})
	}
}
