package report

import (
	"bytes"
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

// headers are the names of response headers that say something about a failed
// call, beside the gateway's own. In a head all headers are read; elsewhere
// only these are looked for. Those of more than one word are names wherever
// they stand, the others only where something tells that a header is meant.
var headers = []string{
	"Content-Type", "Content-Length", "Content-Encoding", "Server", "Date", "Retry-After", "Www-Authenticate", "Location",
	"X-Envoy-Upstream-Service-Time", "X-Envoy-Overloaded", "X-Envoy-Ratelimited", "X-Request-Id", "X-Fc-Request-Id",
	"X-Fc-Error-Type", "Eagleeye-Traceid", "X-Ratelimit-Reset", "X-Ratelimit-Limit", "X-Ratelimit-Remaining",
	"X-Tokenratelimit-Reset", "Retry-After-Ms", "Ratelimit", "X-Powered-By", "X-Ca-Debug-Info",
}

// labels are names that are no headers, without blanks, dashes and underscores
// and in lower case.
var labels = map[string]field{
	"status": statusField, "statuscode": statusField, "httpstatus": statusField, "httpstatuscode": statusField, "httpcode": statusField,
	"responsestatus": statusField, "responsecode": statusField, "responsestatuscode": statusField, "respstatus": statusField,
	"upstreamstatus": statusField, "httpresponsecode": statusField,
	"http.status": statusField, "http.statuscode": statusField, "http.response.statuscode": statusField, "状态码": statusField, "返回码": statusField,
	"code": codeLabel, "errorcode": codeLabel, "errcode": codeLabel, "cacode": codeLabel, "gatewaycode": codeLabel, "错误码": codeLabel,
	"requestid": requestLabel, "reqid": requestLabel, "carequestid": requestLabel, "请求id": requestLabel,
	"message": textLabel, "msg": textLabel, "errormessage": textLabel, "errormsg": textLabel, "errmsg": textLabel, "error": textLabel,
	"reason": textLabel, "detail": textLabel, "description": textLabel, "errordescription": textLabel, "错误信息": textLabel, "错误消息": textLabel,
	"body": bodyLabel, "responsebody": bodyLabel, "respbody": bodyLabel, "responsetext": bodyLabel, "responsedata": bodyLabel,
	"id": rowLabel, "errorid": rowLabel, "error.id": rowLabel,
}

// longestName bounds what can be a name, prefixes of log formats included.
const longestName = 64

// meaning is what a name stands for: a field, and the canonical name of a
// header.
type meaning struct {
	field     field
	canonical string
}

// names has labels and headers by their plain names.
var names = func() map[string]meaning {
	names := make(map[string]meaning, len(headers)+len(labels))
	for name, f := range labels {
		names[name] = meaning{field: f}
	}
	for _, name := range headers {
		names[plainName(name)] = meaning{headerField, name}
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
	if i := bytes.Index(plain, []byte("xca")); i >= 0 {
		switch string(plain[i+len("xca"):]) {
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
