package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestCircles(t *testing.T) {
	for name, c := range map[string]struct {
		files map[string]string
		want  string // what is printed, files and names alone
	}{
		"one way": {map[string]string{
			"a.go": "func A() { B() }", "b.go": "func B() {}",
		}, ""},
		"functions": {map[string]string{
			"a.go": "func A() { B() }", "b.go": "func B() { A() }",
		}, "a.go needs b.go: B; b.go needs a.go: A"},
		"by way of a third": {map[string]string{
			"a.go": "var A = B", "b.go": "type T int; const B = C", "c.go": "var c T; const C = 1",
		}, "b.go needs c.go: C; c.go needs b.go: T"},
		"methods of one type": {map[string]string{
			"a.go": "type T struct{ n int }; func (t *T) A() { t.B() }", "b.go": "func (t *T) B() { t.n++; t.A() }",
		}, ""},
		"a method and a helper": {map[string]string{
			"a.go": "type T struct{ n int }; func (t *T) A() { t.B() }; func help() {}",
			"b.go": "func (t *T) B() { help() }",
		}, ""},
		"helpers beside methods": {map[string]string{
			"a.go": "type T struct{}; func (t *T) A() { two() }; func one() {}",
			"b.go": "func (t *T) B() { one() }; func two() {}",
		}, "a.go needs b.go: two; b.go needs a.go: one"},
		"field of another's type": {map[string]string{
			"a.go": "type T struct{ n int }; func A() { B(T{}) }", "b.go": "func B(t T) int { return t.n }",
		}, "a.go needs b.go: B; b.go needs a.go: T, n"},
		"field of a struct within a struct": {map[string]string{
			"a.go": "type T struct{ in struct{ n int } }; func A() { b() }", "b.go": "func b() int { return t.in.n }",
			"c.go": "var t T",
		}, "a.go needs b.go: b; b.go needs a.go: in, n; b.go needs c.go: t; c.go needs a.go: T"},
		"generic type": {map[string]string{
			"a.go": "type T[E any] struct{ e E }; func A() { b() }", "b.go": "func b() int { return T[int]{}.e }",
		}, "a.go needs b.go: b; b.go needs a.go: T, e"},
		"local names": {map[string]string{
			"a.go": "func A(x int) int { return B(x) }", "b.go": "func B(x int) int { y := x; return y }",
		}, ""},
		"tests do not count": {map[string]string{
			"a.go": "func A() {}", "a_test.go": "func b() { A() }",
		}, ""},
	} {
		t.Run(name, func(t *testing.T) {
			folder := t.TempDir()
			write(t, filepath.Join(folder, "go.mod"), "module example.com/p\n\ngo 1.25\n")
			for file, text := range c.files {
				write(t, filepath.Join(folder, file), "package p\n"+text+"\n")
			}
			var out strings.Builder
			found, err := run(&out, folder, []string{"."})
			if err != nil {
				t.Fatal(err)
			}
			var got []string
			for line := range strings.Lines(out.String()) {
				if need, ok := strings.CutPrefix(line, "\t"); ok {
					got = append(got, strings.TrimSpace(need))
				}
			}
			if got := strings.Join(got, "; "); got != c.want || found != (c.want != "") {
				t.Errorf("got %v, %q, want %q", found, got, c.want)
			}
		})
	}
}

func TestFaultsOfAPackageAreErrors(t *testing.T) {
	folder := t.TempDir()
	write(t, filepath.Join(folder, "go.mod"), "module example.com/p\n\ngo 1.25\n")
	write(t, filepath.Join(folder, "a.go"), "package p\nvar a = missing\n")
	if _, err := run(new(strings.Builder), folder, []string{"."}); err == nil ||
		!strings.Contains(fmt.Sprint(err), "missing") {
		t.Errorf("got %v, want an error that names what is missing", err)
	}
}

func write(t *testing.T, file, text string) {
	t.Helper()
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}
