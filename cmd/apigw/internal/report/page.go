package report

import (
	"html"
	"sort"
	"strings"
	"unicode/utf8"
)

// page is a text without what hides words from a reader: colours, characters
// of no width, the CR of a line end. It remembers where everything stood.
type page struct {
	text  string
	lines []pageLine
}

type pageLine struct {
	start int // of the line in text
	// dropped are the places in the original line behind which bytes are
	// missing, nil for the most lines.
	dropped []droppedBytes
	raw     string // the original line, for columns
}

type droppedBytes struct{ at, total int } // at: offset in the clean line; total: bytes dropped up to there

// newPage cleans a text line by line.
func newPage(text string) *page {
	markup := strings.HasPrefix(strings.TrimSpace(text), "<") // HTML and XML write "&" as an entity
	p := &page{lines: make([]pageLine, 0, strings.Count(text, "\n")+1)}
	var b strings.Builder
	b.Grow(len(text))
	for raw := range strings.Lines(text) {
		raw = strings.TrimSuffix(raw, "\n")
		line := pageLine{start: b.Len(), raw: raw}
		clean := strings.TrimSuffix(raw, "\r")
		if i := strings.LastIndexByte(clean, '\r'); i >= 0 && strings.TrimSpace(clean[:i]) != "" &&
			isProgress(clean[:i]) {
			// curl draws it with CR alone, before the head.
			// A progress meter writes its line over and over; the last state counts.
			line.dropped = append(line.dropped, droppedBytes{0, i + 1})
			clean = clean[i+1:]
		}
		if hidden(clean) || markup && strings.Contains(clean, "&") {
			clean = line.strip(clean, markup)
		}
		b.WriteString(clean)
		b.WriteByte('\n')
		p.lines = append(p.lines, line)
	}
	p.text = b.String()
	return p
}

// isProgress reports whether s is what a progress meter writes: digits and
// marks, hardly a word.
func isProgress(s string) bool {
	letters := 0
	for i := 0; i < len(s); i++ {
		if c := s[i] | 0x20; c >= 'a' && c <= 'z' {
			letters++
		}
	}
	return letters*4 < len(s)
}

// hidden reports whether a line holds what strip takes out.
func hidden(line string) bool {
	for i := 0; i < len(line); i++ {
		if c := line[i]; c == 0x1b || c == 0xc2 || c == 0xe2 || c == 0xef || c == 0x08 || c == 0 {
			return true
		}
	}
	return false
}

// strip takes escape sequences and characters of no width out of a line, and
// makes an ordinary blank of a hard one; of markup also the entities. It fills
// dropped.
func (l *pageLine) strip(line string, markup bool) string {
	var b strings.Builder
	total := 0
	if len(l.dropped) > 0 {
		total = l.dropped[0].total
	}
	drop := func(n int) {
		total += n
		l.dropped = append(l.dropped, droppedBytes{b.Len(), total})
	}
	for i := 0; i < len(line); {
		if n := escapeLength(line[i:]); n > 0 {
			drop(n)
			i += n
			continue
		}
		if n, plain := entity(line[i:]); markup && n > 0 {
			b.WriteString(plain)
			drop(n - len(plain))
			i += n
			continue
		}
		r, n := utf8.DecodeRuneInString(line[i:])
		switch r {
		case '\u200b', '\u200c', '\u200d', '\u200e', '\u200f', '\u2060', '\ufeff', 0, '\b':
			drop(n)
		case '\u00a0':
			drop(n - 1)
			b.WriteByte(' ')
		default:
			b.WriteString(line[i : i+n])
		}
		i += n
	}
	return b.String()
}

// entity is the length of the entity of HTML that s begins with, and what it
// stands for; 0 for none.
func entity(s string) (n int, plain string) {
	if s == "" || s[0] != '&' {
		return 0, ""
	}
	end := strings.IndexByte(s[:min(len(s), 12)], ';')
	if end < 0 {
		return 0, ""
	}
	whole := s[:end+1]
	if plain = html.UnescapeString(whole); plain == whole || len(plain) > len(whole) {
		return 0, ""
	}
	return len(whole), plain
}

// escapeLength is the length of the terminal's escape sequence that s begins
// with, 0 if there is none (ECMA-48: CSI, OSC, and two characters).
func escapeLength(s string) int {
	if len(s) < 2 || s[0] != 0x1b {
		return 0
	}
	switch s[1] {
	case '[':
		for i := 2; i < len(s) && i < 64; i++ {
			if s[i] >= 0x40 && s[i] <= 0x7e {
				return i + 1
			}
		}
	case ']':
		for i := 2; i < len(s) && i < 256; i++ {
			if s[i] == 0x07 {
				return i + 1
			}
			if s[i] == 0x1b && i+1 < len(s) && s[i+1] == '\\' {
				return i + 2
			}
		}
	}
	return 2
}

// lineAt is the index of the line that holds the offset.
func (p *page) lineAt(offset int) int {
	return max(0, sort.Search(len(p.lines), func(i int) bool { return p.lines[i].start > offset })-1)
}

// end is the offset of the newline of line i.
func (p *page) end(i int) int {
	if i+1 < len(p.lines) {
		return p.lines[i+1].start - 1
	}
	return max(p.lines[i].start, len(p.text)-1)
}

// line is line i without its newline.
func (p *page) line(i int) string { return p.text[p.lines[i].start:p.end(i)] }

// place says where in the original text an offset is.
func (p *page) place(offset int) Place {
	if len(p.lines) == 0 {
		return Place{Line: 1, Column: 1}
	}
	i := p.lineAt(offset)
	l := &p.lines[i]
	at := offset - l.start
	if n := sort.Search(len(l.dropped), func(i int) bool { return l.dropped[i].at > at }); n > 0 {
		at += l.dropped[n-1].total
	}
	at = min(at, len(l.raw))
	return Place{Line: i + 1, Column: utf8.RuneCountInString(l.raw[:at]) + 1}
}
