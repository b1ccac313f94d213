// Command apisurface records the exported surface of packages and reports what a
// change did to it.
//
//	apisurface -dir ../api PATTERN...         write one file a package
//	apisurface -dir ../api -check PATTERN...  compare; exit 1 if they differ
//
// -C names the folder of a module, . if absent; more than one may be given. A
// surface is a list of lines, one an exported name, sorted. A line that went
// or reads otherwise breaks programs, and so does a package that went; a new
// line does not, but has to be recorded too.
package main

import (
	"errors"
	"flag"
	"fmt"
	"go/types"
	"io"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"unicode"

	"golang.org/x/tools/go/packages"
)

func main() {
	dir := flag.String("dir", "api", "folder of the recorded surfaces")
	var roots []string
	flag.Func("C", "`folder` of a module (may be repeated; default .)", func(root string) error {
		roots = append(roots, root)
		return nil
	})
	check := flag.Bool("check", false, "compare instead of writing")
	flag.Parse()
	if len(roots) == 0 {
		roots = []string{"."}
	}
	ok, err := run(os.Stdout, roots, *dir, *check, flag.Args())
	if err != nil {
		fmt.Fprintln(os.Stderr, "apisurface:", err)
		os.Exit(2)
	}
	if !ok {
		os.Exit(1)
	}
}

// run writes or compares. It reports whether the recorded surfaces are those
// of the packages.
func run(out io.Writer, roots []string, dir string, check bool, patterns []string) (ok bool, err error) {
	surfaces := make(map[string][]string) // file to lines
	for _, root := range roots {
		if err := load(surfaces, root, patterns); err != nil {
			return false, err
		}
	}
	files, err := filepath.Glob(filepath.Join(dir, "*.txt"))
	if err != nil {
		return false, err
	}
	ok = true
	// A recorded package that no module has any more: nothing below sees it.
	for _, file := range files {
		if _, exists := surfaces[filepath.Base(file)]; exists {
			continue
		}
		if check {
			ok = false
			fmt.Fprintf(out, "%s: the package is gone, breaks programs\n", filepath.Base(file))
		} else if err := os.Remove(file); err != nil {
			return false, err
		}
	}
	for _, name := range slices.Sorted(maps.Keys(surfaces)) {
		file := filepath.Join(dir, name)
		if !check {
			if err := os.WriteFile(file, []byte(strings.Join(surfaces[name], "\n")+"\n"), 0o644); err != nil {
				return false, err
			}
			continue
		}
		recorded, err := os.ReadFile(file)
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return false, err
		}
		for _, line := range compare(strings.Split(strings.TrimSpace(string(recorded)), "\n"), surfaces[name]) {
			ok = false
			fmt.Fprintf(out, "%s: %s\n", name, line)
		}
	}
	if !ok {
		fmt.Fprintln(out, "To record the surface as it is now, run in tools/:", recordCommand)
	}
	return ok, nil
}

// recordCommand is what .ci/run does without -check.
const recordCommand = "go run ./apisurface -C .. -C ../otelapigw -dir ../api ./..."

// load adds the surfaces of a module's packages, those that other modules can
// import.
func load(surfaces map[string][]string, root string, patterns []string) error {
	loaded, err := packages.Load(&packages.Config{
		Dir: root,
		Mode: packages.NeedName | packages.NeedTypes | packages.NeedImports | packages.NeedDeps |
			packages.NeedSyntax | packages.NeedTypesInfo | packages.NeedModule,
	}, patterns...)
	if err != nil {
		return err
	}
	if packages.PrintErrors(loaded) > 0 {
		return errors.New("the packages do not build")
	}
	for _, pkg := range loaded {
		if pkg.Name == "main" || slices.Contains(strings.Split(pkg.PkgPath, "/"), "internal") {
			continue
		}
		file := pkg.Name + ".txt"
		if _, exists := surfaces[file]; exists {
			return fmt.Errorf("two packages are named %s: their records would be one file", pkg.Name)
		}
		surfaces[file] = surface(pkg.Types)
	}
	return nil
}

