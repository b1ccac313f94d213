package report

import "strings"

// Timestamp returns the first time that stands at the beginning of a text, as it
// is written there; "" if there is none. It knows the forms of common logs:
//
//	2026-11-25T08:00:00.123Z   2026/11/25 14:47:37   25/Nov/2026:08:00:00 +0000
//	Nov 25 08:00:00            11-25 08:00:00.123    "ts":1790000000.1
func Timestamp(text string) string {
	text = text[:min(len(text), 400)]
	for i := 0; i < len(text); i++ {
		if i > 0 && isNameByte(text[i-1]) && text[i-1] != 'T' {
			continue
		}
		for _, shape := range timeShapes {
			if n := matchShape(text[i:], shape); n > 0 {
				return strings.TrimRight(text[i:i+n+tailOfTime(text[i+n:])], " ")
			}
		}
	}
	return ""
}

// In a shape "0" is a digit, "a" a letter; everything else is itself.
var timeShapes = []string{
	"0000-00-00T00:00:00", "0000-00-00 00:00:00", "0000/00/00 00:00:00", "00/aaa/0000:00:00:00", "aaa 00 00:00:00",
	"aaa  0 00:00:00",
	"00-00 00:00:00", "00000000T000000", `"ts":0000000000`, `"time":0000000000`, "__time__:0000000000",
}

func matchShape(text, shape string) int {
	if len(text) < len(shape) {
		return 0
	}
	for i := range len(shape) {
		c, want := text[i], shape[i]
		switch {
		case want == '0' && isDigit(c), want == c && want != '0':
		case want == 'a' && (c|0x20) >= 'a' && (c|0x20) <= 'z':
		default:
			return 0
		}
	}
	return len(shape)
}

// tailOfTime is the length of a fraction and a zone.
func tailOfTime(s string) int {
	n := 0
	if n < len(s) && (s[n] == '.' || s[n] == ',') && n+1 < len(s) && isDigit(s[n+1]) {
		for n++; n < len(s) && isDigit(s[n]); n++ {
		}
	}
	rest := s[n:]
	switch {
	case strings.HasPrefix(rest, "Z"):
		return n + 1
	case matchShape(rest, "+00:00") > 0, matchShape(rest, "-00:00") > 0:
		return n + 6
	case matchShape(rest, " +0000") > 0, matchShape(rest, " -0000") > 0:
		return n + 6
	case matchShape(rest, "+0000") > 0, matchShape(rest, "-0000") > 0:
		return n + 5
	}
	return n
}
