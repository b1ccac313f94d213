package signer

import (
	"net/http"
	"net/textproto"
	"strings"
)

// SDKs write header keys that are not in Go's canonical form, such as
// "content-type" or "Content-MD5". net/http sends them as they are, so a
// look-up by Header.Get would miss what is on the wire. Everything here finds
// a header in any letter case.

// sameName compares the names of two headers or hosts. Letter case is that of
// ASCII alone: strings.EqualFold also equates letters, such as the two small
// sigmas, that make different hosts.
func sameName(a, b string) bool {
	if len(a) != len(b) {
		return false
	}
	for i := range len(a) {
		if lower(a[i]) != lower(b[i]) {
			return false
		}
	}
	return true
}

func lower(c byte) byte {
	if 'A' <= c && c <= 'Z' {
		c += 'a' - 'A'
	}
	return c
}

// lookup returns the first value of a header and the number of its values over
// all spellings. The canonical spelling comes first, then the others in order.
func lookup(h http.Header, name string) (value string, n int) {
	found := ""
	for key, values := range h {
		if len(values) == 0 || !sameName(key, name) {
			continue
		}
		n += len(values)
		if found == "" || precedes(key, found) {
			found, value = key, values[0]
		}
	}
	return value, n
}

// precedes orders two spellings of one name.
func precedes(a, b string) bool {
	if canonical := http.CanonicalHeaderKey(a); a == canonical || b == canonical {
		return a == canonical
	}
	return a < b
}

// headerText returns the text of a header as it goes into the string to sign.
func headerText(h http.Header, name string, rules Rules) string {
	value, n := lookup(h, name)
	if n > 1 && rules.Higress {
		// Envoy hands a repeated header over as one, joined by commas.
		var all []string
		for _, v := range h[http.CanonicalHeaderKey(name)] {
			all = append(all, trim(v))
		}
		if len(all) == n {
			return strings.Join(all, ",")
		}
	}
	return trim(value)
}

// trim removes what net/http removes when it writes a value in HTTP/1.
func trim(s string) string { return textproto.TrimString(s) }

// remove deletes a header in every spelling.
func remove(h http.Header, name string) {
	for key := range h {
		if sameName(key, name) {
			delete(h, key)
		}
	}
}

// isForm reports whether a Content-Type announces a URL-encoded form. The
// documented rule is "starts with", so a charset may follow; multipart forms
// do not count.
func isForm(contentType string) bool {
	return hasPrefixFold(contentType, "application/x-www-form-urlencoded")
}

func hasPrefixFold(s, prefix string) bool {
	return len(s) >= len(prefix) && sameName(s[:len(prefix)], prefix)
}
