package catalog

import (
	_ "embed"
	"errors"
	"slices"
	"strconv"
	"strings"
	"sync"
)

// Infer returns a general entry for a code that has the right shape but is not
// in the table: its class follows from the first letter and the status, and it
// is cautious where that says little. A status of 0 stands for the one that
// the code names. It returns false for anything else, known codes included
// only if they have the shape.
//
// What the letters mean is read off the documented codes, not documented.
func Infer(code Code, status int) (Entry, bool) {
	if !code.Valid() {
		return Entry{}, false
	}
	if status == 0 {
		status = code.Status()
	}
	return embeddedGeneral().find(code[:1], status), true
}

// ByStatus returns the general entry for a response that the gateway did not
// mark: the backend, or a proxy on the way, answered with this status.
func ByStatus(status int) Entry { return embeddedGeneral().find("answer", status) }

// NoResponse returns the general entry for a request that no response came to.
func NoResponse() Entry { return embeddedGeneral().find("no-response", 0) }

// RetryableStatus reports whether a response without a mark of the gateway may
// be different at a later attempt. [ByStatus] gives such a status [RetrySoon].
func RetryableStatus(status int) bool { return ByStatus(status).Retry == RetrySoon }

//go:embed general.tsv
var generalTSV string

// embeddedGeneral parses general.tsv once, as embedded does errors.tsv.
var embeddedGeneral = sync.OnceValue(func() general {
	g, err := parseGeneral(generalTSV)
	if err != nil {
		panic("catalog: general.tsv: " + err.Error())
	}
	return g
})

// general holds the entries that stand for no row. Their ID is "unknown" and
// their confidence is none.
type general []generalEntry

// generalEntry is a line of general.tsv: the entry, and what it answers for.
type generalEntry struct {
	when     string // first letters of codes, or a word in lower case
	statuses []statusRange
	entry    Entry
}

type statusRange struct{ first, last int }

const generalColumns = "when\tstatuses\tclass\tserver_side\tretry\tbackend_reached\tbackend_reached_why\tfixer\t" +
	"meaning_en\tmeaning_zh\tremedy_en\tremedy_zh"

func parseGeneral(tsv string) (general, error) {
	var g general
	err := eachRow(tsv, generalColumns, func(string) {}, func(r *row) {
		e := generalEntry{when: r.text("when"), entry: r.judgement()}
		e.entry.ID = UnknownID
		var ok bool
		e.statuses, ok = parseStatuses(r.text("statuses"))
		r.check("statuses", ok)
		r.check("when", e.when != "")
		g = append(g, e)
	})
	if err == nil && len(g) == 0 {
		err = errors.New("no rows")
	}
	return g, err
}

// parseStatuses reads "500|502-504", or "any".
func parseStatuses(column string) (ranges []statusRange, ok bool) {
	if column == "any" {
		return nil, true
	}
	for _, part := range list(column) {
		first, last, isRange := strings.Cut(part, "-")
		if !isRange {
			last = first
		}
		from, err := strconv.Atoi(first)
		to, err2 := strconv.Atoi(last)
		if err != nil || err2 != nil || from > to {
			return nil, false
		}
		ranges = append(ranges, statusRange{from, to})
	}
	return ranges, len(ranges) > 0
}

// find returns the first entry for what and status. A letter without entries of
// its own has those of the letter X; the tests see to it that each kind ends
// with an entry for any status.
func (g general) find(what Code, status int) Entry {
	if len(what) == 1 && !slices.ContainsFunc(g, func(e generalEntry) bool { return e.answers(what) }) {
		what = "X"
	}
	for i := range g {
		if e := &g[i]; e.answers(what) && e.has(status) {
			return e.entry
		}
	}
	return Entry{ID: UnknownID}
}

func (e *generalEntry) answers(what Code) bool {
	return e.when == string(what) || len(what) == 1 && strings.Contains(e.when, string(what))
}

func (e *generalEntry) has(status int) bool {
	return e.statuses == nil || slices.ContainsFunc(e.statuses, func(r statusRange) bool {
		return r.first <= status && status <= r.last
	})
}
