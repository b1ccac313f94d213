package main

import (
	"bytes"
	"fmt"
	"strings"
)

// panel is one plot: what passed and was refused in each second.
type panel struct {
	name            string
	limit           int
	passed, refused []int
}

// The measures of a plot, in pixels.
const (
	width, height  = 420, 150
	left, top      = 44, 34
	plotW, plotH   = width - left - 12, height - top - 22
	columns        = 2
	passedColour   = "#2a78b8"
	refusedColour  = "#d1495b"
	limitColour    = "#555555"
	ceilingOfLimit = 1.5 // the scale ends here; what is above is cut off and said
)

// draw returns the panels as SVG, two in a row.
func draw(panels []panel) []byte {
	rows := (len(panels) + columns - 1) / columns
	var b bytes.Buffer
	fmt.Fprintf(&b, `<svg xmlns="http://www.w3.org/2000/svg" width="%d" height="%d" font-family="sans-serif" font-size="11">`+"\n",
		columns*width, rows*height+24)
	b.WriteString(`<rect width="100%" height="100%" fill="white"/>` + "\n")
	for i, p := range panels {
		fmt.Fprintf(&b, `<g transform="translate(%d,%d)">`+"\n", i%columns*width, i/columns*height)
		p.draw(&b)
		b.WriteString("</g>\n")
	}
	fmt.Fprintf(&b, `<text x="%d" y="%d">calls in each second: <tspan fill="%s">passed</tspan>, `+
		`<tspan fill="%s">refused</tspan>; the dashed line is the limit</text>`+"\n", left, rows*height+12,
		passedColour, refusedColour)
	b.WriteString("</svg>\n")
	return b.Bytes()
}

func (p panel) draw(b *bytes.Buffer) {
	fmt.Fprintf(b, `<text x="%d" y="14" font-weight="bold">%s</text>`+"\n", left, p.name)
	passed, refused := sum(p.passed[10:]), sum(p.refused[10:])
	seconds := len(p.passed) - 10
	fmt.Fprintf(b, `<text x="%d" y="28" fill="%s">%.1f %% of the limit used, %.1f %% of the calls refused after 10 s</text>`+"\n",
		left, limitColour, 100*float64(passed)/float64(p.limit*seconds),
		100*float64(refused)/float64(max(1, passed+refused)))
	p.axes(b)
	p.line(b, p.refused, refusedColour)
	p.line(b, p.passed, passedColour)
}

func (p panel) axes(b *bytes.Buffer) {
	y := p.y(p.limit)
	fmt.Fprintf(b, `<path d="M%d %d V%d H%d" fill="none" stroke="#999"/>`+"\n", left, top, top+plotH, left+plotW)
	fmt.Fprintf(b, `<path d="M%d %.1f H%d" stroke="%s" stroke-dasharray="4 3"/>`+"\n", left, y, left+plotW, limitColour)
	fmt.Fprintf(b, `<text x="%d" y="%.1f" text-anchor="end">%d</text>`+"\n", left-4, y+4, p.limit)
	fmt.Fprintf(b, `<text x="%d" y="%d" text-anchor="end">0</text>`+"\n", left-4, top+plotH+4)
	for s := 0; s <= len(p.passed); s += 20 {
		fmt.Fprintf(b, `<text x="%.1f" y="%d" text-anchor="middle">%d s</text>`+"\n", p.x(s), top+plotH+15, s)
	}
	if highest := highest(p.refused); float64(highest) > ceilingOfLimit*float64(p.limit) {
		fmt.Fprintf(b, `<text x="%d" y="%d" text-anchor="end" fill="%s">up to %d refused in a second</text>`+"\n",
			left+plotW, top+10, refusedColour, highest)
	}
}

func (p panel) line(b *bytes.Buffer, counts []int, colour string) {
	points := make([]string, len(counts))
	for i, n := range counts {
		points[i] = fmt.Sprintf("%.1f,%.1f", p.x(i), p.y(n))
	}
	fmt.Fprintf(b, `<polyline points="%s" fill="none" stroke="%s" stroke-width="1.4"/>`+"\n", strings.Join(points, " "),
		colour)
}

func (p panel) x(second int) float64 {
	return left + float64(plotW)*float64(second)/float64(len(p.passed))
}

func (p panel) y(count int) float64 {
	return top + plotH*(1-min(1, float64(count)/(ceilingOfLimit*float64(p.limit))))
}

func sum(counts []int) (n int) {
	for _, c := range counts {
		n += c
	}
	return n
}

func highest(counts []int) (n int) {
	for _, c := range counts {
		n = max(n, c)
	}
	return n
}
