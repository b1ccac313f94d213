package report

import (
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/apigw-go/apigw/catalog"
)

// This file judges what stands in a text without a name: a code, a status, a
// text of the catalog. What may as well mean something else is no clue.

// code handles a word with the shape of a code. A code of the catalog counts
// anywhere, another one only beside its status.
func (s *scanner) code(t token) {
	word := s.text[t.from:t.to]
	if t.from > 0 && strings.IndexByte("#/", s.text[t.from-1]) >= 0 || s.inURL(t.from) {
		return // a colour, a part of an address
	}
	// Six characters of this shape occur in ids and part numbers, too. What is not
	// in the catalog needs its status near it, as in a line of an access log.
	if !isKnown(word) && !s.besideStatus(t, catalog.Code(word).Status()) {
		return
	}
	s.emit(found{field: codeField, name: nameCode, value: word, offset: t.from, strength: textual})
}

// inURL reports whether a place lies in an address.
func (s *scanner) inURL(at int) bool {
	from := at
	for from > 0 && at-from < 256 && !endsURL[s.text[from-1]] {
		from--
	}
	run := s.text[from:at]
	return strings.HasPrefix(run, "/") || strings.Contains(run, "://")
}

// endsURL are the characters that stand before an address.
var endsURL = func() (set [256]bool) {
	for _, c := range []byte(" \t\n\"'`<>()[]{}|,;") {
		set[c] = true
	}
	return set
}()

// besideStatus reports whether the status of a code stands near it.
func (s *scanner) besideStatus(t token, status int) bool {
	number := fmt.Sprintf("%03d", status) // of A003XX it is 003
	near := s.text[max(0, t.from-80):t.from] + " " + s.text[t.to:min(len(s.text), t.to+40)]
	for {
		i := strings.Index(near, number)
		if i < 0 {
			return false
		}
		before, after := byte(' '), byte(' ')
		if i > 0 {
			before = near[i-1]
		}
		end := i + len(number)
		if end < len(near) {
			after = near[end]
		}
		if !isNameByte(before) && !isNameByte(after) && before != '.' && before != ':' {
			return true
		}
		near = near[end:]
	}
}

// statusWords stand before a status in sentences. What they say weighs as much as
// the word is bound to a status: "code" may be that of a process.
var statusWords = func() map[string]strength {
	words := map[string]strength{}
	for s, list := range map[strength]string{
		labelled: "http response status",
		textual:  "returned returns responded answered reply",
		weak:     "code error received got failed exception with unexpected",
	} {
		for word := range strings.FieldsSeq(list) {
			words[word] = s
		}
	}
	return words
}()

// status handles a number of three digits.
func (s *scanner) status(t token) {
	n, err := strconv.Atoi(s.text[t.from:t.to])
	if err != nil || n < 100 || n > 599 || s.request {
		return
	}
	strength := s.statusStrength(t, n)
	if strength == 0 || n < 400 && strength < textual {
		return
	}
	s.emit(found{field: statusField, status: n, value: s.text[t.from:t.to], offset: t.from, strength: strength})
}

// statusStrength looks at what stands around a number.
func (s *scanner) statusStrength(t token, n int) strength {
	before := s.text[max(0, t.from-24):t.from]
	after := s.text[t.to:min(len(s.text), t.to+48)]
	// From what is certain to what is a guess.
	if protocol := strings.TrimRight(before, " "); protocol != before && endsWithProtocol(protocol) {
		return header // "HTTP/1.1 403"
	}
	if protocol, ok := strings.CutSuffix(before, `" `); ok && endsWithProtocol(protocol) {
		return textual // "GET / HTTP/1.1" 403, a line of nginx
	}
	if strings.HasSuffix(before, "<-- ") || strings.HasSuffix(before, "<= ") || strings.HasSuffix(before, "<--- ") ||
		strings.HasSuffix(before, "-> ") {
		return textual
	}
	if phrase := strings.TrimLeft(after, " -:_,(\"'"); phrase != after && http.StatusText(n) != "" &&
		hasPrefixFold(phrase, http.StatusText(n)) {
		return textual
	}
	if s.previous.to > s.previous.from {
		word := s.text[s.previous.from:s.previous.to]
		gap := s.text[s.previous.to:t.from]
		if catalog.Code(word).Status() == n && strings.TrimSpace(gap) == "" {
			return textual // "B403MQ 403", as this library prints it
		}
		bare := len(gap) <= 6 && strings.Trim(gap, " :=([\"'<#-") == ""
		if w := statusWords[strings.ToLower(word)]; w != 0 && bare && !strings.HasSuffix(before, "exit code ") {
			return w
		}
		if f, _ := nameOf(word); f == statusField && len(gap) <= 6 && strings.Trim(gap, " :=([\"'<\n") == "" {
			return labelled
		}
		if strings.EqualFold(word, "apigw") && gap == ": " {
			return labelled
		}
	}
	// Chinese needs no blank between a word and a number.
	for _, wide := range []string{"返回", "状态码", "报", "报错", "码", "响应"} {
		if strings.HasSuffix(strings.TrimRight(before, " :："), wide) {
			return textual
		}
	}
	if isTitle(before) && strings.HasPrefix(after, " ") { // the page of a server, in its own words
		return textual
	}
	switch {
	case enclosed(before, after, '(', ')'), enclosed(before, after, '[', ']'):
		return weak
	case before == "", before[len(before)-1] == '\n',
		strings.HasSuffix(before, "xception: "), strings.HasSuffix(before, "rror: "):
		if after == "" || strings.IndexByte(" :,\n{<-", after[0]) >= 0 {
			return weak
		}
	}
	return 0
}

