package gatewaytest

import (
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/apigw-go/apigw/catalog"
)

// Every reason of the code has a line, every line a reason, and every ID in it
// is a row of the catalog.
func TestRefusalTable(t *testing.T) {
	source, err := os.ReadFile("refusal.go")
	if err != nil {
		t.Fatal(err)
	}
	reasons := map[reason]bool{}
	for _, m := range regexp.MustCompile(`reason = "([a-z0-9-]+)"`).FindAllStringSubmatch(string(source), -1) {
		reasons[reason(m[1])] = true
	}
	table := refusalRows()
	if len(reasons) < 30 || len(table) != len(reasons) {
		t.Fatalf("got %d lines for %d reasons", len(table), len(reasons))
	}
	data := 0
	for line := range strings.Lines(refusalTable) {
		if !strings.HasPrefix(line, "#") {
			data++
		}
	}
	if data != len(table) {
		t.Errorf("%d lines give %d entries: one has another number of columns, or stands twice", data, len(table))
	}
	for why, ids := range table {
		if !reasons[why] {
			t.Errorf("no code refuses for %q", why)
		}
		for generation, id := range ids {
			if _, ok := catalog.ParseGeneration(generation); !ok {
				t.Errorf("%s: there is no generation %q", why, generation)
			}
			if _, ok := catalog.ByID(id); !ok {
				t.Errorf("%s, %s: no row %q in the catalog", why, generation, id)
			}
		}
	}
}

// A reason that a generation must have an answer to, since the code counts on
// one, has it.
func TestReasonsThatNeedAnAnswer(t *testing.T) {
	for g := catalog.GenerationUnknown; g <= catalog.GenerationFC; g++ {
		for _, why := range []reason{
			apiNotFound, originNotFound, bodyTooLarge, quotaExhausted, quotaExpired, breakerOpen, breakerBusy,
			backendTimeout,
			throttledAPI, throttledApp, throttledUser, throttledGroup, throttledDomain,
		} {
			if refuse(g, why) == nil {
				t.Errorf("%v has no answer to %s", g, why)
			}
		}
	}
}

func TestSampleTable(t *testing.T) {
	data := 0
	for line := range strings.Lines(sampleTable) {
		if !strings.HasPrefix(line, "#") {
			data++
		}
	}
	if len(samples()) != data {
		t.Errorf("%d lines give %d samples", data, len(samples()))
	}
	for key := range samples() {
		if _, ok := catalog.ByID(key.row); !ok && key.row != "-" {
			t.Errorf("%s: no row %q in the catalog", key.name, key.row)
		}
	}
}
