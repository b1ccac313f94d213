package main

import (
	"cmp"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"strings"
)

// curlCommand is the signed request as a command for a POSIX shell. Headers that
// curl would add and that are part of a signature are switched off.
func curlCommand(req *http.Request, spec *requestSpec) string {
	words := []string{"curl", "-i", "--globoff", "--path-as-is"}
	if req.Method == http.MethodHead {
		words = append(words, "-I")
	} else {
		words = append(words, "-X", req.Method)
	}
	if req.Host != "" && req.Host != req.URL.Host {
		words = append(words, "-H", "Host: "+req.Host)
	}
	for _, name := range slices.Sorted(maps.Keys(req.Header)) {
		for _, value := range req.Header[name] {
			words = append(words, "-H", cmp.Or(wireNames[name], name)+": "+value)
		}
	}
	if req.Header.Get("Accept") == "" {
		words = append(words, "-H", "Accept:") // curl sends */*, which was not signed
	}
	if body, ok := spec.bodyArgument(); ok {
		if req.Header.Get("Content-Type") == "" {
			words = append(words, "-H", "Content-Type:")
		}
		words = append(words, "--data-binary", body)
	}
	words = append(words, req.URL.String())
	for i, word := range words {
		words[i] = shellQuote(word)
	}
	return strings.Join(words, " ")
}

// bodyArgument is the body as curl takes it: a file by its name, the rest as it
// is. It is false where there is no body.
func (r *requestSpec) bodyArgument() (string, bool) {
	if len(r.body) == 0 {
		return "", false
	}
	if len(r.data) == 1 && strings.HasPrefix(r.data[0], "@") {
		return r.data[0], true
	}
	return string(r.body), true
}

// shellQuote quotes a word where a shell would read it otherwise. Control
// characters are escaped, as bash, zsh and POSIX of 2024 read them, so that the
// line can be shown.
func shellQuote(s string) string {
	if s != "" && strings.Trim(s, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_./:=,@%+") == "" {
		return s
	}
	if isPlainText(s) && !strings.Contains(s, "\n") {
		return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'"
	}
	var b strings.Builder
	b.WriteString("$'")
	for _, c := range []byte(s) {
		switch {
		case c == '\'' || c == '\\':
			b.WriteString(`\` + string(rune(c)))
		case c == '\n':
			b.WriteString(`\n`)
		case c < 0x20 || c >= 0x7f:
			b.WriteString(`\x` + strconv.FormatUint(uint64(c)|0x100, 16)[1:])
		default:
			b.WriteByte(c)
		}
	}
	return b.String() + "'"
}
