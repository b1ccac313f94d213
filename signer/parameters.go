package signer

import (
	"slices"
	"strings"
)

// A parameter is one decoded name and value of the query or of a form.
type parameter struct{ name, value string }

// appendPathAndParameters writes the last part of the string to sign. The
// parameters of query and form are decoded, sorted by the bytes of their names
// and written raw; the first one of a name counts.
func appendPathAndParameters(dst []byte, path, query, form string, rules Rules) []byte {
	dst = append(dst, path...)
	if query == "" && form == "" {
		return dst
	}
	var room [16]parameter // most requests have fewer: no allocation
	separator := byte('?')
	for _, p := range sortedParameters(room[:0], query, form, rules) {
		dst = append(dst, separator)
		dst = append(dst, p.name...)
		if p.value != "" || rules.higressParameters() {
			dst = append(dst, '=')
			dst = append(dst, p.value...)
		}
		separator = '&'
	}
	return dst
}

// sortedParameters appends the parameters that are signed to params.
func sortedParameters(params []parameter, query, form string, rules Rules) []parameter {
	if rules.queryFirst() {
		params = appendParameters(params, query, false, rules)
		params = appendParameters(params, form, true, rules)
	} else {
		params = appendParameters(params, form, true, rules)
		params = appendParameters(params, query, false, rules)
	}
	// The order is stable, so that the first one of a name stays the first.
	slices.SortStableFunc(params, func(a, b parameter) int { return strings.Compare(a.name, b.name) })
	return slices.CompactFunc(params, func(a, b parameter) bool { return a.name == b.name })
}

// appendParameters decodes a query or a form. Unlike url.ParseQuery it refuses
// nothing: ";" is an ordinary character and a broken escape is taken literally,
// so that client and verifier agree on every input.
func appendParameters(params []parameter, encoded string, form bool, rules Rules) []parameter {
	for encoded != "" {
		var piece string
		piece, encoded, _ = strings.Cut(encoded, "&")
		name, value, pair := strings.Cut(piece, "=")
		switch {
		case !rules.higressParameters() && piece == "":
			continue
		case !pair && (rules.higressParameters() || form && rules.RawFormNames):
			// parseParameters in Higress' http_util.cc leaves a bare name as it
			// is and counts an empty one.
		default:
			name, value = unescape(name, rules), unescape(value, rules)
		}
		params = append(params, parameter{name, value})
	}
	return params
}

// unescape decodes percent escapes and, but for Higress, "+".
func unescape(s string, rules Rules) string {
	plus := !rules.higressParameters()
	if !strings.Contains(s, "%") && !(plus && strings.Contains(s, "+")) {
		return s
	}
	return decode(s, plus, false)
}

// decode decodes percent escapes, "+" where plus says so, and not %2F and %5C
// where keepSlashes says so. A broken escape stays.
func decode(s string, plus, keepSlashes bool) string {
	if !strings.ContainsAny(s, "%+") {
		return s
	}
	var b strings.Builder
	b.Grow(len(s))
	for i := 0; i < len(s); i++ {
		switch c := s[i]; {
		case c == '+' && plus:
			b.WriteByte(' ')
		case c == '%' && i+2 < len(s) && isHex(s[i+1]) && isHex(s[i+2]):
			decoded := unhex(s[i+1])<<4 | unhex(s[i+2])
			if keepSlashes && (decoded == '/' || decoded == '\\') {
				b.WriteString(s[i : i+3])
			} else {
				b.WriteByte(decoded)
			}
			i += 2
		default:
			b.WriteByte(c)
		}
	}
	return b.String()
}

func isHex(c byte) bool {
	return '0' <= c && c <= '9' || 'a' <= c && c <= 'f' || 'A' <= c && c <= 'F'
}

func unhex(c byte) byte {
	switch {
	case c <= '9':
		return c - '0'
	case c >= 'a':
		return c - 'a' + 10
	}
	return c - 'A' + 10
}
