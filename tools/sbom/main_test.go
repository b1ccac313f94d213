package main

import (
	"encoding/json"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

func TestBillNamesWhatIsLinked(t *testing.T) {
	program := filepath.Join(t.TempDir(), "apigw")
	build := exec.Command("go", "build", "-o", program, "./cmd/apigw")
	build.Dir = filepath.Join("..", "..")
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	var out strings.Builder
	if err := write(&out, program); err != nil {
		t.Fatal(err)
	}
	var bill struct {
		BOMFormat  string `json:"bomFormat"`
		Components []struct{ Name, Version string }
	}
	if err := json.Unmarshal([]byte(out.String()), &bill); err != nil || bill.BOMFormat != "CycloneDX" {
		t.Fatalf("got %v, %q", err, bill.BOMFormat)
	}
	names := map[string]bool{}
	for _, c := range bill.Components {
		names[c.Name] = c.Version != ""
	}
	for _, want := range []string{"std", "go.uber.org/zap", "github.com/cenkalti/backoff/v4"} {
		if !names[want] {
			t.Errorf("%s is not in the bill: %v", want, names)
		}
	}
	if names["github.com/stretchr/testify"] {
		t.Error("a library of tests is in the bill")
	}
}

func TestNoProgram(t *testing.T) {
	if err := write(&strings.Builder{}, "main_test.go"); err == nil {
		t.Error("got no error")
	}
}
