// Package report reads how a call ended out of whatever people paste, pipe or
// keep of it: response heads, logs, dumps of any language, documents.
//
// There is one reader. It finds names of headers, codes, statuses and the texts
// of the catalog wherever they stand, and says where. A form that it knows,
// such as a response head or JSON, only says more exactly what belongs
// together and what is a body; text of an unknown form is still searched.
//
// Nothing here reads a clock, a file or the network, and the work grows with
// the length of the text, whatever the text is.
package report

import (
	"net/http"
	"slices"
	"strconv"
	"strings"
)

// Report is what was found in a text. The zero value is a text that says
// nothing.
type Report struct {
	// Answers are the responses that the text reports, in its order. Of very
	// many, some in the middle are left out; Count has them all.
	Answers []Answer
	// Best is the index of the answer that counts, -1 if there is none.
	Best int
	// Count is how many answers there were.
	Count int
	// Text is the text as read: decoded, without colours, and cut to what
	// can be a body. It is what to look at where Answers is empty.
	Text string
}

// Answer is one response, as far as the text reports it.
type Answer struct {
	// Status is 0 where the text does not say it.
	Status int
	// Header holds every header found under its canonical name, those of the
	// gateway also where they came from a field of a log or a plain text.
	Header http.Header
	// Body is nil where none was found.
	Body []byte
	// RowID is the id of a row of the catalog, as logs of this library have it.
	RowID string
	// Whole says that the head was seen from its first line on: a header that
	// is not in it was not sent.
	Whole bool
	// Within says that this answer stands in the body of another one. It may be
	// anything that a backend chose to write.
	Within bool
	// Facts are what the answer was made of, in the order found.
	Facts []Fact

	strength strength // of the strongest mark of an error
	chained  bool     // a later answer of the same call replaces this one
	located  bool     // the places of the facts are known
	line     bool     // a line of a log within a document, as [time, line]: no attempt of its call
}

// Fact is something found in the text.
type Fact struct {
	// Name is the name of a header in canonical form, or "status", "row",
	// "body".
	Name  string
	Value string
	Place Place

	offset   int // in the page, until Place is known
	strength strength
}

// Place says where a fact was found. Lines and columns count from 1, columns
// in characters.
type Place struct {
	Line, Column int
	// Path names the field of a JSON document, as "log.entries[0].status";
	// empty elsewhere.
	Path string
}

// String is "line 3, column 7", with the path in front where there is one.
func (p Place) String() string {
	s := "line " + strconv.Itoa(p.Line) + ", column " + strconv.Itoa(p.Column)
	if p.Path != "" {
		s = p.Path + " (" + s + ")"
	}
	return s
}

// strength says how much a fact weighs where several contradict each other.
type strength uint8

const (
	weak     strength = iota + 1 // a word that may mean something else
	textual                      // a code or a text of the catalog, anywhere
	labelled                     // a field or a label says what the value is
	header                       // the name of a header says it
)

// Names of facts that are no headers, and of the headers that decide.
const (
	nameStatus    = "status"
	nameRow       = "row"
	nameBody      = "body"
	nameCode      = "X-Ca-Error-Code"
	nameMessage   = "X-Ca-Error-Message"
	nameRequestID = "X-Ca-Request-Id"
)

// mostAnswers bounds what is kept of a text that reports very many answers.
const mostAnswers = 64

// Read finds the answers that raw reports. It accepts every input; UTF-16 and
// gzip are recognised. It does not keep raw.
func Read(raw []byte) Report {
	return read(decode(raw), 0)
}

// ReadEntry is [Read] of an entry of a log, which is text already.
func ReadEntry(e Entry) Report { return read(strings.ToValidUTF8(string(e.Text), "�"), 0) }

// read is Read of a text that stands depth deep in others: JSON in JSON.
func read(text string, depth int) Report {
	p := newPage(text)
	r := &reader{page: p, depth: depth, lexicon: theLexicon()}
	r.run()
	report := Report{Answers: r.answers, Count: r.count, Text: p.text}
	report.Best = best(r.answers)
	return report
}

// Others are the answers that do not count, in the order of the text.
func (r Report) Others() []Answer {
	if r.Best < 0 {
		return nil
	}
	return slices.Concat(r.Answers[:r.Best], r.Answers[r.Best+1:])
}

// best chooses the answer that counts. Within one call the last head replaces
// those before it. Of answers that do not belong together, an error goes before
// a success, since nobody asks about a success; a mark of the gateway before a
// bare status; and then the latest one counts.
func best(answers []Answer) int {
	chosen, highest := -1, -1
	for i := range answers {
		if n := answers[i].rank(); n >= highest {
			chosen, highest = i, n
		}
	}
	return chosen
}

// rank orders answers by how much they say about a failure.
func (a *Answer) rank() int {
	switch {
	case a.Within:
		return 0
	case a.chained:
		return 1
	case a.strength >= textual:
		return 5
	case a.Status >= 400, a.strength == weak:
		return 4
	case a.Whole && a.Status != 0:
		return 3
	}
	return 2
}

// Failed reports whether a status or a mark says that the answer is an error.
func (a *Answer) Failed() bool { return a.Status >= 400 || a.strength > 0 }

// Sure reports whether more than a word that may mean something else was
// found.
func (a *Answer) Sure() bool {
	for i := range a.Facts {
		if a.Facts[i].strength >= textual {
			return true
		}
	}
	return false
}
