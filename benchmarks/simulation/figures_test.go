package simulation

import (
	"bytes"
	"flag"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"gonum.org/v1/plot/vg/vgimg"
	"gonum.org/v1/plot/vg/vgsvg"
)

var picture = flag.String("png", "", "write the plot to this file too, as PNG")

// TestFigures makes the tables and the plot. Without -update it does so for few
// clients and throws them away.
func TestFigures(t *testing.T) {
	fleet := 50
	if *update {
		fleet = *clients
	}
	var runs []Run
	add := func(s Scenario, rule Rule, clients int) Run {
		r := Run{s, rule, clients, run(t, s, rule, clients)}
		runs = append(runs, r)
		return r
	}
	all := func(s Scenario, clients int) (runs []Run) {
		for _, rule := range Rules {
			runs = append(runs, add(s, rule, clients))
		}
		return runs
	}
	outage := all(Outage("outage, instant failures", 0, 5, 30*time.Second), fleet)
	all(Outage("outage, failures after 5 ms", 5*time.Millisecond, 5, 30*time.Second), fleet)
	all(Blips(2, 20*time.Second), fleet)
	all(Quiet(time.Hour), max(1, fleet/20))
	overload := all(Overload(10*time.Second, 15*time.Second, 35*time.Second), fleet)

	// What a client's rate does to the amplification.
	for _, rate := range []float64{0.2, 0.5, 1, 2, 5} {
		add(Outage(fmt.Sprintf("outage of 5 min, %g requests/s", rate), 0, rate, 5*time.Minute), Budget,
			max(1, fleet/20))
	}

	var summary, seconds bytes.Buffer
	svg := vgsvg.New(Width, Height)
	if err := WriteSummary(&summary, runs); err != nil {
		t.Fatal(err)
	}
	if err := WriteSeries(&seconds, slices.Concat(outage, overload)); err != nil {
		t.Fatal(err)
	}
	Draw(svg, outage, overload)
	if *picture != "" {
		png := vgimg.PngCanvas{Canvas: vgimg.New(Width, Height)}
		Draw(png, outage, overload)
		write(t, *picture, png)
	}
	if !*update {
		return
	}
	write(t, filepath.Join("..", "results", "retry-budget-summary.csv"), &summary)
	write(t, filepath.Join("..", "results", "retry-budget.csv"), &seconds)
	write(t, filepath.Join("..", "results", "retry-budget.svg"), svg)
}

func write(t *testing.T, name string, content io.WriterTo) {
	t.Helper()
	f, err := os.Create(name)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if _, err := content.WriteTo(f); err != nil {
		t.Fatal(err)
	}
}
