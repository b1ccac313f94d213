package main

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// version is another one each time: the module cache of a machine keeps what it
// once got of a version.
var version = fmt.Sprintf("v0.9.0-rc.%d", time.Now().UnixNano())

// programs use each module that has a tag, as a stranger's first program would.
var programs = map[string]string{
	root:                 `import ("net/http"; "github.com/apigw-go/apigw"); var _ http.RoundTripper = &apigw.Transport{}`,
	root + "/signer":     `import ("net/http"; "github.com/apigw-go/apigw/signer"); var _ http.RoundTripper = &signer.Signer{}`,
	root + "/policies":   `import "github.com/apigw-go/apigw/policies"; var _ policies.Set`,
	root + "/retryable":  `import ("github.com/apigw-go/apigw"; "github.com/apigw-go/apigw/retryable"); var _ = retryable.NewClient(&apigw.Transport{})`,
	root + "/otelapigw":  `import _ "github.com/apigw-go/apigw/otelapigw"`,
	root + "/redislimit": `import _ "github.com/apigw-go/apigw/redislimit"`,
}

// After the tags, a fresh module gets and builds each of them.
func TestFreshModulesCanUseTheTags(t *testing.T) {
	proxy := t.TempDir()
	if err := run([]string{"proxy", version, proxy}, filepath.Join("..", "..")); err != nil {
		t.Fatal(err)
	}
	others, err := exec.Command("go", "env", "GOPROXY").Output()
	if err != nil {
		t.Fatal(err)
	}
	env := append(os.Environ(), "GOPROXY=file://"+filepath.ToSlash(proxy)+","+strings.TrimSpace(string(others)),
		"GONOSUMDB="+root+","+root+"/*", "GOFLAGS=-mod=mod", "GOMODCACHE="+moduleCache(t), "GOWORK=off")
	for path, program := range programs {
		t.Run(path, func(t *testing.T) {
			dir := t.TempDir()
			for name, text := range map[string]string{
				"go.mod":  "module example.com/stranger\n\ngo 1.25.0\n",
				"main.go": "package main\n\n" + strings.ReplaceAll(program, "; ", "\n") + "\n\nfunc main() {}\n",
			} {
				if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			for _, args := range [][]string{{"get", path + "@" + version}, {"build", "-o", os.DevNull, "."}} {
				command := exec.Command("go", args...)
				command.Dir, command.Env = dir, env
				if out, err := command.CombinedOutput(); err != nil {
					t.Fatalf("go %s: %v\n%s", strings.Join(args, " "), err, out)
				}
			}
		})
	}
}

// moduleCache is the cache of this machine, in which the test leaves nothing.
func moduleCache(t *testing.T) string {
	t.Helper()
	out, err := exec.Command("go", "env", "GOMODCACHE").Output()
	if err != nil {
		t.Fatal(err)
	}
	cache := strings.TrimSpace(string(out))
	t.Cleanup(func() {
		for _, pattern := range []string{
			filepath.Join(cache, "github.com", "apigw-go", "apigw*@"+version),
			filepath.Join(cache, "github.com", "apigw-go", "apigw", "*@"+version),
			filepath.Join(cache, "cache", "download", "github.com", "apigw-go", "apigw", "@v", version+"*"),
			filepath.Join(cache, "cache", "download", "github.com", "apigw-go", "apigw", "*", "@v", version+"*"),
		} {
			matches, _ := filepath.Glob(pattern)
			for _, m := range matches {
				makeWritable(m)
				os.RemoveAll(m)
			}
		}
	})
	return cache
}

// makeWritable undoes the protection of the module cache.
func makeWritable(dir string) {
	filepath.WalkDir(dir, func(path string, entry os.DirEntry, err error) error {
		if err == nil && entry.IsDir() {
			os.Chmod(path, 0o755)
		}
		return nil
	})
}

func TestUsage(t *testing.T) {
	for _, args := range [][]string{nil, {"prepare"}, {"prepare", "0.9"}, {"prepare", version, "x"},
		{"publish", version}, {"proxy", version}} {
		if err := run(args, t.TempDir()); err == nil {
			t.Errorf("%q: got no error", args)
		}
	}
}
