package strictjson_test

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/apigw-go/apigw/internal/strictjson"
)

func TestFaultsInOrderAndCounted(t *testing.T) {
	f := strictjson.File{Name: "f", Data: []byte(strings.Repeat(" ", 30) + "{}")}
	err := f.Read(func(strictjson.Field) {
		for at := range strictjson.MaxFaults + 3 {
			f.Fail(29-at, "bad")
		}
	})
	lines := strings.Split(err.Error(), "\n")
	if got := lines[0]; got != "f:1:8: bad" {
		t.Errorf("got %s first, want the one that stands first", got)
	}
	if got := lines[len(lines)-1]; got != "f: 3 more" {
		t.Errorf("got %s last, want the count of the rest", got)
	}
}

func TestLine(t *testing.T) {
	f := strictjson.File{Data: []byte("a\n\nb\r\nc")}
	for at, want := range []int{1, 1, 2, 3, 3, 3, 4, 4} {
		if got := f.Line(at); got != want {
			t.Errorf("offset %d: got line %d, want %d", at, got, want)
		}
	}
}

func TestLoad(t *testing.T) {
	file := filepath.Join(t.TempDir(), "f.json")
	if _, err := strictjson.Load(file); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("got %v, want that the file does not exist", err)
	}
	if err := os.WriteFile(file, []byte("{}"), 0o600); err != nil {
		t.Fatal(err)
	}
	if got, err := strictjson.Load(file); string(got) != "{}" || err != nil {
		t.Errorf("got %q, %v, want {}", got, err)
	}
	if err := os.Truncate(file, 16<<20+1); err != nil {
		t.Fatal(err)
	}
	if _, err := strictjson.Load(file); err == nil || !strings.Contains(err.Error(), "f.json: more than 16 MiB") {
		t.Errorf("got %v, want that the file is too large", err)
	}
}
