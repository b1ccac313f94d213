package redact

import (
	"errors"
	"html"
	"net/url"
	"slices"
	"strings"
)

// A value is looked for if it has at least minLength characters: shorter ones
// stand in every other word. Below wholeLength it counts as a word of its own
// only, so that "test" does not tear "contest" apart.
const (
	minLength   = 4
	wholeLength = 8
)

// maxValues bounds the work. With more, no text can be checked, and none is
// shown.
const maxValues = 4096

// window is how much of a text is looked at. What follows is not shown: a
// server may send megabytes.
const window = 4096

// Withheld is shown where a text cannot be checked.
const Withheld = "(withheld)"

// Masker replaces secrets in texts. A nil Masker knows none; it still removes
// queries, passwords in URLs, strings to sign and control characters. It is
// safe for concurrent use.
type Masker struct {
	byFirst map[byte][]string // lower-cased, longest first, by their first byte
	tooMany bool
}

// Masker takes the collected values apart.
func (s Secrets) Masker() *Masker {
	if len(s.values) == 0 {
		return nil
	}
	m := &Masker{byFirst: map[byte][]string{}}
	seen := map[string]bool{}
	add := func(text string) {
		text = strings.TrimSpace(text)
		if len(text) < minLength || m.tooMany {
			return
		}
		for _, form := range [...]string{text, url.QueryEscape(text), url.PathEscape(text), html.EscapeString(text)} {
			form = lower(form)
			if seen[form] {
				continue
			}
			seen[form] = true
			m.byFirst[form[0]] = append(m.byFirst[form[0]], form)
		}
		m.tooMany = len(seen) > maxValues
	}
	for _, v := range s.values {
		v.expand(add)
	}
	for _, values := range m.byFirst {
		slices.SortFunc(values, func(a, b string) int { return len(b) - len(a) })
	}
	return m
}

// Text makes a text from the wire fit for one line of a log: secrets, queries
// and strings to sign are taken out, the rest is printable and at most limit
// characters long.
func (m *Masker) Text(s string, limit int) string {
	s, cut := cutWindow(s)
	s, ok := m.mask(s, cut)
	if !ok {
		return Withheld
	}
	return Line(cutPasswords(cutQueries(cutStringToSign(s))), limit)
}

// Body takes the secrets out of a whole body. Nothing else is changed.
func (m *Masker) Body(s string) string {
	masked, ok := m.mask(s, false)
	if !ok {
		return Withheld
	}
	return masked
}

// Code returns a code of the gateway as it may be shown: the six characters of
// one. Whatever else stands there is not shown, "" then.
func (m *Masker) Code(s string) string {
	if len(s) != 6 || m.holds(s) {
		return ""
	}
	for i := range len(s) {
		if !isAlphanumeric(s[i]) {
			return ""
		}
	}
	return s
}

// RequestID returns a request id as it may be shown: letters, digits and marks,
// at most 64 of them. Whatever else stands there is not shown, "" then.
func (m *Masker) RequestID(s string) string {
	if len(s) > 64 || m.holds(s) {
		return ""
	}
	for i := range len(s) {
		if !isAlphanumeric(s[i]) && !strings.ContainsRune("-_.:/", rune(s[i])) {
			return ""
		}
	}
	return s
}

// Err returns the text of an error as it may be shown, "" for nil. A *url.Error
// names the whole URL, so only what it wraps counts. What an error quotes is left
// out: net/http and HTTP/2 quote the answers that they cannot read, and a server
// can echo there what only a signer below knows.
func (m *Masker) Err(err error, limit int) string {
	if err == nil {
		return ""
	}
	text, _ := cutWindow(belowURL(err).Error())
	return m.Text(cutQuoted(cutMalformed(text)), limit)
}

// belowURL returns what the first *url.Error in the chain wraps, or err. An error
// that wraps itself has no end, so it looks a limited way down.
func belowURL(err error) error {
	for e, depth := err, 0; e != nil && depth < 100; e, depth = errors.Unwrap(e), depth+1 {
		if u, ok := e.(*url.Error); ok && u.Err != nil {
			return u.Err
		}
	}
	return err
}

// holds reports whether s has a secret in it.
func (m *Masker) holds(s string) bool {
	masked, ok := m.mask(s, false)
	return !ok || masked != s
}

// mask replaces every secret in s. Where s was cut, the beginning of a secret at
// its end counts as one. It returns false where there are too many to look for.
func (m *Masker) mask(s string, cut bool) (string, bool) {
	if m == nil {
		return s, true
	}
	if m.tooMany {
		return "", false
	}
	var b strings.Builder
	kept := 0
	folded := lower(s)
	for i := 0; i < len(s); {
		n := m.match(folded, i, cut)
		if n == 0 {
			i++
			continue
		}
		b.WriteString(s[kept:i])
		b.WriteString(Mask)
		i += n
		kept = i
	}
	if kept == 0 {
		return s, true
	}
	b.WriteString(s[kept:])
	return b.String(), true
}

// match returns the length of the longest secret at s[i:], 0 if there is none.
func (m *Masker) match(s string, i int, cut bool) int {
	for _, secret := range m.byFirst[s[i]] {
		rest := s[i:]
		switch {
		case strings.HasPrefix(rest, secret):
			if len(secret) >= wholeLength || isWord(s, i, i+len(secret)) {
				return len(secret)
			}
		case cut && len(rest) >= minLength && strings.HasPrefix(secret, rest):
			return len(rest)
		}
	}
	return 0
}

// isWord reports whether s[i:j] has no letter or digit right before or behind.
func isWord(s string, i, j int) bool {
	return (i == 0 || !isAlphanumeric(s[i-1])) && (j == len(s) || !isAlphanumeric(s[j]))
}

func isAlphanumeric(c byte) bool {
	return c >= '0' && c <= '9' || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z'
}

// lower folds ASCII letters only, so that positions stay as they are.
func lower(s string) string {
	i := 0
	for i < len(s) && (s[i] < 'A' || s[i] > 'Z') {
		i++
	}
	if i == len(s) {
		return s
	}
	b := []byte(s)
	for ; i < len(b); i++ {
		if b[i] >= 'A' && b[i] <= 'Z' {
			b[i] += 'a' - 'A'
		}
	}
	return string(b)
}
