package strictjson_test

import (
	"encoding/json"
	"regexp"
	"strings"
	"testing"

	"github.com/apigw-go/apigw/internal/strictjson"
)

func TestNoJSON(t *testing.T) {
	for name, tt := range map[string]struct{ text, want string }{
		"empty":             {"", "f:1:1: the file is empty: write {}"},
		"spaces":            {" \n\t", "f:1:1: the file is empty: write {}"},
		"byte order mark":   {"\xef\xbb\xbf{}", "f:1:1: the file begins with a byte order mark"},
		"UTF-16":            {"\xff\xfe{\x00}\x00", "f:1:1: the file begins with a byte order mark"},
		"not UTF-8":         {"{\n\"\xff\"", "f:2:2: not UTF-8"},
		"cut off":           {`{"a":[`, "f:1:7: not JSON: unexpected end of JSON input: a quote, bracket or brace is not closed"},
		"trailing data":     {"{}\n{}", "f:2:1: not JSON: invalid character '{' after top-level value: take out"},
		"control character": {"{\"a\x01b\":1}", `f:1:4: not JSON: invalid character '\x01' in string literal`},
		"comment":           {"{ // a\n}", "f:1:3: not JSON: invalid character '/'"},
		"characters, bytes": {`{"Ää":x}`, "f:1:7: not JSON: invalid character 'x'"},
		"depth":             {strings.Repeat("[", 20000) + strings.Repeat("]", 20000), "f:1:10001: not JSON: invalid character '[' exceeded max depth"},
	} {
		t.Run(name, func(t *testing.T) {
			f := strictjson.File{Name: "f", Data: []byte(tt.text), Empty: "{}"}
			_, ok := f.Parse()
			if err := f.Err(); ok || err == nil || !strings.HasPrefix(err.Error(), tt.want) {
				t.Errorf("got %v, %v, want %s", ok, err, tt.want)
			}
		})
	}
}

func TestKindAndPlace(t *testing.T) {
	const text = `[ {}, [], "s", 1e3, true, null ]`
	f := strictjson.File{Data: []byte(text)}
	root, _ := f.Parse()
	values, _ := root.Data.([]strictjson.Value)
	want := []struct{ begins, kind string }{
		{"{}", "an object"}, {"[]", "an array"}, {`"s"`, "a string"}, {"1e3", "a number"}, {"true", "a boolean"}, {"null", "null"},
	}
	if len(values) != len(want) {
		t.Fatalf("got %d values, want %d", len(values), len(want))
	}
	for i, v := range values {
		if got := v.Kind(); got != want[i].kind || !strings.HasPrefix(text[v.At:], want[i].begins) {
			t.Errorf("got %s at %q, want %v", got, text[v.At:], want[i])
		}
	}
}

func TestRepeatedField(t *testing.T) {
	f := strictjson.File{Data: []byte(`{"a":1,"b":2,"\u0061":3}`)} // escaped or not, it is one name
	root, _ := f.Parse()
	fields, _ := root.Data.([]strictjson.Field)
	if len(fields) != 3 || fields[0].First != -1 || fields[1].First != -1 || fields[2].First != 1 || fields[2].At != 13 {
		t.Errorf("got %+v, want that the third repeats the one at 1", fields)
	}
}

func TestFaultsInOrderAndCounted(t *testing.T) {
	f := strictjson.File{Name: "f", Data: []byte(strings.Repeat(" ", 30))}
	for at := range strictjson.MaxFaults + 3 {
		f.Fail(29-at, "bad")
	}
	lines := strings.Split(f.Err().Error(), "\n")
	if got := lines[0]; got != "f:1:8: bad" {
		t.Errorf("got %s first, want the one that stands first", got)
	}
	if got := lines[len(lines)-1]; got != "f: 3 more" {
		t.Errorf("got %s last, want the count of the rest", got)
	}
}

// What is no JSON has one fault with a place; what is has the tree of it.
func FuzzParse(f *testing.F) {
	for _, seed := range []string{
		"", "{}", "\xef\xbb\xbf{}", `{"a":[1,"b",null,true],"a":{"":-0.5e9}}`, `{"\ud800":[]}`, "[1,]", "{'a':1}", "\"\xff\"", "[\"\x00\"]", "[[[[", "{} {}",
	} {
		f.Add([]byte(seed))
	}
	place := regexp.MustCompile(`^f:[1-9][0-9]*:[1-9][0-9]*: .`)
	f.Fuzz(func(t *testing.T, data []byte) {
		file := strictjson.File{Name: "f", Data: data, Empty: "{}"}
		root, ok := file.Parse()
		if !ok {
			if err := file.Err(); err == nil || !place.MatchString(err.Error()) {
				t.Errorf("got %v, want a place first", err)
			}
			return
		}
		if !json.Valid(data) || file.Err() != nil {
			t.Errorf("got a tree of what is no JSON, %v", file.Err())
		}
		inside(t, data, root)
	})
}

// inside checks that every value and name begins with what JSON begins it with.
func inside(t *testing.T, data []byte, v strictjson.Value) {
	begins := map[string]string{
		"an object": "{", "an array": "[", "a string": `"`, "a number": "-0123456789", "a boolean": "tf", "null": "n",
	}[v.Kind()]
	if v.At >= len(data) || !strings.Contains(begins, string(data[v.At])) {
		t.Fatalf("got %s at %d", v.Kind(), v.At)
	}
	switch inner := v.Data.(type) {
	case []strictjson.Field:
		for _, field := range inner {
			if data[field.At] != '"' || field.First >= field.At {
				t.Errorf("got the name %q at %d, first at %d", field.Name, field.At, field.First)
			}
			inside(t, data, field.Value)
		}
	case []strictjson.Value:
		for _, v := range inner {
			inside(t, data, v)
		}
	}
}
