package catalog

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"
	"unicode/utf8"
)

// MatchBody returns the row that a response without X-Ca-* headers belongs to:
// by its body, and by other headers and the status where those say it alone.
// Status 0 stands for an unknown one; else a row counts only at its own status.
//
// The body has to be the whole text of the row, letter for letter but for white
// space around it, or a JSON object with the fields of the row. A sentence that
// only holds the text of a row is none. whole says that body is all of it; else
// only the head counts. Header names count in any letter case.
//
// A JSON body whose field "code" is a code of the table, as services on top of
// the gateway write it, belongs to the row of that code. An answer that a proxy
// marks as passed on (x-envoy-upstream-service-time) is none of the gateway's;
// if nothing else is known of it, its entry has the judgement of [ByStatus].
func MatchBody(status int, header map[string][]string, body string, whole bool) (Match, bool) {
	r := response{status: status, header: header, body: trim(body), whole: whole && utf8.ValidString(body)}
	return embedded().match(&r)
}

// response is what MatchBody looks at.
type response struct {
	status   int
	header   map[string][]string
	body     string // trimmed
	whole    bool
	passedOn *Entry // the row that says that a proxy passed it on, else nil
}

// emptyBody reports that the body is known, and that there is none.
func (r *response) emptyBody() bool { return r.whole && r.body == "" }

func (t *table) match(r *response) (m Match, ok bool) {
	r.passedOn = t.bodies.passes(r)
	switch {
	case !r.whole:
	case isJSON(r.body):
		m, ok = t.matchJSON(r)
	default:
		m, ok = t.bodies.matchText(r)
	}
	if !ok {
		m, ok = t.bodies.matchMark(r)
	}
	if !ok && r.passedOn != nil {
		return Match{Entry: byStatus(*r.passedOn, r.status), Marked: true}, true
	}
	return m, ok
}

// byStatus is the row e with the judgement of a status.
func byStatus(e Entry, status int) Entry {
	general := ByStatus(status)
	e.Status, e.Class, e.ServerSide, e.Retry = status, general.Class, general.ServerSide, general.Retry
	e.Fixer, e.Remedy = general.Fixer, general.Remedy
	return e
}

// bodies finds rows that show in the body or in a mark.
type bodies struct {
	texts   patterns
	objects []object
	marks   []*Entry
	// passedOn are the answers that a proxy only passed on: none of its own.
	passedOn []*Entry
	// conditions are the parsed marks of the rows above.
	conditions map[*Entry][]condition
}

func newBodies(entries []Entry) (bodies, error) {
	b := bodies{texts: patterns{byPrefix: make(map[string][]pattern)}, conditions: make(map[*Entry][]condition)}
	for i := range entries {
		e := &entries[i]
		switch {
		case e.traits&passedOn != 0:
			b.passedOn = append(b.passedOn, e)
		case e.Place == PlaceMark:
			b.marks = append(b.marks, e)
		case e.Place != PlaceBody:
			continue
		case isJSON(e.Message):
			o, err := newObject(e)
			if err != nil {
				return b, fmt.Errorf("%s: message: %w", e.ID, err)
			}
			b.objects = append(b.objects, o)
		default:
			b.texts.add(parsePattern(e, e.Message))
		}
		if e.Mark != "" {
			b.conditions[e] = parseMark(e.Mark)
		}
	}
	return b, nil
}

// passes returns the row that says that a proxy passed the response on.
func (b *bodies) passes(r *response) *Entry {
	for _, e := range b.passedOn {
		if fulfilled(b.conditions[e], r.header, r.emptyBody()) {
			return e
		}
	}
	return nil
}

// fits reports whether a row can have answered with this head, and whether the
// head fulfils its mark.
func (b *bodies) fits(e *Entry, r *response) (marked, ok bool) {
	if r.passedOn != nil && (e.Origin == OriginGateway || e.Origin == OriginProxy) {
		return false, false
	}
	conditions := b.conditions[e]
	marked = len(conditions) > 0 && fulfilled(conditions, r.header, r.emptyBody())
	return marked, (r.status == 0 || e.HasStatus(r.status)) && (marked || e.traits&needsMark == 0)
}

