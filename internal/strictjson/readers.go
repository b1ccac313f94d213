package strictjson

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/apigw-go/apigw/internal/near"
)

// Reader reads the value of a field into a place that it knows, or reports a
// fault. The field's name is for the fault.
type Reader func(Field)

// Object reads an object, each of its fields by the reader of that name.
func (f *File) Object(readers map[string]Reader) Reader {
	return f.Map(func(field Field) {
		if read, ok := readers[field.Name]; ok {
			read(field)
			return
		}
		f.fail(field.At, func() string { return unknown(field.Name, slices.Sorted(maps.Keys(readers))) })
	})
}

func unknown(name string, known []string) string {
	if word := near.Word(name, known); word != "" {
		return fmt.Sprintf("unknown field %s: did you mean %q?", Quote(name), word)
	}
	return fmt.Sprintf("unknown field %s: take it out, known are %s", Quote(name), strings.Join(known, ", "))
}

// Map reads an object whose names are free, all of its fields by one reader.
func (f *File) Map(each Reader) Reader {
	return func(object Field) {
		fields, ok := object.Data.([]Field)
		if !ok {
			f.WrongType(object, "an object, in braces")
		}
		for _, field := range fields {
			if field.First >= 0 {
				f.Fail(field.At, "%s is there twice, first in line %d: take one out", Quote(field.Name),
					f.Line(field.First))
				continue
			}
			each(field)
		}
	}
}

// Strings reads an object whose names are free and whose values are strings.
// add is not called for a value that is none.
func (f *File) Strings(add func(name, value string)) Reader {
	return f.Map(func(field Field) {
		faults, value := f.Faults(), ""
		f.String(&value)(field)
		if f.Faults() == faults {
			add(field.Name, value)
		}
	})
}

// List reads an array. Each element goes to each as a field of the given name,
// such as "status code"; want describes the array for a fault, as in "an array
// of status codes".
func (f *File) List(name, want string, each Reader) Reader {
	return func(list Field) {
		values, ok := list.Data.([]Value)
		if !ok {
			f.WrongType(list, want)
		}
		for _, v := range values {
			each(Field{At: v.At, Name: name, First: -1, Value: v})
		}
	}
}

// String reads a string of any content. A fault never shows it.
func (f *File) String(to *string) Reader {
	return func(field Field) {
		s, ok := field.Data.(string)
		if !ok {
			f.WrongType(field, "a string")
			return
		}
		*to = s
	}
}

// Bool reads true or false.
func (f *File) Bool(to *bool) Reader {
	return func(field Field) {
		b, ok := field.Data.(bool)
		if !ok {
			f.WrongType(field, "true or false")
			return
		}
		*to = b
	}
}

// OneOf reads one of several words and stores its index. The empty word marks
// an index that has none.
func OneOf[T ~int | ~uint8](f *File, to *T, words ...string) Reader {
	known := slices.DeleteFunc(slices.Clone(words), func(w string) bool { return w == "" })
	return func(field Field) {
		s, ok := field.Data.(string)
		i := slices.Index(words, s)
		switch {
		case !ok:
			f.WrongType(field, alternatives(known))
		case i >= 0 && s != "":
			*to = T(i)
		default:
			f.fail(field.Value.At, func() string {
				if word := near.Word(s, known); word != "" {
					return fmt.Sprintf("%s is %s: did you mean %q?", field.Name, Quote(s), word)
				}
				return fmt.Sprintf("%s is %s: write %s", field.Name, Quote(s), alternatives(known))
			})
		}
	}
}

// alternatives lists words as in `"full", "equal" or "none"`.
func alternatives(words []string) string {
	var b strings.Builder
	for i, w := range words {
		switch i {
		case 0:
		case len(words) - 1:
			b.WriteString(" or ")
		default:
			b.WriteString(", ")
		}
		b.WriteString(strconv.Quote(w))
	}
	return b.String()
}

// WrongType reports a value of another type than the field has. It does not
// show the value.
func (f *File) WrongType(field Field, want string) {
	f.Fail(field.Value.At, "%s is %s: write %s", field.Name, field.Kind(), want)
}

// Quote writes a word of the file for a fault: on one line, and not all of a
// long one.
func Quote(s string) string {
	const most = 120
	if len(s) <= most {
		return strconv.Quote(s)
	}
	cut := most
	for cut > 0 && !utf8.RuneStart(s[cut]) {
		cut--
	}
	return strconv.Quote(s[:cut] + "…")
}
