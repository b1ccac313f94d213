package simulation

import (
	"encoding/csv"
	"fmt"
	"image/color"
	"io"
	"slices"
	"strconv"
	"time"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/plotter"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
)

// Run is one fleet that went through one scenario.
type Run struct {
	Scenario Scenario
	Rule     Rule
	Clients  int
	Outcome  *Outcome
}

// WriteSummary writes a line for each run, as CSV.
func WriteSummary(w io.Writer, runs []Run) error {
	out := csv.NewWriter(w)
	out.Write([]string{"scenario", "rule", "clients", "requests", "attempts", "attempts_per_request", "success_percent",
		"fewest_attempts_of_failed", "recovery_seconds"})
	for _, r := range runs {
		recovery := ""
		if r.Scenario.Over > 0 {
			recovery = "never"
			if took, ok := r.Scenario.Recovery(r.Outcome); ok {
				recovery = strconv.Itoa(int(took / time.Second))
			}
		}
		o := r.Outcome
		out.Write([]string{
			r.Scenario.Name, r.Rule.String(), strconv.Itoa(r.Clients), strconv.Itoa(o.Requests),
			strconv.Itoa(o.Attempts),
			fmt.Sprintf("%.3f", o.Amplification()), fmt.Sprintf("%.4f", 100*o.Success()),
			strconv.Itoa(o.FewestAttempts), recovery,
		})
	}
	out.Flush()
	return out.Error()
}

// WriteSeries writes a line for each second of each run, as CSV.
func WriteSeries(w io.Writer, runs []Run) error {
	out := csv.NewWriter(w)
	out.Write([]string{"scenario", "rule", "second", "requests_begun", "attempts_arrived", "requests_succeeded"})
	for _, r := range runs {
		for second := range r.Outcome.Sent.Counts {
			out.Write([]string{
				r.Scenario.Name, r.Rule.String(), strconv.Itoa(second),
				strconv.Itoa(r.Outcome.Begun.At(second)), strconv.Itoa(r.Outcome.Sent.At(second)),
				strconv.Itoa(r.Outcome.Good.At(second)),
			})
		}
	}
	out.Flush()
	return out.Error()
}

// Size of the drawing, and of the strip for the legend on its right.
const (
	Width  = 19 * vg.Centimeter
	Height = 21 * vg.Centimeter
	legend = 3.5 * vg.Centimeter
)

// Draw draws three diagrams, one below the other: attempts for each request in
// an outage, and goodput and attempts before, during and after an overload.
// Each slice holds the runs of one scenario under all rules.
func Draw(c vg.CanvasSizer, outage, overload []Run) {
	column := [][]*plot.Plot{{drawAmplification(outage)}, {drawGoodput(overload)}, {drawAttempts(overload)}}
	canvas := draw.New(c)
	canvas.SetColor(color.White)
	canvas.Fill(canvas.Rectangle.Path())
	tiles := draw.Tiles{Rows: len(column), Cols: 1, PadTop: vg.Points(4), PadBottom: vg.Points(4),
		PadLeft: vg.Points(4), PadY: vg.Points(10)}
	for i, row := range plot.Align(column, tiles, draw.Crop(canvas, 0, -legend, 0, 0)) {
		column[i][0].Draw(row[0])
	}
	names := plot.NewLegend()
	names.Top, names.Left = true, true
	names.YOffs = -vg.Points(30)
	names.Padding = vg.Points(3)
	for _, r := range outage {
		names.Add(r.Rule.String(), &plotter.Line{LineStyle: ruleStyle(r.Rule)})
	}
	names.Add("see title", &plotter.Line{LineStyle: reference})
	names.Draw(draw.Crop(canvas, Width-legend+vg.Points(10), 0, 0, 0))
}

func newPlot(title, y string) *plot.Plot {
	p := plot.New()
	p.Title.Text = title
	p.Title.Padding = vg.Points(6)
	p.X.Label.Text = "seconds"
	p.Y.Label.Text = y
	p.Y.Min, p.X.Min = 0, 0
	p.BackgroundColor = color.White
	p.Add(plotter.NewGrid())
	return p
}

// Colours that readers with a colour vision deficiency can tell apart too
// (Okabe and Ito).
var ruleColours = map[Rule]color.Color{
	Budget:    color.RGBA{R: 0x00, G: 0x72, B: 0xb2, A: 0xff},
	Unbounded: color.RGBA{R: 0xd5, G: 0x5e, B: 0x00, A: 0xff},
	AWS:       color.RGBA{R: 0x00, G: 0x9e, B: 0x73, A: 0xff},
	AWS2026:   color.RGBA{R: 0xcc, G: 0x79, B: 0xa7, A: 0xff},
}

func ruleStyle(r Rule) draw.LineStyle {
	return draw.LineStyle{Color: ruleColours[r], Width: vg.Points(1.5)}
}

// reference is the style of the line that the others are compared with.
var reference = draw.LineStyle{Color: color.Gray{Y: 0x60}, Width: vg.Points(1.5),
	Dashes: []vg.Length{vg.Points(5), vg.Points(3)}}

// addLine draws a value for each second, at the middle of the second.
func addLine(p *plot.Plot, style draw.LineStyle, r Run, value func(second int) float64) {
	points := make(plotter.XYs, r.Scenario.Fleet.Lasts/time.Second)
	for i := range points {
		points[i] = plotter.XY{X: float64(i) + 0.5, Y: value(i)}
	}
	p.Add(&plotter.Line{XYs: points, LineStyle: style})
	p.X.Max = float64(len(points))
}

func drawAmplification(runs []Run) *plot.Plot {
	p := newPlot("Full outage: attempts for each request so far (dashed: 1.2)", "attempts / request")
	addLine(p, reference, runs[0], func(int) float64 { return 1.2 })
	for _, r := range slices.Backward(runs) { // the first one on top
		begun, sent := 0, 0
		addLine(p, ruleStyle(r.Rule), r, func(s int) float64 {
			begun += r.Outcome.Begun.At(s)
			sent += r.Outcome.Sent.At(s)
			return float64(sent) / float64(begun)
		})
	}
	p.Y.Max = 4.2
	return p
}

func drawGoodput(runs []Run) *plot.Plot {
	p := newPlot("Overload: requests that succeed (dashed: requests begun)", "requests / s")
	addLine(p, reference, runs[0], func(s int) float64 { return float64(runs[0].Outcome.Begun.At(s)) })
	for _, r := range slices.Backward(runs) {
		addLine(p, ruleStyle(r.Rule), r, func(s int) float64 { return float64(r.Outcome.Good.At(s)) })
	}
	return p
}

func drawAttempts(runs []Run) *plot.Plot {
	p := newPlot("Overload: attempts that arrive (dashed: the server's capacity)", "attempts / s")
	addLine(p, reference, runs[0], func(int) float64 { return OverloadCapacity(runs[0].Clients) })
	for _, r := range slices.Backward(runs) {
		addLine(p, ruleStyle(r.Rule), r, func(s int) float64 { return float64(r.Outcome.Sent.At(s)) })
	}
	return p
}
