package catalog

import "strings"

// Fill returns the message of the row with a value for each of its parameters.
// It is empty where the row has no text. Value is called once for each
// parameter, in the order of the message; "%s" is named by the word before it.
func (e Entry) Fill(value func(name string) string) string {
	var b strings.Builder
	for _, p := range parseTemplate(e.Message) {
		b.WriteString(p.before)
		if p.name != "" {
			b.WriteString(value(p.name))
		}
	}
	return b.String()
}

// part is a piece of a template: text, then a parameter. The name is empty in
// a last part that ends with text.
type part struct {
	before, name string
}

// parseTemplate cuts a message such as "Header `${HeaderName}` is Required", or
// "Server StringToSign:%s", at its parameters. What is not closed is text.
func parseTemplate(message string) (parts []part) {
	for message != "" {
		before, name, rest, ok := cutParam(message)
		if !ok {
			return append(parts, part{before: message})
		}
		parts = append(parts, part{before, name})
		message = rest
	}
	return parts
}

// cutParam cuts s around its first parameter.
func cutParam(s string) (before, name, after string, ok bool) {
	for i := 0; i+1 < len(s); i++ {
		switch s[i : i+2] {
		case "%s":
			return s[:i], lastWord(s[:i]), s[i+2:], true
		case "${":
			if name, after, ok = strings.Cut(s[i+2:], "}"); ok && name != "" {
				return s[:i], name, after, true
			}
		}
	}
	return s, "", "", false
}

// lastWord names a "%s". It is never empty, since an empty name is no parameter.
func lastWord(s string) string {
	words := strings.FieldsFunc(s, func(r rune) bool { return r > 0x7f || !isWord(byte(r)) })
	if len(words) == 0 {
		return "Text"
	}
	return words[len(words)-1]
}

func isWord(c byte) bool {
	return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || c == '_'
}
