package apigw

import (
	"bytes"
	"io"
	"net/http"
	"os"
	"reflect"
	"strings"
)

// isReliable reports whether body can neither block nor fail like a network.
func isReliable(body io.ReadCloser) bool {
	switch r := inside(body).(type) {
	case *bytes.Reader, *bytes.Buffer, *strings.Reader:
		return true
	case *os.File: // net/http sends it without a copy
		info, err := r.Stat()
		return err == nil && info.Mode().IsRegular()
	}
	return body == http.NoBody
}

// lengthOf returns what is left to read of a body in memory, 0 if that is not
// known.
func lengthOf(body io.ReadCloser) int64 {
	if sized, ok := inside(body).(interface{ Len() int }); ok {
		return int64(sized.Len())
	}
	return 0
}

// inside returns what io.NopCloser wraps, or body itself. net/http looks inside
// in the same way.
func inside(body io.Reader) io.Reader {
	if t := reflect.TypeOf(body); t == nopCloser || t == nopCloserWriterTo {
		if r, ok := reflect.ValueOf(body).Field(0).Interface().(io.Reader); ok {
			return r
		}
	}
	return body
}

var (
	nopCloser         = reflect.TypeOf(io.NopCloser(nil))
	nopCloserWriterTo = reflect.TypeOf(io.NopCloser(new(bytes.Reader)))
)
