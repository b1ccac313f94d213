package main

import (
	"fmt"
	"os"
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
	if info, err := os.Stat(word); q.plain && err == nil && info.Mode().IsRegular() {
		fmt.Fprintf(in.stderr, in.t("%s is a file: apigw explain - <%[1]s reads it, apigw explain --each %[1]s "+
			"reads a log\n",
			"%s 是文件：apigw explain - <%[1]s 读取它，apigw explain --each %[1]s 读取日志\n"), printable(word))
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
