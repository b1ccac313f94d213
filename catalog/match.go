package catalog

import (
	"slices"
	"strings"
)

// Param is a part of a message that varies, such as the name of a header.
type Param struct {
	Name, Value string
}

// Match is what [MatchText] found.
type Match struct {
	Entry Entry
	// Params are the varying parts in the order of the message, white space
	// and, where the message quotes them, quotes removed. Nil where there
	// are none.
	Params []Param
	// Appended is text behind the known message that the message does not
	// foresee.
	Appended string
	// Marked says that the row has a Mark and that the headers fulfil it.
	Marked bool
}

// Reached says whether the backend got the request: what the row says, or no
// where the reason in the message is one that the row lists as not sent. Of a
// failed backend connection (D504CO) a connect timeout and a missing pooled
// connection mean no.
// https://help.aliyun.com/en/api-gateway/traditional-api-gateway/support/troubleshooting-d504co-error-codes
func (m Match) Reached() Reached {
	if len(m.Params) > 0 && m.Entry.meansNotSent(m.Params[0].Value) {
		return ReachedNo
	}
	return m.Entry.Reached
}

// meansNotSent reports whether a reason of the row says that nothing was sent,
// and nothing else: further words may say that something was.
func (e *Entry) meansNotSent(reason string) bool {
	return slices.ContainsFunc(list(e.notSent), func(known string) bool {
		before, name, _, _ := cutParam(known)
		n := prefixFold(reason, before)
		if n < 0 {
			return false
		}
		rest := trim(reason[n:])
		if name == "" {
			return rest == ""
		}
		return rest != "" && !strings.ContainsAny(rest, " \t,;")
	})
}

// MatchText returns the row whose message, or an alias of it, text is or begins
// with. Letter case and the amount of white space do not count; further text
// may follow, but not in the middle of a word. The longest message wins. Of
// several with the same words, the one that has the status wins (0 if it is not
// known), then the one in the same letter case, then the one that accounts for
// the whole text, then the one whose text comes in a header, then the earlier
// row.
//
// A message that begins with a parameter ("${Resource} not found") is not
// matched: any text of an API provider could look like it.
//
// The cost grows with the length of the longest message, not with the number
// of rows.
func MatchText(text string, status int) (Match, bool) {
	return embedded().patterns.match(text, status, "")
}

// MatchEntry fits text to the messages of one row, as [MatchText] does to all.
// A reason that the row lists fits without the words around it, too.
func MatchEntry(e Entry, text string) (Match, bool) {
	m, ok := embedded().patterns.match(text, e.Status, e.ID)
	if reason := strings.Trim(text, quotes+" \t"); !ok && e.meansNotSent(reason) {
		return Match{Entry: e, Params: []Param{{Name: "Reason", Value: reason}}}, true
	}
	return m, ok
}

// Quoted parameters come in backticks on most pages and in single quotes on
// others.
const quotes = "`'\""

// pattern is one message or alias: a literal prefix, then parameters, each
// followed by a literal that may be empty.
type pattern struct {
	entry    *Entry
	prefix   string // in its own letter case
	params   []param
	bodyOnly bool // no X-Ca header has this text
}

type param struct {
	name   string
	quoted bool
	after  string // trimmed; empty behind the last parameter mostly
}

// patterns finds candidates by their folded prefix. Prefixes longer than
// maxPrefix do not occur; the tests hold the table to it.
type patterns struct {
	byPrefix map[string][]pattern
	longest  int
	lengths  [maxPrefix + 1]bool // which prefix lengths occur
}

const maxPrefix = 127

func newPatterns(entries []Entry) patterns {
	p := patterns{byPrefix: make(map[string][]pattern)}
	for i := range entries {
		e := &entries[i]
		if e.Place == PlaceNowhere || isJSON(e.Message) {
			continue
		}
		own := parsePattern(e, e.Message)
		p.add(own)
		for _, alias := range e.Aliases() {
			pat := parsePattern(e, alias)
			// An alias that spells a parameter out would hide the parameter.
			if n := prefixFold(alias, own.prefix); n >= 0 && len(own.params) > 0 && len(pat.params) == 0 {
				if _, whole, ok := own.match(alias[n:]); ok && whole {
					continue
				}
			}
			p.add(pat)
		}
	}
	return p
}

func (p *patterns) add(pat pattern) {
	var f folded
	f.fold(pat.prefix)
	if f.n == 0 {
		return
	}
	key := string(f.text[:f.n])
	for i, other := range p.byPrefix[key] {
		if other.entry == pat.entry && len(other.params) == len(pat.params) {
			for j := range pat.params { // the same words, other quotes
				p.byPrefix[key][i].params[j].quoted = other.params[j].quoted || pat.params[j].quoted
			}
			return
		}
	}
	p.byPrefix[key] = append(p.byPrefix[key], pat)
	p.lengths[f.n] = true
	p.longest = max(p.longest, f.n)
}

// parsePattern splits a message such as "Header `${HeaderName}` is Required".
func parsePattern(e *Entry, message string) pattern {
	pat := pattern{entry: e, bodyOnly: e.Place != PlaceHeader}
	parts := parseTemplate(message)
	if len(parts) == 0 || parts[0].name == "" {
		pat.prefix = strings.TrimSpace(message)
		return pat
	}
	for i, p := range parts {
		// Quotes beside a parameter belong to it.
		text := strings.TrimSpace(strings.Trim(strings.TrimSpace(p.before), quotes))
		if i == 0 {
			pat.prefix = text
		} else {
			pat.params[i-1].after = text
		}
		if p.name != "" {
			quoted := p.before != "" && strings.IndexByte(quotes, p.before[len(p.before)-1]) >= 0
			pat.params = append(pat.params, param{name: p.name, quoted: quoted})
		}
	}
	return pat
}

