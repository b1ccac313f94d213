package catalog

import (
	"slices"
	"strings"
)

// condition is one part of a row's mark: a header that is there, has a value,
// or is not there, or a body that is empty.
type condition struct {
	name      string
	values    []string // nil for any; one with "*" at its end is a beginning
	absent    bool
	emptyBody bool
}

// parseMark reads conditions separated by "; ", as [Entry.Mark] describes them.
func parseMark(mark string) (conditions []condition) {
	for part := range strings.SplitSeq(mark, ";") {
		name, value, _ := strings.Cut(strings.TrimSpace(part), ":")
		if name == "" {
			continue
		}
		c := condition{values: list(strings.TrimSpace(value)), emptyBody: name == "empty-body"}
		c.name, c.absent = strings.CutPrefix(name, "!")
		conditions = append(conditions, c)
	}
	return conditions
}

// fulfilled reports whether a response fulfils all conditions.
func fulfilled(conditions []condition, header map[string][]string, emptyBody bool) bool {
	for _, c := range conditions {
		if c.emptyBody && !emptyBody || !c.emptyBody && !c.fulfilled(header) {
			return false
		}
	}
	return true
}

func (c *condition) fulfilled(header map[string][]string) bool {
	for name, values := range header {
		if len(name) != len(c.name) || !strings.EqualFold(name, c.name) {
			continue
		}
		for _, v := range values[:min(len(values), 8)] { // a server may send a million
			if c.fits(strings.TrimSpace(v)) {
				return !c.absent
			}
		}
	}
	return c.absent
}

func (c *condition) fits(value string) bool {
	if c.values == nil {
		return value != ""
	}
	return slices.ContainsFunc(c.values, func(want string) bool {
		if begin, ok := strings.CutSuffix(want, "*"); ok {
			return len(value) >= len(begin) && strings.EqualFold(value[:len(begin)], begin)
		}
		return strings.EqualFold(value, want)
	})
}

// MarkHeaders returns headers that fulfil the mark of the row, for tests and
// fakes; nil if it needs none. The map is the caller's.
func (e Entry) MarkHeaders() map[string]string {
	var headers map[string]string
	for _, c := range parseMark(e.Mark) {
		if c.absent || c.emptyBody {
			continue
		}
		if headers == nil {
			headers = make(map[string]string)
		}
		headers[c.name] = "1"
		if c.values != nil {
			headers[c.name] = strings.Replace(c.values[0], "*", "sample", 1)
		}
	}
	return headers
}
