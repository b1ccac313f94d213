package apigw

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// published are the modules that others require, with their folders.
var published = map[string]string{"apigw": ".", "otelapigw": "otelapigw", "redislimit": "redislimit"}

// A licence is known by a sentence of its text.
var licences = []struct{ name, sentence string }{
	{"MPL-2.0", "Mozilla Public License, version 2.0"},
	{"Apache-2.0", "Apache License Version 2.0"},
	{"BSD-3-Clause", "contributors may be used to endorse or promote products"},
	{"BSD-2-Clause", "Redistribution and use in source and binary forms"},
	{"MIT", "Permission is hereby granted, free of charge"},
}

// The table of docs/security.md names each module that ours require, its licence
// as its own file has it, and who requires it.
func TestLicences(t *testing.T) {
	type row struct{ licence, users string }
	want := map[string]row{}
	for _, name := range []string{"apigw", "otelapigw", "redislimit"} {
		for _, path := range requiredBy(t, published[name]) {
			r := want[path]
			r.users = strings.TrimPrefix(r.users+", "+name, ", ")
			r.licence = licenceOf(t, published[name], path)
			want[path] = r
		}
	}
	text, err := os.ReadFile("docs/security.md")
	if err != nil {
		t.Fatal(err)
	}
	_, section, _ := strings.Cut(string(text), "### Licences")
	section, _, _ = strings.Cut(section, "The packages")
	found := 0
	for line := range strings.Lines(section) {
		cells := strings.Split(strings.Trim(strings.TrimSpace(line), "| "), " | ")
		if len(cells) != 3 || cells[0] == "module" || strings.HasPrefix(cells[0], "---") {
			continue
		}
		found++
		r, required := want[cells[0]]
		if !required {
			t.Errorf("%s is required by nobody: take it out of the table", cells[0])
			continue
		}
		users := strings.ReplaceAll(cells[2], "all", "apigw, otelapigw, redislimit")
		if r.licence == "" { // not to be had here
			r.licence = cells[1]
		}
		if cells[1] != r.licence || users != r.users {
			t.Errorf("%s: the table says %s, %s; want %s, %s", cells[0], cells[1], users, r.licence, r.users)
		}
	}
	if found != len(want) {
		t.Errorf("the table has %d modules, want %d", found, len(want))
	}
}

// requiredBy are the modules in the go.mod of a folder, without our own.
func requiredBy(t *testing.T, folder string) (paths []string) {
	t.Helper()
	var mod struct{ Require []struct{ Path string } }
	cmd := exec.CommandContext(t.Context(), "go", "mod", "edit", "-json")
	cmd.Dir = folder
	out, err := cmd.Output()
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(out, &mod); err != nil {
		t.Fatal(err)
	}
	for _, r := range mod.Require {
		if r.Path != "github.com/apigw-go/apigw" {
			paths = append(paths, r.Path)
		}
	}
	return paths
}

// licenceOf reads the licence of a module as the modules of a folder use it. It
// is empty where a nested module's requirement can be had nowhere: who tests the
// root alone need not have it.
func licenceOf(t *testing.T, folder, path string) string {
	t.Helper()
	var module struct{ Dir string }
	cmd := exec.CommandContext(t.Context(), "go", "mod", "download", "-json", path)
	cmd.Dir = folder
	out, err := cmd.Output()
	if err != nil && folder != "." {
		t.Logf("%s cannot be fetched: its licence was not read", path)
		return ""
	}
	if err := json.Unmarshal(out, &module); err != nil {
		t.Fatalf("%s: %v", path, err)
	}
	files, _ := filepath.Glob(filepath.Join(module.Dir, "LICEN[CS]E*"))
	if len(files) == 0 {
		t.Fatalf("%s has no licence in %q", path, module.Dir)
	}
	text, err := os.ReadFile(files[0])
	if err != nil {
		t.Fatal(err)
	}
	words := strings.Join(strings.Fields(string(text)), " ")
	i := slices.IndexFunc(licences,
		func(l struct{ name, sentence string }) bool { return strings.Contains(words, l.sentence) })
	if i < 0 {
		t.Fatalf("the licence of %s is none of those that are known", path)
	}
	return licences[i].name
}
