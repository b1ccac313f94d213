package signer

import (
	"strings"
	"unicode"
)

// ServerStringToSign returns the gateway's string to sign from the text of
// X-Ca-Error-Message, as it stands there: its newlines are "#", but so is
// every "#" in a value. It holds the values of the request, passwords included.
func ServerStringToSign(message string) (string, bool) {
	text := parseMessage(message).text
	return text, text != ""
}

// A toldString is the gateway's string as a message shows it.
type toldString struct {
	text string
	// opened and closed say that the backquotes around it are there. Without
	// the second one it may have been cut on the way.
	opened, closed bool
}

func parseMessage(message string) (told toldString) {
	_, text, found := strings.Cut(message, "Server StringToSign:")
	if !found {
		return told
	}
	text, _, _ = strings.Cut(text, "\n")
	open := strings.IndexByte(text, '`')
	if open < 0 {
		return toldString{text: strings.TrimSpace(text)}
	}
	text = text[open+1:]
	// A value may hold a backquote, so the last one closes.
	if end := strings.LastIndexByte(text, '`'); end >= 0 {
		return toldString{text[:end], true, true}
	}
	return toldString{text, true, false}
}

// fromLatin1 undoes the reading of UTF-8 bytes as ISO-8859-1.
func fromLatin1(s string) (string, bool) {
	b := make([]byte, 0, len(s))
	changed := false
	for _, r := range s {
		if r > 0xff {
			return "", false
		}
		changed = changed || r > 0x7f
		b = append(b, byte(r))
	}
	return string(b), changed
}

// printable keeps a name that came over the network short and harmless: what
// does not print, control characters and marks of direction among it, becomes
// "�".
func printable(name string) string {
	const most = 64
	if len(name) > most {
		name = strings.ToValidUTF8(name[:most], "")
	}
	return strings.Map(printableRune, name)
}

func printableRune(r rune) rune {
	if unicode.IsPrint(r) {
		return r
	}
	return unicode.ReplacementChar
}
