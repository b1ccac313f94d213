package main

import (
	"encoding/json"
	"net/http"
	"strings"

	"github.com/apigw-go/apigw"
	"github.com/apigw-go/apigw/catalog"
	"github.com/apigw-go/apigw/cmd/apigw/internal/report"
	"github.com/apigw-go/apigw/signer"
)

// verdict is what explain says to a question.
type verdict struct {
	err       *apigw.Error // nil where there is no error, or nothing is known
	x         explanation
	diagnosis *signer.Diagnosis // of --signed, else nil
	trimmed   bool              // see signedString
}

// outcomeKind is what kind of answer a question gets.
type outcomeKind uint8

const (
	nothingKnown  outcomeKind = iota
	noFailure                 // a status below 400 and no mark of an error
	contradictory             // a mark of an error beside a status below 400
	failure
)

// decide asks the library, and says no more than what was seen supports: "no
// error" needs a status below 400 and no mark of one. The error is nil where
// there is none.
func decide(q question) (outcomeKind, *apigw.Error) {
	a := &q.answer
	switch {
	case !marked(q) && a.Status >= 400 && madeByProxy(a):
		return nothingKnown, nil
	case q.row.ID != "" && q.code() == "" && q.message() == "":
		return failure, rowError(q.row, a)
	case a.Status > 0 && a.Status < 400 && !marked(q) && unfinished(q):
		return nothingKnown, nil
	// A status of success without a mark may still be a refusal in disguise.
	case a.Status > 0 && a.Status < 400 && !marked(q):
		if e := dressed(a); e != nil {
			return contradictory, e
		}
		return noFailure, nil
	case a.Status > 0 && a.Status < 400:
		return contradictory, contradicted(a)
	}
	if e := classifyAnswer(a); e != nil && (marked(q) || a.Status != 0 || e.Entry.ID != catalog.UnknownID) {
		return failure, e
	}
	return nothingKnown, nil
}

// marked reports whether the gateway says that something failed.
func marked(q question) bool {
	return q.row.ID != "" || q.code() != "" || isMark(q.answer.Status, q.message())
}

// judge explains the answer to a question.
func (in *invocation) judge(q question) verdict {
	kind, e := decide(q)
	v := verdict{err: e}
	switch kind {
	case nothingKnown:
		v.x = in.notEnough(q)
	case noFailure:
		v.x = in.noError(q.answer.Status, q.answer.Header)
	case contradictory:
		v.x = in.contradiction(e, q.answer.Status)
	case failure:
		v.x = in.explain(e)
		in.qualify(&v, q)
	}
	in.addFindings(&v.x, q)
	return v
}

// madeByProxy reports whether "apigw proxy" made the answer because nobody
// answered the call. Its status is the proxy's: it accuses no backend.
func madeByProxy(a *report.Answer) bool {
	var problem struct {
		Detail string `json:"detail"`
	}
	return json.Unmarshal(a.Body, &problem) == nil && strings.HasPrefix(problem.Detail, noResponseText)
}

// requestIDOf is the id of a request, whichever generation gave it.
func requestIDOf(h http.Header) string {
	e, _ := apigw.Classify(http.StatusTeapot, h)
	return e.RequestID
}

// isMark reports whether a text says that something failed. The gateway sends
// "OK" with successful calls, and copies the reason phrase of the backend.
func isMark(status int, message string) bool {
	message = strings.TrimSpace(message)
	return message != "" && !strings.EqualFold(message, "OK") && !isReasonPhrase(status, message)
}

// isReasonPhrase reports whether a text is just the phrase of the status.
func isReasonPhrase(status int, message string) bool {
	phrase := http.StatusText(status)
	return phrase != "" && strings.EqualFold(phrase, strings.TrimSpace(message))
}

// rowOrigins translate what a row says about who makes its response.
var rowOrigins = map[catalog.Origin]apigw.Origin{
	catalog.OriginGateway: apigw.OriginGateway, catalog.OriginProxy: apigw.OriginProxy,
	catalog.OriginFunctionCompute: apigw.OriginFunctionCompute, catalog.OriginBackend: apigw.OriginBackend,
}

// rowError is the error of a row that was named by its id.
func rowError(row catalog.Entry, a *report.Answer) *apigw.Error {
	e := &apigw.Error{
		Entry: row, Code: row.Code, Status: a.Status, Origin: rowOrigins[row.Origin], Reached: row.Reached,
		RequestID: requestIDOf(a.Header),
	}
	if e.Status == 0 {
		e.Status = row.Status
	}
	return e
}

// classifyAnswer asks the library about an answer with its body.
func classifyAnswer(a *report.Answer) *apigw.Error {
	e, ok := apigw.ClassifyBody(a.Status, a.Header, knownBody(a))
	if !ok {
		return nil
	}
	return e
}

// knownBody is the body as the library takes it: nil where it is not known,
// which differs from one that is empty.
func knownBody(a *report.Answer) []byte {
	if len(a.Body) == 0 && a.Whole && a.Header.Get("Content-Length") == "0" {
		return []byte{}
	}
	return a.Body
}

// dressed is an error in the dress of a success, as some plug-ins and Function
// Compute answer: the catalog has rows with such a status.
func dressed(a *report.Answer) *apigw.Error {
	body := knownBody(a)
	m, ok := catalog.MatchBody(a.Status, a.Header, string(body), body != nil)
	if !ok || m.Entry.Status != a.Status || m.Entry.ID == catalog.UnknownID {
		return nil
	}
	e := rowError(m.Entry, a)
	e.Reached = max(e.Reached, catalog.ReachedMaybe)
	if m.Entry.Origin == catalog.OriginBackend {
		e.Origin, e.Reached = apigw.OriginBackend, catalog.ReachedYes
	}
	return e
}

// contradicted is the error that the mark names beside a status of success. The
// backend may have run: somebody said so.
func contradicted(a *report.Answer) *apigw.Error {
	e, ok := apigw.Classify(0, a.Header)
	if !ok {
		return nil
	}
	e.Status = a.Status
	// The row may say no; the status says that somebody answered.
	e.Reached = max(e.Reached, catalog.ReachedMaybe)
	return e
}

// qualify makes an explanation as careful as what was seen.
func (in *invocation) qualify(v *verdict, q question) {
	e, x := v.err, &v.x
	switch {
	case e.Entry.ID == catalog.UnknownID && !marked(q) && len(q.answer.Body) == 0 && !servedByBackend(q.answer.Header):
		in.bareStatus(v, q.answer.Status)
	case isReasonPhrase(e.Status, q.message()) && e.Code == "":
		x.note(in.t("the text is only the reason phrase of the status, which the gateway copies from the backend: it "+
			"does not say who failed",
			"该文本只是状态码的原因短语，网关会从后端复制它：无法据此判断出错方"))
	case x.ID == catalog.UnknownID && !x.Inferred && q.answer.Status == 0:
		// The library always has a status; here is a text alone.
		x.Meaning = in.t("not in the catalog; it may be a text of the API's provider", "错误目录中没有；可能是 API 提供方自定义的文本")
		x.Remedy = in.t("check the spelling, or show the whole answer: curl -si URL | apigw explain -",
			"请检查拼写，或提供完整响应：curl -si URL | apigw explain -")
		x.Retry = retryUnknown
	}
}

// servedByBackend reports whether a header shows that the backend answered: the
// proxy sets it on answers of the upstream only (Envoy, router.cc).
func servedByBackend(h http.Header) bool { return h.Get("X-Envoy-Upstream-Service-Time") != "" }
