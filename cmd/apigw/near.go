package main

import (
	"cmp"
	"slices"
	"strings"

	edits "github.com/apigw-go/apigw/internal/near"
)

// near returns the words that somebody who wrote word may have meant, nearest
// first, three at most.
func near(word string, words []string) []string {
	type candidate struct {
		word     string
		distance int
	}
	var found []candidate
	lower := strings.ToLower(word)
	if len(lower) > 200 {
		return nil // a pasted page, not a word
	}
	for _, w := range words {
		lw := strings.ToLower(w)
		d := edits.Distance(lower, lw)
		// A part of a text is near as well: "quota" for "Quota Exhausted".
		if len(lower) >= 4 && strings.Contains(lw, lower) {
			d = min(d, 1)
		}
		if d <= max(1, min(len(lower), len(lw))/3) {
			found = append(found, candidate{w, d})
		}
	}
	slices.SortStableFunc(found, func(a, b candidate) int { return cmp.Compare(a.distance, b.distance) })
	var result []string
	for _, c := range found {
		if !slices.Contains(result, c.word) && len(result) < 3 {
			result = append(result, c.word)
		}
	}
	return result
}

// didYouMean is a clause for a complaint, empty where nothing is near.
func (in *invocation) didYouMean(word string, words []string) string {
	if n := near(word, words); len(n) > 0 {
		return in.sprintf(" (did you mean %s?)", strings.Join(n, ", "))
	}
	return ""
}
