package main

import (
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/apigw-go/apigw/internal/redact"
)

// isColourful reports whether w is a terminal whose user did not forbid
// colour. See https://no-color.org.
func isColourful(w io.Writer, env func(string) string) bool {
	return env("NO_COLOR") == "" && env("TERM") != "dumb" && isTerminal(w)
}

// isTerminal reports whether somebody watches what is written to w.
func isTerminal(w io.Writer) bool {
	f, ok := w.(*os.File)
	if !ok {
		return false
	}
	info, err := f.Stat()
	return err == nil && info.Mode()&os.ModeCharDevice != 0
}

// A colour is the number of an ANSI escape.
type colour string

const (
	bold   colour = "1"
	faint  colour = "2"
	red    colour = "31"
	green  colour = "32"
	yellow colour = "33"
)

func paint(on bool, c colour, s string) string {
	if !on || s == "" {
		return s
	}
	return "\x1b[" + string(c) + "m" + s + "\x1b[0m"
}

// width is the number of columns of s in a terminal: most East Asian
// characters take two.
func width(s string) int {
	n := 0
	for _, r := range s {
		n++
		if r >= 0x1100 && (r <= 0x115f || r >= 0x2e80 && r <= 0xa4cf || r >= 0xac00 && r <= 0xd7a3 ||
			r >= 0xf900 && r <= 0xfaff || r >= 0xfe30 && r <= 0xfe6f || r >= 0xff00 && r <= 0xff60 ||
			r >= 0xffe0 && r <= 0xffe6 || r >= 0x20000 && r <= 0x3fffd) {
			n++
		}
	}
	return n
}

// table prints rows in columns as wide as their widest cell. The last column is
// not padded. The first row is the head; mark, if not nil, gives a cell its
// colour.
func table(w io.Writer, on bool, rows [][]string, mark func(row, column int) colour) {
	widths := make([]int, len(rows[0]))
	for _, row := range rows {
		for i, cell := range row {
			widths[i] = max(widths[i], width(cell))
		}
	}
	for n, row := range rows {
		var b strings.Builder
		for i, cell := range row {
			c := colour("")
			if n == 0 {
				c = bold
			} else if mark != nil {
				c = mark(n, i)
			}
			text := cell
			if c != "" {
				text = paint(on, c, cell)
			}
			b.WriteString(text)
			if i < len(row)-1 {
				b.WriteString(strings.Repeat(" ", widths[i]-width(cell)+2))
			}
		}
		io.WriteString(w, strings.TrimRight(b.String(), " ")+"\n")
	}
}

// printable makes a text from the network fit for one line of a terminal.
func printable(s string) string { return redact.Line(s, len(s)) }

// printableLines is printable for a text of several lines.
func printableLines(s string) string {
	lines := strings.Split(s, "\n")
	for i, line := range lines {
		lines[i] = printable(line)
	}
	return strings.Join(lines, "\n")
}

// shorten keeps a word of the user short and harmless in a complaint.
func shorten(s string) string {
	const most = 40
	r := []rune(printable(s))
	if len(r) > most {
		return string(r[:most]) + "…"
	}
	return string(r)
}

// columns is the width that every terminal has.
const columns = 80

// shortened cuts a text to a width, and marks where.
func (in *invocation) shortened(s string, most int) string {
	if width(s) <= most {
		return s
	}
	if most < 8 {
		return ""
	}
	n := 0
	for i, r := range s {
		if n += width(string(r)); n > most-3 {
			return strings.TrimRight(s[:i], " ,;") + "..."
		}
	}
	return s
}

// paragraph prints a text after an empty line, in lines that fit a terminal.
// Chinese has no blanks to break at, so it may break anywhere but before a mark.
func (in *invocation) paragraph(text string) {
	fmt.Fprintf(in.stdout, "\n%s\n", strings.Join(wrap(text, columns), "\n"))
}

// wrap breaks a text into lines of at most most columns.
func wrap(text string, most int) (lines []string) {
	line, used := "", 0
	for _, piece := range breakable(text) {
		n := width(piece)
		if used+n > most && line != "" {
			lines = append(lines, strings.TrimRight(line, " "))
			line, used = "", 0
			piece = strings.TrimLeft(piece, " ")
			n = width(piece)
		}
		line, used = line+piece, used+n
	}
	return append(lines, strings.TrimRight(line, " "))
}

// breakable splits a text where a line may end: before a blank, and around wide
// characters that are no closing marks.
func breakable(text string) (pieces []string) {
	start := 0
	wide := false
	for i, r := range text {
		isWide := width(string(r)) == 2
		if i > start && (r == ' ' || (isWide || wide) && !strings.ContainsRune("，。；：、）！？,.;:)", r)) {
			pieces = append(pieces, text[start:i])
			start = i
		}
		wide = isWide
	}
	return append(pieces, text[start:])
}
