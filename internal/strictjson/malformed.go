package strictjson

import (
	"bytes"
	"encoding/json"
	"errors"
	"strings"
	"unicode/utf8"
)

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
		return at, "not JSON: " + syntax.Error() + f.fix(at, syntax.Error())
	}
	return 0, ""
}

// fix proposes what to do about a syntax error.
func (f *File) fix(at int, text string) string {
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
