package signer

import (
	"net/url"
	"strings"
)

// What people build wrongly is first of all the shape of the string. shape
// undoes the known mistakes one after the other, so that lines can be compared,
// and says which they were.
type shape struct {
	text     string // the client's, as far as it is repaired
	server   string // the gateway's, with "#" for line breaks
	breaks   int    // line breaks that a string for this request has
	findings []Finding
}

func (s *shape) found(code string) {
	s.findings = append(s.findings, Finding{Code: code, Part: PartWhole})
}

// repair returns the client's string in the shape of a string to sign.
func repair(signed, server string, breaks int) (string, []Finding) {
	s := &shape{text: signed, server: server, breaks: breaks}
	if s.right() {
		return s.text, nil
	}
	s.edges()
	s.lineBreaks()
	s.ends()
	s.marks()
	s.pathOnHeader()
	s.padding()
	s.doubled()
	return s.text, s.findings
}

// right reports whether the string is equal, or begins like one and has enough
// line breaks.
func (s *shape) right() bool {
	return strings.Count(s.text, "\n") >= s.breaks && strings.ReplaceAll(s.text, "\n", "#") == s.server
}

// edges takes off what stands around the string.
func (s *shape) edges() {
	if rest, ok := strings.CutPrefix(s.text, "\ufeff"); ok {
		s.text = rest
		s.found("byte-order-mark")
	}
	for _, quote := range []string{`"`, "'", "`"} {
		text := strings.TrimRight(s.text, "\r\n")
		if len(text) > 1 && text[:1] == quote && strings.HasSuffix(text, quote) && !strings.HasPrefix(s.server, quote) {
			s.text = text[1 : len(text)-1]
			s.found("quoted")
		}
	}
}

// lineBreaks makes line breaks of what stands in their place.
func (s *shape) lineBreaks() {
	for _, try := range [...]struct{ code, old string }{
		{"crlf", "\r\n"}, {"carriage-return", "\r"},
		{"backslash-n", `\r\n`}, {"backslash-n", `\n`}, {"backslash-n", "/n"},
		{"other-separator", "<br>"}, {"other-separator", "<br/>"}, {"other-separator", "\u2028"},
	} {
		few := strings.Count(s.text, "\n") < s.breaks
		there := strings.Contains(beforePath(s.text), try.old) && !strings.Contains(s.server, try.old)
		if there && (few || try.old == "\r\n") {
			s.text = strings.ReplaceAll(s.text, try.old, "\n")
			s.found(try.code)
		}
	}
	if upper := strings.ToUpper(s.text); strings.Contains(upper, "%0A") && !strings.Contains(s.text, "\n") {
		if text, err := url.QueryUnescape(s.text); err == nil {
			s.text = strings.ReplaceAll(text, "\r\n", "\n")
			s.found("encoded-string")
		}
	}
	if strings.Count(s.text, "\n") < s.breaks && strings.Contains(beforePath(s.text), "#") && s.hashed() {
		s.text = strings.ReplaceAll(s.text, "#", "\n")
		s.found("hash-for-newline")
	}
	if !strings.Contains(s.text, "\n") {
		s.separators()
	}
}

// hashed reports whether "#" separates lines, and is not part of a value in a
// string that has other separators.
func (s *shape) hashed() bool {
	method, _, _ := strings.Cut(s.server, "#")
	after, ok := cutPrefixFold(strings.TrimSpace(s.text), method)
	return strings.Contains(s.text, "\n") || ok && strings.HasPrefix(after, "#")
}

// beforePath is the string without path and parameters, whose values can hold
// anything.
func beforePath(text string) string {
	if i := strings.Index(text, "\n/"); i >= 0 {
		return text[:i+1]
	}
	return text
}

// separators finds what separates the lines of a string without line breaks.
func (s *shape) separators() {
	method, _, _ := strings.Cut(s.server, "#")
	after, ok := cutPrefixFold(s.text, method)
	if !ok || after == "" || s.breaks == 0 {
		return
	}
	if sep := after[:1]; strings.Contains("|,;&\t +\x00", sep) && strings.Count(after, sep) >= s.breaks {
		s.text = strings.ReplaceAll(s.text, sep, "\n")
		s.found("other-separator")
		return
	}
	s.text = unbroken(s.text, strings.Split(s.server, "#"))
	s.found("no-line-breaks")
}

// ends takes off line breaks at the ends.
func (s *shape) ends() {
	method, _, _ := strings.Cut(s.server, "#")
	if text := strings.TrimLeft(s.text, " \t\r\n"); text != s.text && hasPrefixFold(text, method) {
		s.text = text
		s.found("newline-at-start")
	}
	if text := strings.TrimRight(s.text, "\r\n"); text != s.text && !strings.HasSuffix(s.server, "#") {
		// A string that ends in Date or before has empty lines there.
		if last := text[strings.LastIndexByte(text, '\n')+1:]; isPath(last) || isURL(last) {
			s.text = text
			s.found("newline-at-end")
		}
	}
}

