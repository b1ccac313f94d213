package apigw

import (
	"net/http"
	"strings"

	"github.com/apigw-go/apigw/catalog"
)

// Classify decodes the status and the headers of a response, as [Transport]
// does. It is a pure function: no clock, no network. It returns false for a
// status from 1 to 399; status 0 stands for an unknown one. Header names count
// in any letter case.
func Classify(status int, h http.Header) (*Error, bool) { return ClassifyBody(status, h, nil) }

// ClassifyBody decodes a response with its body, where the newer generations of
// the gateway and Function Compute write their errors. The body counts only if
// the headers have no mark of the gateway, and if it is a whole one that
// [Transport] would look into: text or JSON of at most 4 KiB, not encoded. A nil
// body is one that is not known. The rest is as with [Classify].
//
// A body alone does not prove that the backend was not reached: somebody behind
// may have written it. Only a Transport can know the host well enough; here
// Reached is then "maybe".
func ClassifyBody(status int, h http.Header, body []byte) (*Error, bool) {
	if status > 0 && status < 400 {
		return nil, false
	}
	a := received{status: status, header: h}
	if body != nil && len(body) <= maxPeek && readable(h) {
		a.body, a.whole = string(body), true
	}
	if status == 0 && len(body) == 0 && !hasMark(h) {
		return nil, false
	}
	e := new(Error)
	e.classify(a)
	return e, true
}

// received is what a response shows, and what is known of those who may have
// written it.
type received struct {
	status int
	header http.Header
	reason string // the reason phrase, if it was seen
	body   string
	whole  bool // body is all of it
	// own says that the answer is not one that the proxy passed on: the host
	// marks those, or the policy vouches for it.
	own bool
}

// isPhrase reports whether text is the reason phrase of the status. Classic
// instances copy the phrase of the backend's answer into X-Ca-Error-Message,
// and backends like to write it into a body, so it says nothing about who
// spoke. https://github.com/aliyun/api-gateway-nodejs-sdk/issues/31
func (a *received) isPhrase(text string) bool {
	return sameWords(text, http.StatusText(a.status)) || sameWords(text, a.reason)
}

// sameWords compares without regard to letter case and white space. Nothing
// equals an empty text.
func sameWords(a, b string) bool {
	for {
		a, b = strings.TrimSpace(a), strings.TrimSpace(b)
		wordA, restA, _ := strings.Cut(a, " ")
		wordB, restB, _ := strings.Cut(b, " ")
		switch {
		case wordA == "" || !strings.EqualFold(wordA, wordB):
			return false
		case restA == "" && restB == "":
			return true
		}
		a, b = restA, restB
	}
}

// classify fills in what an answer says: code before text, text before body,
// and the status alone only where nobody left a mark.
func (e *Error) classify(a received) {
	e.Status = a.status
	e.Message = headerValue(a.header, headerErrorMessage)
	e.RequestID = requestIDOf(a.header)
	if isNone(e.Message) {
		// "OK" comes with successful calls, so it says nothing here.
		e.Message = ""
	}
	code := headerValue(a.header, headerErrorCode)
	e.Code = catalog.Code(code)
	switch {
	case code == "" && e.Message == "":
		if e.classifyBody(&a) {
			return
		}
		e.is(catalog.Match{Entry: catalog.ByStatus(a.status)}, false)
		e.Origin = OriginBackend
	case code != "" && e.classifyCode(code, &a), e.classifyText(e.Message, &a):
	default:
		// The provider's error-mapping plug-in writes texts of its own
		// after the backend ran; other products send X-Ca-* headers too.
		e.is(catalog.Match{Entry: catalog.ByStatus(a.status)}, false)
	}
}

// is takes over what the catalog says. "Not reached" needs proof, and a row that
// nobody verified is none.
func (e *Error) is(m catalog.Match, proof bool) {
	e.Entry, e.Params = m.Entry, m.Params
	e.Origin = originOf(m.Entry.Origin)
	e.Reached = m.Reached()
	if e.Reached == catalog.ReachedNo || e.Reached == catalog.ReachedNoAtThisHop {
		e.Reached = catalog.ReachedMaybe
		if proof && m.Entry.Verified() {
			e.Reached = catalog.ReachedNo
		}
	}
}

