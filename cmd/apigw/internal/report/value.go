package report

import (
	"html"
	"net/url"
	"strings"
)

// longestValue bounds one value: the gateway's longest text is 8 KiB.
const longestValue = 16 << 10

// value is what stands behind a name.
type value struct {
	text     string // without quotes and escapes
	from, to int    // where it stands, escapes and all
	quoted   bool
	sep      byte // what stood between: ':' '=' ',' '|' '\n', or ' ' for blanks alone
}

// valueBehind reads the value of the name text[start:at]. The notation is
// recognised by what stands around it:
//
//	name: value        'name': 'value'       "name":["value"]     name=[value]
//	["name"]=>         (b'name', b'value')   [name, value]        <td>name</td><td>value</td>
//	  string(6) "value"   [name] => value    name=value           {name: 'name', value: 'value'}
//
// or a line for the name and a line for the value. It is false where no value
// can be meant for the field.
func valueBehind(text string, start, at int, f field) (v value, ok bool) {
	p, tagged := skipClosers(text, at)
	blank := p > at
	v.sep, p = separator(text, p)
	if v.sep == 0 {
		if !blank && p == at && !tagged {
			return v, false
		}
		v.sep = ' '
	}
	o := opening{text: text, at: p, tagged: tagged, sep: v.sep, ticked: at < len(text) && text[at] == '`' ||
		f == codeField || f >= codeLabel || f == statusField}
	if !o.skip() || isGatewayName(text[o.at:min(len(text), o.at+longestName)]) {
		return v, false
	}
	if o.newline && v.sep == ' ' {
		if before := strings.TrimRight(text[max(0, start-8):start], " \"'"); before != "" &&
			strings.IndexByte(",;|\t", before[len(before)-1]) >= 0 {
			return v, false // the last name of the head of a table
		}
		v.sep = '\n'
	}
	// Before the end of the value is looked for, so that this costs nothing.
	if f == headerField && v.sep != ':' && o.quote == "" && strings.IndexByte(text[start:at], '-') < 0 {
		return v, false // "server" and "date" are words of any text
	}
	// A list of strings, as PHP and JavaScript have raw heads.
	// "name: value" as a whole in quotes ends with the quote.
	outer := byte(0)
	if start > 0 && strings.IndexByte("\"'`", text[start-1]) >= 0 && (at >= len(text) || text[at] != text[start-1]) {
		outer = text[start-1]
	}
	v.from = o.at
	text = text[:min(len(text), v.from+longestOf(f))]
	switch {
	case o.quote != "":
		v.quoted = true
		v.to = closingQuote(text, v.from, o.quote)
	case o.bracket != 0:
		v.to = closingBracket(text, v.from, o.bracket)
	default:
		line := window(text, v.from)
		if f == requestLabel || f == requestIDField { // an id has no blank
			line, _, _ = strings.Cut(line, " ")
		}
		v.to = v.from + plainEnd(line, v.sep, outer)
	}
	v.text = text[v.from:v.to]
	if o.quote != "" && strings.Contains(v.text, `\`) {
		v.text = unescape(v.text)
	}
	if o.tagged && strings.Contains(v.text, "&") {
		v.text = html.UnescapeString(v.text)
	}
	if v.sep == '=' && strings.Contains(v.text, "%20") { // a form, or a query that somebody logged
		if plain, err := url.PathUnescape(v.text); err == nil {
			v.text = plain
		}
	}
	v.text = strings.TrimSpace(v.text)
	return v, v.text != ""
}

// isGatewayName reports whether a value is the next name: the head of a table.
func isGatewayName(s string) bool {
	n := 0
	for n < len(s) && n < longestName && isNameByte(s[n]) {
		n++
	}
	f, _ := nameOf(s[:n])
	return f >= codeField && f <= requestIDField
}

// longestOf is how far a value of the field can go. What is read must
// be short, or a text of nothing but names would take time by its square.
func longestOf(f field) int {
	switch f {
	case messageField:
		return longestValue
	case headerField, requestIDField:
		return 1 << 10
	case textLabel, statusField, codeLabel: // its beginning says all
		return 16
	}
	return 96
}

// window is the rest of the line of a place, as far as a value can go.
func window(text string, from int) string {
	rest := text[from:min(len(text), from+longestValue)]
	if i := strings.IndexByte(rest, '\n'); i >= 0 {
		rest = rest[:i]
	}
	return rest
}

// skipClosers skips what ends a name: quotes, brackets, tags, blanks.
func skipClosers(text string, p int) (next int, tagged bool) {
	for p < len(text) {
		switch c := text[p]; {
		case strings.IndexByte("\"'`\\])>* \t", c) >= 0:
			p++
		case c == '<':
			n := tagLength(text[p:])
			if n == 0 {
				return p, tagged
			}
			p, tagged = p+n, true
		case strings.HasPrefix(text[p:], "”"), strings.HasPrefix(text[p:], "’"), strings.HasPrefix(text[p:], "“"):
			p += len("”")
		case strings.HasPrefix(text[p:], "&quot;"):
			p += len("&quot;")
		default:
			return p, tagged
		}
	}
	return p, tagged
}

