package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"slices"
	"strconv"

	"github.com/apigw-go/apigw/catalog"
	"github.com/apigw-go/apigw/cmd/apigw/internal/report"
)

// explainEach reads a log entry by entry and sums up what failed, in memory that
// does not grow with the log.
func (in *invocation) explainEach(file string, asJSON bool) int {
	source, size, err := in.openLog(file)
	if err != nil {
		return in.misuse("--each: %v", err)
	}
	defer source.Close()
	ctx, stop := in.untilSignal()
	defer stop()
	watched := &progress{in: in, size: size, what: in.t("read", "已读取")}
	tally, err := in.tallyLog(ctx, watched.reader(source))
	watched.clear()
	if asJSON {
		for _, row := range tally.sorted() {
			in.json(row.line)
		}
	} else {
		in.writeTally(tally)
	}
	switch {
	case ctx.Err() != nil:
		in.complain("%s", in.t("interrupted: this is what was read so far", "已中断：以上为已读取部分的结果"))
		return exitInterrupted
	case err != nil:
		in.complain("--each: %s", safeText(err))
		return exitFailure
	case tally.entries == 0:
		return in.misuse("--each: the log is empty")
	case !tally.recognised():
		return exitUnknown
	}
	return exitOK
}

// openLog opens a file, or standard input for "-". The size is 0 if it is not
// known.
func (in *invocation) openLog(file string) (io.ReadCloser, int64, error) {
	if file == "-" {
		return io.NopCloser(in.stdin), 0, nil
	}
	f, err := os.Open(file)
	if err != nil {
		return nil, 0, err
	}
	info, err := f.Stat()
	if err == nil && info.IsDir() {
		f.Close()
		return nil, 0, fmt.Errorf("%s is a folder; name one file", printable(file))
	}
	if err != nil || !info.Mode().IsRegular() {
		return f, 0, nil
	}
	return f, info.Size(), nil
}

// seenAt is where and when something stood in a log.
type seenAt struct {
	Line int    `json:"line"`
	Time string `json:"time"` // as written there, "" if it is not
}

// eachLine is what --each --json prints of one error. Scripts read it: names and
// types stay.
type eachLine struct {
	ID             string `json:"id"`
	Code           string `json:"code"`
	Status         int    `json:"status"`
	Class          string `json:"class"`
	Count          int    `json:"count"`
	First          seenAt `json:"first"`
	Last           seenAt `json:"last"`
	Retry          string `json:"retry"`
	BackendReached string `json:"backend_reached"`
	Fixer          string `json:"fixer"`
	Meaning        string `json:"meaning"`
	Remedy         string `json:"remedy"`
	RequestID      string `json:"request_id"` // of the last one that had one
}

type tallyKey struct {
	id, code string
	status   int
}

type tallyRow struct{ line eachLine }

// mostKeys bounds the table. There are fewer rows in the catalog; the rest are
// codes that somebody made up.
const mostKeys = 2000

// tally counts what a log reports.
type tally struct {
	rows      map[tallyKey]*tallyRow
	entries   int // all
	successes int // with a status below 400 and no mark
	silent    int // that say nothing about a call
	dropped   int // beyond mostKeys
}

// tallyLog reads a log to its end. If it is interrupted, what it has counted so
// far is an answer too, so that is no error.
func (in *invocation) tallyLog(ctx context.Context, log io.Reader) (*tally, error) {
	t := &tally{rows: map[tallyKey]*tallyRow{}}
	for entry, err := range report.Entries(log) {
		if err != nil {
			return t, err
		}
		if ctx.Err() != nil {
			return t, nil
		}
		t.entries++
		in.count(t, entry)
	}
	return t, nil
}