// marks restores "?", "&" and "=", which an encoder of JSON or a Chinese keyboard
// writes otherwise, and takes off those that nothing follows.
func (s *shape) marks() {
	for _, try := range [...]struct {
		code     string
		replacer *strings.Replacer
	}{
		{"json-escapes", strings.NewReplacer(
			`\u0026`, "&", `\u003d`, "=", `\u003D`, "=", `\u003c`, "<", `\u003e`, ">")},
		{"full-width", strings.NewReplacer("？", "?", "＆", "&", "＝", "=", "：", ":")},
	} {
		text := try.replacer.Replace(s.text)
		if text != s.text && try.replacer.Replace(s.server) == s.server {
			s.text = text
			s.found(try.code)
		}
	}
	last := s.text[strings.LastIndexByte(s.text, '\n')+1:]
	if text := strings.TrimRight(s.text, "?&"); isPath(last) && text != s.text &&
		!strings.HasSuffix(s.server, s.text[len(text):]) {
		s.text = text
		s.found("query-mark-at-end")
	}
}

// pathOnHeader puts the line break in that is left out before the path.
func (s *shape) pathOnHeader() {
	_, path, ok := strings.Cut(s.server, "#/")
	header, same := strings.CutSuffix(s.text[strings.LastIndexByte(s.text, '\n')+1:], "/"+path)
	if ok && same && header != "" && strings.Contains(s.server, "#"+header+"#/"+path) {
		s.text = strings.TrimSuffix(s.text, "/"+path) + "\n/" + path
		s.found("path-on-header-line")
	}
}

// padding takes off the blanks around lines, if most of them have some.
func (s *shape) padding() {
	lines := strings.Split(s.text, "\n")
	padded, full := 0, 0
	for i, line := range lines {
		text := strings.Trim(line, " \t")
		if text != "" && i > 0 {
			full++
		}
		if text != line && i > 0 {
			padded++
		}
	}
	if padded < 2 || 2*padded < full {
		return
	}
	for i := range lines {
		lines[i] = strings.Trim(lines[i], " \t")
	}
	s.text = strings.Join(lines, "\n")
	s.found("lines-padded")
}

// doubled undoes doubled line breaks.
func (s *shape) doubled() {
	head := beforePath(s.text)
	half := strings.ReplaceAll(head, "\n\n", "\n")
	if strings.Count(head, "\n") >= 2*s.breaks && 2*strings.Count(half, "\n") == strings.Count(head, "\n") {
		s.text = half + s.text[len(head):]
		s.found("line-breaks-doubled")
	}
}

// cutPrefixFold is strings.CutPrefix for any letter case of ASCII.
func cutPrefixFold(s, prefix string) (string, bool) {
	if !hasPrefixFold(s, prefix) {
		return s, false
	}
	return s[len(prefix):], true
}

// otherScheme reports whether a string is that of another product's signature.
func otherScheme(signed string) bool {
	for _, prefix := range []string{"GET&%2F", "POST&%2F", "PUT&%2F", "AWS4-", "ACS3-", "HMAC-SHA", "eyJ"} {
		if strings.HasPrefix(signed, prefix) {
			return true
		}
	}
	return false
}

// unbroken puts line breaks into a string that was written without, as far as it
// agrees with the lines of the other one. Older gateways leave them out of their
// message, and some clients out of what they sign.
func unbroken(text string, lines []string) string {
	if len(text) > maxShortText || len(lines) > maxLines/4 {
		return text
	}
	var out []string
	for i, line := range lines[:max(len(lines)-1, 0)] {
		taken := 0 // bytes of text that are this line
		if hasPrefixFold(text, line) {
			taken = len(line)
		}
		extra := nextLine(text[taken:], lines[i+1:])
		switch _, header := headerName(text[taken : taken+extra]); {
		case extra == 0, i == 0:
			out, text = append(out, text[:taken]), text[taken:]
		case header && line != "" && taken > 0: // a line that the other one does not have
			out, text = append(out, text[:taken], text[taken:taken+extra]), text[taken+extra:]
		default:
			out, text = append(out, text[:taken+extra]), text[taken+extra:]
		}
	}
	return strings.Join(append(out, text), "\n")
}

// nextLine returns where the next line begins that text has, 0 for none: a
// header by its name, the path by its slash, any other line by all of it.
func nextLine(text string, lines []string) int {
	for i, line := range lines {
		name, header := headerName(line)
		switch {
		case header:
			line = name + ":"
		case i == len(lines)-1 && !strings.Contains(text, line):
			line = "/"
		}
		if at := strings.Index(text, line); at >= 0 && line != "" {
			return at
		}
	}
	return 0
}

func headerName(line string) (name string, ok bool) {
	name, _, ok = strings.Cut(line, ":")
	return name, ok && isToken(name)
}