// tagLength is the length of the HTML tag that s begins with, 0 for none.
func tagLength(s string) int {
	if len(s) < 3 || s[1] != '/' && (lowerByte(s[1]) < 'a' || lowerByte(s[1]) > 'z') {
		return 0
	}
	i := strings.IndexByte(s[:min(len(s), 120)], '>')
	if i < 0 {
		return 0
	}
	return i + 1
}

// separator reads what stands between a name and its value; 0 for nothing.
func separator(text string, p int) (sep byte, next int) {
	for _, mark := range [...]struct {
		text string
		sep  byte
	}{{"=>", '='}, {"->", '='}, {":=", '='}, {"==", '='}, {"=", '='}, {"::", ':'}, {":", ':'}, {"：", ':'}, {"→",
		'='}, {",", ','}, {"，", ','}, {"|", '|'}, {"/>", 0}} {
		if strings.HasPrefix(text[p:], mark.text) {
			return mark.sep, p + len(mark.text)
		}
	}
	return 0, p
}

// opening skips what stands between the separator and the value itself.
type opening struct {
	text     string
	at       int
	quote    string // the value ends with it
	bracket  byte   // or with the partner of this one
	sep      byte
	newline  bool
	tagged   bool
	ticked   bool // a backquote opens the value; the texts of the gateway have them too
	newlines int
}

// openers are the words of dumps that stand before a value.
var openers = []string{"Array", "array", "[]string", "[]interface {}", "List", "Some", "Optional", "NSString", "@",
	"value", "Value", "val"}

func (o *opening) skip() bool {
	for range 16 {
		rest := o.text[o.at:]
		if rest == "" {
			return false
		}
		switch c := rest[0]; {
		case c == ' ' || c == '\t':
			o.at += len(rest) - len(strings.TrimLeft(rest, " \t"))
		// Browsers copy names and values in turn, a line each; dumps of PHP break the
		// line before the value.
		case c == '\n':
			if o.newlines++; o.newlines > 2 || o.newlines == 1 && !o.opened() && nextIsName(rest[1:]) {
				return false // a name without a value
			}
			o.newline = true
			o.at++
		case c == '-' && o.newline && strings.HasPrefix(rest, "- "): // a list of YAML
			o.at += len("- ")
		case (c == '"' || c == '\'') && valueKey(rest) > 0: // {"name": "a", "value": "b"}
			o.at += valueKey(rest)
		case c == '"' || c == '\'':
			o.quote, o.at = rest[:1], o.at+1
			return true
		case c == '`' && (o.sep == '=' || o.ticked): // a shell, a template, Markdown
			o.quote, o.at = "`", o.at+1
			return true
		case strings.HasPrefix(rest, `<<"`): // a binary of Erlang
			o.at += len("<<")
		case strings.HasPrefix(rest, `\"`), strings.HasPrefix(rest, `\'`):
			o.quote, o.at = rest[:2], o.at+2
			return true
		case strings.HasPrefix(rest, "“"):
			o.quote, o.at = "”", o.at+len("“")
			return true
		case strings.HasPrefix(rest, "&quot;"):
			o.quote, o.at, o.tagged = "&quot;", o.at+len("&quot;"), true
			return true
		case (c == 'b' || c == 'u') && len(rest) > 1 && (rest[1] == '\'' || rest[1] == '"'):
			o.at++
		case indexLength(rest) > 0: // "[0] =>", "0 =>"
			o.at += indexLength(rest)
		case c == '[' || c == '(' || c == '{':
			o.bracket = c
			o.at++
		case c == '<' && tagLength(rest) > 0:
			o.at += tagLength(rest)
			o.tagged = true
		case c == '|' && o.sep == '|', c == '*':
			o.at++
		// undici prints the name once more within the object.
		case o.bracket == '{' && (strings.HasPrefix(rest, "name:") || strings.HasPrefix(rest, "key:")):
			return false // an object that names the header once more
		case o.word(rest) > 0:
			o.at += o.word(rest)
		default:
			return true
		}
	}
	return true
}

