// Package strictjson reads configuration files in JSON: policies, scripts of
// the fake gateway, profiles. All of them have one spelling of names,
// camelCase, and one way to write a duration, and all report what is wrong
// with a file at once, each fault with its line, its column and its fix.
//
//	f := &strictjson.File{Name: name, Data: data, Empty: "{} for no policies"}
//	err := f.Read(f.Object(map[string]strictjson.Reader{
//		"maxAttempts": strictjson.Int(f, &p.MaxAttempts, 1, 100, "1 for no retry"),
//		"timeout":     f.Duration(&p.Timeout),
//	}))
//
// A name that no reader knows and one that is there twice are faults, and so is
// every value that its reader does not take.
package strictjson

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"unicode/utf8"
)

// File is a JSON text and what is wrong with it. It is not safe for concurrent
// use, and serves one call of Read.
type File struct {
	Name  string // begins each fault
	Data  []byte
	Empty string // what to write in place of nothing: "{} for no policies"

	faults []fault
	lines  []int // offsets at which lines begin, once they are asked for
}

// fault is made into text only if it is shown: a file can have a million.
type fault struct {
	at   int
	text func() string
}

// maxSize is far more than any file that somebody wrote, and little enough to
// read into memory.
const maxSize = 16 << 20

// Load returns the content of a file, for [File.Data]. A file of more than
// 16 MiB is refused, so that a device or a log given by mistake does no harm.
func Load(name string) ([]byte, error) {
	f, err := os.Open(name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	data, err := io.ReadAll(io.LimitReader(f, maxSize+1))
	if err == nil && len(data) > maxSize {
		err = &os.PathError{Op: "read", Path: name, Err: errors.New("more than 16 MiB: this is no configuration file")}
	}
	return data, err
}

// Read parses the text, which must be one value, and hands it to root under the
// name "the file". It returns all faults in the order of the file, and nil if
// there are none.
func (f *File) Read(root Reader) error {
	if at, text := f.malformed(); text != "" {
		f.Fail(at, "%s", text)
	} else {
		v := f.tree()
		root(Field{At: v.At, Name: "the file", First: -1, Value: v})
	}
	return f.err()
}

// Fail adds a fault that stands at an offset.
func (f *File) Fail(at int, format string, args ...any) {
	f.fail(at, func() string { return fmt.Sprintf(format, args...) })
}

func (f *File) fail(at int, text func() string) { f.faults = append(f.faults, fault{at, text}) }

// Faults returns how many faults there are so far, so that a check of several
// fields can wait until each of them is right.
func (f *File) Faults() int { return len(f.faults) }

// Line returns the line of an offset, from 1.
func (f *File) Line(at int) int {
	if f.lines == nil {
		f.lines = []int{0}
		for i, c := range f.Data {
			if c == '\n' {
				f.lines = append(f.lines, i+1)
			}
		}
	}
	line, exact := slices.BinarySearch(f.lines, at)
	if exact {
		line++
	}
	return line
}

// column returns the column of an offset, from 1, in characters as editors show
// it.
func (f *File) column(at int) int {
	before := f.Data[:at]
	return 1 + utf8.RuneCount(before[1+bytes.LastIndexByte(before, '\n'):])
}

// MaxFaults is how many faults an error lists; it counts the rest.
const MaxFaults = 20

func (f *File) err() error {
	slices.SortStableFunc(f.faults, func(a, b fault) int { return a.at - b.at })
	var errs []error
	for i, fault := range f.faults {
		if i == MaxFaults {
			errs = append(errs, fmt.Errorf("%s: %d more", f.Name, len(f.faults)-i))
			break
		}
		errs = append(errs, fmt.Errorf("%s:%d:%d: %s", f.Name, f.Line(fault.at), f.column(fault.at), fault.text()))
	}
	return errors.Join(errs...)
}
