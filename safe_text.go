package apigw

import (
	"errors"
	"net/url"
	"strings"
	"unicode"
)

// cutQueries shortens "?a=b&c=d" to "?…", and drops what follows the mark of a
// string to sign.
func cutQueries(s string) string {
	if len(s) > 4096 {
		s = s[:4096]
	}
	const mark = "stringtosign"
	for i := 0; i+len(mark) <= len(s); i++ {
		if strings.EqualFold(s[i:i+len(mark)], mark) {
			s = s[:i+len(mark)] + "…"
			break
		}
	}
	for at := 0; ; {
		i := strings.IndexByte(s[at:], '?')
		if i < 0 {
			return s
		}
		at += i + 1
		end := strings.IndexAny(s[at:], " \t\r\n")
		if end < 0 {
			end = len(s) - at
		}
		if end > 0 {
			s = s[:at] + "…" + s[at+end:]
		}
	}
}

// clean makes s printable on one line and at most limit characters long.
func clean(s string, limit int) string {
	plain := len(s) <= limit
	for i := 0; plain && i < len(s); i++ {
		plain = s[i] >= ' ' && s[i] < 0x7f
	}
	if plain {
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

// safeText is err's text without the query strings of URLs. A *url.Error in
// the chain names the whole URL, so only what it wraps is told.
func safeText(err error) string {
	var u *url.Error
	if errors.As(err, &u) && u.Err != nil {
		err = u.Err
	}
	return clean(cutQueries(err.Error()), 400)
}
