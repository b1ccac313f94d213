// Package strictjson reads a JSON file into a tree whose values know their
// place, and gathers what is wrong with the file by line and column. What the
// values should be is for the caller to say.
package strictjson

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"
)

// Value is a value in a JSON text that knows where it stands.
// encoding/json alone would drop the place, and the first of two equal keys.
type Value struct {
	At   int // offset of its first byte
	Data any // []Field, []Value, string, json.Number, bool or nil
}

// Field is a field of an object. Equal names are all kept, in order.
type Field struct {
	At    int // offset of the name
	Name  string
	First int // offset of the first field of that name if this repeats it, else -1
	Value
}

// Kind names the value's type as JSON does.
func (v Value) Kind() string {
	switch v.Data.(type) {
	case []Field:
		return "an object"
	case []Value:
		return "an array"
	case string:
		return "a string"
	case json.Number:
		return "a number"
	case bool:
		return "a boolean"
	}
	return "null"
}

// File is a JSON text and what is wrong with it. It is not safe for concurrent
// use.
type File struct {
	Name  string // begins each fault
	Data  []byte
	Empty string // what to write in place of nothing: "{} for no policies"

	faults []fault
}

type fault struct {
	at   int
	text string
}

// Fail adds a fault that stands at an offset.
func (f *File) Fail(at int, format string, args ...any) {
	f.faults = append(f.faults, fault{at, fmt.Sprintf(format, args...)})
}

// Position returns line and column of an offset, both from 1, the column in
// characters as editors show it.
func (f *File) Position(at int) (line, column int) {
	before := f.Data[:at]
	line = 1 + bytes.Count(before, []byte("\n"))
	return line, 1 + utf8.RuneCount(before[1+bytes.LastIndexByte(before, '\n'):])
}

// MaxFaults is how many faults Err tells; the rest it counts.
const MaxFaults = 20

// Faults returns how many faults there are so far.
func (f *File) Faults() int { return len(f.faults) }

// Err returns all faults in the order of the file, nil if there are none.
func (f *File) Err() error {
	slices.SortStableFunc(f.faults, func(a, b fault) int { return a.at - b.at })
	var errs []error
	for i, fault := range f.faults {
		if i == MaxFaults {
			errs = append(errs, fmt.Errorf("%s: %d more", f.Name, len(f.faults)-i))
			break
		}
		line, column := f.Position(fault.at)
		errs = append(errs, fmt.Errorf("%s:%d:%d: %s", f.Name, line, column, fault.text))
	}
	return errors.Join(errs...)
}

// Parse reads the text, which must be a single value. It returns false if it
// is no JSON at all.
func (f *File) Parse() (Value, bool) {
	if at, text := f.malformed(); text != "" {
		f.Fail(at, "%s", text)
		return Value{}, false
	}
	d := json.NewDecoder(bytes.NewReader(f.Data))
	d.UseNumber()
	return f.read(d), true
}

// malformed says what keeps the text from being JSON, and where.
func (f *File) malformed() (at int, text string) {
	for _, mark := range []string{"\xef\xbb\xbf", "\xff\xfe", "\xfe\xff"} {
		if bytes.HasPrefix(f.Data, []byte(mark)) {
			return 0, "the file begins with a byte order mark: save it as UTF-8 without one"
		}
	}
	if len(bytes.TrimSpace(f.Data)) == 0 {
		return 0, "the file is empty: write " + f.Empty
	}
	for at < len(f.Data) {
		r, size := utf8.DecodeRune(f.Data[at:])
		if r == utf8.RuneError && size == 1 {
			return at, "not UTF-8: save the file as UTF-8"
		}
		at += size
	}
	var whole json.RawMessage
	var syntax *json.SyntaxError
	if err := json.Unmarshal(f.Data, &whole); errors.As(err, &syntax) {
		at = min(int(syntax.Offset), len(f.Data))
		if !strings.HasPrefix(syntax.Error(), "unexpected end") {
			at = max(0, at-1) // the offset is behind the character
		}
		return at, "not JSON: " + syntax.Error() + f.mend(at, syntax.Error())
	}
	return 0, ""
}

// mend proposes what to do about a syntax error.
func (f *File) mend(at int, text string) string {
	before := bytes.TrimRight(f.Data[:at], " \t\r\n")
	switch {
	case at >= len(f.Data):
		return ": a quote, bracket or brace is not closed"
	case f.Data[at] == '/' || f.Data[at] == '#':
		return ": take it out, JSON has no comments"
	case f.Data[at] == '\'':
		return ": use double quotes"
	case bytes.HasSuffix(before, []byte(",")):
		return ": take out the comma before it, or write what should follow"
	case strings.Contains(text, "after top-level value"):
		return ": take out what follows the last brace"
	case strings.Contains(text, "after object key:value pair"), strings.Contains(text, "after array element"):
		return ": a comma may be missing before it"
	}
	return ""
}

// read reads a value of a text that is known to be JSON, so that no token can
// Fail.
func (f *File) read(d *json.Decoder) Value {
	v := Value{At: f.next(d)}
	token, _ := d.Token()
	switch token {
	case json.Delim('{'):
		fields, first := []Field{}, map[string]int{}
		for d.More() {
			at := f.next(d)
			name, _ := d.Token()
			s, _ := name.(string)
			before, repeats := first[s]
			if !repeats {
				first[s], before = at, -1
			}
			fields = append(fields, Field{at, s, before, f.read(d)})
		}
		d.Token()
		v.Data = fields
	case json.Delim('['):
		values := []Value{}
		for d.More() {
			values = append(values, f.read(d))
		}
		d.Token()
		v.Data = values
	default:
		v.Data = token
	}
	return v
}

// next returns where the next token begins.
func (f *File) next(d *json.Decoder) int {
	at := int(d.InputOffset())
	for at < len(f.Data) && strings.IndexByte(" \t\r\n,:", f.Data[at]) >= 0 {
		at++
	}
	return at
}