// compare says in words how new differs from old: first what breaks programs.
func compare(old, new []string) (differences []string) {
	named := make(map[string]string, len(new))
	for _, line := range new {
		named[nameOf(line)] = line
	}
	known := make(map[string]bool, len(old))
	for _, line := range old {
		name := nameOf(line)
		known[name] = true
		switch now, exists := named[name]; {
		case line == "" || now == line:
		case exists:
			differences = append(differences, fmt.Sprintf("changed, may break programs: %s; was: %s", now, line))
		default:
			differences = append(differences, "gone, breaks programs: "+line)
		}
	}
	for _, line := range new {
		if !known[nameOf(line)] {
			differences = append(differences, "new, not recorded: "+line)
		}
	}
	return differences
}

// nameOf is the part of a line that stays when a declaration changes: the name
// without its kind, its type and the star of a method's receiver.
func nameOf(line string) string {
	kind, rest, _ := strings.Cut(line, " ")
	if kind == "method" {
		receiver, rest, _ := strings.Cut(rest, ") ")
		name, _, _ := strings.Cut(rest, "(")
		return strings.TrimLeft(receiver, "(*") + "." + name
	}
	return rest[:len(rest)-len(strings.TrimLeftFunc(rest, func(r rune) bool {
		return r == '.' || r == '_' || unicode.IsLetter(r) || unicode.IsDigit(r)
	}))]
}

// surface lists what programs can name of a package.
func surface(pkg *types.Package) []string {
	var lines []string
	in := types.RelativeTo(pkg)
	scope := pkg.Scope()
	for _, name := range scope.Names() {
		obj := scope.Lookup(name)
		if !obj.Exported() {
			continue
		}
		switch o := obj.(type) {
		case *types.Const:
			lines = append(lines, fmt.Sprintf("const %s %s = %s", name, types.TypeString(o.Type(), in), o.Val()))
		case *types.Var:
			lines = append(lines, fmt.Sprintf("var %s %s", name, types.TypeString(o.Type(), in)))
		case *types.Func:
			lines = append(lines, "func "+name+signature(o, in))
		case *types.TypeName:
			lines = append(lines, typeLines(o, in)...)
		}
	}
	slices.Sort(lines)
	return lines
}

func typeLines(o *types.TypeName, in types.Qualifier) []string {
	if o.IsAlias() {
		return []string{fmt.Sprintf("type %s = %s", o.Name(), types.TypeString(types.Unalias(o.Type()), in))}
	}
	var lines []string
	switch u := o.Type().Underlying().(type) {
	case *types.Struct:
		lines = append(lines, fmt.Sprintf("type %s struct", o.Name()))
		for f := range u.Fields() {
			if f.Exported() {
				lines = append(lines, fmt.Sprintf("field %s.%s %s", o.Name(), f.Name(), types.TypeString(f.Type(), in)))
			}
		}
	default:
		lines = append(lines, fmt.Sprintf("type %s %s", o.Name(), types.TypeString(u, in)))
	}
	methods := types.NewMethodSet(types.NewPointer(o.Type()))
	values := types.NewMethodSet(o.Type())
	for selection := range methods.Methods() {
		m, ok := selection.Obj().(*types.Func)
		if !ok || !m.Exported() || types.IsInterface(o.Type()) {
			continue
		}
		star := "*"
		if values.Lookup(m.Pkg(), m.Name()) != nil {
			star = ""
		}
		lines = append(lines, fmt.Sprintf("method (%s%s) %s%s", star, o.Name(), m.Name(), signature(m, in)))
	}
	return lines
}

func signature(f *types.Func, in types.Qualifier) string {
	return strings.TrimPrefix(types.TypeString(f.Type(), in), "func")
}
