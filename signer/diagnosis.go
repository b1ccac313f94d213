package signer

import (
	"fmt"
	"io"
	"net/http"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Part is a part of the string to sign.
type Part uint8

// The parts in their order. PartNone says that nothing differs.
const (
	PartNone Part = iota
	PartMethod
	PartAccept
	PartContentMD5
	PartContentType
	PartDate
	PartHeader
	PartPath
	PartParameter
)

var partNames = [...]string{"nothing", "method", "Accept", "Content-MD5", "Content-Type", "Date", "header", "path", "parameter"}

// String names the part; "unknown" for a value that is none of the constants.
func (p Part) String() string {
	if int(p) < len(partNames) {
		return partNames[p]
	}
	return "unknown"
}

// Diagnosis compares the string that a client signed with the one that the
// gateway says it computed. It is read-only and safe for concurrent use.
type Diagnosis struct {
	// Part is the first part that differs, PartNone if the strings are equal
	// as far as the gateway's goes.
	Part Part

	// Name is the name of the header or parameter, empty for other parts.
	Name string

	// Truncated says that the gateway's string ends early, as when a proxy
	// cuts a long header, and is equal up to there.
	Truncated bool

	// Cause is the likely cause and what to do, in one English sentence. It
	// holds no value of either string.
	Cause string

	signed, server           string
	signedValue, serverValue string // of the part that differs
}

// Diagnose compares the string that was signed, with its newlines, with the
// one in the text of X-Ca-Error-Message. It is false where the message holds
// no string to sign.
//
// It takes newlines written as "#" and newlines left out, UTF-8 read as
// ISO-8859-1, and a string that was cut short. Where a parameter's value holds
// "&", which the string to sign does not escape, the name of the part may be
// wrong; that there is a difference is not.
func Diagnose(signed, message string) (*Diagnosis, bool) {
	return diagnose(signed, parseFields(signed), message)
}

// ServerStringToSign returns the gateway's string to sign from the text of
// X-Ca-Error-Message, as it stands there: its newlines are "#", but so is
// every "#" in a value. It holds the values of the request, passwords included.
func ServerStringToSign(message string) (string, bool) {
	text, _ := parseMessage(message)
	return text, text != ""
}

// parseMessage finds the gateway's string. closed says that the backquote
// after it arrived, so that nothing was cut on the way.
func parseMessage(message string) (text string, closed bool) {
	_, text, found := strings.Cut(message, "Server StringToSign:")
	if !found {
		return "", false
	}
	text, _, _ = strings.Cut(text, "\n")
	open := strings.IndexByte(text, '`')
	if open < 0 {
		return strings.TrimSpace(text), false
	}
	text = text[open+1:]
	// A value may hold a backquote, so the last one closes.
	if end := strings.LastIndexByte(text, '`'); end >= 0 {
		return text[:end], true
	}
	return text, false
}

// String says in one line what differs and why, with the lengths of values in
// place of the values.
func (d Diagnosis) String() string {
	if d.Part == PartNone {
		return "signature refused: " + d.Cause
	}
	part := d.Part.String()
	if d.Name != "" {
		part += fmt.Sprintf(" %q", d.Name)
	}
	return fmt.Sprintf("signature refused: %s differs (signed %s, gateway %s): %s", part, size(d.signedValue), size(d.serverValue), d.Cause)
}

// Format writes [Diagnosis.String] whatever the verb: "%#v" would show the
// fields that are not exported.
func (d Diagnosis) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, d.String()) }

func size(value string) string {
	switch len(value) {
	case 0:
		return "nothing"
	case 1:
		return "1 byte"
	}
	return fmt.Sprintf("%d bytes", len(value))
}

// Comparison shows both strings whole, in lines. They hold the values of all
// parameters, passwords included: show them to the person who asked, never
// write them to a log. Characters that do not print become "�".
func (d Diagnosis) Comparison() string {
	var b strings.Builder
	b.WriteString(d.String())
	b.WriteString("\n\nsigned:\n")
	writeLines(&b, d.signed)
	b.WriteString("\ngateway:\n")
	writeLines(&b, strings.ReplaceAll(d.server, "#", "\n"))
	return b.String()
}

func writeLines(b *strings.Builder, text string) {
	for line := range strings.SplitSeq(text, "\n") {
		b.WriteString("  ")
		b.WriteString(strings.Map(func(r rune) rune {
			if unicode.IsPrint(r) {
				return r
			}
			return unicode.ReplacementChar
		}, line))
		b.WriteByte('\n')
	}
}

const sameStringCause = "both sides have the same string, so the keys differ: AppSecret is wrong, belongs to another AppKey or environment, " +
	"has a blank or newline around it, or one side uses HmacSHA1 and the other HmacSHA256"

const truncatedCause = "the gateway's string was cut after %d bytes and is equal up to there; if the rest is too, then AppSecret is wrong, " +
	"has a blank or newline around it, or the algorithms differ"