// matchText finds the row whose whole text the body is. Of several with the same
// words the one with its mark wins, then the earlier one.
func (b *bodies) matchText(r *response) (best Match, found bool) {
	var f folded
	f.fold(r.body)
	for n := min(f.n, b.texts.longest); n > 0 && !found; n-- {
		if !b.texts.lengths[n] {
			continue
		}
		for _, p := range b.texts.byPrefix[string(f.text[:n])] {
			marked, ok := b.fits(p.entry, r)
			if !ok || found && (best.Marked || !marked) || !strings.HasPrefix(r.body, p.prefix) {
				continue
			}
			m, whole, ok := p.match(r.body[len(p.prefix):])
			if ok && (whole && p.closed(r.body) || p.entry.traits&openEnded != 0) {
				m.Marked = marked
				best, found = m, true
			}
		}
	}
	return best, found
}

// closed reports whether the quote before a last parameter has its counterpart
// at the end of text. A header may be cut short on the way, a whole body is not.
func (p *pattern) closed(text string) bool {
	if len(p.params) == 0 {
		return true
	}
	last := p.params[len(p.params)-1]
	return !last.quoted || last.after != "" || strings.IndexByte(quotes, text[len(text)-1]) >= 0
}

// matchMark finds the row that headers or the status show alone.
func (b *bodies) matchMark(r *response) (Match, bool) {
	for _, e := range b.marks {
		marked, ok := b.fits(e, r)
		if ok && r.status != 0 && (marked || e.Mark == "") {
			return Match{Entry: *e, Marked: marked}, true
		}
	}
	return Match{}, false
}

// isJSON reports whether a text can only be a JSON object. No other message
// begins with a brace.
func isJSON(text string) bool { return strings.HasPrefix(text, "{") }

// object is a JSON body: the fields that tell its row apart.
type object struct {
	entry  *Entry
	fields []field
}

// field is a field of an object. Numbers and such are compared as they stand.
type field struct {
	name    string
	literal string
	text    *pattern // of a string, else nil
}

func newObject(e *Entry) (object, error) {
	o := object{entry: e}
	d := json.NewDecoder(strings.NewReader(e.Message))
	if _, err := d.Token(); err != nil { // the brace
		return o, err
	}
	for d.More() {
		name, err := d.Token()
		if err != nil {
			return o, err
		}
		var raw json.RawMessage
		if err := d.Decode(&raw); err != nil {
			return o, err
		}
		f := field{name: name.(string), literal: string(raw)}
		if text, ok := stringOf(raw); ok {
			p := parsePattern(e, text)
			f.text = &p
		}
		o.fields = append(o.fields, f)
	}
	return o, nil
}

func stringOf(raw json.RawMessage) (text string, ok bool) {
	if len(raw) == 0 || raw[0] != '"' {
		return "", false
	}
	return text, json.Unmarshal(raw, &text) == nil
}

// matchJSON finds the row of a JSON object, or of the code in it.
func (t *table) matchJSON(r *response) (best Match, found bool) {
	var values map[string]json.RawMessage
	if json.Unmarshal([]byte(r.body), &values) != nil {
		return Match{}, false
	}
	for i := range t.bodies.objects {
		o := &t.bodies.objects[i]
		marked, ok := t.bodies.fits(o.entry, r)
		if !ok || found && (best.Marked || !marked) {
			continue
		}
		if m, ok := o.match(values); ok {
			m.Marked = marked
			best, found = m, true
		}
	}
	if code, ok := stringOf(values[codeField]); ok && !found {
		if e := t.byCode[Code(strings.ToUpper(code))]; e != nil {
			return Match{Entry: *e}, true
		}
	}
	return best, found
}

// codeField holds the code in the JSON bodies of services on top of the gateway.
const codeField = "code"

func (o *object) match(values map[string]json.RawMessage) (Match, bool) {
	m := Match{Entry: *o.entry}
	for i := range o.fields {
		f := &o.fields[i]
		raw, ok := values[f.name]
		if !ok {
			return Match{}, false
		}
		if f.text == nil {
			if string(bytes.TrimSpace(raw)) != f.literal {
				return Match{}, false
			}
			continue
		}
		text, ok := stringOf(raw)
		if !ok || !strings.HasPrefix(text, f.text.prefix) {
			return Match{}, false
		}
		part, whole, ok := f.text.match(text[len(f.text.prefix):])
		if !ok || !whole && part.Appended != "" {
			return Match{}, false
		}
		m.Params = append(m.Params, part.Params...)
	}
	if len(values) > len(o.fields) {
		m.Appended = "…" // more fields than the row has
	}
	return m, true
}
