package main

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

const module = "module example.com/shape\n\ngo 1.25.0\n"

func write(t *testing.T, dir, name, text string) {
	t.Helper()
	if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
}

func TestSurface(t *testing.T) {
	dir, api := t.TempDir(), t.TempDir()
	write(t, dir, "go.mod", module)
	write(t, dir, "shape.go", `package shape

import "io"

const Sides = 4

var Default *Square

type Square struct {
	Side  int
	inner int
}

func (s Square) Area() int           { return s.Side }
func (s *Square) Scale(by int) error { return nil }
func (s *Square) hidden()            {}

type Shape interface{ Area() int }

type Kind uint8

type Alias = Square

func New(r io.Reader, sides ...int) (*Square, error) { return nil, nil }
func hidden() {}
`)
	if _, err := run(&bytes.Buffer{}, []string{dir}, api, false, []string{"./..."}); err != nil {
		t.Fatal(err)
	}
	got, err := os.ReadFile(filepath.Join(api, "shape.txt"))
	if err != nil {
		t.Fatal(err)
	}
	want := `const Sides untyped int = 4
field Square.Side int
func New(r io.Reader, sides ...int) (*Square, error)
method (*Square) Scale(by int) error
method (Square) Area() int
type Alias = Square
type Kind uint8
type Shape interface{Area() int}
type Square struct
var Default *Square
`
	if string(got) != want {
		t.Errorf("got\n%swant\n%s", got, want)
	}
}

func TestCheck(t *testing.T) {
	for name, c := range map[string]struct {
		text string
		ok   bool
		want string
	}{
		"unchanged": {"func A(n int) {}", true, ""},
		"added":     {"func A(n int) {}\nfunc B() {}", false, "new, not recorded: func B()"},
		"removed":   {"func B() {}", false, "gone, breaks programs: func A(n int)\n"},
		"changed": {"func A(n int64) {}", false,
			"changed, may break programs: func A(n int64); was: func A(n int)\n"},
		"other kind": {"var A func(n int)", false,
			"changed, may break programs: var A func(n int); was: func A(n int)\n"},
		"unexported": {"func A(n int) {}\nfunc b() {}", true, ""},
	} {
		t.Run(name, func(t *testing.T) {
			dir, api := t.TempDir(), t.TempDir()
			write(t, dir, "go.mod", module)
			write(t, dir, "shape.go", "package shape\n\nfunc A(n int) {}\n")
			if _, err := run(&bytes.Buffer{}, []string{dir}, api, false, []string{"."}); err != nil {
				t.Fatal(err)
			}
			write(t, dir, "shape.go", "package shape\n\n"+c.text+"\n")
			var out bytes.Buffer
			ok, err := run(&out, []string{dir}, api, true, []string{"."})
			if err != nil || ok != c.ok || !strings.Contains(out.String(), c.want) {
				t.Errorf("got %v, %v, %q; want %v, %q", ok, err, out.String(), c.ok, c.want)
			}
		})
	}
}

func TestBrokenPackageIsAnError(t *testing.T) {
	dir := t.TempDir()
	write(t, dir, "go.mod", module)
	write(t, dir, "shape.go", "package shape\n\nfunc A( {}\n")
	if _, err := run(&bytes.Buffer{}, []string{dir}, t.TempDir(), true, []string{"."}); err == nil {
		t.Error("no error")
	}
}

func TestReceiverThatBecomesAPointerIsAChange(t *testing.T) {
	got := compare([]string{"method (T) M() int"}, []string{"method (*T) M() int"})
	want := "changed, may break programs: method (*T) M() int; was: method (T) M() int"
	if len(got) != 1 || got[0] != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestPackageThatWentBreaks(t *testing.T) {
	dir, api := t.TempDir(), t.TempDir()
	write(t, dir, "go.mod", module)
	write(t, dir, "shape.go", "package shape\n\nfunc A() {}\n")
	write(t, api, "gone.txt", "func B()\n")
	write(t, api, "shape.txt", "func A()\n")
	var out bytes.Buffer
	ok, err := run(&out, []string{dir}, api, true, []string{"."})
	if err != nil || ok || !strings.Contains(out.String(), "gone.txt: the package is gone, breaks programs") {
		t.Errorf("got %v, %v, %q; want the package that went", ok, err, out.String())
	}
	if _, err := run(&out, []string{dir}, api, false, []string{"."}); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(filepath.Join(api, "gone.txt")); err == nil {
		t.Error("recording kept the file of the package that went")
	}
}

func TestModulesShareARecord(t *testing.T) {
	first, second, api := t.TempDir(), t.TempDir(), t.TempDir()
	for dir, name := range map[string]string{first: "shape", second: "colour"} {
		write(t, dir, "go.mod", module)
		write(t, dir, "a.go", "package "+name+"\n\nfunc A() {}\n")
	}
	roots := []string{first, second}
	if _, err := run(&bytes.Buffer{}, roots, api, false, []string{"."}); err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	if ok, err := run(&out, roots, api, true, []string{"."}); err != nil || !ok {
		t.Errorf("got %v, %v, %q; want no difference", ok, err, out.String())
	}
}
