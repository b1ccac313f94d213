package catalog

import (
	_ "embed"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"
)

// What follows from errors.tsv outside of this package: pages, and the recorded
// output of the command.
//
//go:generate go test -C .. -count=1 . ./cmd/apigw -run "^(TestDocsCommands|TestReadmesCount.*|Test.*Output)$" -update

//go:embed errors.tsv
var embeddedTSV string

// embedded parses the table once. The tests parse it too, so a fault in the
// file cannot reach a release.
var embedded = sync.OnceValue(func() *table {
	t, err := parseTable(embeddedTSV)
	if err != nil {
		panic("catalog: errors.tsv: " + err.Error())
	}
	return t
})

// table is the parsed file with its indexes. It is not changed after parsing.
type table struct {
	edition  Edition
	entries  []Entry
	byID     map[string]*Entry
	byCode   map[Code]*Entry
	patterns patterns
	bodies   bodies
}

// columns of errors.tsv. The fields of [Entry] and of "apigw catalog --tsv" have
// the same names.
const columns = "id\tgeneration\torigin\tcode\tstatus\tother_statuses\tplace\tmark\tmessage\taliases\tclass\t" +
	"server_side\tretry\twait\tbackend_reached\tbackend_reached_why\tnot_sent_reasons\tfixer\tmeaning_en\tmeaning_zh\t" +
	"remedy_en\tremedy_zh\tshown_params\ttraits\tconfidence\tmessage_confidence\tsource"

func parseTable(tsv string) (*table, error) {
	var edition Edition
	var entries []Entry
	err := eachRow(tsv, columns, edition.read, func(r *row) {
		entries = append(entries, r.entry())
	})
	if err != nil {
		return nil, err
	}
	if edition.Name == "" || edition.Date == "" || edition.Source == "" {
		return nil, errors.New("the head lacks edition, date or source")
	}
	return newTable(edition, entries)
}

// read takes the value of a "# key: value" line of the head.
func (e *Edition) read(line string) {
	key, value, _ := strings.Cut(strings.TrimSpace(strings.TrimPrefix(line, "#")), ": ")
	switch key {
	case "edition":
		e.Name = value
	case "date":
		e.Date = value
	case "source":
		e.Source = value
	}
}

// newTable builds the indexes over entries, which it keeps.
func newTable(edition Edition, entries []Entry) (*table, error) {
	t := &table{
		edition: edition,
		entries: entries,
		byID:    make(map[string]*Entry, len(entries)),
		byCode:  make(map[Code]*Entry, len(entries)),
	}
	for i := range t.entries {
		e := &t.entries[i]
		if e.ID == "" || t.byID[e.ID] != nil {
			return nil, fmt.Errorf("id %q is empty or stands twice", e.ID)
		}
		t.byID[e.ID] = e
		if e.Code != "" {
			if t.byCode[e.Code] != nil {
				return nil, fmt.Errorf("code %q stands twice", e.Code)
			}
			t.byCode[e.Code] = e
		}
	}
	t.patterns = newPatterns(t.entries)
	var err error
	t.bodies, err = newBodies(t.entries)
	return t, err
}

// eachRow calls use for each line below the line of columns, and comment for
// those that start with "#". All faults of a line are reported at once.
func eachRow(tsv, columns string, comment func(string), use func(*row)) error {
	names := strings.Split(columns, "\t")
	header := false
	n := 0
	for line := range strings.Lines(tsv) {
		n++
		line = strings.TrimRight(line, "\r\n")
		switch {
		case strings.HasPrefix(line, "#"):
			comment(line)
		case !header:
			if line != columns {
				return fmt.Errorf("line %d: columns are %q, want %q", n, line, columns)
			}
			header = true
		default:
			r := row{names: names, fields: strings.Split(line, "\t")}
			if len(r.fields) != len(names) {
				return fmt.Errorf("line %d: %d columns, want %d", n, len(r.fields), len(names))
			}
			use(&r)
			if err := errors.Join(r.errs...); err != nil {
				return fmt.Errorf("line %d: %w", n, err)
			}
		}
	}
	return nil
}

// row reads the columns of a line by their names and collects what is wrong.
type row struct {
	names, fields []string
	errs          []error
}

// text returns a column, empty if the file does not have it.
func (r *row) text(column string) string {
	if i := slices.Index(r.names, column); i >= 0 {
		return r.fields[i]
	}
	return ""
}

// sentence returns a column of both languages.
func (r *row) sentence(column string) Text {
	return Text{r.text(column + "_en"), r.text(column + "_zh")}
}

func (r *row) check(column string, ok bool) {
	if !ok {
		r.errs = append(r.errs, fmt.Errorf("%s: unknown value %q", column, r.text(column)))
	}
}

// enum reads a column of one of the enums.
func enum[E ~uint8](r *row, column string, names []string) E {
	e, ok := parse[E](names, r.text(column))
	r.check(column, ok)
	return e
}

func (r *row) entry() Entry {
	e := r.judgement()
	e.ID, e.Code, e.Message, e.Source = r.text("id"), Code(r.text("code")), r.text("message"), r.text("source")
	e.Generation = enum[Generation](r, "generation", generationNames[:])
	r.check("code", e.Code == "" || e.Code.Valid())
	e.Origin = enum[Origin](r, "origin", originNames[:])
	e.Place = enum[Place](r, "place", placeNames[:])
	e.Mark, e.statuses = r.text("mark"), r.text("other_statuses")
	var err error
	if status := r.text("status"); status != "any" {
		e.Status, err = strconv.Atoi(status)
		r.check("status", err == nil && e.Status >= 200 && e.Status <= 599)
	}
	if e.statuses != "" {
		_, ok := parseStatuses(e.statuses)
		r.check("other_statuses", ok)
	}
	if wait := r.text("wait"); wait != "" {
		e.Wait, err = time.ParseDuration(wait)
		r.check("wait", err == nil && e.Wait > 0)
	}
	e.Confidence = enum[Confidence](r, "confidence", confidenceNames[:])
	if r.text("message_confidence") != "" {
		e.MessageConfidence = enum[Confidence](r, "message_confidence", confidenceNames[:])
	}
	e.aliases, e.notSent, e.shownParams = r.text("aliases"), r.text("not_sent_reasons"), r.text("shown_params")
	var ok bool
	e.traits, ok = parseTraits(r.text("traits"))
	r.check("traits", ok)
	return e
}

// judgement reads the columns that errors.tsv and general.tsv share.
func (r *row) judgement() Entry {
	serverSide := r.text("server_side")
	r.check("server_side", serverSide == "true" || serverSide == "false")
	return Entry{
		Class:      enum[Class](r, "class", classNames[:]),
		ServerSide: serverSide == "true",
		Retry:      enum[Retry](r, "retry", retryNames[:]),
		Reached:    enum[Reached](r, "backend_reached", reachedNames[:]),
		ReachedWhy: r.text("backend_reached_why"),
		Fixer:      enum[Party](r, "fixer", partyNames[:]),
		Meaning:    r.sentence("meaning"),
		Remedy:     r.sentence("remedy"),
	}
}
