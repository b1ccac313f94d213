package main

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
	"strings"

	"github.com/apigw-go/apigw/catalog"
	"github.com/apigw-go/apigw/cmd/apigw/internal/report"
)

// explainFlags are the flags of explain.
type explainFlags struct {
	status        int
	code, message string
	signed        string
	each          string
	asJSON        bool
}

func runExplain(in *invocation, args []string) int {
	fs := in.flags("explain")
	var f explainFlags
	fs.BoolVar(&f.asJSON, "json", false, "")
	fs.IntVar(&f.status, "status", 0, "")
	fs.StringVar(&f.code, "code", "", "")
	fs.StringVar(&f.message, "message", "", "")
	fs.StringVar(&f.signed, "signed", "", "")
	fs.StringVar(&f.each, "each", "", "")
	rest, ok, exit := in.parse(fs, args, 1)
	if !ok {
		return exit
	}
	given := func(name string) bool { return isSet(fs, name) }
	switch {
	case given("each") && (len(rest) > 0 || given("status") || given("code") || given("message") || given("signed")):
		return in.misuse("--each takes one log, and no other text or value; only --json may stand beside it")
	case given("each"):
		return in.explainEach(f.each, f.asJSON)
	case given("status") && (f.status < 100 || f.status > 999):
		return in.misuse("--status %d is no HTTP status; give one from 100 to 999", f.status)
	case len(rest) == 1 && (given("code") || given("message")):
		return in.misuse("give either TEXT or --code and --message, not both")
	case len(rest) == 0 && !given("status") && strings.TrimSpace(f.code+f.message) == "":
		return in.misuse("nothing to explain: give a code, a text, or - for a response, a log or a dump on standard " +
			"input, as in `curl -si URL | apigw explain -`")
	case len(rest) == 1 && strings.TrimSpace(rest[0]) == "":
		return in.misuse("the text to explain is empty")
	}
	q, exit := in.question(f, rest)
	if exit != exitOK {
		return exit
	}
	v := in.judge(q)
	if f.signed != "" {
		if err := in.diagnose(&v, f.signed, q.message()); err != nil {
			return in.fault(err)
		}
	}
	if f.asJSON {
		in.json(v.x)
	} else {
		in.writeVerdict(v, q)
	}
	if v.x.ID != catalog.UnknownID {
		return exitOK
	}
	in.suggest(q)
	return exitUnknown
}

// question is what somebody wants to have explained: the answer that counts of
// a text, or values of flags.
type question struct {
	answer report.Answer
	report report.Report // where the answer comes from; Best is -1 for flags
	row    catalog.Entry // where the id of a row was given, else without an ID
	// plain says that the message is a text whose origin nobody stated.
	plain bool
}

func (q *question) message() string { return q.answer.Header.Get("X-Ca-Error-Message") }
func (q *question) code() string    { return q.answer.Header.Get("X-Ca-Error-Code") }

// question reads the input. What was given decides where the answer comes from;
// --status may stand beside everything, since a text alone can belong to two
// rows.
func (in *invocation) question(f explainFlags, rest []string) (q question, exit int) {
	q.report.Best = -1
	q.answer.Header = make(http.Header)
	switch {
	case len(rest) == 0:
		q.answer.Header.Set("X-Ca-Error-Code", f.code)
		q.answer.Header.Set("X-Ca-Error-Message", f.message)
	case rest[0] == "-":
		text, err := readSome(in.stdin)
		if err != nil {
			return q, in.misuse("standard input: %s", safeText(err))
		}
		if len(bytes.TrimSpace(text)) == 0 {
			return q, in.misuse("standard input is empty; did curl fail? Its flags for this are -si")
		}
		q = readQuestion(text)
	default:
		q = readQuestion([]byte(rest[0]))
	}
	if f.status != 0 {
		q.answer.Status = f.status
	}
	return q, exitOK
}

// readSome reads what can be a report, and lets the writer of a long one
// finish.
func readSome(r io.Reader) ([]byte, error) {
	text, err := io.ReadAll(io.LimitReader(r, report.MaxText))
	if err == nil {
		_, err = io.Copy(io.Discard, r)
	}
	return text, err
}

// readQuestion asks the reader, and takes a short text as a whole where that
// finds nothing in it: a code in lower case, the id of a row, a status, a text
// of somebody.
func readQuestion(text []byte) question {
	r := report.Read(text)
	q := question{report: r}
	if r.Best >= 0 {
		q.answer = r.Answers[r.Best]
	}
	if q.answer.Header == nil {
		q.answer.Header = make(http.Header)
	}
	if row, ok := catalog.ByID(q.answer.RowID); ok {
		q.row = row
	}
	if (r.Best < 0 || !q.answer.Sure()) && !tellsOfNoResponse(r.Text) {
		takeWhole(&q, r.Text)
	}
	return q
}

// longestWhole bounds what is taken for one text of a gateway.
const longestWhole = 1000

// takeWhole reads a text as one thing: a row, or a code, a status and a message
// in this order, each of which may be missing.
func takeWhole(q *question, text string) {
	text = strings.TrimSpace(text)
	if n := len(text) - 1; n > 0 && text[0] == text[n] && strings.ContainsRune("\"'`", rune(text[0])) {
		text = strings.TrimSpace(text[1:n]) // pasted out of a log or a program
	}
	if len(text) > longestWhole || strings.Count(text, "\n") > 3 {
		return
	}
	if row, ok := catalog.ByID(strings.ToLower(text)); ok {
		q.row = row
		return
	}
	text = strings.TrimSpace(strings.TrimPrefix(text, "apigw:"))
	word, after, _ := strings.Cut(text, " ")
	if c := catalog.Code(strings.ToUpper(strings.TrimRight(word, ":,;"))); c.Valid() {
		q.answer.Header.Set("X-Ca-Error-Code", string(c))
		text = strings.TrimSpace(after)
		word, after, _ = strings.Cut(text, " ")
	}
	if n := leadingStatus(strings.TrimRight(word, ":,;")); n != 0 {
		q.answer.Status = n
		text = strings.TrimSpace(after)
	}
	if text != "" && q.message() == "" {
		q.answer.Header.Set("X-Ca-Error-Message", text)
		q.plain = true
	}
}

// leadingStatus is the status that a word is, 0 for none.
func leadingStatus(word string) (n int) {
	if len(word) != 3 {
		return 0
	}
	if _, err := fmt.Sscanf(word, "%3d", &n); err != nil || n < 100 || n > 599 {
		return 0
	}
	return n
}
