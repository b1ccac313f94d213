// Command circles lists the files of a package that need each other.
//
//	circles [-C FOLDER] PATTERN...   exit 1 if there are some
//
// A file needs another one if it uses a name that is declared there: a type, a
// function, a variable, a constant, a field, a method. A reader of one file of
// a circle has to read all of it; the compiler only minds circles of packages.
//
// Methods of one type may stand in several files. Between these files, and the
// one that declares the type, uses of the type, its fields and methods do not
// count. Test files are not looked at.
package main

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"os"

	"golang.org/x/tools/go/packages"
)

func main() {
	root := flag.String("C", ".", "`folder` of the module")
	flag.Parse()
	found, err := run(os.Stdout, *root, flag.Args())
	if err != nil {
		fmt.Fprintln(os.Stderr, "circles:", err)
		os.Exit(2)
	}
	if found {
		os.Exit(1)
	}
}

// run lists the circles of each package. It reports whether there are some.
func run(out io.Writer, root string, patterns []string) (found bool, err error) {
	const mode = packages.NeedName | packages.NeedFiles | packages.NeedSyntax | packages.NeedTypes | packages.NeedTypesInfo |
		packages.NeedImports | packages.NeedDeps
	loaded, err := packages.Load(&packages.Config{Mode: mode, Dir: root}, patterns...)
	if err != nil {
		return false, err
	}
	for _, pkg := range loaded {
		for _, fault := range pkg.Errors {
			err = errors.Join(err, fault)
		}
		for _, c := range circlesOf(needsOf(pkg)) {
			found = true
			fmt.Fprintf(out, "%s: %d files need each other\n", pkg.PkgPath, len(c.files))
			for _, n := range c.needs {
				fmt.Fprintf(out, "\t%s needs %s: %s\n", n.from, n.to, n.names)
			}
		}
	}
	return found, err
}
