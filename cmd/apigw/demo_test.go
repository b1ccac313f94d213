package main

import (
	"encoding/json"
	"errors"
	"iter"
	"maps"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/apigw-go/apigw"
	"github.com/apigw-go/apigw/catalog"
)

func TestDemoJSONHasEveryRowAndField(t *testing.T) {
	got := runCommand([]string{"demo", "--json"}, "", nil)
	if got.exit != exitOK {
		t.Fatalf("exit: got %d, want 0; %s", got.exit, got.stderr)
	}
	lines := strings.Split(strings.TrimRight(got.stdout, "\n"), "\n")
	if want := len(slices.Collect(shownRows())); len(lines) != want || want < 200 {
		t.Errorf("rows: got %d, want %d, all generations", len(lines), want)
	}
	want := []string{"attempts", "class", "code", "decision", "id", "meaning", "message", "origin", "remedy", "status",
		"stop_reason"}
	seen := map[string]bool{}
	for _, line := range lines {
		var fields map[string]any
		if err := json.Unmarshal([]byte(line), &fields); err != nil {
			t.Fatal(err)
		}
		if names := slices.Sorted(maps.Keys(fields)); !slices.Equal(names, want) {
			t.Fatalf("fields: got %q, want %q", names, want)
		}
		id, _ := fields["id"].(string)
		if seen[id] {
			t.Errorf("%s stands twice", id)
		}
		seen[id] = true
		e, ok := catalog.ByID(id)
		if !ok {
			t.Fatalf("%s is not in the catalog", id)
		}
		advised := failedFast
		if e.Retry != catalog.RetryNo && e.Class != catalog.ClassThrottled && e.Wait == 0 {
			advised = retried
		}
		if fields["decision"] != advised {
			t.Errorf("%s: got %v, the catalog says %s", id, fields["decision"], advised)
		}
	}
}

// The demonstration must be able to fail.
func TestDemoFindsFaults(t *testing.T) {
	row := func(id string) catalog.Entry {
		e, ok := catalog.ByID(id)
		if !ok {
			t.Fatalf("no row %s", id)
		}
		return e
	}
	failure := func(id string, attempts int) *apigw.Error {
		return &apigw.Error{Entry: row(id), Attempts: make([]apigw.Attempt, attempts)}
	}
	for _, c := range []struct {
		name, want string
		demoCase
	}{
		{"right", "", demoCase{row("D504CO"), http.MethodGet, demoResult{failure: failure("D504CO", 4)}}},
		{"not repeated", "failed-fast, but the catalog says retried",
			demoCase{row("D504CO"), http.MethodGet, demoResult{failure: failure("D504CO", 1)}}},
		{"repeated", "retried, but the catalog says failed-fast",
			demoCase{row("B403MQ"), http.MethodGet, demoResult{failure: failure("B403MQ", 2)}}},
		{"throttled and repeated", "retried, but the catalog says failed-fast",
			demoCase{row("T429PA"), http.MethodGet, demoResult{failure: failure("T429PA", 2)}}},
		{"POST that may have run", "retried, but the catalog says failed-fast",
			demoCase{row("D504TO"), http.MethodPost, demoResult{failure: failure("D504TO", 2)}}},
		{"another row", "recognised as A403IP",
			demoCase{row("B403MQ"), http.MethodGet, demoResult{failure: failure("A403IP", 1)}}},
		{"ran twice", "the backend ran 2 times for one POST",
			demoCase{row("B403MQ"), http.MethodPost, demoResult{failure: failure("B403MQ", 1), executed: 2}}},
		{"no error", "the response carries no error", demoCase{row("B403MQ"), http.MethodGet, demoResult{}}},
		{"no response", "no response: refused",
			demoCase{row("B403MQ"), http.MethodGet, demoResult{err: errors.New("refused")}}},
	} {
		t.Run(c.name, func(t *testing.T) {
			if got := c.fault(); got != c.want {
				t.Errorf("got %q, want %q", got, c.want)
			}
		})
	}
}

// shownRows are the classic rows of the document, all of VPC-type instances, and
// those of the newer generations that one answer shows.
func shownRows() iter.Seq[catalog.Entry] {
	return func(yield func(catalog.Entry) bool) {
		for e := range catalog.All() {
			if isShown(e) && !yield(e) {
				return
			}
		}
	}
}

// The demonstration shows every generation that can be told apart.
func TestDemoShowsEveryGeneration(t *testing.T) {
	got := map[catalog.Generation]int{}
	for e := range shownRows() {
		got[e.Generation]++
	}
	for g, least := range map[catalog.Generation]int{
		catalog.GenerationClassic: 29, catalog.GenerationVPC: 80, catalog.GenerationHigress: 50,
		catalog.GenerationEnvoy:     30,
		catalog.GenerationHigressAI: 10, catalog.GenerationCloudNative: 1, catalog.GenerationFC: 18,
	} {
		if got[g] < least {
			t.Errorf("%v: got %d rows, want at least %d", g, got[g], least)
		}
	}
}

// What people see first must fit the terminal that they have.
func TestDemoAndCatalogFitATerminal(t *testing.T) {
	for _, args := range [][]string{{"demo"}, {"demo", "--lang", "zh"}, {"catalog"}, {"catalog", "--lang", "zh"},
		{"catalog", "--class", "auth"}} {
		for i, line := range strings.Split(runCommand(args, "", nil).stdout, "\n") {
			if width(line) > columns || args[len(args)-1] != "zh" && len(line) > columns {
				t.Errorf("%q: line %d has %d columns, %d bytes: %s", args, i+1, width(line), len(line), line)
			}
		}
	}
}