// classifyCode decides by the code header, if that can be.
func (e *Error) classifyCode(code string, a *received) bool {
	if len(code) != 6 {
		return e.classifyName(code, a)
	}
	upper := catalog.Code(strings.ToUpper(code))
	if entry, ok := catalog.Lookup(upper); ok {
		e.Code = upper
		m, ok := catalog.MatchEntry(entry, e.Message)
		if !ok {
			m = catalog.Match{Entry: entry}
		}
		e.is(m, hasStatus(entry, a.status) && !contradicts(a.header))
		return true
	}
	entry, ok := catalog.Infer(upper, a.status)
	if !ok {
		return e.classifyName(code, a)
	}
	e.Code, e.Inferred = upper, true
	m, ok := catalog.MatchText(e.Message, a.status)
	if !ok || m.Appended != "" || m.Entry.Place != catalog.PlaceHeader {
		m = catalog.Match{Entry: entry}
	}
	e.is(m, false)
	e.Origin = OriginGateway
	return true
}

// classifyName decides by a text of the classic table in the code header, which
// is known from a test of another program only.
func (e *Error) classifyName(name string, a *received) bool {
	m, ok := catalog.MatchText(name, a.status)
	if !ok || m.Entry.Place != catalog.PlaceHeader {
		return false
	}
	e.is(m, m.Appended == "" && hasStatus(m.Entry, a.status) && !a.isPhrase(name) && !contradicts(a.header))
	return true
}

// classifyText decides by a text in a header. A row speaks only at its own
// status.
func (e *Error) classifyText(text string, a *received) bool {
	m, ok := catalog.MatchText(text, a.status)
	phrase, header := a.isPhrase(text), m.Entry.Place == catalog.PlaceHeader
	if !ok || !hasStatus(m.Entry, a.status) || phrase && !header {
		return false
	}
	// Free text behind known words, without the gateway's quotes, may be a
	// provider's own, written after the backend ran.
	free := len(m.Params) > 0 && !strings.ContainsAny(text, "`'") && m.Entry.Retry != catalog.RetryNo
	certain := m.Appended == "" && m.Entry.MessageConfidence >= catalog.ConfidenceMedium
	// A code that nobody knows says that somebody else spoke, or knows more.
	alone := e.Code == "" && !contradicts(a.header)
	e.is(m, !free && !phrase && header && certain && alone)
	if phrase || !header && a.status != 0 {
		e.Origin = OriginUnknown
	}
	return true
}

// classifyBody decides by the body and by the marks of the newer generations.
// Whoever wrote a body, it is proof of nothing unless the proxy in front is
// known to have written it. That holds for the status 421, too: a backend that
// ran can pass on what a service behind it said of their connection.
func (e *Error) classifyBody(a *received) bool {
	m, ok := catalog.MatchBody(a.status, a.header, a.body, a.whole)
	if !ok || m.Entry.NeedsProof() && !a.own {
		return false
	}
	e.is(m, m.Appended == "" && a.own)
	switch m.Entry.Place {
	case catalog.PlaceBody:
		e.Message = strings.TrimSpace(a.body)
		if a.isPhrase(e.Message) && !m.Marked {
			e.Origin = OriginUnknown
		}
	case catalog.PlaceHeader:
		// A code of the gateway in the JSON of a service on top of it.
		e.Code, e.Origin, e.Reached = m.Entry.Code, OriginUnknown, max(e.Reached, catalog.ReachedMaybe)
	}
	return true
}

// hasStatus reports whether the status fits the row; an unknown one does.
func hasStatus(e catalog.Entry, status int) bool { return status == 0 || e.HasStatus(status) }

// contradicts reports whether the headers have two codes or two texts. Then more
// than one spoke, such as a gateway behind the gateway, and one of them may know
// of a run.
func contradicts(h http.Header) bool {
	return hasSeveral(h, headerErrorCode, headerErrorMessage)
}

// hasMark reports whether the gateway left a code or a text in the headers.
func hasMark(h http.Header) bool {
	return headerValue(h, headerErrorCode) != "" || !isNone(headerValue(h, headerErrorMessage))
}

func isNone(message string) bool { return message == "" || strings.EqualFold(message, "OK") }
