package strictjson

import (
	"bytes"
	"encoding/json"
	"strings"
)

// Value is a value in a JSON text that knows where it stands.
// encoding/json alone would drop the place, and the first of two equal keys.
type Value struct {
	At   int // offset of its first byte
	Data any // []Field, []Value, string, json.Number, bool or nil
}

// Field is a field of an object. Fields of equal names are all kept, in order.
type Field struct {
	At    int // offset of the name
	Name  string
	First int // offset of the first field of that name if this one is a duplicate, else -1
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

// tree reads the text, which is known to be JSON, so that no token can fail.
func (f *File) tree() Value {
	d := json.NewDecoder(bytes.NewReader(f.Data))
	d.UseNumber()
	return f.value(d)
}

func (f *File) value(d *json.Decoder) Value {
	v := Value{At: f.next(d)}
	token, _ := d.Token()
	switch token {
	case json.Delim('{'):
		v.Data = f.fields(d)
	case json.Delim('['):
		values := []Value{}
		for d.More() {
			values = append(values, f.value(d))
		}
		d.Token()
		v.Data = values
	default:
		v.Data = token
	}
	return v
}

func (f *File) fields(d *json.Decoder) []Field {
	fields, first := []Field{}, map[string]int{}
	for d.More() {
		at := f.next(d)
		token, _ := d.Token()
		name, _ := token.(string)
		before, duplicate := first[name]
		if !duplicate {
			first[name], before = at, -1
		}
		fields = append(fields, Field{at, name, before, f.value(d)})
	}
	d.Token()
	return fields
}

// next returns where the next token begins.
func (f *File) next(d *json.Decoder) int {
	at := int(d.InputOffset())
	for at < len(f.Data) && strings.IndexByte(" \t\r\n,:", f.Data[at]) >= 0 {
		at++
	}
	return at
}
