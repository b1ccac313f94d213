package report

import (
	"strings"
	"sync"

	"github.com/apigw-go/apigw/catalog"
)

// lexicon finds the texts of the catalog in a text: a tree of the words that
// they begin with, in lower case, runs of white space as one blank.
type lexicon struct {
	nodes []lexiconNode
	first [256]bool // bytes that a text can begin with
	// fields are those of the bodies in JSON.
	fields map[string]bool
}

type lexiconNode struct {
	next []lexiconEdge
	ends bool // the words of a text end here
}

type lexiconEdge struct {
	b    byte
	node int32
}

var theLexicon = sync.OnceValue(func() *lexicon {
	l := &lexicon{nodes: make([]lexiconNode, 1, 4096), fields: map[string]bool{}}
	for e := range catalog.All() {
		l.add(e.Message)
		for _, alias := range e.Aliases() {
			l.add(alias)
		}
	}
	return l
})

// add takes the words before the first parameter. JSON is compared as a whole.
func (l *lexicon) add(message string) {
	if object, _, ok := parseJSON(message, 0); ok && object.kind == '{' {
		for _, field := range object.kids {
			l.fields[field.key] = true
		}
		return
	}
	for _, mark := range []string{"${", "%s"} {
		message, _, _ = strings.Cut(message, mark)
	}
	words := strings.ToLower(strings.Join(strings.Fields(strings.Trim(message, " `'\"")), " "))
	if len(words) < 6 {
		return
	}
	l.first[words[0]] = true
	node := int32(0)
	for i := 0; i < len(words); i++ {
		node = l.child(node, words[i])
	}
	l.nodes[node].ends = true
}

func (l *lexicon) child(node int32, b byte) int32 {
	if next := l.step(node, b); next != 0 {
		return next
	}
	next := int32(len(l.nodes))
	l.nodes = append(l.nodes, lexiconNode{})
	l.nodes[node].next = append(l.nodes[node].next, lexiconEdge{b, next}) // after the append, which may move the nodes
	return next
}

// step returns 0 where no text goes on with b.
func (l *lexicon) step(node int32, b byte) int32 {
	for _, e := range l.nodes[node].next {
		if e.b == b {
			return e.node
		}
	}
	return 0
}

// find is the length of the longest words that text begins with, 0 for none.
// Words end at the end of a word.
func (l *lexicon) find(text string) int {
	if text == "" || !l.first[lowerByte(text[0])] {
		return 0
	}
	node, longest := int32(0), 0
	for i := 0; i < len(text); {
		b, n := lowerByte(text[i]), 1
		if isSpace(b) {
			for i+n < len(text) && isSpace(text[i+n]) && n < 80 {
				n++
			}
			b = ' '
		}
		if node = l.step(node, b); node == 0 {
			break
		}
		i += n
		if l.nodes[node].ends && (i == len(text) || !isNameByte(text[i])) {
			longest = i
		}
	}
	return longest
}

func lowerByte(c byte) byte {
	if c >= 'A' && c <= 'Z' {
		return c | 0x20
	}
	return c
}

func isSpace(c byte) bool { return c == ' ' || c == '\t' || c == '\n' || c == '\r' }

func isDigit(c byte) bool { return c >= '0' && c <= '9' }
