package redislimit

import (
	"time"

	"github.com/apigw-go/apigw/internal/pace"
)

// note is one observation for the script.
type note struct {
	kind        string  // p, r, l, u: passed, refused, lost, unsent
	first, last float64 // sent; of a refusal last is its Retry-After
	count       int
}

// notes are what Redis does not know yet.
type notes struct {
	list []note
	due  time.Duration // when it is to be reported
}

// maxNotes bounds what is kept while Redis is slow. What is beyond is one
// refusal among many.
const maxNotes = 100

func (n *notes) empty() bool { return len(n.list) == 0 }

func (n *notes) add(x note, due time.Duration) {
	if n.empty() {
		n.due = pace.Never
	}
	n.due = min(n.due, due)
	if len(n.list) < maxNotes {
		n.list = append(n.list, x)
	}
}

// passed joins all that passed.
func (n *notes) passed(t *ticket, due time.Duration) {
	for i := range n.list {
		if x := &n.list[i]; x.kind == "p" {
			x.first, x.last = min(x.first, t.sent), max(x.last, t.sent)
			x.count++
			n.due = min(n.due, due)
			return
		}
	}
	n.add(note{"p", t.sent, t.sent, 1}, due)
}

func (n *notes) refused(t *ticket, retryAfter, due time.Duration) {
	n.add(note{"r", t.sent, micros(retryAfter), 1}, due)
}

func (n *notes) lost(t *ticket, due time.Duration) { n.add(note{"l", t.sent, 0, 1}, due) }

func (n *notes) unsent(t *ticket, due time.Duration) {
	if t.probe {
		n.add(note{"u", t.sent, 0, 1}, due)
		return
	}
	for i := range n.list {
		if x := &n.list[i]; x.kind == "u" && x.first == 0 {
			x.count++
			n.due = min(n.due, due)
			return
		}
	}
	n.add(note{"u", 0, 0, 1}, due)
}