// diagnose compares a string whose fields are known.
func diagnose(signed string, fields []field, message string) (*Diagnosis, bool) {
	server, closed := parseMessage(message)
	if server == "" {
		return nil, false
	}
	d := &Diagnosis{signed: signed, server: server}
	texts := []string{server}
	whole := server
	if r, size := utf8.DecodeLastRuneInString(server); !closed && r == utf8.RuneError && size == 1 {
		whole = server[:len(server)-1] // cut within a character
	}
	if repaired, ok := fromLatin1(whole); ok || repaired != "" && whole != server {
		texts = append(texts, repaired)
	}
	withHash, without := strings.ReplaceAll(signed, "\n", "#"), strings.ReplaceAll(signed, "\n", "")
	for _, text := range texts {
		if text == withHash || text == without {
			d.Cause = sameStringCause
			return d, true
		}
	}
	// Of the readings, the one that agrees longest is the right one.
	var longest difference
	for i, text := range texts {
		found := compare(fields, text)
		if strings.HasPrefix(withHash, text) || strings.HasPrefix(without, text) {
			// A string that is closed and ends in the path or in a parameter
			// was not cut: the gateway does not have the rest.
			if !closed || found.part.line() {
				d.Truncated = true
				d.Cause = fmt.Sprintf(truncatedCause, len(server))
				return d, true
			}
		}
		if i == 0 || found.at > longest.at {
			longest = found
		}
	}
	d.Part, d.Name, d.Cause = longest.part, printable(longest.name), longest.cause
	d.signedValue, d.serverValue = longest.signed, longest.server
	return d, true
}

// fromLatin1 undoes the reading of UTF-8 bytes as ISO-8859-1.
func fromLatin1(s string) (string, bool) {
	b := make([]byte, 0, len(s))
	changed := false
	for _, r := range s {
		if r > 0xff {
			return "", false
		}
		changed = changed || r > 0x7f
		b = append(b, byte(r))
	}
	return string(b), changed
}

// printable keeps a name that came over the network short and harmless.
func printable(name string) string {
	const most = 64
	if len(name) > most {
		name = name[:most]
	}
	return strings.ToValidUTF8(name, "�")
}

// field is one part of a string to sign. text is what it contributes to the
// whole, without the newline that ends a line.
type field struct {
	part        Part
	name, value string
	text        string
}

// line reports whether the part is a line of its own.
func (p Part) line() bool { return p < PartPath }

// parseFields splits a string to sign that nobody has the request of.
func parseFields(signed string) []field {
	lines := strings.Split(signed, "\n")
	fields := make([]field, 0, len(lines)+4)
	at := 0
	for ; at < len(lines); at++ {
		text := lines[at]
		if at < int(PartDate) {
			fields = append(fields, field{part: PartMethod + Part(at), value: text, text: text})
			continue
		}
		// No header name begins like a path. A decoded value may hold
		// newlines: what follows the path belongs to it.
		name, value, ok := strings.Cut(text, ":")
		if !ok || !isToken(name) {
			break
		}
		fields = append(fields, field{part: PartHeader, name: name, value: value, text: text})
	}
	if at >= len(lines) {
		return fields
	}
	path := strings.Join(lines[at:], "\n")
	parameters := ""
	if i := strings.IndexByte(path, '?'); i >= 0 {
		path, parameters = path[:i], path[i:]
	}
	fields = append(fields, field{part: PartPath, value: path, text: path})
	return append(fields, parseParameters(parameters)...)
}

// parseParameters splits raw parameters, "?" included. They are sorted by name,
// so a piece that breaks the order is no parameter but the rest of a value with
// an "&".
func parseParameters(raw string) []field {
	var fields []field
	start := 0 // of the last field
	for at := 0; at < len(raw); {
		end := len(raw)
		if n := strings.IndexByte(raw[at+1:], '&'); n >= 0 {
			end = at + 1 + n
		}
		name, _, _ := strings.Cut(raw[at+1:end], "=")
		if n := len(fields); n == 0 || name > fields[n-1].name {
			start = at
			fields = append(fields, field{part: PartParameter, name: name})
		}
		f := &fields[len(fields)-1]
		f.text = raw[start:end]
		f.value = strings.TrimPrefix(f.text[1+len(f.name):], "=")
		at = end
	}
	return fields
}

// requestFields splits the string that was signed for a request, of which path
// and parameters are known exactly.
func requestFields(signed string, req *http.Request, form string, rules Rules) []field {
	path, query := urlTarget(req.URL, rules)
	tail := string(appendPathAndParameters(nil, path, query, form, rules))
	head, ok := strings.CutSuffix(signed, tail)
	if !ok {
		return parseFields(signed)
	}
	fields := parseFields(strings.TrimSuffix(head, "\n"))
	fields = append(fields, field{part: PartPath, value: path, text: path})
	separator := "?"
	for i, p := range sortedParameters(nil, query, form, rules) {
		if i > 0 {
			separator = "&"
		}
		text := separator + p.name
		if p.value != "" || rules.higressParameters() {
			text += "=" + p.value
		}
		fields = append(fields, field{part: PartParameter, name: p.name, value: p.value, text: text})
	}
	return fields
}

// isToken reports whether s can be the name of a header.
func isToken(s string) bool {
	for i := 0; i < len(s); i++ {
		c := s[i]
		if c <= ' ' || c >= 0x7f || strings.IndexByte("()<>@,;:\\\"/[]?={}", c) >= 0 {
			return false
		}
	}
	return s != ""
}
