package report

import (
	"net/http"
	"strconv"
	"strings"
	"unicode"
)

// statusLine finds "HTTP/1.1 403 Forbidden" in a line that ends with it, and
// says where it begins. What stands before is how a program marks its lines:
// "< " of curl, "> " of a mail, a container's name, a time.
func statusLine(line string) (at, status int, ok bool) {
	for from := 0; ; {
		i := strings.IndexByte(line[from:], '/')
		if i < 0 {
			return 0, 0, false
		}
		slash := from + i
		from = slash + 1
		if slash < 4 || !strings.EqualFold(line[slash-4:slash], "HTTP") || slash > 4 && isNameByte(line[slash-5]) {
			continue
		}
		rest := strings.TrimLeft(line[from:], "0123.")
		if len(rest) == len(line[from:]) || !strings.HasPrefix(rest, " ") {
			continue
		}
		rest = strings.TrimLeft(rest, " ")
		if len(rest) < 3 || len(rest) > 3 && isNameByte(rest[3]) {
			continue
		}
		n, err := strconv.Atoi(rest[:3])
		if err != nil || n < 100 || !isPhrase(rest[3:]) {
			continue
		}
		return slash - 4, n, true
	}
}

// isPhrase reports whether s can be a reason phrase, and nothing else is in it.
func isPhrase(s string) bool {
	s = wireText(s)
	return len(s) < 64 && !strings.ContainsAny(s, ":={}[]\\\"<>|")
}

// wireText cuts off how a log writes the end of a line: [\r][\n]", \r\n'.
func wireText(s string) string {
	for _, end := range []string{`[\r]`, `[\n]`, `\r`, `\n`} {
		if i := strings.Index(s, end); i >= 0 {
			s = s[:i]
		}
	}
	return s
}

// cutPrefix cuts the mark off that the line of the status had. Digits stand for
// digits, so that a time may go on; blanks at the end of a line may be gone.
func cutPrefix(line, prefix string) (rest string, ok bool) {
	for i := range len(prefix) {
		if i == len(line) {
			return "", strings.TrimLeft(prefix[i:], " ") == ""
		}
		if line[i] != prefix[i] && !(isDigit(line[i]) && isDigit(prefix[i])) {
			return "", false
		}
	}
	return line[len(prefix):], true
}

// headLines are the lines of one head.
type headLines struct {
	page   *page
	prefix string
	status int
	answer Answer
	next   int  // the line behind the head, blank line included
	blank  bool // the blank line was there
}

// mostForeign bounds how many lines of others may stand within a head, as in
// the common log of several containers.
const mostForeign = 64

// readHead reads the head whose status line begins at column at of line i. It is
// false where neither a header nor a blank line follows: a status line within
// other text.
func readHead(p *page, i, at int) (h *headLines, ok bool) {
	line := p.line(i)
	from, status, ok := statusLine(line[at:])
	if !ok {
		return nil, false
	}
	h = &headLines{page: p, status: status, next: i + 1}
	if at == 0 {
		h.prefix = line[:from]
	}
	h.answer.Header = make(http.Header)
	h.answer.put(found{field: statusField, status: status, value: strconv.Itoa(status),
		offset: p.lines[i].start + at + from, strength: header})
	latest, foreign := "", 0
	for j := i + 1; j < len(p.lines) && !h.blank; j++ {
		rest, mine := cutPrefix(p.line(j), h.prefix)
		if !mine {
			if foreign++; foreign > mostForeign {
				break
			}
			continue
		}
		offset := p.end(j) - len(rest)
		rest = wireText(rest)
		trimmed := strings.TrimSpace(rest)
		switch {
		case trimmed == "" || trimmed == `"`:
			h.blank = true
		case latest != "" && (rest[0] == ' ' || rest[0] == '\t') && at == 0: // RFC 9112, section 5.2
			h.fold(latest, trimmed)
		default:
			name, value, isHeader := strings.Cut(trimmed, ":")
			name = strings.TrimSpace(name)
			if !isHeader || !isToken(name) {
				if latest == "" || strings.HasPrefix(trimmed, "```") || isPrompt(trimmed) {
					return h, latest != ""
				}
				if foreign++; foreign > 3 {
					return h, true
				}
				continue
			}
			latest = http.CanonicalHeaderKey(name)
			h.header(latest, strings.Trim(value, " \t\""), offset)
		}
		h.next, foreign = j+1, 0
	}
	h.answer.Whole = latest != "" || h.blank
	return h, h.answer.Whole
}

