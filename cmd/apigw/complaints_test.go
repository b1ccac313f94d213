package main

import (
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"unicode"
)

// complaintFormats are the formats of all complaints in the sources.
func complaintFormats(t *testing.T) map[string]token.Position {
	t.Helper()
	files, err := filepath.Glob("*.go")
	if err != nil {
		t.Fatal(err)
	}
	formats := map[string]token.Position{}
	set := token.NewFileSet()
	for _, file := range files {
		if strings.HasSuffix(file, "_test.go") {
			continue
		}
		tree, err := parser.ParseFile(set, file, nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		ast.Inspect(tree, func(n ast.Node) bool {
			call, ok := n.(*ast.CallExpr)
			if !ok || len(call.Args) == 0 {
				return true
			}
			method, ok := call.Fun.(*ast.SelectorExpr)
			if !ok || !slices.Contains([]string{"misuse", "complain", "errorf", "sprintf"}, method.Sel.Name) {
				return true
			}
			if format, ok := literal(call.Args[0]); ok {
				formats[format] = set.Position(call.Pos())
			}
			return true
		})
	}
	return formats
}

// literal is the value of a string in the sources, in one or more pieces.
func literal(e ast.Expr) (string, bool) {
	switch e := e.(type) {
	case *ast.BasicLit:
		s, err := strconv.Unquote(e.Value)
		return s, err == nil
	case *ast.BinaryExpr:
		left, ok := literal(e.X)
		right, also := literal(e.Y)
		return left + right, ok && also && e.Op == token.ADD
	}
	return "", false
}

var verb = regexp.MustCompile(`%[-+#0-9.]*[a-zA-Z]`)

// nameOfFlag begins complaints about its value.
var nameOfFlag = regexp.MustCompile(`^--?[\w-]+`)

// hasWords reports whether a format has more than values and the name of a flag.
func hasWords(format string) bool {
	rest := verb.ReplaceAllString(nameOfFlag.ReplaceAllString(format, ""), "")
	return strings.ContainsFunc(rest, unicode.IsLetter)
}

// Every complaint has a Chinese text with the same values in the same order.
func TestEveryComplaintHasChinese(t *testing.T) {
	formats := complaintFormats(t)
	if len(formats) < 30 {
		t.Fatalf("got %d complaints, want those of all commands", len(formats))
	}
	for format, at := range formats {
		if !hasWords(format) {
			continue
		}
		zh, ok := complaintsZH()[format]
		if !ok {
			t.Errorf("%v: complaints.tsv has no line for\n%s", at, format)
			continue
		}
		if got, want := verb.FindAllString(zh, -1), verb.FindAllString(format, -1); !slices.Equal(got, want) {
			t.Errorf("%q: got %q, want %q", zh, got, want)
		}
	}
	for en := range complaintsZH() {
		if _, ok := formats[en]; !ok {
			t.Errorf("complaints.tsv has a line that nothing uses: %s", en)
		}
	}
	if data, err := os.ReadFile("complaints.tsv"); err != nil || strings.Contains(string(data), "\r") {
		t.Errorf("complaints.tsv: got CR or %v, want plain lines", err)
	}
}

func TestComplaintsAreInTheLanguageOfTheUser(t *testing.T) {
	for want, args := range map[string][]string{
		"没有可解释的内容":        {"explain"},
		"不接受该值":           {"gateway", "--limit", "many"},
		"该文件无法使用":         {"gateway", "--script", "testdata/script-faults.json"},
		"缺少 --upstream":   {"proxy"},
		"对其他机器开放":         {"proxy", "--upstream", "https://h", "--listen", ":0"},
		"不是请求头名称":         {"proxy", "--upstream", "https://h", "--pass", "a b"},
		"其中应为你签名的字符串，而不是": {"explain", "--signed", "testdata/order.json", "Server StringToSign:`GET`"},
	} {
		got := runCommand(args, "", map[string]string{"LANG": "zh_CN.UTF-8"})
		if !strings.Contains(got.stderr, want) || got.exit != exitMisuse {
			t.Errorf("%q: got exit %d, %q, want %q in it", args, got.exit, got.stderr, want)
		}
	}
}
