package report

import (
	"slices"
	"strconv"
	"strings"

	"github.com/apigw-go/apigw/catalog"
)

// document takes over what a JSON document says. What its members say goes
// into one answer as far as it agrees; elements of lists are answers of their
// own.
func (r *reader) document(n *node, end int) {
	// Text before the document in the same line is part of the entry: time, level,
	// and with zap's console format the message.
	r.closeLooseBefore(n.at)
	var a Answer
	r.member(n, "", false, &a)
	if body, ok := r.bodyOf(n, end); ok && a.strength < header {
		// The document is not about an answer, it is the body of one.
		a = Answer{}
		a.put(found{field: bodyText, value: body, offset: n.at, strength: textual})
	}
	if !a.empty() {
		r.appendDocument(a)
	}
}

// longestBody bounds what is compared with the bodies of the catalog.
const longestBody = 4 << 10

// bodyOf recognises a document that a gateway sends as a body.
func (r *reader) bodyOf(n *node, end int) (body string, ok bool) {
	if n.kind != '{' || end-n.at > longestBody || len(n.kids) > 8 || r.budget <= 0 {
		return "", false
	}
	if !slices.ContainsFunc(n.kids, func(kid node) bool { return r.lexicon.fields[kid.key] }) {
		return "", false
	}
	r.budget -= 5 // parsed once more
	body = r.page.text[n.at:end]
	m, ok := catalog.MatchBody(0, nil, body, true)
	return body, ok && m.Entry.Place == catalog.PlaceBody
}

// appendDocument merges the document into the line of text that it ends, as
// zap's console format writes it.
func (r *reader) appendDocument(a Answer) {
	if r.loose != nil {
		if a.absorb(r.loose) {
			r.loose = nil
		} else {
			r.closeLoose()
		}
	}
	r.append(a)
}

// closeLooseBefore closes what was found in earlier lines, unless the line
// before announces the document: "403 Forbidden, the body was:".
func (r *reader) closeLooseBefore(at int) {
	if r.loose == nil {
		return
	}
	line := r.page.lineAt(at)
	announced := line == r.line+1 && strings.HasSuffix(strings.TrimSpace(r.page.line(r.line)), ":")
	if line != r.line && !announced {
		r.closeLoose()
	}
}

// member reads a value at path into a.
func (r *reader) member(n *node, path string, inRequest bool, a *Answer) {
	switch n.kind {
	case '{':
		r.object(n, path, inRequest, a)
	case '[':
		r.list(n, path, inRequest, a)
	default:
		r.scalar(n, path, inRequest, a)
	}
}

// object reads members: fields first, then objects, which may be the response
// of what the fields describe.
func (r *reader) object(n *node, path string, inRequest bool, a *Answer) {
	if name, value, ok := namedPair(n); ok {
		r.header(name, value, path, n.at, inRequest, a)
		return
	}
	before := len(r.answers)
	for i := range n.kids {
		kid := &n.kids[i]
		kidPath := join(path, kid.key)
		// What was sent says nothing about the answer: a request can carry a status, a
		// code and a body of its own.
		request := inRequest || ofRequest(plainName(kid.key))
		switch kid.kind {
		case '{':
			var b Answer
			r.member(kid, kidPath, request, &b)
			// A member that contradicts its object is another answer, such as that of the
			// upstream.
			if !b.empty() && !a.absorb(&b) {
				r.append(b)
			}
		case '[':
			r.list(kid, kidPath, request, a)
		default:
			r.scalar(kid, kidPath, request, a)
		}
	}
	if a.Status != 0 || a.strength > 0 {
		// Attempts of the call that the object reports.
		for i := before; i < len(r.answers); i++ {
			r.answers[i].chained = !r.answers[i].line
		}
	}
}

func join(path, key string) string {
	if path == "" {
		return key
	}
	return path + "." + key
}

// namedPair recognises {"name": "Server", "value": "Kaede"}, as HAR has headers.
func namedPair(n *node) (name, value string, ok bool) {
	if len(n.kids) > 5 {
		return "", "", false
	}
	for i := range n.kids {
		switch kid := &n.kids[i]; strings.ToLower(kid.key) {
		case "name", "key":
			name = kid.text
		case "value":
			value, ok = kid.text, kid.kind == '"' || kid.kind == '0'
		}
	}
	return name, value, ok && isToken(name)
}

