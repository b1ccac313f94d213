package report

import (
	"strconv"
	"strings"

	"github.com/apigw-go/apigw/catalog"
)

// scanner searches a text of any form for facts. It goes through the text once
// and skips what it took as a value.
type scanner struct {
	text    string
	lexicon *lexicon
	emit    func(found)
	budget  *int // of texts that may still be compared with the catalog

	previous token // the word before
	labelAt  int   // where the value of the last text label begins
	request  bool  // the lines are those of a request
	labelled bool  // the whole text is the value of a text label
}

type token struct{ from, to int }

// mostMatches bounds how many texts are compared with the catalog in one
// reading, at some microseconds each.
const mostMatches = 5_000

// scan searches text[from:to].
func (s *scanner) scan(from, to int) {
	s.labelAt, s.previous = -1, token{from, from}
	if s.labelled {
		s.labelAt = from
	}
	s.text = s.text[:to]
	for i := from; i < to; {
		c := s.text[i]
		if c >= 0x80 {
			i = s.wide(i)
			continue
		}
		if !isNameByte(c) && !(c == ':' && i+1 < to && isNameByte(s.text[i+1])) {
			i++
			continue
		}
		i = s.word(i)
	}
}

// word handles the word at i and returns where to go on.
func (s *scanner) word(i int) (next int) {
	if s.text[i] == ':' { // ":status", as browsers show HTTP/2
		if !hasPrefixFold(s.text[i:], ":status") {
			return i + 1
		}
	}
	end := s.wordEnd(i + 1)
	t := token{i, end}
	defer func() { s.previous = t }()
	word := s.text[i:end]
	if s.request && s.endsRequest(i, word) {
		s.request = false
	}
	// Names first: the text behind a name is its value and nothing else.
	if next, ok := s.named(t); ok {
		return next
	}
	if n := s.lexicon.find(s.text[i:]); n > 0 && !s.request {
		if next, ok := s.known(i, n); ok {
			t.to = next
			return next
		}
	}
	switch n := len(word); {
	case n == 3:
		s.status(t)
	case n == 6 && catalog.Code(word).Valid():
		s.code(t)
	case n == 36 && isUUID(word):
		s.emit(found{field: requestIDField, name: nameRequestID, value: word, offset: i, strength: weak})
	case strings.IndexByte(word, '.') > 0:
		if row, ok := catalog.ByID(strings.ToLower(word)); ok {
			s.emit(found{field: rowLabel, value: row.ID, offset: i, strength: textual})
		}
	}
	return end
}

// wordEnd is where the word that holds i-1 ends. A dot within a word belongs to
// it: an address, a file, a row of the catalog is one word.
func (s *scanner) wordEnd(i int) int {
	for i < len(s.text) && (isNameByte(s.text[i]) || s.text[i] == '.' && i+1 < len(s.text) && isNameByte(s.text[i+1])) {
		i++
	}
	return i
}

// wideLabels are labels without ASCII letters, and what precedes a status.
var wideLabels = []string{"状态码", "返回码", "错误码", "错误信息", "错误消息", "请求ID", "请求 ID", "请求id"}

// wide handles a character that is not ASCII.
func (s *scanner) wide(i int) (next int) {
	for _, label := range wideLabels {
		if strings.HasPrefix(s.text[i:], label) {
			t := token{i, i + len(label)}
			s.previous = t
			if next, ok := s.named(t); ok {
				return next
			}
			if f, _ := nameOf(label); f == textLabel { // Chinese needs no separator before the text
				s.labelAt = t.to
			}
			return t.to
		}
	}
	for i++; i < len(s.text) && s.text[i]&0xc0 == 0x80; i++ {
	}
	return i
}

// moreWords is how many words may follow one to make a label: "request id",
// "error message", "HTTP status code".
func moreWords(word string) int {
	switch strings.ToLower(word) {
	case "http", "response":
		return 2
	case "request", "req", "error", "status":
		return 1
	}
	return 0
}

// named handles a word, or up to three of them, that name a field.
func (s *scanner) named(t token) (next int, ok bool) {
	f, canonical := nameOf(s.text[t.from:t.to])
	for end, more := t.to, moreWords(s.text[t.from:t.to]); more > 0; more-- {
		if end+1 >= len(s.text) || s.text[end] != ' ' || !isNameByte(s.text[end+1]) {
			break
		}
		end = s.wordEnd(end + 1)
		if g, c := nameOf(s.text[t.from:end]); g != noField && g != rowLabel {
			f, canonical, t.to = g, c, end
		}
	}
	if f == noField {
		return 0, false
	}
	if s.request && f != codeField && f != messageField && f != requestIDField {
		return t.to, true
	}
	v, ok := valueBehind(s.text, t.from, t.to, f)
	if !ok {
		return 0, false
	}
	return s.take(f, canonical, t, v)
}

