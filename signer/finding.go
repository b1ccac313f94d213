package signer

import (
	_ "embed"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"sync"
)

// Part is a part of the string to sign.
type Part uint8

// The parts in their order. PartNone says that nothing differs. PartWhole is
// the string itself, such as its line breaks, PartSignature what was made of it.
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
	PartWhole
	PartSignature
)

var partNames = [...]string{
	"nothing", "method", "Accept", "Content-MD5", "Content-Type", "Date", "header", "path", "parameter",
	"string", "X-Ca-Signature",
}

// String names the part; "unknown" for a value that is none of the constants.
func (p Part) String() string {
	if int(p) < len(partNames) {
		return partNames[p]
	}
	return "unknown"
}

// Finding is one difference between two strings to sign, or one mistake in how
// a string was built. It encodes as JSON with its sentences and without values.
type Finding struct {
	// Code is a stable word for the cause, such as "crlf". See causes.tsv.
	Code string

	// Part and Name say where: Name is a header or parameter, empty for other
	// parts and where the request is not known to have that name.
	Part Part
	Name string

	// Signed and Gateway are the values on both sides. They can be passwords,
	// and show as "***"; string(f.Signed) is the text.
	Signed, Gateway Secret
}

// A cause is a row of causes.tsv.
type cause struct {
	rank                             string
	sentence, sentenceZH, fix, fixZH string
}

//go:embed causes.tsv
var causeTable string

var causes = sync.OnceValue(func() map[string]cause {
	all := make(map[string]cause)
	for line := range strings.Lines(causeTable) {
		line = strings.TrimRight(line, "\r\n")
		if line == "" || line[0] == '#' {
			continue
		}
		c := strings.Split(line, "\t")
		if len(c) != 6 || all[c[0]].rank != "" {
			panic(fmt.Sprintf("signer: causes.tsv: bad line %q", line)) // the file is part of the program, and tested
		}
		all[c[0]] = cause{c[1], c[2], c[3], c[4], c[5]}
	}
	return all
})

// Sentence says in English what differs and why, without values.
func (f Finding) Sentence() string { return causes()[f.Code].sentence }

// SentenceZH is Sentence in Chinese.
func (f Finding) SentenceZH() string { return causes()[f.Code].sentenceZH }

// Fix says in English what to do.
func (f Finding) Fix() string { return causes()[f.Code].fix }

// FixZH is Fix in Chinese.
func (f Finding) FixZH() string { return causes()[f.Code].fixZH }

// String says in one line where the difference is, what it is and what to do,
// with the lengths of values in place of the values.
func (f Finding) String() string {
	text := f.Sentence() + "; " + f.Fix()
	switch {
	case f.Part == PartNone, f.Part >= PartWhole:
		return text
	case f.Signed == "" && f.Gateway == "":
		return f.where() + ": " + text
	}
	signed, gateway := size(string(f.Signed)), size(string(f.Gateway))
	return fmt.Sprintf("%s differs (signed %s, gateway %s): %s", f.where(), signed, gateway, text)
}

// where names the part for a person.
func (f Finding) where() string {
	switch {
	case f.Name != "":
		return fmt.Sprintf("%s %q", f.Part, f.Name)
	case f.Part == PartHeader, f.Part == PartParameter:
		return "a " + f.Part.String()
	}
	return f.Part.String()
}

// MarshalJSON writes code, place and sentences in both languages, with the
// lengths of values in place of the values.
func (f Finding) MarshalJSON() ([]byte, error) {
	return json.Marshal(struct {
		Code         string `json:"code"`
		Part         string `json:"part"`
		Name         string `json:"name,omitempty"`
		SignedBytes  int    `json:"signed_bytes"`
		GatewayBytes int    `json:"gateway_bytes"`
		Sentence     string `json:"sentence"`
		SentenceZH   string `json:"sentence_zh"`
		Fix          string `json:"fix"`
		FixZH        string `json:"fix_zh"`
	}{f.Code, f.Part.String(), f.Name, len(f.Signed), len(f.Gateway), f.Sentence(), f.SentenceZH(), f.Fix(), f.FixZH()})
}

func size(value string) string {
	switch len(value) {
	case 0:
		return "nothing"
	case 1:
		return "1 byte"
	}
	return fmt.Sprintf("%d bytes", len(value))
}

// causeFirst orders findings: mistakes in how the string was built, then known
// causes, then what no known mistake explains, then what differs between any two
// signatures. Within these it keeps the order of the string.
func causeFirst(findings []Finding) {
	slices.SortStableFunc(findings, func(a, b Finding) int {
		return strings.Compare(causes()[a.Code].rank, causes()[b.Code].rank)
	})
}
