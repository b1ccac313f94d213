package signer

import (
	_ "embed"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"sync"
)

// A lesson is what a refusal can teach.
type lesson string

const (
	lessonNone      lesson = ""
	lessonClock     lesson = "clock"
	lessonTimestamp lesson = "timestamp"
	lessonReading   lesson = "reading"
)

// A refusalRow is a row of refusals.tsv. Package signer needs the standard library
// alone, so it has these few rows of package catalog as data of its own.
type refusalRow struct {
	lesson  lesson
	row     string
	status  int
	code    string // empty for a classic gateway, which sends none
	message string // empty where the code says it all
	prefix  bool   // message is the beginning of one
	proven  bool
}

//go:embed refusals.tsv
var refusalTable string

var refusals = sync.OnceValue(func() []refusalRow {
	var all []refusalRow
	for line := range strings.Lines(refusalTable) {
		line = strings.TrimRight(line, "\r\n")
		if line == "" || line[0] == '#' {
			continue
		}
		r, err := parseRefusal(line)
		if err != nil {
			panic(err) // the file is part of the program, and tested
		}
		all = append(all, r)
	}
	return all
})

func parseRefusal(line string) (r refusalRow, err error) {
	columns := strings.Split(line, "\t")
	if len(columns) != 6 {
		return r, fmt.Errorf("signer: refusals.tsv: %d columns in %q, want 6", len(columns), line)
	}
	for i, c := range columns {
		if c == "-" {
			columns[i] = ""
		}
	}
	r = refusalRow{lesson: lesson(columns[0]), row: columns[1], code: columns[3], proven: columns[5] == "yes"}
	r.message, r.prefix = strings.CutSuffix(columns[4], "*")
	if r.status, err = strconv.Atoi(columns[2]); err != nil {
		return r, fmt.Errorf("signer: refusals.tsv: the status of %s: %w", r.row, err)
	}
	return r, nil
}

// refusalOf says which refusal a response is. A word in a text is not enough:
// status, code and message must be those of the row, and each header must be
// there once. "coupon timestamp expired" of a provider is no refusal.
func refusalOf(resp *http.Response) refusalRow {
	code, codes := lookup(resp.Header, "X-Ca-Error-Code")
	message, messages := lookup(resp.Header, "X-Ca-Error-Message")
	if resp.StatusCode < 400 || codes > 1 || messages > 1 {
		return refusalRow{}
	}
	for _, r := range refusals() {
		if r.status == resp.StatusCode && r.code == trim(code) && r.matches(trim(message)) {
			r.proven = r.proven && !isPhrase(resp, message)
			return r
		}
	}
	return refusalRow{}
}

// isPhrase reports whether a text is the reason phrase of its response. Classic
// instances copy the phrase of the backend's answer into the message, so that it
// does not prove who spoke.
func isPhrase(resp *http.Response, text string) bool {
	_, phrase, _ := strings.Cut(resp.Status, " ")
	return phrase != "" && sameName(strings.Join(strings.Fields(phrase), " "), strings.Join(strings.Fields(text), " "))
}

func (r refusalRow) matches(message string) bool {
	switch {
	case r.message == "":
		return true
	case r.prefix:
		return hasPrefixFold(message, r.message)
	}
	return sameName(message, r.message)
}
