package strictjson_test

import (
	"encoding/json"
	"regexp"
	"strings"
	"testing"

	"github.com/apigw-go/apigw/internal/strictjson"
)

// treeOf reads a text and returns its root.
func treeOf(data []byte) (root strictjson.Value, err error) {
	f := strictjson.File{Name: "f", Data: data, Empty: "{}"}
	err = f.Read(func(field strictjson.Field) { root = field.Value })
	return root, err
}

func TestKindAndPlace(t *testing.T) {
	const text = `[ {}, [], "s", 1e3, true, null ]`
	root, _ := treeOf([]byte(text))
	values, _ := root.Data.([]strictjson.Value)
	want := []struct{ begins, kind string }{
		{"{}", "an object"}, {"[]", "an array"}, {`"s"`, "a string"},
		{"1e3", "a number"}, {"true", "a boolean"}, {"null", "null"},
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

func TestDuplicateField(t *testing.T) {
	root, _ := treeOf([]byte(`{"a":1,"b":2,"\u0061":3}`)) // escaped or not, it is one name
	fields, _ := root.Data.([]strictjson.Field)
	if len(fields) != 3 || fields[0].First != -1 || fields[1].First != -1 ||
		fields[2].First != 1 || fields[2].At != 13 {
		t.Errorf("got %+v, want the third to be a duplicate of the one at 1", fields)
	}
}

// What is no JSON has one fault with a place; what is has the tree of it.
func FuzzParse(f *testing.F) {
	for _, seed := range []string{
		"", "{}", "\xef\xbb\xbf{}", "[[[[", "{} {}",
		`{"a":[1,"b",null,true],"a":{"":-0.5e9}}`, `{"\ud800":[]}`, "[1,]", "{'a':1}", "\"\xff\"", "[\"\x00\"]",
	} {
		f.Add([]byte(seed))
	}
	place := regexp.MustCompile(`^f:[1-9][0-9]*:[1-9][0-9]*: .`)
	f.Fuzz(func(t *testing.T, data []byte) {
		root, err := treeOf(data)
		if err != nil {
			if !place.MatchString(err.Error()) {
				t.Errorf("got %v, want a place first", err)
			}
			return
		}
		if !json.Valid(data) {
			t.Error("got a tree of what is no JSON")
		}
		inside(t, data, root)
	})
}

// inside checks that every value and name begins with what JSON begins it with.
func inside(t *testing.T, data []byte, v strictjson.Value) {
	begins := map[string]string{
		"an object": "{", "an array": "[", "a string": `"`,
		"a number": "-0123456789", "a boolean": "tf", "null": "n",
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
