package catalog

import (
	_ "embed"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"sync"
)

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

// table is the parsed file with its indexes.
type table struct {
	edition  Edition
	entries  []Entry
	byID     map[string]*Entry
	byCode   map[Code]*Entry
	patterns patterns
}

const columns = "id\tgeneration\tcode\thttp_status\tmessage_template\taliases\tcategory\tserver_side\tretry_advice\t" +
	"backend_reached\tbackend_reached_why\twho_fixes\tmeaning_en\tmeaning_zh\tremedy_en\tremedy_zh\tconfidence\t" +
	"message_confidence\tsource"

func parseTable(tsv string) (*table, error) {
	var t Edition
	var entries []Entry
	header := false
	n := 0
	for line := range strings.Lines(tsv) {
		n++
		line = strings.TrimRight(line, "\r\n")
		switch {
		case strings.HasPrefix(line, "#"):
			t.read(line)
		case !header:
			if line != columns {
				return nil, fmt.Errorf("line %d: columns are %q, want %q", n, line, columns)
			}
			header = true
		default:
			e, err := parseEntry(strings.Split(line, "\t"))
			if err != nil {
				return nil, fmt.Errorf("line %d: %w", n, err)
			}
			entries = append(entries, e)
		}
	}
	if t.Name == "" || t.Date == "" || t.Source == "" {
		return nil, errors.New("the head lacks edition, date or source")
	}
	return newTable(t, entries)
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

func parseEntry(f []string) (Entry, error) {
	if want := strings.Count(columns, "\t") + 1; len(f) != want {
		return Entry{}, fmt.Errorf("%d columns, want %d", len(f), want)
	}
	var errs []error
	check := func(column int, ok bool) {
		if !ok {
			errs = append(errs, fmt.Errorf("%s: unknown value %q", strings.Split(columns, "\t")[column], f[column]))
		}
	}
	e := Entry{
		ID: f[0], Code: Code(f[2]), Message: f[4],
		ReachedWhy: f[10], Meaning: Text{f[12], f[13]}, Remedy: Text{f[14], f[15]}, Source: f[18],
	}
	var ok bool
	e.Generation, ok = parse[Generation](generationNames[:], f[1])
	check(1, ok)
	check(2, e.Code == "" || e.Code.Valid())
	status, err := strconv.Atoi(f[3])
	e.Status = status
	check(3, err == nil && status >= 400 && status <= 599)
	if f[5] != "" {
		e.Aliases = strings.Split(f[5], "|")
	}
	e.Class, ok = parse[Class](classNames[:], f[6])
	check(6, ok)
	e.ServerSide = f[7] == "true"
	check(7, f[7] == "true" || f[7] == "false")
	e.Retry, ok = parse[Retry](retryColumns[:], f[8])
	check(8, ok)
	e.Reached, ok = parse[Reached](reachedNames[:], f[9])
	check(9, ok)
	e.Fixer, ok = parse[Party](partyNames[:], f[11])
	check(11, ok)
	e.Confidence, ok = parse[Confidence](confidenceNames[:], f[16])
	check(16, ok)
	if f[17] != "" {
		e.MessageConfidence, ok = parse[Confidence](confidenceNames[:], f[17])
		check(17, ok)
	}
	return e, errors.Join(errs...)
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
	return t, nil
}
