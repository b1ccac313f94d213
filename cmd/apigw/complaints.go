package main

import (
	_ "embed"
	"strings"
	"sync"
)

// complaints.tsv has what the command complains about in English and in
// Chinese. The English text stands in the code, so that a reader sees it there;
// a test holds the table to the code.
//
//go:embed complaints.tsv
var complaintsTable string

var complaintsZH = sync.OnceValue(func() map[string]string {
	table := map[string]string{}
	for line := range strings.Lines(complaintsTable) {
		if en, zh, ok := strings.Cut(strings.TrimRight(line, "\r\n"), "\t"); ok && !strings.HasPrefix(line, "#") {
			table[en] = zh
		}
	}
	return table
})

// translated is a format in the language of the user; English where it has no
// translation, as the texts of errors have not.
func (in *invocation) translated(format string) string {
	if in.lang != "zh" {
		return format
	}
	if zh, ok := complaintsZH()[format]; ok {
		return zh
	}
	return format
}