// take emits the fact that a name and its value are. It is false where the
// value is none for this name; then both are read as any text.
func (s *scanner) take(f field, canonical string, t token, v value) (next int, ok bool) {
	fact := found{field: f, name: canonical, value: v.text, offset: t.from, strength: header}
	next = v.to
	switch f {
	case statusField:
		fact.status, fact.strength = leadingStatus(v.text), labelled
		if fact.status == 0 {
			return 0, false
		}
		fact.value = strconv.Itoa(fact.status)
		next = v.from + 3
	case codeField:
		if c := leadingCode(v.text); c != "" {
			fact.value = c
			next = v.from + len(c)
		} else if s.lexicon.find(v.text) == 0 {
			return 0, false // neither a code nor a name of the classic table
		} else {
			next = v.to
		}
	case messageField:
		if n := s.lexicon.find(s.text[v.from:]); !v.quoted && n > v.to-v.from { // goes on in the next line
			fact.value = strings.Join(strings.Fields(s.text[v.from:v.from+n]), " ")
			next = v.from + n
		}
	case requestIDField, requestLabel:
		if !fact.requestID(v.text) {
			return 0, false
		}
		next = v.from + len(fact.value)
	case headerField:
	case codeLabel:
		if !fact.anyCode(v.text) {
			return 0, false
		}
		next = v.from + len(fact.value)
	case textLabel:
		// Not taken as a value: only a text of the catalog counts, and the search finds
		// that. It counts more here than in the middle of a sentence.
		s.labelAt = v.from
		return 0, false
	default:
		return 0, false
	}
	if (f == statusField || f >= codeLabel) && s.inURL(t.from) {
		return 0, false // a parameter
	}
	s.emit(fact)
	return max(next, t.to), true
}

// requestID takes the id that a text begins with. A label such as "request id"
// may stand in any sentence, so that what follows it has to look like an id.
func (f *found) requestID(text string) bool {
	strict := f.field == requestLabel
	if strict {
		f.strength = labelled
	}
	f.field, f.name, f.value = requestIDField, nameRequestID, leadingID(text, strict)
	return f.value != ""
}

// anyCode takes what a text behind "code" begins with: programs call the status
// so, the code of the gateway, and their own.
func (f *found) anyCode(text string) bool {
	if c := leadingCode(text); c != "" && (isKnown(c) || c == text) {
		f.field, f.name, f.value, f.strength = codeField, nameCode, c, labelled
		return true
	}
	if n := leadingStatus(text); n >= 400 {
		f.field, f.status, f.value, f.strength = statusField, n, strconv.Itoa(n), textual
		return true
	}
	return false
}

// leadingStatus is the status that a value is or begins with, 0 for none.
func leadingStatus(s string) int {
	if len(s) < 3 || len(s) > 3 && (isNameByte(s[3]) || s[3] == '.' && len(s) > 4 && isDigit(s[4])) {
		return 0
	}
	n, err := strconv.Atoi(s[:3])
	if err != nil || n < 100 || n > 599 {
		return 0
	}
	return n
}

// leadingCode is the code that a value is or begins with, in capitals.
func leadingCode(s string) string {
	if len(s) < 6 || len(s) > 6 && isNameByte(s[6]) {
		return ""
	}
	if c := strings.ToUpper(s[:6]); catalog.Code(c).Valid() {
		return c
	}
	return ""
}

func isKnown(code string) bool {
	_, ok := catalog.Lookup(catalog.Code(code))
	return ok
}

// leadingID is the id that a value begins with. What a mere label precedes must
// look like one.
func leadingID(s string, strict bool) string {
	n, digits := 0, 0
	for n < len(s) && n < 128 && (isNameByte(s[n]) || s[n] == '.' || s[n] == '/' || s[n] == '=' || s[n] == '+') {
		if isDigit(s[n]) {
			digits++
		}
		n++
	}
	if id := strings.TrimRight(s[:n], ".="); !strict || len(id) >= 8 && digits > 0 {
		return id
	}
	return ""
}

// isUUID reports whether a word is an id as the gateway makes them. In lower
// case it may be anybody's.
func isUUID(word string) bool {
	for i := 0; i < len(word); i++ {
		c := word[i]
		dash := i == 8 || i == 13 || i == 18 || i == 23
		if dash != (c == '-') || !dash && !isDigit(c) && (c < 'A' || c > 'F') {
			return false
		}
	}
	return true
}

// requestTitles and responseTitles are lines of developer tools.
func (s *scanner) endsRequest(i int, word string) bool {
	return (i == 0 || s.text[i-1] == '\n') && (strings.EqualFold(word, "response") ||
		strings.EqualFold(word, "general") || strings.EqualFold(word, "summary"))
}

func hasPrefixFold(s, prefix string) bool {
	return len(s) >= len(prefix) && strings.EqualFold(s[:len(prefix)], prefix)
}
