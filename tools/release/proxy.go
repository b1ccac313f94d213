package main

import (
	"encoding/json"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"strings"

	"golang.org/x/mod/module"
	"golang.org/x/mod/zip"
)

// makeProxy writes the modules of the tree into folder, as a module proxy would
// serve them after the tags: what git tracks, with the nested modules requiring
// the version. Use it as GOPROXY=file://FOLDER.
func makeProxy(tree, version, folder string) error {
	files, err := tracked(tree)
	if err != nil {
		return err
	}
	if err := writeModule(folder, root, version, tree, files); err != nil {
		return err
	}
	for _, name := range nested {
		if err := writeModule(folder, root+"/"+name, version, filepath.Join(tree, name),
			below(files, name)); err != nil {
			return err
		}
	}
	return nil
}

// tracked lists what git tracks or would track, with slashes.
func tracked(tree string) ([]string, error) {
	out, err := exec.Command("git", "-C", tree, "ls-files", "-z", "--cached", "--others", "--exclude-standard").Output()
	if err != nil {
		return nil, fmt.Errorf("git ls-files: %w", err)
	}
	return strings.Split(strings.TrimRight(string(out), "\x00"), "\x00"), nil
}

func below(files []string, folder string) (list []string) {
	for _, f := range files {
		if rest, ok := strings.CutPrefix(f, folder+"/"); ok {
			list = append(list, rest)
		}
	}
	return list
}

// writeModule writes the files of the proxy protocol for one module.
func writeModule(folder, name, version, dir string, files []string) error {
	escaped, err := module.EscapePath(name)
	if err != nil {
		return err
	}
	at := filepath.Join(folder, filepath.FromSlash(escaped), "@v")
	if err := os.MkdirAll(at, 0o755); err != nil {
		return err
	}
	mod, err := os.ReadFile(filepath.Join(dir, "go.mod"))
	if name != root && err == nil {
		mod, err = requiring(filepath.Join(dir, "go.mod"), version)
	}
	if err != nil {
		return err
	}
	info, _ := json.Marshal(map[string]string{"Version": version}) // strings always encode
	for end, data := range map[string][]byte{".info": info, ".mod": mod} {
		if err := os.WriteFile(filepath.Join(at, version+end), data, 0o644); err != nil {
			return err
		}
	}
	if err := os.WriteFile(filepath.Join(at, "list"), []byte(version+"\n"), 0o644); err != nil {
		return err
	}
	archive, err := os.Create(filepath.Join(at, version+".zip"))
	if err != nil {
		return err
	}
	defer archive.Close()
	return zip.Create(archive, module.Version{Path: name, Version: version}, filesOf(dir, files, mod))
}

// filesOf lists the files of a module: not those of the modules inside it, and
// with the go.mod given.
func filesOf(dir string, files []string, mod []byte) (list []zip.File) {
	var inner []string
	for _, f := range files {
		if path.Base(f) == "go.mod" && f != "go.mod" {
			inner = append(inner, path.Dir(f)+"/")
		}
	}
	for _, f := range files {
		if isBelow(f, inner) {
			continue
		}
		one := file{dir: dir, path: f}
		if f == "go.mod" {
			one.data = mod
		}
		if info, err := one.Lstat(); err == nil && info.Mode().IsRegular() {
			list = append(list, one)
		}
	}
	return list
}

func isBelow(file string, folders []string) bool {
	for _, f := range folders {
		if strings.HasPrefix(file, f) {
			return true
		}
	}
	return false
}

// file is a file of the archive; data, if not nil, stands for its content.
type file struct {
	dir, path string
	data      []byte
}

func (f file) Path() string { return f.path }

func (f file) Lstat() (fs.FileInfo, error) {
	info, err := os.Lstat(filepath.Join(f.dir, f.path))
	if err == nil && f.data != nil {
		return sized{info, int64(len(f.data))}, nil
	}
	return info, err
}

// sized is the information on a file with another content.
type sized struct {
	fs.FileInfo
	size int64
}

func (s sized) Size() int64 { return s.size }

func (f file) Open() (io.ReadCloser, error) {
	if f.data != nil {
		return io.NopCloser(strings.NewReader(string(f.data))), nil
	}
	return os.Open(filepath.Join(f.dir, f.path))
}
