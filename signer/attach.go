package signer

import (
	"context"
	"net/http"

	"github.com/apigw-go/apigw/internal/resign"
)

// withheldCode is the finding of a request that went out without credentials.
const withheldCode = "no-credentials"

// attach puts note and diagnosis on a response that has something to say.
func (s *Signer) attach(resp *http.Response, sent *http.Request, signed signature, note resign.Note) {
	if note.Learned || note.Refused != nil || note.Withheld != "" {
		n := note // on the heap only here
		resign.Attach(resp, sent, &n)
	}
	if resp.StatusCode < 400 {
		return
	}
	if d := s.diagnosis(resp, sent, signed, note); d != nil {
		if resp.Request == nil {
			resp.Request = sent
		}
		resp.Request = resp.Request.WithContext(context.WithValue(resp.Request.Context(), diagnosisKey{}, d))
	}
}

type diagnosisKey struct{}

// diagnosis says why the gateway refused a request, nil where there is nothing
// to say.
func (s *Signer) diagnosis(resp *http.Response, sent *http.Request, signed signature, note resign.Note) *Diagnosis {
	message, told := lookup(resp.Header, "X-Ca-Error-Message")
	_, coded := lookup(resp.Header, "X-Ca-Error-Code")
	switch {
	case note.Withheld != "":
		denied := resp.StatusCode == http.StatusUnauthorized || resp.StatusCode == http.StatusForbidden
		if told == 0 && coded == 0 && !denied {
			return nil // not about credentials
		}
		d := &Diagnosis{Findings: []Finding{{Code: withheldCode}}}
		d.Cause = note.Withheld
		return d
	case signed.text == nil:
		return nil
	}
	d, ok := diagnoseSigned(sent, signed, message)
	if !ok {
		return nil
	}
	if note.Learned && note.Lesson == resign.Reading {
		if learned := s.memory.of(sent).Rules; learned != nil {
			d.Learned = learned.String()
		}
	}
	return d
}

// FromResponse returns the diagnosis of a refused signature, or of a request that
// went out without credentials because its host is not one of Hosts. It is false
// for a response that no Signer sent, and for one that does not tell the
// gateway's string to sign. It survives wrappers that replace the body of the
// response.
func FromResponse(resp *http.Response) (*Diagnosis, bool) {
	if resp == nil || resp.Request == nil {
		return nil, false
	}
	d, ok := resp.Request.Context().Value(diagnosisKey{}).(*Diagnosis)
	return d, ok
}
