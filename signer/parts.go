package signer

import (
	"net/http"
	"slices"
	"strings"
)

// parts are the parts of a string to sign.
type parts struct {
	method  string
	fixed   []string // Accept, Content-MD5, Content-Type, Date: four, if the string is well formed
	headers []pair
	hasPath bool
	path    string
	query   string // the parameters as they stand there, without "?"
	params  []pair
	after   []string // lines behind the path
	blank   int      // empty lines before the path

	misplaced bool // the path did not stand behind the headers
}

// pair is a header or a parameter. bare is a parameter without "=".
type pair struct {
	name, value string
	bare        bool
}

// What is compared is bounded: a server, or a file, can hold anything.
const (
	maxLines      = 512
	maxParameters = 256
	maxShortText  = 16 << 10 // for what is searched in more than once
)

// standard are the headers that have a line of their own, in their order.
var standard = [...]string{"Accept", "Content-MD5", "Content-Type", "Date"}

func standardPart(i int) Part { return PartAccept + Part(i) }

// gatewayParts splits the gateway's string, whose line breaks are "#". A value
// can hold that character, too: of the four standard headers it is known from
// the client's, in the block of headers by what follows.
func gatewayParts(text string, client parts) parts {
	pieces := strings.SplitN(text, "#", maxLines)
	p := parts{method: pieces[0]}
	pieces = pieces[1:]
	for i := 0; i < len(standard) && len(pieces) > 0; i++ {
		n := 1
		if i < len(client.fixed) {
			n = min(1+strings.Count(client.fixed[i], "#"), len(pieces))
			if strings.Join(pieces[:n], "#") != client.fixed[i] {
				n = 1
			}
		}
		p.fixed = append(p.fixed, strings.Join(pieces[:n], "#"))
		pieces = pieces[n:]
	}
	for len(pieces) > 0 {
		name, value, ok := strings.Cut(pieces[0], ":")
		switch {
		case ok && isToken(name):
			p.headers = append(p.headers, pair{name: name, value: value})
		case len(p.headers) > 0 && !isPath(pieces[0]) && anyPath(pieces[1:]):
			p.headers[len(p.headers)-1].value += "#" + pieces[0]
		default:
			p.setPath(strings.Join(pieces, "#"))
			return p
		}
		pieces = pieces[1:]
	}
	return p
}

func (p *parts) setPath(tail string) {
	p.hasPath = true
	p.path, p.query, _ = strings.Cut(tail, "?")
}

// isPath reports whether a line can be that of path and parameters.
func isPath(line string) bool { return strings.HasPrefix(line, "/") || line == "*" }

func anyPath(lines []string) bool {
	return slices.ContainsFunc(lines, isPath)
}

// clientParts splits a string that somebody signed, right or wrong, whose line
// breaks are "\n".
func clientParts(text string, gatewayNames func(string) bool) parts {
	lines, misplaced := pathLast(strings.SplitN(text, "\n", maxLines), gatewayNames)
	p := parts{method: lines[0], misplaced: misplaced}
	lines = lines[1:]
	start := headerStart(lines, gatewayNames)
	p.fixed = lines[:start]
	lines = lines[start:]
	for len(lines) > 0 && !isPath(lines[0]) {
		header, ok := headerLine(lines[0], gatewayNames)
		if !ok && lines[0] != "" {
			break
		}
		if ok {
			p.headers = append(p.headers, header)
		} else {
			p.blank++
		}
		lines = lines[1:]
	}
	if len(lines) > 0 {
		p.setPath(lines[0])
		p.after = lines[1:]
	} else if p.blank > 0 {
		p.blank-- // the line of the path, empty
	}
	return p
}

// pathLast moves the line of the path behind those of headers that follow it.
func pathLast(lines []string, gatewayNames func(string) bool) (sorted []string, moved bool) {
	path, last := -1, -1
	for i, line := range lines[1:] {
		if header, ok := headerLine(line, gatewayNames); ok && gatewayNames(header.name) {
			last = i + 1
		} else if path < 0 && isPath(line) && line != "*" {
			path = i + 1
		}
	}
	if path < 0 || last < path {
		return lines, false
	}
	sorted = append(slices.Clone(lines[:path]), lines[path+1:last+1]...)
	sorted = append(sorted, lines[path])
	return append(sorted, lines[last+1:]...), true
}

// headerStart returns the number of lines before the signed headers, or, where
// there are none, before the path. Lines of the standard headers with their
// names are not signed headers, but what somebody wrote in place of the values.
func headerStart(lines []string, gatewayNames func(string) bool) int {
	for i, line := range lines {
		header, ok := headerLine(line, gatewayNames)
		if ok && standardIndex(header.name) < 0 || isPath(line) && line != "*" || isURL(line) {
			return i
		}
		if ok && i >= len(standard) {
			return i
		}
	}
	if n := len(lines); n > 0 && lines[n-1] != "" { // that of the path
		lines = lines[:n-1]
	}
	return min(len(standard), len(lines))
}

// headerLine reads "name:value", and "name=value" of a name that the gateway
// has as a header.
func headerLine(line string, gatewayNames func(string) bool) (pair, bool) {
	if name, value, ok := strings.Cut(line, ":"); ok && isToken(strings.TrimSpace(name)) && !isURL(line) {
		return pair{name: name, value: value}, true
	}
	if name, value, ok := strings.Cut(line, "="); ok && gatewayNames(strings.TrimSpace(name)) {
		return pair{name: name, value: value, bare: true}, true
	}
	return pair{}, false
}

func isURL(line string) bool {
	return hasPrefixFold(line, "http://") || hasPrefixFold(line, "https://")
}

// standardIndex returns the place of a standard header, -1 for another one.
func standardIndex(name string) int {
	for i, s := range standard {
		if sameName(strings.TrimSpace(name), s) {
			return i
		}
	}
	return -1
}

// requestParts are those of a string that was signed for a request: path and
// parameters are known exactly, whatever their values hold.
func requestParts(sent *http.Request, signed signature) parts {
	path, query := urlTarget(sent.URL, signed.rules)
	tail := string(appendPathAndParameters(nil, path, query, string(signed.form), signed.rules))
	head := strings.TrimSuffix(strings.TrimSuffix(string(signed.text), tail), "\n")
	lines := strings.Split(head, "\n")
	p := parts{method: lines[0], fixed: lines[1:min(5, len(lines))], hasPath: true, path: path}
	for _, line := range lines[min(5, len(lines)):] {
		name, value, _ := strings.Cut(line, ":")
		p.headers = append(p.headers, pair{name: name, value: value})
	}
	for _, param := range sortedParameters(nil, query, string(signed.form), signed.rules) {
		bare := param.value == "" && !signed.rules.higressParameters()
		p.params = append(p.params, pair{param.name, param.value, bare})
	}
	p.query = strings.TrimPrefix(strings.TrimPrefix(tail, path), "?")
	return p
}

// isToken reports whether s can be the name of a header.
func isToken(s string) bool {
	for i := range len(s) {
		c := s[i]
		if c <= ' ' || c >= 0x7f || strings.IndexByte("()<>@,;:\\\"/[]?={}", c) >= 0 {
			return false
		}
	}
	return s != ""
}
