// Command release prepares the modules of this repository for their tags.
//
//	release prepare VERSION        let the nested modules require that version
//	release proxy VERSION FOLDER   make a module proxy of the tree, as released
//
// Both are run from the folder tools. RELEASING.md says when.
package main

import (
	"fmt"
	"os"
	"path"
	"path/filepath"

	"golang.org/x/mod/modfile"
	"golang.org/x/mod/semver"
)

// root is the module that the others need.
const root = "github.com/apigw-go/apigw"

// nested are the modules with tags of their own, in the order of their tags.
// The others are for this repository alone.
var nested = []string{"otelapigw", "redislimit"}

func main() {
	if err := run(os.Args[1:], ".."); err != nil {
		fmt.Fprintln(os.Stderr, "release:", err)
		os.Exit(1)
	}
}

func run(args []string, tree string) error {
	switch {
	case len(args) < 2 || !semver.IsValid(args[1]):
		return fmt.Errorf("give a command and a version, such as: release prepare v0.9.0")
	case args[0] == "prepare" && len(args) == 2:
		return prepare(tree, args[1])
	case args[0] == "proxy" && len(args) == 3:
		return makeProxy(tree, args[1], args[2])
	}
	return fmt.Errorf("there is no command %q with %d arguments", args[0], len(args)-1)
}

// prepare writes the version into the nested modules and says which tags follow
// in which order: a nested module cannot be tagged before what it needs.
func prepare(tree, version string) error {
	fmt.Printf("git tag %s\n", version)
	for _, name := range nested {
		file := filepath.Join(tree, name, "go.mod")
		data, err := requiring(file, version)
		if err != nil {
			return err
		}
		if err := os.WriteFile(file, data, 0o644); err != nil {
			return err
		}
		fmt.Printf("git tag %s\n", path.Join(name, version))
	}
	return nil
}

// requiring returns a go.mod that requires the version of the root module.
func requiring(file, version string) ([]byte, error) {
	data, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	f, err := modfile.Parse(file, data, nil)
	if err != nil {
		return nil, err
	}
	if err := f.AddRequire(root, version); err != nil {
		return nil, err
	}
	f.Cleanup()
	return f.Format()
}
