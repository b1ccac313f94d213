package main

import (
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"
)

// isPlainText reports whether a terminal shows s as it is: every character
// prints, or ends a line.
func isPlainText(s string) bool {
	return utf8.ValidString(s) &&
		!strings.ContainsFunc(s, func(r rune) bool { return r != '\n' && !unicode.IsPrint(r) })
}

// escapeText writes each line as the inside of a string of Go.
func escapeText(s string) string {
	lines := strings.Split(s, "\n")
	for i, line := range lines {
		quoted := strconv.Quote(line)
		lines[i] = quoted[1 : len(quoted)-1]
	}
	return strings.Join(lines, "\n")
}

// unescapeText undoes [escapeText].
func unescapeText(s string) (string, error) {
	lines := strings.Split(s, "\n")
	for i, line := range lines {
		plain, err := strconv.Unquote(`"` + line + `"`)
		if err != nil {
			return "", err
		}
		lines[i] = plain
	}
	return strings.Join(lines, "\n"), nil
}
