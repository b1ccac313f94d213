package apigw

import (
	"reflect"
	"strings"
)

// refusedStream reports whether err says that an HTTP/2 server did not process
// the request, or that no stream was opened for it. The error types of net/http
// are not exported and those of golang.org/x/net/http2 are not imported here,
// so both are known by their form and text, which are the same.
func refusedStream(err error) bool {
	text := err.Error()
	if code, ok := streamErrorCode(err); ok {
		return code == codeRefusedStream
	}
	if refused, ok := strings.CutPrefix(text, "http2: Transport: cannot retry err ["); ok {
		// A body without GetBody kept the client from retrying by itself.
		return strings.HasPrefix(refused, "stream error: ") && strings.Contains(refused, "; REFUSED_STREAM") ||
			hasAnyPrefix(refused, textsOfUnusedStreams)
	}
	return hasAnyPrefix(text, textsOfUnusedStreams)
}

// codeRefusedStream guarantees that the request has not been processed.
// RFC 9113 section 8.7.
const codeRefusedStream = 7

// textsOfUnusedStreams are errors of streams that were never opened, or lie
// above the last one that a GOAWAY names: those were not processed (RFC 9113
// section 6.8). The last text is of a GOAWAY that names none at all.
var textsOfUnusedStreams = []string{
	"http2: client conn not usable",
	"http2: client conn could not be established",
	"http2: no cached connection was available",
	"http2: Transport received Server's graceful shutdown GOAWAY",
	"http2: Transport received GOAWAY from server ErrCode:",
	"http2: server sent GOAWAY and closed the connection; LastStreamID=0,",
}

// streamErrorCode returns the code of an http2.StreamError.
func streamErrorCode(err error) (uint64, bool) {
	if !strings.HasPrefix(err.Error(), "stream error: stream ID ") {
		return 0, false
	}
	v := reflect.ValueOf(err)
	if v.Kind() == reflect.Pointer {
		v = v.Elem()
	}
	if v.Kind() != reflect.Struct || !v.FieldByName("StreamID").IsValid() {
		return 0, false
	}
	code := v.FieldByName("Code")
	if !code.IsValid() || !code.CanUint() {
		return 0, false
	}
	return code.Uint(), true
}
