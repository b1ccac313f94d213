package apigw

import (
	"bytes"
	"encoding/json"
	"errors"
	"net/http"
	"strings"
)

// SuccessMark recognises a refusal that comes with a status below 400, as some
// plug-ins and Function Compute send it. All fields that are not empty have to
// fit; a mark without any fits nothing.
type SuccessMark struct {
	// Header has to be there, in any letter case, and have the value
	// HeaderValue, or any if that is empty. Function Compute sends
	// X-Fc-Error-Type if the function failed.
	Header      string
	HeaderValue string
	// JSONField is a field of the JSON object in the body, JSONValue its
	// value as JSON has it: "code" and "-1" for the rate limit of Higress,
	// with quotes for a string. The body has to be one that is looked into:
	// at most 4 KiB that arrive within 250 ms, not compressed.
	JSONField string
	JSONValue string
}

// validate names what makes no sense.
func (m *SuccessMark) validate() error {
	switch {
	case m.Header == "" && m.JSONField == "":
		return errors.New("give Header or JSONField")
	case m.Header == "" && m.HeaderValue != "":
		return errors.New("HeaderValue needs Header")
	case (m.JSONField == "") != (m.JSONValue == ""):
		return errors.New("JSONField and JSONValue need each other")
	case m.JSONField != "" && !json.Valid([]byte(m.JSONValue)):
		return errors.New("JSONValue is no JSON: a string needs its quotes")
	}
	return nil
}

// fitsHeader reports whether the headers have the mark. What is wrong with a
// mark never makes a failure of a success.
func (m *SuccessMark) fitsHeader(h http.Header) bool {
	if m.Header == "" {
		return m.JSONField != ""
	}
	value := headerValue(h, http.CanonicalHeaderKey(m.Header))
	return value != "" && (m.HeaderValue == "" || strings.EqualFold(value, m.HeaderValue))
}

// fitsBody reports whether the body has the field with the value.
func (m *SuccessMark) fitsBody(body string, whole bool) bool {
	if !whole || !strings.HasPrefix(strings.TrimSpace(body), "{") {
		return false
	}
	var fields map[string]json.RawMessage
	if json.Unmarshal([]byte(body), &fields) != nil {
		return false
	}
	return sameJSON(fields[m.JSONField], []byte(m.JSONValue))
}

// sameJSON compares two values without regard to white space.
func sameJSON(a, b []byte) bool {
	var x, y bytes.Buffer
	return json.Compact(&x, a) == nil && json.Compact(&y, b) == nil && bytes.Equal(x.Bytes(), y.Bytes())
}
