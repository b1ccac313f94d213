package main

import (
	"bytes"
	"net/http"
	"strconv"
	"strings"
)

// responseHead is what somebody pasted or piped of a response.
type responseHead struct {
	status int // 0 where there was no status line
	header http.Header
	body   []byte // what follows the head, as far as it was read
}

// byteOrderMark begins files of some Windows programs.
var byteOrderMark = []byte("\xef\xbb\xbf")

// maxFolded bounds a header in several lines. Each line copies those before it,
// so that a megabyte of them would take minutes.
const maxFolded = 8 << 10

// parseHead reads the last head of what "curl -i", "curl -v" and the like
// print: heads of a proxy, of 100 Continue and of redirects stand before it.
// Lines end with CRLF or LF. It is false where the text does not begin with a
// head.
func parseHead(text []byte) (responseHead, bool) {
	text = unquoteVerbose(bytes.TrimPrefix(text, byteOrderMark))
	var last responseHead
	found := false
	for rest := text; ; {
		rest = bytes.TrimLeft(rest, "\r\n")
		head, after, ok := cutHead(rest)
		if !ok || found && head.status == 0 { // a body, then
			return last, found
		}
		last, found = head, true
		last.body = after
		// Some tools print the body of a redirect before the next head.
		if n, err := strconv.Atoi(last.header.Get("Content-Length")); err == nil && n > 0 && n < len(after) {
			if _, _, ok := cutHead(bytes.TrimLeft(after[n:], "\r\n")); ok {
				after = after[n:]
			}
		}
		rest = after
	}
}

// cutHead reads one head, up to its blank line. Without a status line, the
// first line must be a header, and one of them the gateway's, so that an
// ordinary text is not taken for a head.
func cutHead(text []byte) (h responseHead, after []byte, ok bool) {
	h.header = make(http.Header)
	bare := !hasPrefixFold(string(text[:min(len(text), 8)]), "HTTP/") // no status line
	latest := ""                                                      // header, for lines that continue it
	for first := true; len(text) > 0; first = false {
		var raw []byte
		raw, text, _ = bytes.Cut(text, []byte("\n"))
		line := strings.TrimSpace(string(raw))
		if line == "" {
			return h, text, !bare || h.ofGateway()
		}
		name, value, isHeader := strings.Cut(line, ":")
		switch {
		case latest != "" && (raw[0] == ' ' || raw[0] == '\t'): // RFC 9112, section 5.2
			values := h.header[latest]
			if last := &values[len(values)-1]; len(*last) < maxFolded {
				*last += " " + line
			}
		case first && hasPrefixFold(line, "HTTP/"):
			// "HTTP/1.1 403 Forbidden", "HTTP/2 403"
			fields := strings.Fields(line)
			if len(fields) < 2 {
				return h, nil, false
			}
			status, err := strconv.Atoi(fields[1])
			if err != nil || status < 100 || status > 999 {
				return h, nil, false
			}
			h.status = status
		case first && !hasPrefixFold(line, ":status:") && (!isHeader || strings.ContainsAny(name, " \t")):
			return h, nil, false
		case hasPrefixFold(line, ":status:"): // as browsers show HTTP/2
			if status, err := strconv.Atoi(strings.TrimSpace(line[len(":status:"):])); err == nil && status >= 100 && status <= 999 {
				h.status = status
			}
		case isHeader:
			latest = http.CanonicalHeaderKey(strings.TrimSpace(name))
			h.header.Add(latest, strings.TrimSpace(value))
		}
	}
	return h, nil, h.status != 0 || h.ofGateway()
}

// ofGateway reports whether a header, or a status as browsers show it, tells
// a head from an ordinary text.
func (h *responseHead) ofGateway() bool {
	for name := range h.header {
		if hasPrefixFold(name, "X-Ca-") {
			return true
		}
	}
	return h.status != 0
}

// unquoteVerbose keeps what came from the server where the text is the log of
// "curl -v": lines that begin with "< ".
func unquoteVerbose(text []byte) []byte {
	if !bytes.HasPrefix(text, []byte("< HTTP/")) && !bytes.Contains(text, []byte("\n< HTTP/")) {
		return text
	}
	var b bytes.Buffer
	for line := range bytes.Lines(text) {
		if received, ok := bytes.CutPrefix(line, []byte("<")); ok {
			b.Write(bytes.TrimPrefix(received, []byte(" ")))
		}
	}
	return b.Bytes()
}

func hasPrefixFold(s, prefix string) bool {
	return len(s) >= len(prefix) && strings.EqualFold(s[:len(prefix)], prefix)
}
