package strictjson_test

import (
	"strings"
	"testing"

	"github.com/apigw-go/apigw/internal/strictjson"
)

func TestNoJSON(t *testing.T) {
	for name, tt := range map[string]struct{ text, want string }{
		"empty":           {"", "f:1:1: the file is empty: write {}"},
		"spaces":          {" \n\t", "f:1:1: the file is empty: write {}"},
		"byte order mark": {"\xef\xbb\xbf{}", "f:1:1: the file begins with a byte order mark"},
		"UTF-16":          {"\xff\xfe{\x00}\x00", "f:1:1: the file begins with a byte order mark"},
		"not UTF-8":       {"{\n\"\xff\"", "f:2:2: not UTF-8"},
		"cut off": {`{"a":[`,
			"f:1:7: not JSON: unexpected end of JSON input: a quote, bracket or brace is not closed"},
		"trailing data": {"{}\n{}", "f:2:1: not JSON: invalid character '{' after top-level value: take out"},
		"control character": {
			"{\"a\x01b\":1}", `f:1:4: not JSON: invalid character '\x01' in string literal`,
		},
		"comment":           {"{ // a\n}", "f:1:3: not JSON: invalid character '/'"},
		"characters, bytes": {`{"Ää":x}`, "f:1:7: not JSON: invalid character 'x'"},
		"depth": {strings.Repeat("[", 20000) + strings.Repeat("]", 20000),
			"f:1:10001: not JSON: invalid character '[' exceeded max depth"},
	} {
		t.Run(name, func(t *testing.T) {
			f := strictjson.File{Name: "f", Data: []byte(tt.text), Empty: "{}"}
			err := f.Read(func(strictjson.Field) { t.Error("the root is read") })
			if err == nil || !strings.HasPrefix(err.Error(), tt.want) {
				t.Errorf("got %v, want %s", err, tt.want)
			}
		})
	}
}
