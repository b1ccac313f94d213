package signer

import (
	"net/http"
	"strings"
)

// The sources contradict each other on how a gateway reads path and parameters,
// see [Rules], and instances may differ. A refused signature ends the question:
// it shows the string that the gateway made of this very request. Where that is
// the string of another known reading, to the last letter, the reading is known.

// learnedReading returns the rules that give the gateway's string for a request
// that was signed under other rules. It never guesses: the string must have
// arrived whole, and equal what a reading gives.
func learnedReading(req *http.Request, signed signature, message string) (Rules, bool) {
	told := parseMessage(message)
	if !told.closed || told.text == "" {
		return Rules{}, false
	}
	repaired, _ := fromLatin1(told.text)
	names := signedNames(req.Header, signed.rules)
	for _, rules := range readings(signed.rules, len(signed.form) > 0) {
		path, query := urlTarget(req.URL, rules)
		text := appendStringToSign(nil, req.Method, path, query, req.Header, names, signed.form, rules)
		if string(text) == string(signed.text) {
			continue // it would be refused again
		}
		if line := strings.ReplaceAll(string(text), "\n", "#"); line == told.text || line == repaired {
			return rules, true
		}
	}
	return Rules{}, false
}

// readings returns the known readings, those first that differ from the one in
// use in the fewest points. Several can give the same string for one request:
// then the others are equally good for it, and a request that tells them apart
// teaches the rest.
func readings(used Rules, form bool) []Rules {
	var byDistance [5][]Rules
	for _, path := range [...]Rules{{}, {DecodedPath: true, KeepSlashes: true}, {DecodedPath: true}} {
		for i := range 8 {
			rules := used
			rules.Higress = false
			rules.DecodedPath, rules.KeepSlashes = path.DecodedPath, path.KeepSlashes
			rules.QueryFirst, rules.RawFormNames, rules.HigressParameters = i&1 != 0, i&2 != 0, i&4 != 0
			if !form && (rules.QueryFirst != used.queryFirst() || rules.RawFormNames != used.RawFormNames) {
				continue // nothing that this request could show
			}
			d := distance(used, rules)
			byDistance[d] = append(byDistance[d], rules)
		}
	}
	var all []Rules
	for _, rules := range byDistance {
		all = append(all, rules...)
	}
	return all
}

// distance counts the points in which two readings differ.
func distance(a, b Rules) int {
	n := 0
	for _, differ := range [...]bool{
		a.DecodedPath != b.DecodedPath || a.DecodedPath && a.KeepSlashes != b.KeepSlashes,
		a.higressParameters() != b.higressParameters(),
		a.queryFirst() != b.queryFirst(),
		a.RawFormNames != b.RawFormNames && !a.higressParameters() && !b.higressParameters(),
	} {
		if differ {
			n++
		}
	}
	return n
}

// sameText reports whether a refusal shows the string that was signed, as far
// as it shows one: then the reading is right and the secret wrong.
func sameText(signed []byte, message string) bool {
	told := parseMessage(message)
	line := strings.ReplaceAll(string(signed), "\n", "#")
	repaired, _ := fromLatin1(told.text)
	return told.text == line || repaired == line || !told.closed && strings.HasPrefix(line, told.text)
}

// String says the reading in words.
func (r Rules) String() string {
	words := []string{"the path as sent"}
	if r.DecodedPath {
		words[0] = "the decoded path"
		if r.KeepSlashes {
			words[0] += ", %2F and %5C kept"
		}
	}
	for _, point := range [...]struct {
		set  bool
		word string
	}{
		{r.Higress, "everything as Higress does"}, {r.HigressParameters, "parameters as Higress does"},
		{r.QueryFirst, "the query before the form"}, {r.RawFormNames, "bare form names as sent"},
		{r.ListedHeaders, "all listed headers"},
	} {
		if point.set {
			words = append(words, point.word)
		}
	}
	return strings.Join(words, ", ")
}
