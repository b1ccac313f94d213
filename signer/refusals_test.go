package signer

import (
	"strings"
	"testing"

	"github.com/apigw-go/apigw/catalog"
)

// The rows are facts of package catalog, written down a second time because
// package signer must not need it.
func TestRefusalsAreThoseOfTheCatalog(t *testing.T) {
	lessons := map[lesson]int{}
	for _, r := range refusals() {
		lessons[r.lesson]++
		entry, ok := catalogRow(r.row)
		if !ok {
			t.Errorf("%s: the catalog has no such row", r.row)
			continue
		}
		if r.status != entry.status || r.code != entry.code {
			t.Errorf("%s: got status %d, code %q, want %d, %q", r.row, r.status, r.code, entry.status, entry.code)
		}
		if r.proven != entry.verified {
			t.Errorf("%s: proven: got %v, want %v", r.row, r.proven, entry.verified)
		}
		fixed := r.message
		for _, open := range []string{"%", "`$", "${"} {
			fixed, _, _ = strings.Cut(fixed, open)
		}
		begin, _, _ := strings.Cut(fixed, "`")
		if !strings.HasPrefix(entry.message, begin) || !r.prefix && r.message != "" && r.message != entry.message {
			t.Errorf("%s: got message %q, want %q", r.row, r.message, entry.message)
		}
	}
	if len(lessons) != 3 || lessons[lessonClock] == 0 || lessons[lessonReading] == 0 || lessons[lessonTimestamp] == 0 {
		t.Errorf("got lessons %v, want clock, reading and timestamp", lessons)
	}
}

type row struct {
	status        int
	code, message string
	verified      bool
}

func catalogRow(id string) (row, bool) {
	e, ok := catalog.ByID(id)
	if !ok {
		return row{}, false
	}
	return row{e.Status, string(e.Code), e.Message, e.Confidence >= catalog.ConfidenceMedium}, true
}

func TestParseRefusalReportsBadLines(t *testing.T) {
	for _, line := range []string{"clock", "clock\trow\tfour\t-\tText\tyes", "clock\trow\t400\t-\tText\tyes\tmore"} {
		if _, err := parseRefusal(line); err == nil {
			t.Errorf("%q: got no error", line)
		}
	}
}
