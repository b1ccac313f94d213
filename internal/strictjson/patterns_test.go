package strictjson

import (
	"strings"
	"testing"
)

func TestPatterns(t *testing.T) {
	f := &File{Name: "policy.json", Data: []byte("{\n\"/a\": 1,\n\"orders\": 2,\n\"/a\": 3,\n\"/b\": 4}")}
	var p Patterns
	for _, pattern := range []string{`"/a"`, `"orders"`, `"/b"`} {
		p.Check(f, strings.Trim(pattern, `"`), strings.Index(string(f.Data), pattern))
	}
	p.Check(f, "/a", strings.LastIndex(string(f.Data), `"/a"`))
	err := f.Read(func(Field) {})
	if err == nil {
		t.Fatal("got no fault, want two")
	}
	for _, want := range []string{
		`policy.json:3:1: pattern "orders": a pattern has a path`,
		`policy.json:4:1: pattern "/a" and "/a" in line 2 conflict`,
	} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want %s", err, want)
		}
	}
}
