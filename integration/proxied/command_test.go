package proxied

import (
	"bufio"
	"io"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"

	"github.com/apigw-go/apigw/gatewaytest"
	"github.com/apigw-go/apigw/integration/command"
)

const token = "token-of-the-test"

// binary is the command, built once.
var binary string

func TestMain(m *testing.M) { command.Main(m, &binary) }

// needs returns the path of a program. Without it the test is left out on a
// developer's machine; the gate installs all of them.
func needs(t *testing.T, name string) string {
	t.Helper()
	path, err := exec.LookPath(name)
	if err != nil && os.Getenv("CI") != "" {
		t.Fatalf("%s is not installed", name)
	}
	if err != nil {
		t.Skipf("%s is not installed", name)
	}
	return path
}

// proxy is a running command.
type proxy struct {
	address string // of the proxy
	page    string // of the page, with its token
}

// start runs the command before a gateway until the test ends. By then it must
// have ended well.
func start(t *testing.T, gateway *gatewaytest.Server, args ...string) proxy {
	t.Helper()
	args = append([]string{"proxy", "--listen", "127.0.0.1:0", "--upstream", gateway.URL, "--key",
		gatewaytest.DefaultAppKey, "--lang", "en"}, args...)
	command := exec.Command(binary, args...)
	command.Env = append(os.Environ(), "APIGW_APP_SECRET="+gatewaytest.DefaultAppSecret, "APIGW_PROXY_TOKEN="+token)
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
			t.Errorf("the proxy ended with %v\n%s", err, stderr.String())
		}
		if strings.Contains(stderr.String(), "tops3cret") {
			t.Errorf("a secret is in the log\n%s", stderr.String())
		}
	})
	var p proxy
	for lines := bufio.NewScanner(stdout); lines.Scan(); {
		line := lines.Text()
		if _, address, ok := strings.Cut(line, "page at "); ok {
			p.page = address
		} else if _, address, ok := strings.Cut(line, " at "); ok {
			p.address = address
		}
		if strings.HasPrefix(line, "interrupt") {
			return p
		}
	}
	t.Fatalf("the proxy did not start\n%s", stderr.String())
	return p
}