// header puts a header into the answer.
func (h *headLines) header(name, value string, offset int) {
	f := found{field: headerField, name: name, value: value, offset: offset, strength: header}
	switch name {
	case nameCode:
		f.field = codeField
		if c := leadingCode(value); c != "" && len(c) == len(value) {
			f.value = c
		}
	case nameMessage:
		f.field = messageField
	case nameRequestID:
		f.field = requestIDField
	}
	if value != "" {
		h.answer.put(f)
	}
}

// maxFolded bounds a header in several lines. Each line copies those before it,
// so that a megabyte of them would take minutes.
const maxFolded = 8 << 10

func (h *headLines) fold(name, more string) {
	values := h.answer.Header[name]
	if len(values) == 0 {
		h.header(name, more, h.page.lines[h.next-1].start)
		return
	}
	if last := &values[len(values)-1]; len(*last) < maxFolded {
		*last += " " + more
	}
}

// isToken reports whether s can be the name of a header (RFC 9110 section
// 5.6.2).
func isToken(s string) bool {
	for i := range len(s) {
		if c := s[i]; c <= ' ' || c >= 0x7f || strings.IndexByte("\"(),/:;<=>?@[\\]{}", c) >= 0 {
			return false
		}
	}
	return s != ""
}

// isPrompt recognises the line in which somebody typed the next command.
func isPrompt(line string) bool {
	for _, prompt := range []string{"$ ", "% ", "# ", "❯ ", "PS "} {
		if strings.HasPrefix(line, prompt) {
			return true
		}
	}
	return strings.Contains(line, "$ curl ") || strings.Contains(line, "# curl ") ||
		strings.Contains(line, "% curl ") || strings.HasPrefix(line, "curl ")
}

// superseded reports whether another head follows this one in the same call:
// an interim answer, a proxy's, a redirect, the question for a password.
func (h *headLines) superseded() bool {
	switch {
	case h.status < 200, h.status/100 == 3 && h.status != http.StatusNotModified:
		return true
	case h.status == http.StatusOK:
		return len(h.answer.Header) == 0 // "Connection established"
	case h.status == http.StatusUnauthorized || h.status == http.StatusProxyAuthRequired:
		scheme, _, _ := strings.Cut(h.answer.Header.Get("Www-Authenticate")+h.answer.Header.Get("Proxy-Authenticate"),
			" ")
		return strings.EqualFold(scheme, "Digest") || strings.EqualFold(scheme, "NTLM") ||
			strings.EqualFold(scheme, "Negotiate")
	}
	return false
}

// bodyless reports whether no body can follow.
func (h *headLines) bodyless() bool {
	return h.status < 200 || h.status == http.StatusNoContent || h.status == http.StatusNotModified ||
		h.answer.Header.Get("Content-Length") == "0"
}

// isVerbose reports whether the mark of the lines is that of "curl -v", which
// marks what was received, and leaves bodies unmarked.
func (h *headLines) isVerbose() bool { return strings.HasSuffix(strings.TrimRight(h.prefix, " "), "<") }

// marksEveryLine reports whether a log marks its lines with more than a mail
// does, so that each status line is an event and not a part of a body.
func (h *headLines) marksEveryLine() bool {
	return strings.ContainsFunc(h.prefix, func(r rune) bool { return unicode.IsLetter(r) || unicode.IsDigit(r) })
}
