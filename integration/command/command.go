// Package command builds the command "apigw" for tests that run it as people do.
package command

import (
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

// Main runs the tests of a package with the command built once, at *binary.
func Main(m *testing.M, binary *string) {
	dir, err := os.MkdirTemp("", "apigw")
	if err != nil {
		panic(err)
	}
	*binary = filepath.Join(dir, "apigw")
	build := exec.Command("go", "build", "-o", *binary, "github.com/apigw-go/apigw/cmd/apigw")
	build.Stdout, build.Stderr = os.Stderr, os.Stderr
	if err := build.Run(); err != nil {
		panic(err)
	}
	code := m.Run()
	os.RemoveAll(dir)
	os.Exit(code)
}