// folded is the beginning of a text in lower case, runs of white space as one
// blank, with the place in the text where each byte ends.
type folded struct {
	n    int
	text [maxPrefix + 1]byte
	end  [maxPrefix + 1]int32
}

func (f *folded) fold(s string) {
	blank := true // drops leading white space
	f.n = 0
	for i := 0; i < len(s) && i < 8*maxPrefix && f.n < len(f.text); i++ {
		c := s[i]
		if isBlank(rune(c)) {
			if blank {
				continue
			}
			c = ' '
		}
		c, blank = lower(c), c == ' '

		f.text[f.n], f.end[f.n] = c, int32(i+1)
		f.n++
	}
	for f.n > 0 && f.text[f.n-1] == ' ' {
		f.n--
	}
}

// match looks for the row of text, or fits it to the row with the ID only if
// that is not empty.
func (p *patterns) match(text string, status int, only string) (Match, bool) {
	var f folded
	f.fold(text)
	for n := min(f.n, p.longest); n > 0; n-- {
		if !p.lengths[n] || n < f.n && isWord(f.text[n-1]) && isWord(f.text[n]) {
			continue
		}
		candidates := p.byPrefix[string(f.text[:n])]
		var best Match
		var bestRank rank
		for i := range candidates {
			c := &candidates[i]
			if only != "" && c.entry.ID != only {
				continue
			}
			m, whole, ok := c.match(text[f.end[n-1]:])
			if !ok {
				continue
			}
			r := rank{
				sameCase:   strings.HasPrefix(trim(text), c.prefix),
				whole:      whole,
				header:     !c.bodyOnly,
				sameStatus: c.entry.HasStatus(status),
			}
			if best.Entry.ID == "" || r.better(bestRank) {
				best, bestRank = m, r
			}
		}
		if best.Entry.ID != "" {
			return best, true
		}
	}
	return Match{}, false
}

// rank orders candidates with the same words, most telling field first.
type rank struct {
	sameStatus, sameCase, whole, header bool
}

// better reports whether r ranks above s. At a tie the earlier row stays.
func (r rank) better(s rank) bool {
	switch {
	case r.sameStatus != s.sameStatus:
		return r.sameStatus
	case r.sameCase != s.sameCase:
		return r.sameCase
	case r.whole != s.whole:
		return r.whole
	}
	return r.header && !s.header
}

// match fits what follows the prefix to the pattern. whole reports that the
// pattern accounts for all of it.
func (p *pattern) match(tail string) (m Match, whole, ok bool) {
	m.Entry = *p.entry
	tail = trim(tail)
	if len(p.params) > 0 {
		m.Params = make([]Param, len(p.params))
	}
	for i, prm := range p.params {
		var value string
		value, tail, ok = prm.cut(tail, i == len(p.params)-1)
		if !ok {
			return Match{}, false, false
		}
		m.Params[i] = Param{Name: prm.name, Value: value}
	}
	m.Appended = tail
	return m, tail == "" && (len(m.Params) == 0 || m.Params[0].Value != ""), true
}

// cut takes the value from the beginning of tail.
func (p param) cut(tail string, last bool) (value, rest string, ok bool) {
	switch {
	case p.quoted && tail != "" && strings.IndexByte(quotes, tail[0]) >= 0:
		end, next := p.closingQuote(tail, last)
		if end < 0 { // cut short on the way
			return trim(tail[1:]), "", p.after == ""
		}
		value, rest = tail[1:end], tail[next:]
	case p.after != "":
		i, n := indexFold(tail, p.after)
		if i < 0 {
			return "", "", false
		}
		value, rest = tail[:i], tail[i+n:]
	case last:
		value = tail
	default:
		value, rest, _ = strings.Cut(tail, " ")
	}
	return trim(value), trim(rest), true
}

// closingQuote returns the place of the quote that ends the value, -1 where
// there is none, and the place behind what must follow it. Where nothing must
// follow, the last quote counts, since the value may hold quotes itself.
func (p param) closingQuote(tail string, last bool) (end, next int) {
	if last && p.after == "" {
		if i := strings.LastIndexByte(tail, tail[0]); i > 0 {
			return i, i + 1
		}
		return -1, 0
	}
	for i := 1; i < len(tail); i++ {
		if tail[i] != tail[0] {
			continue
		}
		rest := trim(tail[i+1:])
		if n := prefixFold(rest, p.after); n >= 0 {
			return i, len(tail) - len(strings.TrimLeftFunc(tail[i+1:], isBlank)) + n
		}
	}
	return -1, 0
}

func isBlank(r rune) bool { return r <= ' ' || r == 0x7f }

func trim(s string) string { return strings.TrimFunc(s, isBlank) }

// prefixFold returns the length of the beginning of s that is prefix, without
// regard to letter case and amount of white space, or -1.
func prefixFold(s, prefix string) int {
	n := 0
	for i := 0; i < len(prefix); i++ {
		switch {
		case n == len(s):
			return -1
		case prefix[i] == ' ' && isBlank(rune(s[n])):
			for n < len(s) && isBlank(rune(s[n])) {
				n++
			}
		case lower(prefix[i]) == lower(s[n]):
			n++
		default:
			return -1
		}
	}
	return n
}

// indexFold returns where sub begins in s, and how many bytes it takes there,
// in the sense of prefixFold, or -1.
func indexFold(s, sub string) (at, n int) {
	for i := range len(s) {
		if n := prefixFold(s[i:], sub); n >= 0 {
			return i, n
		}
	}
	return -1, 0
}

func lower(c byte) byte {
	if c >= 'A' && c <= 'Z' {
		c += 'a' - 'A'
	}
	return c
}
