package redact

import (
	"cmp"
	"net/url"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Line makes s printable on one line and at most limit characters long.
func Line(s string, limit int) string {
	simple := len(s) <= limit
	for i := 0; simple && i < len(s); i++ {
		simple = s[i] >= ' ' && s[i] < 0x7f
	}
	if simple {
		return s
	}
	var b strings.Builder
	n := 0
	for _, r := range s {
		if n++; n > limit {
			b.WriteString("…")
			break
		}
		if !unicode.IsPrint(r) {
			r = unicode.ReplacementChar
		}
		b.WriteRune(r)
	}
	return b.String()
}

// Plain makes a text of this program printable, without the queries and
// passwords of URLs in it.
func Plain(s string) string { return Line(cutPasswords(cutQueries(s)), len(s)) }

// Path makes the path of a URL fit for a log: without a query or parameters
// that somebody wrote into it.
func Path(path string, limit int) string {
	if i := strings.IndexAny(path, "?#;"); i >= 0 {
		path = path[:i+1] + "…"
	}
	return Line(path, limit)
}

// URLPath is the path of a URL as it goes on the wire, "/" for none. Where
// somebody wrote a query or parameters into it, it is [Path].
func URLPath(u *url.URL, limit int) string {
	if strings.ContainsAny(u.Path, "?#;") {
		return Path(u.Path, limit)
	}
	return Line(cmp.Or(u.EscapedPath(), "/"), limit)
}

// cutWindow shortens s to the window, at the end of a character, and reports
// whether something was cut.
func cutWindow(s string) (string, bool) {
	if len(s) <= window {
		return s, false
	}
	end := window
	for end > window-utf8.UTFMax && !utf8.RuneStart(s[end]) {
		end--
	}
	return s[:end], true
}

// cutStringToSign drops what follows the mark of a string to sign: it holds
// header values and parameters.
func cutStringToSign(s string) string {
	const mark = "stringtosign"
	for i := 0; i+len(mark) <= len(s); i++ {
		if strings.EqualFold(s[i:i+len(mark)], mark) {
			return s[:i+len(mark)] + "…"
		}
	}
	return s
}

// cutQueries shortens "?a=b&c=d" to "?…".
func cutQueries(s string) string {
	var b strings.Builder
	for {
		before, rest, ok := strings.Cut(s, "?")
		b.WriteString(before)
		if !ok {
			return b.String()
		}
		b.WriteByte('?')
		end := strings.IndexAny(rest, " \t\r\n\"'`<>")
		if end < 0 {
			end = len(rest)
		}
		if end > 0 {
			b.WriteString("…")
		}
		s = rest[end:]
	}
}

// cutPasswords shortens "://user:password@host" to "://***@host".
func cutPasswords(s string) string {
	var b strings.Builder
	for {
		before, rest, ok := strings.Cut(s, "://")
		b.WriteString(before)
		if !ok {
			return b.String()
		}
		b.WriteString("://")
		authority := rest
		if end := strings.IndexAny(rest, "/ \t\r\n\"'`<>"); end >= 0 {
			authority = rest[:end]
		}
		if at := strings.LastIndexByte(authority, '@'); at >= 0 {
			b.WriteString(Mask)
			rest = rest[at:]
		}
		s = rest
	}
}

// cutMalformed drops what net/http quotes of a response that it cannot read, as
// in `malformed HTTP status code "…"`.
func cutMalformed(s string) string {
	const mark = "malformed "
	i := strings.Index(s, mark)
	if i < 0 {
		return s
	}
	open := strings.IndexAny(s[i:], "\":")
	if open < 0 {
		return s
	}
	return s[:i+open] + "…"
}

// cutQuoted shortens each "text" to "…", and an open one to its beginning. What
// net/http and HTTP/2 tell of an answer that they cannot read stands in quotes.
func cutQuoted(s string) string {
	var b strings.Builder
	for {
		before, rest, ok := strings.Cut(s, `"`)
		b.WriteString(before)
		if !ok {
			return b.String()
		}
		end := closingQuote(rest)
		if end < 0 {
			return b.String() + `"…`
		}
		if b.WriteByte('"'); end > 0 {
			b.WriteString("…")
		}
		b.WriteByte('"')
		s = rest[end+1:]
	}
}

// closingQuote returns where the quote ends that s begins in, -1 if nowhere.
func closingQuote(s string) int {
	for i := 0; i < len(s); i++ {
		switch s[i] {
		case '\\':
			i++
		case '"':
			return i
		}
	}
	return -1
}
