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

// parseHead reads the last head of what "curl -i", "curl -v" and the like
// print: heads of a proxy, of 100 Continue and of redirects stand before it.
// Lines end with CRLF or LF. It is false where the text does not begin with a
// head.
func parseHead(text []byte) (responseHead, bool) {
	text = unquoteVerbose(text)
	var last responseHead
	found := false
	for rest := text; ; {
		rest = bytes.TrimLeft(rest, "\r\n")
		head, after, ok := cutHead(rest)
		if !ok {
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
// first line must be a header of the gateway, so that an ordinary text is not
// taken for a head.
func cutHead(text []byte) (h responseHead, after []byte, ok bool) {
	h.header = make(http.Header)
	for first := true; len(text) > 0; first = false {
		var raw []byte
		raw, text, _ = bytes.Cut(text, []byte("\n"))
		line := strings.TrimSpace(string(raw))
		if line == "" {
			return h, text, true
		}
		name, value, isHeader := strings.Cut(line, ":")
		switch {
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
		case first && !hasPrefixFold(line, "x-ca-") && !hasPrefixFold(line, ":status:"):
			return h, nil, false
		case hasPrefixFold(line, ":status:"): // as browsers show HTTP/2
			if status, err := strconv.Atoi(strings.TrimSpace(line[len(":status:"):])); err == nil && status >= 100 && status <= 999 {
				h.status = status
			}
		case isHeader:
			h.header.Add(strings.TrimSpace(name), strings.TrimSpace(value))
		}
	}
	return h, nil, len(h.header) > 0 || h.status != 0
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