// valueKey is the length of `"value":` that rest begins with, 0 for none. Where
// JSON broke off, such a pair is read as text.
func valueKey(rest string) int {
	after, ok := strings.CutPrefix(rest[1:], "value"+rest[:1])
	if !ok {
		return 0
	}
	after = strings.TrimLeft(after, " ")
	sep, next := separator(after, 0)
	if sep != ':' && sep != '=' {
		return 0
	}
	return len(rest) - len(after) + next
}

// opened reports whether something is open that may go on in the next line.
func (o *opening) opened() bool { return o.bracket != 0 || o.sep == '=' && o.newlines > 0 }

// word is the length of a word of a dump that rest begins with: "string(6)",
// "Array", `value:`. 0 where none is.
func (o *opening) word(rest string) int {
	if n, ok := sizedString(rest); ok {
		return n
	}
	for _, word := range openers {
		after, ok := strings.CutPrefix(rest, word)
		if !ok {
			continue
		}
		after = strings.TrimLeft(after, "\"' \t")
		switch {
		case after == "":
		case word[0]|0x20 == 'v': // "value" only with a separator
			if sep, next := separator(after, 0); sep != 0 && sep != ',' {
				return len(rest) - len(after) + next
			}
		case strings.IndexByte("({[\n\"'", after[0]) >= 0:
			return len(word)
		}
	}
	return 0
}

// sizedString recognises `string(6) ` of PHP.
func sizedString(s string) (n int, ok bool) {
	rest, ok := strings.CutPrefix(s, "string(")
	if !ok {
		return 0, false
	}
	i := strings.IndexByte(rest[:min(len(rest), 12)], ')')
	if i < 0 {
		return 0, false
	}
	return len("string(") + i + 1, true
}

// indexLength is the length of the index of a list, as PHP dumps it.
func indexLength(s string) int {
	i := 0
	if s != "" && s[0] == '[' {
		i++
	}
	digits := i
	for i < len(s) && i < 8 && isDigit(s[i]) {
		i++
	}
	if i == digits {
		return 0
	}
	rest := strings.TrimLeft(strings.TrimPrefix(s[i:], "]"), " ")
	if !strings.HasPrefix(rest, "=>") {
		return 0
	}
	return len(s) - len(rest) + len("=>")
}

// nextIsName reports whether a line begins with a name and a colon, so that the
// name of the line before had no value; browsers copy such a name with its
// colon and the value in the next line.
func nextIsName(line string) bool {
	line = strings.TrimLeft(line, " \t")
	n := 0
	for n < len(line) && n < longestName && (isNameByte(line[n]) || n == 0 && line[n] == ':') {
		n++
	}
	if n == 0 || n == len(line) {
		return false
	}
	f, _ := nameOf(line[:n])
	return line[n] == ':' && (n+1 == len(line) || line[n+1] != '/') || f >= codeField && f <= headerField &&
		strings.Contains(line[:n], "-")
}
