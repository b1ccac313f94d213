package main

import (
	"fmt"
	"strings"

	"github.com/apigw-go/apigw/catalog"
)

// suggest names rows that may have been meant by a text or a code that the
// catalog does not know.
func (in *invocation) suggest(q question) {
	word := q.message()
	if isReasonPhrase(q.answer.Status, word) {
		return // the backend's, not a misspelling
	}
	if word == "" {
		word = q.code()
	}
	if word == "" {
		return
	}
	var names []string
	for row := range catalog.All() {
		names = append(names, row.ID)
		if row.Message != "" {
			names = append(names, row.Message)
		}
	}
	if found := near(word, names); len(found) > 0 {
		fmt.Fprintf(in.stderr, in.t("did you mean: %s\n", "是否指：%s\n"), strings.Join(found, ", "))
	}
}
