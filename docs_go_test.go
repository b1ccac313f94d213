package apigw_test

import (
	"errors"
	"fmt"
	"go/ast"
	"go/importer"
	"go/parser"
	"go/token"
	"go/types"
	"io"
	"io/fs"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// docImports has the packages that code in the pages may name. Those of nested
// modules have no export data here: what is selected from them is checked
// where the block is copied from.
var docImports = map[string]string{
	"context": "context", "errors": "errors", "fmt": "fmt", "http": "net/http", "io": "io", "log": "log",
	"os": "os", "slog": "log/slog", "strings": "strings", "time": "time",
	"apigw":         "github.com/apigw-go/apigw",
	"catalog":       "github.com/apigw-go/apigw/catalog",
	"gatewaytest":   "github.com/apigw-go/apigw/gatewaytest",
	"policies":      "github.com/apigw-go/apigw/policies",
	"retryable":     "github.com/apigw-go/apigw/retryable",
	"signer":        "github.com/apigw-go/apigw/signer",
	"retryablehttp": "github.com/hashicorp/go-retryablehttp",
	"zap":           "go.uber.org/zap",
}

var docImportsNested = map[string]string{
	"otelapigw":  "github.com/apigw-go/apigw/otelapigw",
	"redislimit": "github.com/apigw-go/apigw/redislimit",
	"redis":      "github.com/redis/go-redis/v9",
	"otelhttp":   "go.opentelemetry.io/contrib/instrumentation/net/http/otelhttp",
}

// plainCode is code without indentation, alignment and empty lines, a newline
// around each line.
func plainCode(lines []string) string {
	var b strings.Builder
	for _, line := range lines {
		if words := strings.Fields(line); len(words) > 0 {
			b.WriteString("\n" + strings.Join(words, " "))
		}
	}
	return b.String() + "\n"
}

// TestDocsGoIsCompiled: code in the pages is a copy of code that a compiler
// reads, most of it in examples.
func TestDocsGoIsCompiled(t *testing.T) {
	sources := readSources(t)
	for _, b := range allDocBlocks(t, "go") {
		t.Run(b.name(), func(t *testing.T) {
			want := plainCode(b.lines)
			for _, source := range sources {
				if strings.Contains(source, want) {
					return
				}
			}
			t.Errorf("no Go file of this repository has this code:%s", want)
		})
	}
}

func readSources(t *testing.T) (sources []string) {
	t.Helper()
	err := filepath.WalkDir(".", func(file string, d fs.DirEntry, err error) error {
		if err != nil || filepath.Ext(file) != ".go" {
			return err
		}
		text, err := os.ReadFile(file)
		sources = append(sources, plainCode(strings.Split(string(text), "\n")))
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return sources
}

// TestDocsGoDefinesItsNames: a copy of a part of a function may use names that
// only the rest of that function has. So each page is compiled as well: its
// blocks one after the other, each seeing the names of those before it.
func TestDocsGoDefinesItsNames(t *testing.T) {
	exports := newDocImporter(t)
	for page, text := range docPages(t) {
		blocks := slices.DeleteFunc(docBlocks(t, page, text), func(b docBlock) bool { return b.language != "go" })
		if len(blocks) == 0 {
			continue
		}
		t.Run(filepath.Base(page), func(t *testing.T) {
			for _, program := range docPrograms(blocks) {
				for _, fault := range checkDocProgram(program, exports) {
					t.Errorf("%v: define it on the page, before it is used", fault)
				}
			}
		})
	}
}

// The test above is only worth something if it finds such names.
func TestDocsGoCheckFindsNames(t *testing.T) {
	exports := newDocImporter(t)
	block := func(lines ...string) docBlock {
		return docBlock{page: "page.md", language: "go", line: 1, lines: lines}
	}
	for name, c := range map[string]struct {
		blocks []docBlock
		want   string
	}{
		"defined": {[]docBlock{block("t := &apigw.Transport{}", "fmt.Println(t)")}, ""},
		"defined in the block before": {[]docBlock{block("t := &apigw.Transport{}"),
			block("fmt.Println(t)")}, ""},
		"defined again": {[]docBlock{block("t := &apigw.Transport{}"),
			block("t := 1", "fmt.Println(t)")}, ""},
		"a function": {[]docBlock{block("func f() error { return nil }"),
			block("fmt.Println(f())")}, ""},
		"a program": {[]docBlock{block("package main", `import "fmt"`,
			"func main() { fmt.Println() }")}, ""},
		"of a nested module": {[]docBlock{block("fmt.Println(otelhttp.NewTransport(nil))")}, ""},
		"undefined": {[]docBlock{block("t := &apigw.Transport{Policy: soon}",
			"fmt.Println(t)")}, "soon"},
		"defined too late": {[]docBlock{block("fmt.Println(t)"), block("t := 1")}, "t"},
		"undefined in a call of a nested module": {[]docBlock{block("fmt.Println(otelhttp.NewTransport(base))")},
			"base"},
		"no such field":          {[]docBlock{block("fmt.Println(apigw.Transport{Services: nil})")}, "Services"},
		"no such package":        {[]docBlock{block("fmt.Println(sdk.New())")}, "sdk"},
		"import that is missing": {[]docBlock{block("package main", "func main() { fmt.Println() }")}, "fmt"},
	} {
		t.Run(name, func(t *testing.T) {
			var faults []error
			for _, program := range docPrograms(c.blocks) {
				faults = append(faults, checkDocProgram(program, exports)...)
			}
			if got := fmt.Sprint(errors.Join(faults...)); (len(faults) > 0) != (c.want != "") ||
				!strings.Contains(got, c.want) {
				t.Errorf("got %s, want a fault that names %q", got, c.want)
			}
		})
	}
}

// docPrograms makes programs of the blocks of a page: one of each block that is
// a program, and one of all others together, declarations beside a function of
// nested scopes that has the statements.
func docPrograms(blocks []docBlock) (programs []string) {
	var declarations, statements, all strings.Builder
	scopes := 0
	for _, b := range blocks {
		text := fmt.Sprintf("//line %s:%d\n%s\n", b.page, b.line+1, strings.Join(b.lines, "\n"))
		switch {
		case strings.HasPrefix(b.lines[0], "package "):
			programs = append(programs, text)
			continue
		case isDeclaration(text):
			declarations.WriteString(text)
		default:
			statements.WriteString("{\n" + text)
			scopes++
		}
		all.WriteString(text)
	}
	if all.Len() == 0 {
		return programs
	}
	return append(programs, "package page\n"+importsOf(all.String())+declarations.String()+
		"func _() {\n"+statements.String()+strings.Repeat("}\n", scopes)+"}\n")
}

func isDeclaration(text string) bool {
	_, err := parser.ParseFile(token.NewFileSet(), "", "package page\n"+text, 0)
	return err == nil
}

var selector = regexp.MustCompile(`\b([a-z]\w*)\.[A-Z]`)

// importsOf does what goimports would do for a reader.
func importsOf(text string) string {
	imports := map[string]bool{}
	for _, m := range selector.FindAllStringSubmatch(text, -1) {
		for _, known := range []map[string]string{docImports, docImportsNested} {
			if path, ok := known[m[1]]; ok {
				imports["import "+m[1]+" "+strconv.Quote(path)+"\n"] = true
			}
		}
	}
	return strings.Join(slices.Sorted(maps.Keys(imports)), "")
}

// checkDocProgram returns what keeps a program from compiling. That a variable
// is not used yet is no fault of an example.
func checkDocProgram(text string, imports types.Importer) (faults []error) {
	set := token.NewFileSet()
	file, err := parser.ParseFile(set, "", text, 0)
	if err != nil {
		return []error{err}
	}
	config := types.Config{Importer: imports, Error: func(err error) {
		var fault types.Error
		if errors.As(err, &fault) && (fault.Soft || strings.Contains(fault.Msg, errNested.Error())) {
			return
		}
		faults = append(faults, err)
	}}
	_, _ = config.Check("page", set, []*ast.File{file}, nil) // every error has been given to Error
	return faults
}

var errNested = errors.New("a package of a nested module")

// docImporter imports what docImports has, and says errNested of others: what
// is selected from a package that cannot be imported is not checked.
type docImporter struct{ types.Importer }

func newDocImporter(t *testing.T) docImporter {
	t.Helper()
	list := exec.Command("go", "list", "-export", "-deps", "-f", "{{.ImportPath}} {{.Export}}")
	list.Args = append(list.Args, slices.Sorted(maps.Values(docImports))...)
	out, err := list.Output()
	if err != nil {
		t.Fatalf("%v: %v", list, err)
	}
	files := map[string]string{}
	for line := range strings.Lines(string(out)) {
		path, file, _ := strings.Cut(strings.TrimSpace(line), " ")
		files[path] = file
	}
	return docImporter{importer.ForCompiler(token.NewFileSet(), "gc", func(path string) (io.ReadCloser, error) {
		return os.Open(files[path])
	})}
}

func (i docImporter) Import(path string) (*types.Package, error) {
	for _, nested := range docImportsNested {
		if path == nested {
			return nil, errNested
		}
	}
	return i.Importer.Import(path)
}