// list reads the values of a header, pairs of names and values, or things that
// are answers of their own.
func (r *reader) list(n *node, path string, inRequest bool, a *Answer) {
	// Several languages have the values of a header as a list.
	if f, _ := nameOf(n.key); f != noField && len(n.kids) > 0 && n.kids[0].kind == '"' { // "server": ["Kaede"]
		kid := n.kids[0]
		kid.key = n.key
		r.scalar(&kid, path+"[0]", inRequest, a)
		return
	}
	for i := 0; i < len(n.kids); i++ {
		kid := &n.kids[i]
		kidPath := path + "[" + strconv.Itoa(i) + "]"
		switch {
		// rawHeaders of Node, and the like.
		case kid.kind == '"' && i+1 < len(n.kids) && n.kids[i+1].kind == '"' &&
			isHeaderName(kid.text): // names and values in turn
			r.header(kid.text, n.kids[i+1].text, kidPath, kid.at, inRequest, a)
			i++
		case kid.kind == '{':
			if name, value, ok := namedPair(kid); ok {
				r.header(name, value, kidPath, kid.at, inRequest, a)
				continue
			}
			fallthrough
		case kid.kind == '[' && !isPair(kid):
			var b Answer
			r.member(kid, kidPath, inRequest, &b)
			if !b.empty() {
				b.line = kid.kind == '['
				r.append(b)
			}
		default:
			r.member(kid, kidPath, inRequest, a)
		}
	}
}

// isPair recognises ["Server", "Kaede"].
func isPair(n *node) bool {
	return len(n.kids) == 2 && n.kids[0].kind == '"' && n.kids[1].kind != '{' && isHeaderName(n.kids[0].text)
}

func isHeaderName(s string) bool {
	f, _ := nameOf(s)
	return f >= codeField && f <= headerField || strings.EqualFold(s, ":status")
}

// header puts a header that stands as a pair.
func (r *reader) header(name, value, path string, at int, inRequest bool, a *Answer) {
	r.scalar(&node{kind: '"', key: name, text: value, at: at}, path, inRequest, a)
}

// scalar reads a field.
func (r *reader) scalar(n *node, path string, inRequest bool, a *Answer) {
	f, canonical := nameOf(n.key)
	fact := found{field: f, name: canonical, value: n.text, offset: n.at, path: path, strength: header}
	switch f {
	case statusField:
		fact.status, fact.strength = leadingStatus(n.text), labelled
		if fact.status == 0 {
			return
		}
		fact.value = n.text[:3]
	case codeField:
		if c := leadingCode(n.text); c != "" {
			fact.value = c
		}
	case codeLabel:
		if c := leadingCode(n.text); c != "" && len(n.text) == 6 {
			fact.field, fact.name, fact.value, fact.strength = codeField, nameCode, c, labelled
		} else if fact.status = leadingStatus(n.text); fact.status >= 100 && len(n.text) == 3 {
			fact.field, fact.strength = statusField, textual
		} else {
			fact.field = noField
		}
	case requestLabel:
		fact.field, fact.name, fact.strength = requestIDField, nameRequestID, labelled
	// Kept and not searched: a body never speaks for the gateway.
	case bodyLabel:
		if n.kind == '"' && !inRequest && n.text != "" {
			fact.strength = labelled
			a.put(fact)
			return
		}
	case messageField, requestIDField, headerField:
	default:
		fact.field = noField
		if strings.HasSuffix(path, "content.text") && !inRequest { // HAR
			fact.field, fact.strength = bodyLabel, labelled
		}
	}
	switch {
	case n.text == "" || n.kind != '"' && n.kind != '0':
	case fact.field == requestIDField || fact.field == codeField || fact.field == messageField:
		a.put(fact)
	case fact.field != noField:
		if !inRequest {
			a.put(fact)
		}
	case n.kind == '"' && len(n.text) > 5 && !inRequest:
		r.inner(n, f, path, a)
	}
}

// inner searches the string of a field that has no meaning of its own. A head
// or a document in it is read as such.
func (r *reader) inner(n *node, f field, path string, a *Answer) {
	// Loggers put heads and JSON into strings. Other strings are searched where they
	// stand, which costs no new page.
	if r.depth < deepest && strings.ContainsAny(n.text, "\n{[") {
		report := read(n.text, r.depth+1)
		if report.Best < 0 {
			return
		}
		b := report.Answers[report.Best]
		for i := range b.Facts {
			b.Facts[i].offset = n.at
			b.Facts[i].Place.Path = path
		}
		b.located, b.chained = false, false
		if !a.absorb(&b) {
			r.append(b)
		}
		return
	}
	s := &scanner{text: n.text, lexicon: r.lexicon, budget: &r.budget, emit: func(f found) {
		f.offset, f.path = n.at, path
		a.put(f)
	}}
	if f == textLabel {
		s.labelled = true
	}
	s.scan(0, len(n.text))
}
