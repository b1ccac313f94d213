package report

import (
	"strconv"
	"strings"
)

// mostBody bounds the body that is kept: an error of the gateway is short.
const mostBody = 64 << 10

// mostWithin bounds how much of a body is searched for what looks like another
// answer.
const mostWithin = 16 << 10

// body finds the body of a head and where the text goes on: a line, and the
// column in it.
func (h *headLines) body() (body []byte, line, column int) {
	if !h.blank {
		return nil, h.next, 0
	}
	if h.bodyless() {
		return nil, h.next, 0
	}
	if h.isVerbose() {
		return h.verboseBody()
	}
	if line, column, ok := h.announcedEnd(); ok {
		return h.cut(h.next, line, column), line, column
	}
	end := h.next
	for ; end < len(h.page.lines); end++ {
		rest, mine := cutPrefix(h.page.line(end), h.prefix)
		if !mine && strings.TrimSpace(h.page.line(end)) != "" {
			break // the quotation is over
		}
		if isPrompt(rest) || strings.HasPrefix(rest, "```") {
			break
		}
		if h.superseded() || h.marksEveryLine() {
			if _, _, ok := statusLine(rest); ok {
				break
			}
		}
	}
	return h.cut(h.next, end, 0), end, 0
}

// announcedEnd is where the body ends by Content-Length, if another head
// follows right there.
func (h *headLines) announcedEnd() (line, column int, ok bool) {
	n, err := strconv.Atoi(h.answer.Header.Get("Content-Length"))
	if err != nil || n <= 0 || h.prefix != "" || h.next >= len(h.page.lines) {
		return 0, 0, false
	}
	p := h.page
	at := p.lines[h.next].start + n
	if at >= len(p.text) || at < n {
		return 0, 0, false
	}
	for at < len(p.text) && p.text[at] == '\n' {
		at++
	}
	line = p.lineAt(at)
	column = at - p.lines[line].start
	from, _, ok := statusLine(p.line(line)[min(column, len(p.line(line))):])
	return line, column, ok && from == 0
}

// verboseBody is what "curl -v" prints between the head and its next remark. A
// head that follows without any remark is the text of a body, unless this head is
// one that another follows.
func (h *headLines) verboseBody() (body []byte, line, column int) {
	base := strings.TrimSuffix(strings.TrimRight(h.prefix, " "), "<")
	var b strings.Builder
	end := h.next
	for ; end < len(h.page.lines); end++ {
		rest, mine := cutPrefix(h.page.line(end), base)
		if !mine || strings.HasPrefix(rest, "* ") || strings.HasPrefix(rest, "> ") {
			break
		}
		if strings.HasPrefix(rest, "< ") && h.superseded() {
			break
		}
		if strings.HasPrefix(rest, "{ [") || strings.HasPrefix(rest, "} [") {
			continue
		}
		if b.Len() < mostBody {
			b.WriteString(rest + "\n")
		}
	}
	return trimBody(b.String()), end, 0
}

// cut is the text between two places, without the marks of the lines.
func (h *headLines) cut(from, line, column int) []byte {
	if from >= len(h.page.lines) {
		return nil
	}
	if h.prefix == "" {
		end := len(h.page.text)
		if line < len(h.page.lines) {
			end = h.page.lines[line].start + column
		}
		start := h.page.lines[from].start
		return trimBody(h.page.text[start:max(start, min(end, start+mostBody))])
	}
	var b strings.Builder
	for i := from; i < line && b.Len() < mostBody; i++ {
		rest, _ := cutPrefix(h.page.line(i), h.prefix)
		b.WriteString(rest + "\n")
	}
	return trimBody(b.String())
}

// trimBody drops the line ends that the text around a body has.
func trimBody(s string) []byte {
	if s = strings.TrimRight(s, "\r\n"); s == "" {
		return nil
	}
	return []byte(s)
}
