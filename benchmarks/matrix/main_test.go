package main

import (
	"os"
	"strings"
	"testing"

	"github.com/apigw-go/apigw/roundtrippertest"
)

// recorded reads the table of a matrix: check, column, yes or no.
func recorded(t *testing.T, file string) map[string]map[string]string {
	t.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	var header []string
	table := map[string]map[string]string{}
	for line := range strings.Lines(string(text)) {
		cells := strings.Split(strings.Trim(strings.TrimSpace(line), "|"), "|")
		for i := range cells {
			cells[i] = strings.TrimSpace(cells[i])
		}
		switch {
		case len(cells) != len(columns)+1 || cells[0] == "---":
		case header == nil:
			header = cells
		default:
			row := map[string]string{}
			for i, cell := range cells {
				row[header[i]] = cell
			}
			table[cells[0]] = row
		}
	}
	return table
}

// TestMatrixIsAsRecorded proves that the checks find what results/matrix.md
// says that they find, so that neither they nor the page lose their teeth. A
// peer of a later version may do better: then the page is made anew.
func TestMatrixIsAsRecorded(t *testing.T) {
	table := recorded(t, "../results/matrix.md")
	checks, results := roundtrippertest.Checks(), results()
	for i, c := range columns {
		failed := 0
		for j, check := range checks {
			got := "yes"
			if c.varies == check.Name {
				got = "varies"
			} else if err := results[i][j]; err != nil {
				got = "no"
				failed++
			}
			if want := table[check.Name][c.name]; got != want {
				t.Errorf("%s, %s: got %s (%v), want %q", c.name, check.Name, got, results[i][j], want)
			}
		}
		if (failed == 0) != (c.name == "apigw") {
			t.Errorf("%s fails %d checks", c.name, failed)
		}
	}
	if got, want := len(table), len(checks)+1; got != want {
		t.Errorf("the page has %d lines, want %d: make it anew", got, want)
	}
}
