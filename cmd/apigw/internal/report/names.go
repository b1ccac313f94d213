package report

import (
	"bytes"
	_ "embed"
	"strings"
)

// field is what a name in a text stands for.
type field uint8

const (
	noField field = iota
	statusField
	codeField      // X-Ca-Error-Code
	messageField   // X-Ca-Error-Message
	requestIDField // X-Ca-Request-Id
	headerField    // another header
	codeLabel      // "code": of the catalog, or a status, or something else
	requestLabel   // "request id"
	textLabel      // "message": a known text behind it is meant as one
	bodyLabel      // "response_body"
	bodyText       // a body that was recognised by its text
	rowLabel       // "id", as logs of this library have it
)

// names.tsv has what a text calls the fields: headers by their canonical names,
// and labels, which are no headers, in lower case without blanks, dashes and
// underscores. In a head all headers are read; elsewhere only these are looked for.
//
//go:embed names.tsv
var nameTable string

// fieldsOfTable are the words of the first column.
var fieldsOfTable = map[string]field{
	"header": headerField, "status": statusField, "code": codeLabel, "request-id": requestLabel, "text": textLabel,
	"body": bodyLabel, "row": rowLabel,
}

// longestName bounds what can be a name, prefixes of log formats included.
const longestName = 64

// meaning is what a name stands for: a field, and the canonical name of a
// header.
type meaning struct {
	field     field
	canonical string
}

// names are the names of the table in the form in which they are compared.
var names = func() map[string]meaning {
	names := map[string]meaning{}
	for line := range strings.Lines(nameTable) {
		kind, list, ok := strings.Cut(strings.TrimRight(line, "\r\n"), "\t")
		if !ok || strings.HasPrefix(line, "#") {
			continue
		}
		for name := range strings.FieldsSeq(list) {
			m := meaning{field: fieldsOfTable[kind]}
			if m.field == headerField {
				m.canonical = name
			}
			names[plainName(name)] = m
		}
	}
	return names
}()

// nameOf looks a name up, in whatever spelling programs give it: X-Ca-Error-Code,
// x_ca_error_code, HTTP_X_CA_ERROR_CODE, xCaErrorCode, upstream_http_x_ca_error_code.
// canonical is the name of the header, "" for others.
func nameOf(name string) (f field, canonical string) {
	if len(name) < 2 || len(name) > longestName {
		return noField, ""
	}
	var room [longestName]byte
	plain := appendPlain(room[:0], name)
	if _, after, ok := bytes.Cut(plain, []byte("xca")); ok {
		switch string(after) {
		case "errorcode":
			return codeField, nameCode
		case "errormessage", "errormsg":
			return messageField, nameMessage
		case "requestid":
			return requestIDField, nameRequestID
		}
	}
	if m, ok := names[string(plain)]; ok {
		return m.field, m.canonical
	}
	// The last part of a dotted name: "response.headers.server", "error.code".
	if i := bytes.LastIndexByte(plain, '.'); i >= 0 {
		if m, ok := names[string(plain[i+1:])]; ok && m.field != rowLabel && !ofRequest(string(plain[:i])) {
			return m.field, m.canonical
		}
	}
	return noField, ""
}

// plainName is a name without what spellings differ in.
func plainName(name string) string { return string(appendPlain(nil, name)) }

func appendPlain(dst []byte, name string) []byte {
	for i := 0; i < len(name); i++ {
		switch c := name[i]; {
		case c == '-' || c == '_' || c == ' ' || c == ':':
		case c >= 'A' && c <= 'Z':
			dst = append(dst, c|0x20)
		default:
			dst = append(dst, c)
		}
	}
	return dst
}

// ofRequest reports whether a plain name is that of a request, or of what was
// sent, whose headers say nothing about the answer.
func ofRequest(plain string) bool {
	switch plain {
	case "request", "req", "requestheaders", "reqheaders", "httprequest", "config", "sent":
		return true
	}
	return strings.HasSuffix(plain, ".request") || strings.HasSuffix(plain, ".req")
}

// isNameByte reports whether c can be within a name or a code.
func isNameByte(c byte) bool {
	return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || c == '-' || c == '_'
}
