package signer

import (
	"net/url"
	"slices"
	"strings"
	"testing"
)

// Each mistake is found in every string that it changes, long or short.
func TestEachMistakeInManyStrings(t *testing.T) {
	bases := []string{
		"GET\n*/*\n\n\n\nX-Ca-Key:k\n/a",
		"GET\n*/*\n\n\n\nX-Ca-Key:k\nX-Ca-Nonce:n\nX-Ca-Timestamp:1525872629832\n/a/b?x=1",
		"GET\n\n\n\n\nx-ca-key:203753385\nx-ca-nonce:n\nx-ca-timestamp:1525872629832\n/v1/weather?city=hz&days=3",
		"POST\napplication/json\nrL0Y20zC+Fzt72VPzMSk2A==\napplication/json; charset=utf-8\n\nx-ca-key:k\n/api/x",
		"POST\n*/*\n\napplication/x-www-form-urlencoded; charset=utf-8\nWed, 09 May 2018 13:30:29 GMT\n" +
			"x-ca-key:k\nx-ca-stage:TEST\n/p?a=1&b=x y&c",
		"DELETE\n\n\n\n\n/items/7",
		"GET\n\n\n\n\n/",
		"PUT\n\n\n\n\nx-ca-key:k\n/?a=1",
	}
	line := func(s, old, new string) string { return strings.Replace(s, old, new, 1) }
	mistakes := []struct {
		codes string // the first finding is one of them
		make  func(string) string
	}{
		{"hash-for-newline", func(s string) string { return strings.ReplaceAll(s, "\n", "#") }},
		{"crlf", func(s string) string { return strings.ReplaceAll(s, "\n", "\r\n") }},
		{"carriage-return", func(s string) string { return strings.ReplaceAll(s, "\n", "\r") }},
		{"backslash-n", func(s string) string { return strings.ReplaceAll(s, "\n", `\n`) }},
		{"backslash-n", func(s string) string { return strings.ReplaceAll(s, "\n", `\r\n`) }},
		{"no-line-breaks", func(s string) string { return strings.ReplaceAll(s, "\n", "") }},
		{"other-separator", func(s string) string { return strings.ReplaceAll(s, "\n", "|") }},
		{"other-separator", func(s string) string { return strings.ReplaceAll(s, "\n", " ") }},
		{"other-separator", func(s string) string { return strings.ReplaceAll(s, "\n", "&") }},
		{"encoded-string", url.QueryEscape},
		{"json-escapes", func(s string) string { return strings.ReplaceAll(s, "&", `\u0026`) }},
		{"full-width", func(s string) string { return strings.ReplaceAll(s, "?", "？") }},
		{"path-on-header-line", func(s string) string {
			if i := strings.LastIndex(s, "\n/"); i > 0 && s[i-1] != '\n' {
				return s[:i] + s[i+1:]
			}
			return s
		}},
		{"query-mark-at-end", func(s string) string {
			if strings.Contains(s, "?") {
				return s + "&"
			}
			return s + "?"
		}},
		{"line-breaks-doubled", func(s string) string { return strings.ReplaceAll(s, "\n", "\n\n") }},
		{"newline-at-end", func(s string) string { return s + "\n" }},
		{"newline-at-end", func(s string) string { return s + "\r\n" }},
		{"newline-at-start", func(s string) string { return "\n" + s }},
		{"byte-order-mark", func(s string) string { return "\ufeff" + s }},
		{"quoted", func(s string) string { return "'" + s + "'" }},
		{"method-case", func(s string) string { i := strings.Index(s, "\n"); return strings.ToLower(s[:i]) + s[i:] }},
		{"method-case", func(s string) string {
			i := strings.Index(s,
				"\n")
			return s[:1] + strings.ToLower(s[1:i]) + s[i:]
		}},
		{"request-line", func(s string) string { i := strings.Index(s, "\n"); return s[:i] + " /x HTTP/1.1" + s[i:] }},
		{"whole-url", func(s string) string { return line(s, "\n/", "\nhttps://api.example.com/") }},
		{"host-in-path", func(s string) string { return line(s, "\n/", "\napi.example.com/") }},
		{"surplus-line", func(s string) string { return line(s, "\n/", "\n\n/") }},
		{"slash-left-out|path-left-out", func(s string) string { return line(s, "\n/", "\n") }},
		{"path-left-out", func(s string) string { return s[:strings.Index(s, "\n/")] }},
		{"parameters-left-out", func(s string) string { b, _, _ := strings.Cut(s, "?"); return b }},
		{"line-left-out", func(s string) string {
			for strings.Contains(s, "\n\n") {
				s = strings.ReplaceAll(s, "\n\n", "\n")
			}
			return s
		}},
		{"line-left-out", func(s string) string { return line(s, "\n\n", "\n") }},
		{"standard-header-named", func(s string) string {
			l := strings.Split(s, "\n")
			for i, n := range standard {
				l[i+1] = n + ":" + l[i+1]
			}
			return strings.Join(l, "\n")
		}},
		{"standard-header-named|line-left-out", func(s string) string {
			l := strings.Split(s, "\n")
			out := l[:1:1]
			for i, n := range standard {
				if l[i+1] != "" {
					out = append(out, strings.ToLower(n)+": "+l[i+1])
				}
			}
			return strings.Join(append(out, l[5:]...), "\n")
		}},
		{"header-blank-after-colon", func(s string) string {
			return strings.ReplaceAll(strings.ReplaceAll(s, "x-ca-key:", "x-ca-key: "), "X-Ca-Key:", "X-Ca-Key: ")
		}},
		{"no-header-block", func(s string) string {
			l := strings.Split(s, "\n")
			return strings.Join(append(l[:5:5], l[len(l)-1]), "\n")
		}},
		{"accept-added", func(s string) string { return line(s, "\n*/*\n", "\n\n") }},
		{"path-not-last|newline-at-end", func(s string) string {
			l := strings.Split(s, "\n")
			n := len(l) - 1
			return strings.Join(append([]string{l[0], l[n]}, l[1:n]...), "\n")
		}},
		{"lines-padded", func(s string) string { return strings.ReplaceAll(s, "\n", "\n  ") }},
		{"base-path|path-differs", func(s string) string { return line(s, "\n/", "\n/release/") }},
		{"body-signed", func(s string) string { return s + "\n{\"a\":1}" }},
		{"line-left-out", func(s string) string { _, r, _ := strings.Cut(s, "\n"); return r }},
	}
	for _, b := range bases {
		for _, m := range mistakes {
			signed := m.make(b)
			if signed == b {
				continue
			}
			d, ok := Diagnose(signed, refusal(b))
			if !ok || !slices.Contains(strings.Split(m.codes, "|"), d.Findings[0].Code) {
				t.Errorf("signed %q, gateway %q: got %v, want %s", signed, b, d, m.codes)
			}
		}
	}
}