// count adds the answer that an entry reports.
func (in *invocation) count(t *tally, entry report.Entry) {
	r := report.ReadEntry(entry)
	// Numbers and words of ordinary lines are no answers.
	if r.Best < 0 || !r.Answers[r.Best].Sure() {
		t.silent++
		return
	}
	q := question{report: r, answer: r.Answers[r.Best]}
	if q.row, _ = catalog.ByID(q.answer.RowID); q.answer.Header == nil {
		q.answer.Header = map[string][]string{}
	}
	kind, e := decide(q)
	switch kind {
	case nothingKnown:
		t.silent++
		return
	case noFailure:
		t.successes++
		return
	}
	// By row; what has none by status, what has an unknown code by that.
	key := tallyKey{status: q.answer.Status}
	if e != nil {
		key.id = e.Entry.ID
	}
	switch {
	case key.id != catalog.UnknownID:
		key.status = 0 // one row a line, whatever the status
	case e.Inferred:
		key.code = string(e.Code)
	}
	row := t.rows[key]
	at := seenAt{Line: entry.Line, Time: report.Timestamp(string(entry.Text[:min(len(entry.Text), 400)]))}
	if row == nil {
		if len(t.rows) >= mostKeys {
			t.dropped++
			return
		}
		// Explained once a row, not once a line: a log has millions.
		x := in.judge(q).x
		row = &tallyRow{eachLine{
			ID: x.ID, Code: x.Code, Status: x.Status, Class: x.Class, First: at, Retry: x.Retry,
			BackendReached: x.BackendReached,
			Fixer:          x.Fixer, Meaning: x.Meaning, Remedy: x.Remedy,
		}}
		t.rows[key] = row
	}
	row.line.Count++
	row.line.Last = at
	if id := q.answer.Header.Get("X-Ca-Request-Id"); id != "" {
		row.line.RequestID = id
	}
}

// sorted lists the rows, the most frequent first.
func (t *tally) sorted() []*tallyRow {
	rows := make([]*tallyRow, 0, len(t.rows))
	for _, row := range t.rows {
		rows = append(rows, row)
	}
	slices.SortFunc(rows, func(a, b *tallyRow) int {
		if a.line.Count != b.line.Count {
			return b.line.Count - a.line.Count
		}
		return a.line.First.Line - b.line.First.Line
	})
	return rows
}

// recognised reports whether the log told of anything that is known.
func (t *tally) recognised() bool {
	if t.successes > 0 && len(t.rows) == 0 {
		return true
	}
	for key := range t.rows {
		if key.id != catalog.UnknownID {
			return true
		}
	}
	return false
}

// writeTally prints the table, and below it how many entries said nothing: a log
// in which nothing is known must not look like one without errors.
func (in *invocation) writeTally(t *tally) {
	rows := [][]string{{
		in.t("COUNT", "次数"), in.t("ID", "编号"), in.t("RETRY", "重试"), in.t("FIXED BY", "由谁解决"),
		in.t("FIRST", "首次"), in.t("LAST", "末次"),
	}}
	for _, r := range t.sorted() {
		l := r.line
		name := l.ID
		if l.ID == catalog.UnknownID {
			name = l.Code
			if name == "" {
				name = "unknown " + strconv.Itoa(l.Status)
			}
		}
		rows = append(rows, []string{strconv.Itoa(l.Count), printable(name), l.Retry, l.Fixer, in.shownSeen(l.First),
			in.shownSeen(l.Last)})
	}
	if len(rows) > 1 {
		table(in.stdout, in.colour, rows, nil)
		fmt.Fprintln(in.stdout)
	}
	failed := t.entries - t.successes - t.silent
	fmt.Fprintf(in.stdout, in.t(
		"entries %d: errors %d, %d without an error, %d that say nothing about a call\n",
		"共 %d 条：错误 %d，无错误 %d，与调用无关 %d\n"), t.entries, failed, t.successes, t.silent)
	if t.dropped > 0 {
		fmt.Fprintf(in.stdout, in.t("%d errors of further codes are not listed\n", "另有 %d 个错误（其他错误码）未列出\n"), t.dropped)
	}
}

// shownSeen is a time as far as it fits a column, else the line.
func (in *invocation) shownSeen(at seenAt) string {
	if at.Time == "" {
		return fmt.Sprintf(in.t("line %d", "第 %d 行"), at.Line)
	}
	return shortTime(at.Time)
}
