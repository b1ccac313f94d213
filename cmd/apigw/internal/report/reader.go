package report

import "strings"

// reader goes through a page once, from head to head. What is no head, no body
// and no request is searched as text, JSON in it as JSON.
type reader struct {
	page    *page
	depth   int
	lexicon *lexicon
	budget  int

	answers []Answer
	count   int
	loose   *Answer // made of the text between, still open
	line    int     // of the latest fact of loose
	chain   bool    // the latest answer is a head, and no command was typed since
}

// deepest is how deep texts within texts are read: a head in a field of JSON in
// a field of JSON.
const deepest = 3

func (r *reader) run() {
	r.budget = mostMatches
	p := r.page
	from := 0 // of the text not searched yet
	column := 0
	for i := 0; i < len(p.lines); {
		if request := requestEnd(p, i); request > i {
			r.search(from, p.lines[i].start)
			r.closeLoose() // what follows answers this request
			i, column = request, 0
			from = p.startOf(i)
			continue
		}
		h, ok := readHead(p, i, column)
		if !ok {
			i, column = i+1, 0
			continue
		}
		r.search(from, p.lines[i].start+column)
		i, column = r.head(h)
		from = p.startOf(i) + column
	}
	r.search(from, len(p.text))
	r.closeLoose()
	for i := range r.answers {
		r.locate(&r.answers[i])
	}
}

func (p *page) startOf(line int) int {
	if line < len(p.lines) {
		return p.lines[line].start
	}
	return len(p.text)
}

// head takes a head and its body over.
func (r *reader) head(h *headLines) (line, column int) {
	r.closeLoose()
	// A head that follows another one with nothing but its body between is
	// the answer to the same call, or to its repetition: it replaces that.
	// Of a chain the last one is the answer to the call.
	if r.chain {
		r.answers[len(r.answers)-1].chained = true
	}
	body, line, column := h.body()
	if body != nil {
		h.answer.put(found{field: bodyLabel, value: string(body), offset: r.page.startOf(h.next), strength: header})
		r.within(body, h.next)
	}
	r.append(h.answer)
	r.chain = line == len(h.page.lines) || !isPrompt(h.page.line(line))
	return line, column
}

// within lists what stands in a body and looks like another answer.
func (r *reader) within(body []byte, line int) {
	if r.depth >= deepest {
		return
	}
	inner := read(string(body[:min(len(body), mostWithin)]), r.depth+1)
	for _, a := range inner.Answers {
		if !a.Whole && (a.strength < textual || a.Header == nil && a.RowID == "") {
			continue // it says something as a body, not about another answer
		}
		a.Within = true
		for i := range a.Facts {
			a.Facts[i].Place.Line += line
		}
		a.located = true
		r.append(a)
	}
}

// append keeps an answer; of very many, the first and the last ones.
func (r *reader) append(a Answer) {
	r.count++
	r.chain = false
	// The middle goes: the first answers show how it began, the last one counts.
	if len(r.answers) == mostAnswers {
		copy(r.answers[mostAnswers/2:], r.answers[mostAnswers/2+1:])
		r.answers = r.answers[:mostAnswers-1]
	}
	r.answers = append(r.answers, a)
}

// requestEnd is the line behind the head of a request that begins in line i, as
// "curl -v" shows it, or i where none begins.
func requestEnd(p *page, i int) int {
	line := p.line(i)
	at := strings.LastIndex(line, " HTTP/")
	if at < 0 || strings.TrimLeft(line[at+len(" HTTP/"):], "0123.") != "" {
		return i
	}
	words := strings.Fields(line[:at])
	n := len(words)
	if n < 2 || !isMethod(words[n-2]) {
		return i
	}
	prefix := line[:strings.LastIndex(line[:at], words[n-2]+" ")]
	for j := i + 1; j < len(p.lines); j++ {
		rest, mine := cutPrefix(p.line(j), prefix)
		name, _, isHeader := strings.Cut(rest, ":")
		if !mine || strings.TrimSpace(rest) == "" || !isHeader || !isToken(name) {
			return j
		}
	}
	return len(p.lines)
}

func isMethod(word string) bool {
	switch word {
	case "GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "CONNECT":
		return true
	}
	return false
}

// locate says where the facts of an answer stand.
func (r *reader) locate(a *Answer) {
	if a.located {
		return
	}
	for i := range a.Facts {
		place := r.page.place(a.Facts[i].offset)
		place.Path = a.Facts[i].Place.Path
		a.Facts[i].Place = place
	}
	a.located = true
}

// take puts a fact of a text into the open answer, or opens another one where
// the two contradict each other in different lines.
func (r *reader) take(f found) {
	line := r.page.lineAt(f.offset)
	if r.loose == nil {
		r.loose = new(Answer)
		// Facts that agree are one answer, over as many lines as a dump takes.
	} else if line != r.line && r.loose.contradicts(f) {
		r.closeLoose()
		r.loose = new(Answer)
	}
	r.line = line
	r.loose.put(f)
}

func (r *reader) closeLoose() {
	if r.loose != nil && !r.loose.empty() {
		r.append(*r.loose)
	}
	r.loose = nil
}

// search goes through text[from:to], which holds no head: JSON is read as such
// wherever it begins, all else word by word.
func (r *reader) search(from, to int) {
	text := r.page.text[:to]
	s := &scanner{text: text, lexicon: r.lexicon, emit: r.take, budget: &r.budget}
	for at := from; at < to; {
		i := nextDocument(text, at)
		if i < 0 {
			break
		}
		node, end, ok := parseJSON(text, i)
		if !ok {
			// What broke off is read as text; the search goes on behind, so
			// that nothing is parsed twice.
			at = max(end, i+1)
			continue
		}
		s.scan(from, i)
		s.text = text
		r.document(&node, end)
		from, at = end, end
	}
	s.scan(from, to)
}

// nextDocument is where JSON may begin, -1 for nowhere: a bracket before a
// quote or before another bracket.
func nextDocument(text string, from int) int {
	for i := from; i < len(text); i++ {
		if text[i] != '{' && text[i] != '[' {
			continue
		}
		j := i + 1
		for j < len(text) && isSpace(text[j]) {
			j++
		}
		if j < len(text) && (text[j] == '"' || text[i] == '[' && (text[j] == '{' || text[j] == '[')) {
			return i
		}
		i = j - 1
	}
	return -1
}
