package inspect

import (
	"net/http"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/apigw-go/apigw"
	"github.com/apigw-go/apigw/catalog"
	"github.com/apigw-go/apigw/internal/redact"
)

// summary is a line of the list.
type summary struct {
	ID         uint64       `json:"id"`
	ReplayOf   uint64       `json:"replay_of,omitempty"`
	Start      int64        `json:"start"` // milliseconds of Unix time
	Method     string       `json:"method"`
	Path       string       `json:"path"`
	Status     int          `json:"status"`
	Done       bool         `json:"done"`
	DurationMS float64      `json:"duration_ms"`
	Attempts   int          `json:"attempts"`
	DelayMS    float64      `json:"delay_ms,omitempty"` // before the attempt that is awaited
	Code       string       `json:"code,omitempty"`
	Row        string       `json:"row,omitempty"`
	Class      string       `json:"class,omitempty"`
	Meaning    catalog.Text `json:"meaning,omitzero"`
}

// detail is one call, opened.
type detail struct {
	summary
	Reached      string         `json:"reached,omitempty"`
	Stop         string         `json:"stop,omitempty"`
	StopText     catalog.Text   `json:"stop_text,omitzero"`
	Message      string         `json:"message,omitempty"`
	Remedy       catalog.Text   `json:"remedy,omitzero"`
	Unverified   bool           `json:"unverified,omitempty"`
	RequestID    string         `json:"request_id,omitempty"`
	Cause        string         `json:"cause,omitempty"`
	Timeline     []attemptView  `json:"timeline"`
	Request      []headerView   `json:"request"`
	Sent         []headerView   `json:"sent"`
	Response     []headerView   `json:"response"`
	RequestBody  bodyView       `json:"request_body"`
	ResponseBody bodyView       `json:"response_body"`
	Signature    *signatureView `json:"signature,omitempty"`
	Replayable   bool           `json:"replayable"`
}

// attemptView is a bar of the timeline.
type attemptView struct {
	Number     int     `json:"number"`
	BeginMS    float64 `json:"begin_ms"` // since the call began
	DurationMS float64 `json:"duration_ms"`
	WaitMS     float64 `json:"wait_ms"`
	Status     int     `json:"status"`
	Code       string  `json:"code,omitempty"`
	RequestID  string  `json:"request_id,omitempty"`
	Error      string  `json:"error,omitempty"`
}

// headerView is a line of a head. A masked value is not there at all.
type headerView struct {
	Name   string `json:"name"`
	Value  string `json:"value"`
	Masked bool   `json:"masked,omitempty"`
}

// bodyView is the beginning of a body.
type bodyView struct {
	Bytes  int64  `json:"bytes"`
	Kept   bool   `json:"kept"`
	Text   string `json:"text,omitempty"`
	Cut    bool   `json:"cut,omitempty"`
	Binary bool   `json:"binary,omitempty"`
}

const (
	maxPathShown  = 512
	maxValueShown = 1024
)

// summarize describes an entry, whose lock the caller holds.
func (e *entry) summarize(m *redact.Masker) summary {
	s := summary{
		ID: e.id, ReplayOf: e.replayOf, Start: e.start.UnixMilli(), Method: redact.Line(e.method, 16),
		Path:   redact.Path(e.target, maxPathShown),
		Status: e.status, Done: e.done, DurationMS: milliseconds(e.duration), Attempts: len(e.attempts),
		DelayMS: milliseconds(e.delay),
	}
	if f := e.failure; f != nil {
		s.Code, s.Row, s.Class, s.Meaning = m.Code(string(f.Code)), f.Entry.ID, f.Entry.Class.String(), f.Entry.Meaning
	}
	return s
}

// summary describes an entry for the list.
func (e *entry) summary() summary {
	e.mu.Lock()
	defer e.mu.Unlock()
	var m *redact.Masker
	if e.failure != nil {
		m = e.secrets.Masker()
	}
	return e.summarize(m)
}

// detail describes all of an entry. explain says why there was no further
// attempt.
func (e *entry) detail(explain func(apigw.StopReason) catalog.Text) detail {
	e.mu.Lock()
	defer e.mu.Unlock()
	m := e.secrets.Masker()
	d := detail{
		summary: e.summarize(m), Timeline: []attemptView{}, Signature: e.signed,
		Request: heads(e.request, m, redact.IsHarmlessHeader), Sent: heads(e.sent, m, redact.IsHarmlessHeader),
		Response:    heads(e.response, m, isShownOfResponse),
		RequestBody: e.requestBody.view(nil), ResponseBody: e.responseBody.view(e.inBodies.Masker()),
		Replayable: e.done && e.requestBody.whole(),
	}
	for _, a := range e.attempts {
		d.Timeline = append(d.Timeline, attemptView{
			Number: a.Number, BeginMS: milliseconds(a.Start.Sub(e.start)), DurationMS: milliseconds(a.Duration),
			WaitMS: milliseconds(a.Wait),
			Status: a.Status, Code: m.Code(string(a.Code)), RequestID: m.RequestID(a.RequestID),
			Error: m.Err(a.Err, maxValueShown),
		})
	}
	if f := e.failure; f != nil {
		d.Reached, d.Message, d.Remedy = f.Reached.String(), m.Text(f.SafeMessage(), maxValueShown), f.Entry.Remedy
		d.Unverified = f.Entry.ID != catalog.UnknownID && !f.Entry.Verified()
		d.RequestID, d.Cause = m.RequestID(f.RequestID), m.Err(f.Err, maxValueShown)
		if f.Stop != apigw.StopUnknown {
			d.Stop, d.StopText = f.Stop.String(), explain(f.Stop)
		}
	}
	return d
}

func isShownOfResponse(name string) bool {
	return redact.IsHarmlessResponseHeader(name) || strings.HasPrefix(http.CanonicalHeaderKey(name), "X-Apigw-")
}

// heads lists a head by name. Values that may be secrets are left out.
func heads(h http.Header, m *redact.Masker, shown func(string) bool) []headerView {
	list := []headerView{}
	for name, values := range h {
		for _, v := range values {
			view := headerView{Name: redact.Line(name, 128), Masked: true}
			if shown(name) {
				view.Value, view.Masked = m.Text(v, maxValueShown), false
			}
			list = append(list, view)
		}
	}
	slices.SortStableFunc(list, func(a, b headerView) int { return strings.Compare(a.Name, b.Name) })
	return list
}

// view shows a body as it is, but for the secrets that m knows.
func (c *capture) view(m *redact.Masker) bodyView {
	v := bodyView{Bytes: c.total, Kept: c.limit > 0 && !c.hidden}
	if !v.Kept || len(c.data) == 0 {
		return v
	}
	v.Cut = !c.whole()
	text := strings.ToValidUTF8(string(c.data), "")
	if len(text) < len(c.data)*9/10 || strings.ContainsRune(text, 0) || !utf8.ValidString(text) {
		v.Binary = true
		return v
	}
	v.Text = m.Body(text)
	return v
}
