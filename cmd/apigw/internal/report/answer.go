package report

import (
	"net/http"
	"strings"

	"github.com/apigw-go/apigw/catalog"
)

// found is a fact on its way into an answer.
type found struct {
	field    field
	name     string // canonical name of a headerField
	value    string
	status   int    // of a statusField
	offset   int    // in the page
	path     string // of a field of JSON
	strength strength
}

// mostFacts bounds what an answer remembers of where things stood.
const mostFacts = 64

// put takes a fact over. Of two that contradict each other the stronger one
// stays, of two equals the first, but that an error goes before a success.
func (a *Answer) put(f found) {
	fact := Fact{Value: f.value, Place: Place{Path: f.path}, offset: f.offset, strength: f.strength}
	switch f.field {
	case statusField:
		fact.Name = nameStatus
		// A line of a log often has several statuses, such as that of an upstream and
		// the one passed on. Between equals the failure is the one asked about.
		old := a.strengthOf(nameStatus)
		if a.Status != 0 && (f.strength < old || f.strength == old && (a.Status >= 400 || f.status < 400)) {
			return
		}
		a.Status = f.status
	case codeField, messageField, requestIDField, headerField:
		fact.Name = f.name
		if a.Header == nil {
			a.Header = make(http.Header)
		}
		switch old := a.strengthOf(f.name); {
		// A head may have a header twice. Both stay, as net/http would have them.
		case old == header && f.strength == header:
			if values := a.Header[f.name]; len(values) < 8 && f.value != values[0] {
				a.Header[f.name] = append(values, f.value)
			}
			return
		case old >= f.strength:
			return
		}
		a.Header[f.name] = []string{f.value}
		a.mark(f)
	case rowLabel:
		fact.Name = nameRow
		if a.RowID != "" {
			return
		}
		a.RowID = f.value
		a.strength = max(a.strength, f.strength)
	case bodyLabel, bodyText:
		fact.Name = nameBody
		if a.Body != nil {
			return
		}
		a.Body = []byte(f.value)
		fact.Value = ""
		// A body that is a text of the catalog is a mark; any other body says nothing.
		if f.field == bodyText {
			a.strength = max(a.strength, f.strength)
		}
	default:
		return
	}
	for i := range a.Facts {
		if a.Facts[i].Name == fact.Name {
			a.Facts[i] = fact
			return
		}
	}
	if len(a.Facts) < mostFacts {
		a.Facts = append(a.Facts, fact)
	}
}

// mark notes that the gateway says that something failed.
func (a *Answer) mark(f found) {
	switch f.field {
	case codeField:
		a.strength = max(a.strength, f.strength)
	case messageField:
		// Classic instances send "OK" with successful calls.
		if !strings.EqualFold(f.value, "OK") {
			a.strength = max(a.strength, f.strength)
		}
	}
}

// strengthOf is how much the fact of that name weighs, 0 where there is none.
func (a *Answer) strengthOf(name string) strength {
	for i := range a.Facts {
		if a.Facts[i].Name == name {
			return a.Facts[i].strength
		}
	}
	return 0
}

// contradicts reports whether f belongs to another answer, unless both stand in
// one line.
func (a *Answer) contradicts(f found) bool {
	switch f.field {
	case statusField:
		return a.Status != 0 && a.Status != f.status && f.strength >= textual && a.strengthOf(nameStatus) >= textual
	case codeField:
		// A code behind a text belongs to the same answer if it is the code of that
		// text: logs print both, in either order.
		if a.strength >= textual && a.Header.Get(nameCode) == "" && a.Header.Get(nameMessage) != "" {
			return !sameRow(f.value, a.Header.Get(nameMessage))
		}
		return a.differs(nameCode, f)
	case messageField:
		if code := a.Header.Get(nameCode); code != "" && f.strength < header {
			return !sameRow(code, f.value)
		}
		return a.differs(nameMessage, f)
	case requestIDField:
		// A bare UUID may be the id of anything, so it never separates answers.
		return a.differs(nameRequestID, f) && f.strength >= labelled && a.strengthOf(nameRequestID) >= labelled
	case rowLabel:
		return a.RowID != "" && a.RowID != f.value
	case bodyText:
		return a.Body != nil && string(a.Body) != f.value
	}
	return false
}

func (a *Answer) differs(name string, f found) bool {
	old := a.Header.Get(name)
	return old != "" && old != f.value
}

// sameRow reports whether a text can be the text of a code.
func sameRow(code, text string) bool {
	row, ok := catalog.Lookup(catalog.Code(code))
	if !ok {
		return true // nobody knows
	}
	_, ok = catalog.MatchEntry(row, text)
	return ok
}

// absorb takes over what b knows and a does not. It is false, and nothing
// happens, where the two cannot be one answer.
func (a *Answer) absorb(b *Answer) bool {
	// Statuses or codes that differ are two answers: a retry, a proxy in between.
	codeA, codeB := a.Header.Get(nameCode), b.Header.Get(nameCode)
	if a.Status != 0 && b.Status != 0 && a.Status != b.Status || codeA != "" && codeB != "" && codeA != codeB {
		return false
	}
	if a.Status == 0 {
		a.Status = b.Status
	}
	if a.Header == nil {
		a.Header = b.Header
	} else {
		for name, values := range b.Header {
			if a.Header[name] == nil {
				a.Header[name] = values
			}
		}
	}
	if a.Body == nil {
		a.Body = b.Body
	}
	if a.RowID == "" {
		a.RowID = b.RowID
	}
	a.Whole = a.Whole || b.Whole
	a.strength = max(a.strength, b.strength)
	for _, f := range b.Facts {
		if a.strengthOf(f.Name) == 0 && len(a.Facts) < mostFacts {
			a.Facts = append(a.Facts, f)
		}
	}
	return true
}

// empty reports whether nothing was found.
func (a *Answer) empty() bool { return len(a.Facts) == 0 }
