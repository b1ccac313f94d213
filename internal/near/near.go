// Package near finds the word that somebody may have meant.
package near

import "strings"

// Word returns the known word that differs from word least, the first of
// several, "" if all differ much. Letter case, "_", "-" and spaces do not count.
func Word(word string, known []string) string {
	if len(word) > 64 {
		return "" // a pasted text, not a word
	}
	word = plain(word)
	best, least := "", 3
	for _, k := range known {
		if d := Distance(word, plain(k)); d < least && d*3 <= len(k) {
			best, least = k, d
		}
	}
	return best
}

var separators = strings.NewReplacer("_", "", "-", "", " ", "")

func plain(word string) string { return strings.ToLower(separators.Replace(word)) }

// Distance is the number of bytes to insert, drop, change or swap with the
// next one, to get from a to b.
func Distance(a, b string) int {
	var before, previous []int
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := 1; i <= len(a); i++ {
		before, previous, row = previous, row, make([]int, len(b)+1)
		row[0] = i
		for j := 1; j <= len(b); j++ {
			change := 1
			if a[i-1] == b[j-1] {
				change = 0
			}
			row[j] = min(previous[j]+1, row[j-1]+1, previous[j-1]+change)
			if i > 1 && j > 1 && a[i-1] == b[j-2] && a[i-2] == b[j-1] {
				row[j] = min(row[j], before[j-2]+1)
			}
		}
	}
	return row[len(b)]
}
