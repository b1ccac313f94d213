package strictjson

import (
	"errors"

	"github.com/apigw-go/apigw/internal/route"
)

// Patterns are the patterns of a file, checked one beside the other. The zero
// value has none.
type Patterns struct {
	table route.Table[struct{}]
	at    map[string]int // where each pattern stands
}

// Check reports a pattern that is malformed, or that conflicts with one before
// it, as a fault of the file.
func (p *Patterns) Check(f *File, pattern string, at int) {
	err := p.table.Add(pattern, struct{}{})
	var conflict *route.ConflictError
	switch {
	case errors.As(err, &conflict):
		f.Fail(at, "pattern %s and %s in line %d conflict: %s",
			Quote(pattern), Quote(conflict.With), f.Line(p.at[conflict.With]), conflict.Why)
	case err != nil:
		f.Fail(at, "pattern %s: %v", Quote(pattern), err)
	default:
		if p.at == nil {
			p.at = map[string]int{}
		}
		p.at[pattern] = at
	}
}
