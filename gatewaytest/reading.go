package gatewaytest

import (
	"fmt"
	"slices"
	"strings"
)

// Reading is how a gateway reads a request when it builds the string to sign.
// The sources contradict each other, and nobody here can call every instance,
// so a [Gateway] can be set to each of them.
//
// The zero value is what help page 29475 says: the path as it was sent, the
// form before the query, every name decoded, an empty value as the bare name.
// [MigrationReading] is what the vendor's own code says about the classic
// gateway, [HigressReadings] what Higress hmac-auth does.
type Reading struct {
	// Path is the form of the path that is signed.
	Path PathReading
	// Headers is how X-Ca-Signature-Headers is read.
	Headers HeaderReading
	// HigressParameters reads query and form as Higress does: "k=" for an
	// empty value, "+" for itself, a name without "=" as it was sent.
	HigressParameters bool
	// QueryFirst lets the query win if the form has the same name.
	QueryFirst bool
	// BareFormNames leaves a form name without "=" as it was sent. It has no
	// effect beside HigressParameters, which do that anyway.
	BareFormNames bool
}

// PathReading is the form of the path in the string to sign.
type PathReading uint8

const (
	// PathAsSent is the path on the wire (help page "Encoding parameters in
	// requests").
	PathAsSent PathReading = iota
	// PathDecoded is the percent-decoded path.
	PathDecoded
	// PathKeepsSlashes is the percent-decoded path in which %2F and %5C stay
	// as they were sent, as in Undertow. A path with a broken escape, or one
	// that is not UTF-8 when decoded, is taken as sent.
	PathKeepsSlashes
)

// HeaderReading is how the names in X-Ca-Signature-Headers are read.
type HeaderReading uint8

const (
	// HeadersDocumented trims the names, drops those that have a line of
	// their own (Accept, Content-MD5, Content-Type, Date) or carry the
	// signature, and keeps the letter case of the list.
	HeadersDocumented HeaderReading = iota
	// HeadersListed trims the names and drops nothing: an Accept in the list
	// has a second line.
	HeadersListed
	// HeadersHigress writes the names in lower case and does not trim them: a
	// name behind a blank is the name of no header, and its value is empty.
	// X-Ca-Signed-Content-Type means nothing to it.
	HeadersHigress
)

// MigrationReading is the classic gateway as the vendor describes it in the
// code that lets clients of the classic gateway move to Higress: the path
// decoded but for %2F and %5C, every listed header, the query before the form,
// bare form names as they were sent.
func MigrationReading() Reading {
	return Reading{Path: PathKeepsSlashes, Headers: HeadersListed, QueryFirst: true, BareFormNames: true}
}

// HigressReadings are those of Higress hmac-auth, in its order: its own, which
// is the one that a refusal shows, then four that let clients of the classic
// gateway in. Older versions of the plug-in have the first one only.
func HigressReadings() []Reading {
	asSent, decoded := MigrationReading(), MigrationReading()
	asSent.Path = PathAsSent
	readings := []Reading{{Headers: HeadersHigress, HigressParameters: true, QueryFirst: true}}
	for _, r := range []Reading{asSent, decoded} {
		compatible := r
		compatible.HigressParameters = true
		readings = append(readings, r, compatible)
	}
	return readings
}

// readingWord names a part of a Reading. It is the only one of its group that
// may be given.
type readingWord struct {
	word, group string
	set         func(*Reading)
	is          func(Reading) bool // and not only by being the zero value
}

var readingWords = []readingWord{
	pathWord("path-as-sent", PathAsSent),
	pathWord("path-decoded", PathDecoded),
	pathWord("path-keeps-slashes", PathKeepsSlashes),
	headerWord("headers-documented", HeadersDocumented),
	headerWord("headers-listed", HeadersListed),
	headerWord("headers-higress", HeadersHigress),
	boolWord("higress-parameters", "parameters", true, func(r *Reading) *bool { return &r.HigressParameters }),
	boolWord("query-first", "order", true, func(r *Reading) *bool { return &r.QueryFirst }),
	boolWord("form-first", "order", false, func(r *Reading) *bool { return &r.QueryFirst }),
	boolWord("bare-form-names", "names", true, func(r *Reading) *bool { return &r.BareFormNames }),
}

func pathWord(word string, p PathReading) readingWord {
	return readingWord{word, "path",
		func(r *Reading) { r.Path = p }, func(r Reading) bool { return p != 0 && r.Path == p }}
}

func headerWord(word string, h HeaderReading) readingWord {
	return readingWord{word, "headers",
		func(r *Reading) { r.Headers = h }, func(r Reading) bool { return h != 0 && r.Headers == h }}
}

func boolWord(word, group string, value bool, field func(*Reading) *bool) readingWord {
	return readingWord{word, group,
		func(r *Reading) { *field(r) = value }, func(r Reading) bool { return value && *field(&r) }}
}

// wholeReadings name complete readings; a word that follows changes a part.
var wholeReadings = []struct {
	word    string
	reading Reading
}{
	{"documented", Reading{}},
	{"migration", MigrationReading()},
	{"higress", HigressReadings()[0]},
}

// String returns the words that [ParseReading] makes the reading of.
func (r Reading) String() string {
	var words []string
	for _, whole := range wholeReadings {
		if r == whole.reading {
			return whole.word
		}
	}
	for _, w := range readingWords {
		if w.is(r) {
			words = append(words, w.word)
		}
	}
	return strings.Join(words, ",")
}

// ParseReading reads a reading from words with commas between them, in any
// order: "documented", "migration" or "higress" for a whole one, and for its
// parts path-as-sent, path-decoded, path-keeps-slashes, headers-documented,
// headers-listed, headers-higress, higress-parameters, query-first, form-first,
// bare-form-names. The empty text is "documented".
func ParseReading(text string) (Reading, error) {
	var r Reading
	var parts []func(*Reading)
	given := make(map[string]string) // word by group
	for word := range strings.SplitSeq(text, ",") {
		word = strings.TrimSpace(word)
		group, apply := findReadingWord(&r, word)
		switch {
		case word == "" && text == "":
			return r, nil
		case group == "":
			return Reading{}, fmt.Errorf("reading: unknown word %q; known are %s", word,
				strings.Join(knownReadingWords(), ", "))
		case given[group] != "":
			return Reading{}, fmt.Errorf("reading: %q and %q exclude each other; give one of them", given[group], word)
		}
		given[group] = word
		parts = append(parts, apply)
	}
	for _, apply := range parts { // after the whole one, wherever it stands
		apply(&r)
	}
	return r, nil
}

// findReadingWord returns the group of a word and what it changes; a whole
// reading is put into r at once. The group is empty for an unknown word.
func findReadingWord(r *Reading, word string) (group string, apply func(*Reading)) {
	for _, whole := range wholeReadings {
		if whole.word == word {
			*r = whole.reading
			return "whole", func(*Reading) {}
		}
	}
	for _, w := range readingWords {
		if w.word == word {
			return w.group, w.set
		}
	}
	return "", nil
}

func knownReadingWords() []string {
	var words []string
	for _, whole := range wholeReadings {
		words = append(words, whole.word)
	}
	for _, w := range readingWords {
		words = append(words, w.word)
	}
	return slices.Clip(words)
}