// isTitle reports whether a text ends with the tag of a title.
func isTitle(before string) bool {
	i := strings.LastIndexByte(before, '<')
	if i < 0 {
		return false
	}
	switch strings.ToLower(before[i:]) {
	case "<title>", "<h1>":
		return true
	}
	return false
}

func enclosed(before, after string, open, close byte) bool {
	return before != "" && after != "" && before[len(before)-1] == open && after[0] == close
}

// endsWithProtocol recognises "HTTP/1.1", "http/2".
func endsWithProtocol(s string) bool {
	i := strings.LastIndexByte(s, '/')
	if i < 4 || len(s)-i > 4 || i+1 == len(s) || !strings.EqualFold(s[i-4:i], "HTTP") {
		return false
	}
	return strings.Trim(s[i+1:], "0123.") == ""
}

// known handles words that a text of the catalog begins with, text[i:i+n].
func (s *scanner) known(i, n int) (next int, ok bool) {
	if *s.budget <= 0 || s.inURL(i) {
		return 0, false
	}
	reach := 1 << 10
	if strings.HasSuffix(s.text[i:i+n], "StringToSign:") {
		reach = longestValue
	}
	*s.budget -= reach >> 10
	// Only as far as a text of the gateway goes: what is compared must be
	// short, see mostMatches.
	text := s.text[:min(len(s.text), i+reach)]
	end := i + plainEnd(window(text, i), ':', 0)
	if i > 0 && strings.IndexByte("\"'", text[i-1]) >= 0 {
		end = closingQuote(text, i, text[i-1:i])
	}
	end = max(end, i+n)
	text = s.text[i:end]
	if strings.Contains(text, `\`) {
		text = unescape(text)
	}
	m, ok := catalog.MatchText(text, 0)
	if !ok || m.Entry.Place == catalog.PlaceBody {
		return s.knownBody(i, n, end, text)
	}
	// What follows in the line is not the gateway's. The library would take it for a
	// text with additions, which proves less.
	if at := strings.LastIndex(text, m.Appended); m.Appended != "" && at > 0 {
		text, end = text[:at], min(end, i+max(at, n))
	}
	text = strings.TrimSpace(text)
	strength := s.textStrength(i, end, text)
	if strength == 0 {
		return 0, false
	}
	text = strings.Join(strings.Fields(text), " ")
	s.emit(found{field: messageField, name: nameMessage, value: text, offset: i, strength: strength})
	return end, true
}

// knownBody handles a text that stands in bodies. A body is such a text as a
// whole, so that here its end has to be found.
func (s *scanner) knownBody(i, n, end int, text string) (next int, ok bool) {
	for _, whole := range [...]string{strings.TrimRight(text, " \t.\"'"), strings.TrimSpace(text), s.text[i : i+n]} {
		m, ok := catalog.MatchBody(0, nil, whole, true)
		if !ok || m.Entry.Place != catalog.PlaceBody {
			continue
		}
		end = min(end, i+max(n, len(whole)))
		if s.textStrength(i, end, whole) < textual {
			return 0, false // two words of any program
		}
		s.emit(found{field: bodyText, value: whole, offset: i, strength: textual})
		return end, true
	}
	return 0, false
}

// textStrength judges a known text. Short ones, and those that are the reason
// phrase of a status, occur in any sentence: they need a place of their own.
func (s *scanner) textStrength(i, end int, text string) strength {
	// This library prints the text right behind the status.
	own := s.afterOwnStatus(i)
	if reasonPhrases[strings.ToLower(text)] {
		if own {
			return textual
		}
		return 0
	}
	switch {
	case own, s.labelAt == i, strings.Count(text, " ") >= 3:
		return textual
	case !s.alone(i, end):
		return 0
	case strings.Count(text, " ") == 2:
		return textual
	}
	return weak
}

// afterOwnStatus reports whether "apigw: 503 " stands before, with or without a
// code: a line that this library printed.
func (s *scanner) afterOwnStatus(i int) bool {
	words := strings.Fields(s.text[max(0, i-24):i])
	if len(words) > 0 && leadingStatus(words[len(words)-1]) != 0 {
		words = words[:len(words)-1]
		if len(words) > 0 && catalog.Code(words[len(words)-1]).Valid() {
			words = words[:len(words)-1]
		}
		return len(words) > 0 && words[len(words)-1] == "apigw:"
	}
	return false
}

// alone reports whether s.text[i:end] is set off from what stands around it.
func (s *scanner) alone(i, end int) bool {
	before := strings.TrimRight(s.text[max(0, i-8):i], " \t")
	after := strings.TrimLeft(s.text[end:min(len(s.text), end+8)], " \t")
	last, _ := utf8.DecodeLastRuneInString(before)
	first, _ := utf8.DecodeRuneInString(after)
	return (before == "" || strings.ContainsRune("\n:=\"'`>([{|,-", last) || isWide(last)) &&
		(after == "" || strings.ContainsRune("\n\"'`<)]}|,;.\\", first) || isWide(first))
}

// isWide reports whether r is a character or a mark of Chinese, Japanese or
// Korean, which need no blank before a word in Latin letters.
func isWide(r rune) bool { return r >= 0x2e80 && r != utf8.RuneError }

// reasonPhrases are the phrases of all statuses, in lower case. Where one is
// the text of a row too, the phrase alone says nothing about who spoke.
var reasonPhrases = func() map[string]bool {
	phrases := map[string]bool{}
	for n := 100; n < 600; n++ {
		if phrase := http.StatusText(n); phrase != "" {
			phrases[strings.ToLower(phrase)] = true
		}
	}
	return phrases
}()
