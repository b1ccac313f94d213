package main

import (
	"go/token"
	"go/types"
	"maps"
	"path/filepath"
	"slices"
	"strings"

	"golang.org/x/tools/go/packages"
)

// needs has for each file the files that it needs, and the names that it needs
// of them.
type needs map[string]map[string]map[string]bool

func (n needs) add(from, to, name string) {
	if n[from] == nil {
		n[from] = map[string]map[string]bool{}
	}
	if n[from][to] == nil {
		n[from][to] = map[string]bool{}
	}
	n[from][to][name] = true
}

func (n needs) names(from, to string) string {
	return strings.Join(slices.Sorted(maps.Keys(n[from][to])), ", ")
}

func needsOf(pkg *packages.Package) needs {
	file := func(at token.Pos) string { return filepath.Base(pkg.Fset.Position(at).Filename) }
	owners := fieldOwners(pkg.Types)
	homes := homesOf(pkg.Types, file)
	n := needs{}
	for identifier, object := range pkg.TypesInfo.Uses {
		object = origin(object)
		owner := ownerOf(object, owners)
		if object.Pkg() != pkg.Types || owner == nil && object.Parent() != pkg.Types.Scope() {
			continue // of another package, or local
		}
		from, to := file(identifier.Pos()), file(object.Pos())
		if from == to || owner != nil && homes[owner][from] && homes[owner][to] {
			continue
		}
		n.add(from, to, object.Name())
	}
	return n
}

// origin is the generic field or method of an instantiated one.
func origin(object types.Object) types.Object {
	switch o := object.(type) {
	case *types.Var:
		return o.Origin()
	case *types.Func:
		return o.Origin()
	}
	return object
}

// ownerOf returns the type that an object is, is a method of, or is a field of.
func ownerOf(object types.Object, fields map[types.Object]*types.TypeName) *types.TypeName {
	switch o := object.(type) {
	case *types.TypeName:
		if o.Parent() == o.Pkg().Scope() {
			return o
		}
	case *types.Var:
		return fields[o]
	case *types.Func:
		return receiver(o)
	}
	return nil
}

func receiver(method *types.Func) *types.TypeName {
	r := method.Signature().Recv()
	if r == nil {
		return nil
	}
	t := types.Unalias(r.Type())
	if p, ok := t.(*types.Pointer); ok {
		t = types.Unalias(p.Elem())
	}
	if named, ok := t.(*types.Named); ok {
		return named.Origin().Obj()
	}
	return nil
}

// fieldOwners has the type of each field, those of structs within structs too.
func fieldOwners(pkg *types.Package) map[types.Object]*types.TypeName {
	owners := map[types.Object]*types.TypeName{}
	for _, name := range pkg.Scope().Names() {
		if t, ok := pkg.Scope().Lookup(name).(*types.TypeName); ok {
			addFields(owners, t, t.Type().Underlying())
		}
	}
	return owners
}

func addFields(owners map[types.Object]*types.TypeName, owner *types.TypeName, t types.Type) {
	switch t := t.(type) {
	case *types.Struct:
		for field := range t.Fields() {
			if owners[field] == nil {
				owners[field] = owner
				addFields(owners, owner, field.Type())
			}
		}
	case *types.Pointer:
		addFields(owners, owner, t.Elem())
	case *types.Slice:
		addFields(owners, owner, t.Elem())
	case *types.Array:
		addFields(owners, owner, t.Elem())
	case *types.Map:
		addFields(owners, owner, t.Elem())
	}
}

// homesOf has for each type the files that declare it or a method of it.
func homesOf(pkg *types.Package, file func(token.Pos) string) map[*types.TypeName]map[string]bool {
	homes := map[*types.TypeName]map[string]bool{}
	for _, name := range pkg.Scope().Names() {
		t, ok := pkg.Scope().Lookup(name).(*types.TypeName)
		if !ok {
			continue
		}
		homes[t] = map[string]bool{file(t.Pos()): true}
		if named, ok := types.Unalias(t.Type()).(*types.Named); ok {
			for method := range named.Methods() {
				homes[t][file(method.Pos())] = true
			}
		}
	}
	return homes
}
