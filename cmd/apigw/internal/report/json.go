package report

// node is a value of a JSON document.
type node struct {
	kind byte   // '{', '[', '"', or '0' for numbers and words
	key  string // within an object
	text string // of a string, without its escapes, or of a number
	at   int    // where it begins
	kids []node
}

// deepestJSON bounds how deep values are nested.
const deepestJSON = 100

// parseJSON reads the value that begins at from, and says where it ends, or
// where it turned out to be none. It is laxer than the standard in nothing that
// matters here, and unlike encoding/json it keeps the places.
func parseJSON(text string, from int) (n node, end int, ok bool) {
	p := jsonParser{text: text, at: from}
	n, ok = p.value(0)
	return n, p.at, ok
}

type jsonParser struct {
	text string
	at   int
}

func (p *jsonParser) value(depth int) (n node, ok bool) {
	p.space()
	if p.at >= len(p.text) || depth > deepestJSON {
		return n, false
	}
	n.at = p.at
	switch c := p.text[p.at]; c {
	case '{', '[':
		n.kind = c
		ok = p.list(&n, depth)
	case '"':
		n.kind = c
		n.text, ok = p.string()
	default:
		n.kind = '0'
		n.text, ok = p.bare()
	}
	return n, ok
}

// list reads an object or an array.
func (p *jsonParser) list(n *node, depth int) bool {
	closer := n.kind + 2 // '}' and ']' in ASCII
	p.at++
	for first := true; ; first = false {
		p.space()
		switch {
		case p.at >= len(p.text):
			return false
		case p.text[p.at] == closer:
			p.at++
			return true
		case !first && p.text[p.at] != ',':
			return false
		case !first:
			p.at++
			p.space()
		}
		key := ""
		if n.kind == '{' {
			var ok bool
			if p.at >= len(p.text) || p.text[p.at] != '"' {
				return false
			}
			if key, ok = p.string(); !ok {
				return false
			}
			p.space()
			if p.at >= len(p.text) || p.text[p.at] != ':' {
				return false
			}
			p.at++
		}
		kid, ok := p.value(depth + 1)
		if !ok {
			return false
		}
		kid.key = key
		n.kids = append(n.kids, kid)
	}
}

func (p *jsonParser) space() {
	for p.at < len(p.text) && isSpace(p.text[p.at]) {
		p.at++
	}
}

func (p *jsonParser) string() (text string, ok bool) {
	start := p.at + 1
	escaped := false
	for p.at = start; p.at < len(p.text); p.at++ {
		switch c := p.text[p.at]; {
		case c == '"':
			text = p.text[start:p.at]
			if escaped {
				text = unescape(text)
			}
			p.at++
			return text, true
		case c == '\\':
			escaped = true
			p.at++
		case c == '\n':
			return "", false
		}
	}
	p.at = min(p.at, len(p.text))
	return "", false
}

func (p *jsonParser) bare() (text string, ok bool) {
	start := p.at
	for p.at < len(p.text) && (isNameByte(p.text[p.at]) || p.text[p.at] == '.' || p.text[p.at] == '+') {
		p.at++
	}
	return p.text[start:p.at], p.at > start
}
