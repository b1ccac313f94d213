package main

import (
	"strconv"
	"strings"
	"time"
)

// shortTime shortens a time of a log to day and minute, in the order in which
// the log has them: a column of a table has no room for more.
func shortTime(s string) string {
	if _, digits, ok := strings.Cut(s, ":"); ok && strings.HasPrefix(s, `"`) || strings.HasPrefix(s, "__time__") {
		seconds, err := strconv.ParseInt(digits[:min(len(digits), 10)], 10, 64)
		if err != nil {
			return s
		}
		return time.Unix(seconds, 0).UTC().Format("01-02 15:04")
	}
	colon := strings.Index(s, ":")
	if colon < 2 {
		return s
	}
	if strings.Count(s[:colon], "/") == 2 && colon+6 <= len(s) && s[3] >= 'A' { // 25/Nov/2026:08:00:00
		return s[:6] + " " + s[colon+1:colon+6]
	}
	day, minute := strings.TrimRight(s[:colon-2], "T "), s[colon-2:min(len(s), colon+3)]
	if len(day) == len("2026-11-25") {
		day = day[5:]
	}
	return day + " " + minute
}
