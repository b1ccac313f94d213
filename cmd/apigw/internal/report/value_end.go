package report

import (
	"strconv"
	"strings"
	"unicode/utf8"
)

// closingQuote is where a quoted value ends: at the quote, or at the end of the
// line where it was cut off.
func closingQuote(text string, from int, quote string) int {
	end := min(len(text), from+longestValue)
	for i := from; i < end; i++ {
		switch {
		case strings.HasPrefix(text[i:], quote):
			return i
		case text[i] == '\n':
			return i
		case text[i] == '\\' && len(quote) == 1:
			i++
		}
	}
	return end
}

// closingBracket is where "[value]" ends. The texts of the gateway hold
// brackets themselves; what is in backquotes does not count.
func closingBracket(text string, from int, bracket byte) int {
	closer := map[byte]byte{'[': ']', '(': ')', '{': '}'}[bracket]
	depth, inside := 0, false
	rest := text[from:min(len(text), from+longestValue)]
	for i := 0; i < len(rest); i++ {
		switch c := rest[i]; {
		// A dump that was cut, or a bracket of the text itself.
		case c == '\n':
			return from + plainEnd(rest[:i], ':', 0) // not closed in this line
		case c == '`':
			inside = !inside
		case inside:
		case c == bracket:
			depth++
		case c == closer && depth == 0:
			return from + i
		case c == closer:
			depth--
		}
	}
	return from + plainEnd(window(text, from), ':', 0)
}

// plainEnd is where a value without quotes ends in its line: before the next
// name of a list, a bracket that was opened before, a tag, an escaped line end.
func plainEnd(line string, sep, outer byte) int {
	depth, inside := 0, false
	for i := 0; i < len(line); i++ {
		switch c := line[i]; {
		case c == outer && outer != 0 && c != '`':
			return i
		case c == '`':
			// What is quoted by the gateway can hold anything, commas and brackets too. A
			// single backquote quotes nothing.
			inside = !inside && strings.IndexByte(line[i+1:min(len(line), i+1+1024)], '`') >= 0
		case inside:
		case c == '\\' && i+1 < len(line) && (line[i+1] == 'r' || line[i+1] == 'n'):
			return i
		case c == '[' && (strings.HasPrefix(line[i:], `[\r]`) || strings.HasPrefix(line[i:], `[\n]`)):
			return i
		case c == '[' || c == '{' || c == '(':
			depth++
		case c == ']' || c == '}' || c == ')':
			// It was opened before the name: a head on one line, a map.
			if depth--; depth < 0 {
				return i
			}
		case c == '<' && tagLength(line[i:]) > 0:
			return i
		case c == '|' && sep == '|':
			return i
		case (c == ',' || c == ';' || c == '|' || c == ' ' && sep == '=') && nextPair(line[i+1:],
			sep), (c == ' ' || c == '&' && sep == '=') && nextKnown(line[i+1:]):
			return i
		}
	}
	// Logs put whole headers into quotes.
	// A quote that closes what was opened before the name.
	trimmed := strings.TrimRight(line, " \t,;")
	if n := len(trimmed) - 1; n >= 0 && (trimmed[n] == '"' || trimmed[n] == '\'') && strings.Count(trimmed,
		trimmed[n:])%2 == 1 {
		return n
	}
	return len(line)
}

// nextPair reports whether a list goes on: "Name: ...", "name=...", or a quote.
func nextPair(s string, sep byte) bool {
	s = strings.TrimLeft(s[:min(len(s), longestName+8)], " \t")
	if s == "" {
		return false
	}
	if s[0] == '"' || s[0] == '\'' {
		s = s[1:]
	}
	n := 0
	for n < len(s) && (isNameByte(s[n]) || s[n] == '.') {
		n++
	}
	if n == 0 || n+1 >= len(s) {
		return false
	}
	switch s[n] {
	case '=':
		return true
	case ':':
		return s[n+1] == ' ' || sep != '='
	case '"', '\'':
		return s[n+1] == ':' || s[n+1] == '='
	}
	return false
}

// nextKnown reports whether the next word is a known name with a value.
func nextKnown(s string) bool {
	n := 0
	for n < len(s) && n < longestName && isNameByte(s[n]) {
		n++
	}
	if n < 4 || n+1 >= len(s) || s[n] != ':' && s[n] != '=' || !strings.ContainsAny(s[:n], "-_") {
		return false
	}
	f, _ := nameOf(s[:n])
	return f != noField
}

// unescape undoes the escapes of string literals, which are much the same
// everywhere. What it does not know stays as it is.
func unescape(s string) string {
	var b strings.Builder
	for i := 0; i < len(s); i++ {
		if s[i] != '\\' || i+1 == len(s) {
			b.WriteByte(s[i])
			continue
		}
		i++
		switch s[i] {
		case 'n':
			b.WriteByte('\n')
		case 'r':
			b.WriteByte('\r')
		case 't':
			b.WriteByte('\t')
		case 'u':
			if n, err := strconv.ParseUint(s[i+1:min(len(s), i+5)], 16, 32); err == nil && i+5 <= len(s) {
				b.WriteRune(rune(n))
				i += 4
				continue
			}
			b.WriteString(`\u`)
		case '"', '\'', '\\', '/', '`':
			b.WriteByte(s[i])
		default:
			_, n := utf8.DecodeRuneInString(s[i:])
			b.WriteString(s[i-1 : i+n])
			i += n - 1
		}
	}
	return b.String()
}
