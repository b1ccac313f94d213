package main

import (
	"errors"
	"net/url"
	"strings"
)

// safeText is err's text on one line and without the query strings of URLs. A
// *url.Error names the whole URL, so only what it wraps is shown.
func safeText(err error) string {
	if err == nil {
		return ""
	}
	var u *url.Error
	if errors.As(err, &u) && u.Err != nil {
		err = u.Err
	}
	return printable(cutQueries(err.Error()))
}

// safeLines is safeText of an error of several lines, such as all the faults of
// a file.
func safeLines(err error) string {
	lines := strings.Split(err.Error(), "\n")
	if len(lines) == 1 {
		return safeText(err)
	}
	for i, line := range lines {
		lines[i] = printable(cutQueries(line))
	}
	return strings.Join(lines, "\n")
}

// cutQueries shortens "?a=b&c=d" to "?…".
func cutQueries(s string) string {
	var b strings.Builder
	for {
		before, query, ok := strings.Cut(s, "?")
		b.WriteString(before)
		if !ok {
			return b.String()
		}
		b.WriteByte('?')
		end := strings.IndexAny(query, " \t\r\n\"'`")
		if end < 0 {
			end = len(query)
		}
		if end > 0 {
			b.WriteString("…")
		}
		s = query[end:]
	}
}
