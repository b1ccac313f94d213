package main

import (
	"net/http"

	"github.com/apigw-go/apigw"
	"github.com/apigw-go/apigw/catalog"
)

// noErrorID is the id of a response that is no error.
const noErrorID = "none"

// retryUnknown is said where nothing known decides.
const retryUnknown = "unknown"

// explanation is what --json prints of an error, alone and within the result of
// a call. Scripts read it: names and types stay, and what comes new comes
// behind.
type explanation struct {
	ID             string            `json:"id"`
	Code           string            `json:"code"`
	Status         int               `json:"status"`
	Class          string            `json:"class"`
	Origin         string            `json:"origin"`
	Retry          string            `json:"retry"`
	BackendReached string            `json:"backend_reached"`
	Params         map[string]string `json:"params"`
	Meaning        string            `json:"meaning"`
	Remedy         string            `json:"remedy"`
	Confidence     string            `json:"confidence"`
	Inferred       bool              `json:"inferred"`
	RequestID      string            `json:"request_id"`
	Fixer          string            `json:"fixer"`
	// Notes say what is odd about the input, in the language of the user.
	Notes []string `json:"notes,omitempty"`
	// Candidates are what a status alone can mean.
	Candidates []candidate `json:"candidates,omitempty"`
	// Found says where in the text the facts stand, Others which other answers
	// the text reports.
	Found     []finding         `json:"found,omitempty"`
	Others    []otherAnswer     `json:"others,omitempty"`
	Diagnosis *diagnosisSummary `json:"diagnosis,omitempty"`
}

func (x *explanation) note(text string) { x.Notes = append(x.Notes, text) }

// explain is the explanation of a decoded error. Where no status was seen, it is
// the one of the row.
func (in *invocation) explain(e *apigw.Error) explanation {
	x := explanation{
		ID: e.Entry.ID, Code: string(e.Code), Status: e.Status,
		Class: e.Entry.Class.String(), Origin: e.Origin.String(), Retry: e.Entry.Retry.String(),
		BackendReached: e.Reached.String(), Params: map[string]string{},
		Meaning: e.Entry.Meaning.In(in.lang), Remedy: e.Entry.Remedy.In(in.lang),
		Confidence: e.Entry.Confidence.String(), Inferred: e.Inferred, RequestID: e.RequestID,
		Fixer: e.Entry.Fixer.String(),
	}
	if x.Status == 0 {
		x.Status = e.Entry.Status
	}
	for _, p := range e.Params {
		x.Params[p.Name] = p.Value
	}
	return x
}

// noError is the explanation of a response below 400 without a mark. A 2xx
// without a code was forwarded and answered; of others that is not documented.
// https://help.aliyun.com/document_detail/181132.htm
func (in *invocation) noError(status int, h http.Header) explanation {
	x := in.blank()
	x.ID, x.Class, x.Status = noErrorID, noErrorID, status
	x.Retry, x.Confidence = catalog.RetryNo.String(), catalog.ConfidenceHigh.String()
	x.Meaning, x.Remedy = in.t("no error", "没有错误"), in.t("nothing to do", "无需处理")
	x.RequestID = requestIDOf(h)
	if status/100 == 2 {
		x.Origin, x.BackendReached = apigw.OriginBackend.String(), catalog.ReachedYes.String()
		x.Meaning = in.t("no error: the gateway passed the answer of the backend on", "没有错误：网关转发了后端的应答")
	}
	return x
}

// blank is an explanation that says nothing.
func (in *invocation) blank() explanation {
	return explanation{
		ID: catalog.UnknownID, Class: catalog.ClassUnknown.String(), Origin: apigw.OriginUnknown.String(),
		Retry:          retryUnknown,
		BackendReached: catalog.ReachedUnknown.String(), Params: map[string]string{},
		Fixer:      catalog.PartyUnknown.String(),
		Confidence: catalog.ConfidenceUnknown.String(),
	}
}
