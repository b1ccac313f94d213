package apigw

import (
	"net/http"
	"strings"

	"github.com/apigw-go/apigw/catalog"
)

// Response headers of the gateway.
// https://www.alibabacloud.com/help/en/api-gateway/latest/troubleshooting
const (
	headerErrorCode    = "X-Ca-Error-Code"
	headerErrorMessage = "X-Ca-Error-Message"
	headerRequestID    = "X-Ca-Request-Id"

	headerNonce = "X-Ca-Nonce" // of a request
)

// Classify decodes the status and the headers of a response, as [Transport]
// does. It is a pure function: no clock, no network. It returns false for a
// status from 1 to 399; status 0 stands for an unknown one. Header names count
// in any letter case.
func Classify(status int, h http.Header) (*Error, bool) {
	if status > 0 && status < 400 || status == 0 && isNone(headerValue(h, headerErrorMessage)) && headerValue(h, headerErrorCode) == "" {
		return nil, false
	}
	e := new(Error)
	e.classify(status, h)
	return e, true
}

// classify fills in what status and headers tell: code before text, text
// before status, never the status alone where the gateway left a mark.
func (e *Error) classify(status int, h http.Header) {
	e.Status = status
	e.Message = headerValue(h, headerErrorMessage)
	e.RequestID = headerValue(h, headerRequestID)
	if isNone(e.Message) {
		// "OK" comes with successful calls, so it says nothing here.
		e.Message = ""
	}

	if code := headerValue(h, headerErrorCode); code != "" {
		e.Code = catalog.Code(code)
		if e.classifyCode(code) {
			return
		}
	}
	if m, ok := catalog.MatchText(e.Message, status); ok {
		e.gateway(m.Entry, m)
		return
	}
	e.Entry = catalog.ByStatus(status)
	e.Reached = e.Entry.Reached
	e.Origin = OriginBackend
	if e.Message != "" || e.Code != "" {
		// The provider's error-mapping plug-in writes texts of its own
		// after the backend ran; other products send X-Ca-* headers too.
		e.Origin = OriginUnknown
	}
}

// classifyCode decides by the code header, if that can be.
func (e *Error) classifyCode(code string) bool {
	upper := catalog.Code(code)
	if len(code) == 6 { // others are no code in any letter case
		upper = catalog.Code(strings.ToUpper(code))
	}
	if entry, ok := catalog.Lookup(upper); ok {
		e.Code = upper
		m, _ := catalog.MatchEntry(entry, e.Message)
		e.gateway(entry, m)
		return true
	}
	if entry, ok := catalog.Infer(upper, e.Status); ok {
		e.Code = upper
		e.Inferred = true
		e.gateway(entry, catalog.Match{})
		return true
	}
	// A name of the classic table in the code header.
	if m, ok := catalog.MatchText(code, e.Status); ok {
		e.gateway(m.Entry, m)
		return true
	}
	return false
}

func (e *Error) gateway(entry catalog.Entry, m catalog.Match) {
	e.Entry = entry
	e.Params = m.Params
	e.Origin = OriginGateway
	e.Reached = entry.Reached
	if m.Entry.ID != "" {
		e.Reached = m.Reached()
	}
	free := m.Appended != "" || len(m.Params) > 0 && !strings.ContainsAny(e.Message, "`'")
	if free && e.Code == "" && entry.Retry != catalog.RetryNo && e.Reached == catalog.ReachedNo {
		// Free text behind known words, without a code and without the
		// gateway's quotes, may be a provider's own, written after the
		// backend ran. Repeating on its word could run twice.
		e.Reached = catalog.ReachedMaybe
	}
}

func isNone(message string) bool { return message == "" || strings.EqualFold(message, "OK") }

// headerValue returns the first value of a header that is not blank, trimmed.
// Name is in canonical form; the header may be spelled in any letter case,
// since SDKs and stubs do not always keep to it.
func headerValue(h http.Header, name string) string {
	if values, ok := h[name]; ok {
		if v := firstValue(values); v != "" {
			return v
		}
	}
	key, value := "", "" // of several spellings the first in order counts
	for k, values := range h {
		if len(k) == len(name) && strings.EqualFold(k, name) && (key == "" || k < key) {
			if v := firstValue(values); v != "" {
				key, value = k, v
			}
		}
	}
	return value
}

// firstValue looks at a few values only: a server may send a million.
func firstValue(values []string) string {
	for _, v := range values[:min(len(values), 8)] {
		if v = strings.TrimSpace(v); v != "" {
			return v
		}
	}
	return ""
}

// hasHeader reports whether h has name, in any letter case.
func hasHeader(h http.Header, name string) bool {
	if _, ok := h[name]; ok {
		return true
	}
	for k := range h {
		if len(k) == len(name) && strings.EqualFold(k, name) {
			return true
		}
	}
	return false
}
