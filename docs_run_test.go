package apigw_test

import (
	"bufio"
	"bytes"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"strings"
	"testing"

	"github.com/apigw-go/apigw/gatewaytest"
)

// serves says that a line of a page starts a server, which does not end by
// itself.
func serves(line string) bool {
	return strings.HasPrefix(line, "apigw gateway ") || strings.HasPrefix(line, "apigw proxy ")
}

// testDocServers starts each server of the pages with its flags, and ends it.
// The ports of the pages are replaced: two runs of this test, or a server of
// the developer, may have them.
func testDocServers(t *testing.T, c docCommand) {
	seen := map[string]bool{}
	for _, b := range allDocBlocks(t, "text") {
		for _, line := range b.lines {
			if serves(line) && !seen[line] {
				seen[line] = true
				t.Run(line, func(t *testing.T) { c.startServer(t, line) })
			}
		}
	}
	if len(seen) < 2 {
		t.Errorf("got %d servers in the pages, want those of docs/testing.md and docs/proxy.md", len(seen))
	}
}

var (
	loopbackPort   = regexp.MustCompile(`127\.0\.0\.1:\d+`)
	loopbackServer = regexp.MustCompile(`http\S*://127\.0\.0\.1:\d+`)
)

// startServer returns the address that the server prints once it is ready.
func (c docCommand) startServer(t *testing.T, line string) (url string) {
	t.Helper()
	line = loopbackPort.ReplaceAllString(line, "127.0.0.1:0") + " --listen 127.0.0.1:0"
	words := strings.Fields(line)
	server := exec.CommandContext(t.Context(), filepath.Join(c.bin, words[0]), words[1:]...)
	if runtime.GOOS == "windows" {
		server.Path += ".exe"
	}
	server.Dir, server.Env = c.folder, c.environment()
	var complaints bytes.Buffer
	server.Stderr = &complaints
	stdout, err := server.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := server.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = server.Process.Kill() // the context of the test ends too, but later
		_ = server.Wait()
	})
	lines := bufio.NewScanner(stdout)
	for lines.Scan() {
		if url = loopbackServer.FindString(lines.Text()); url != "" {
			go io.Copy(io.Discard, stdout) // until the server ends
			return url
		}
	}
	_ = server.Wait()
	t.Fatalf("%s: it ended before it served: %s", line, complaints.String())
	return ""
}

// TestReadmeProgramRuns pastes the program of the README into a module of its
// own, and runs it as the README says.
func TestReadmeProgramRuns(t *testing.T) {
	c := docCommand{bin: t.TempDir(), folder: t.TempDir()}
	build := exec.Command("go", "build", "-o", c.bin, "./cmd/apigw")
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	c.writeReadersModule(t)
	gateway := c.startServer(t, "apigw gateway")

	program := filepath.Join(c.bin, "program")
	build = exec.Command("go", "build", "-mod=mod", "-o", program, ".")
	build.Dir = c.folder
	build.Env = append(os.Environ(), "GOWORK=off", "GOFLAGS=")
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	for _, run := range []struct {
		name, path, code string
		exit             int
		want             string
	}{
		{"as the README says", "/v1/weather", gatewaytest.DefaultAppCode, 0, `"path":"/v1/weather"`},
		{"without the AppCode", "/v1/weather", "another", 1, "Invalid AppCode"},
		{"a quota", "/errors/B403MQ", gatewaytest.DefaultAppCode, 1, "buy more calls: apigw: B403MQ 403"},
	} {
		t.Run(run.name, func(t *testing.T) {
			cmd := exec.CommandContext(t.Context(), program, gateway+run.path)
			cmd.Env = append(os.Environ(), "APIGW_APP_CODE="+run.code)
			out, _ := cmd.CombinedOutput()
			if got := cmd.ProcessState.ExitCode(); got != run.exit || !strings.Contains(string(out), run.want) {
				t.Errorf("got exit %d and %s, want %d and %s", got, out, run.exit, run.want)
			}
		})
	}
}

// writeReadersModule makes the module of a reader, whose apigw is this tree.
func (c docCommand) writeReadersModule(t *testing.T) {
	t.Helper()
	tree, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	own, err := os.ReadFile("go.mod")
	if err != nil {
		t.Fatal(err)
	}
	sums, err := os.ReadFile("go.sum")
	if err != nil {
		t.Fatal(err)
	}
	// The requirements of this module are those of the reader, so nothing has to
	// be looked up.
	module := strings.Replace(string(own), "module github.com/apigw-go/apigw", "module example.com/weather", 1) +
		"\nrequire github.com/apigw-go/apigw v0.0.0\n\nreplace github.com/apigw-go/apigw => " + filepath.ToSlash(tree) +
		"\n"
	program := ""
	for _, b := range docBlocks(t, "README.md", docPages(t)["README.md"]) {
		if b.language == "go" {
			program = strings.Join(b.lines, "\n")
		}
	}
	for name, text := range map[string]string{"go.mod": module, "go.sum": string(sums), "main.go": program} {
		if err := os.WriteFile(filepath.Join(c.folder, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
}
