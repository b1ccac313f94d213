package apigw

import (
	"net/http"
	"slices"
	"strings"
	"sync"

	"github.com/apigw-go/apigw/catalog"
)

// Result is what one call of [Transport.RoundTrip] came to.
type Result struct {
	Attempts []Attempt
	Status   int    // of the response returned, 0 if there was none
	Err      *Error // nil if the status is below 400
	Host     string // of the request, without a query
	Path     string
}

// Recorder collects results for callers that never see the *http.Response,
// because an SDK hides it. Give the SDK the context of [WithRecorder].
//
// Each hop of a redirect and each request of the SDK adds a result, and so
// does each Transport if one lies under another, the inner one first. The latest
// 1024 results are kept, of a message the first 8 KiB. A Recorder is safe for
// concurrent use.
type Recorder struct {
	mu      sync.Mutex
	results []Result
}

// A Recorder is bounded, since its context may be used for ever and a server may
// send long texts. The oldest results go first.
const (
	maxResults      = 1024
	maxRecordedText = 8 << 10 // of a message, a code or a request id, in bytes
)

// Last returns the failure of the last result. It returns nil and false if that
// was none, or if there is no result yet.
func (r *Recorder) Last() (*Error, bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if len(r.results) == 0 {
		return nil, false
	}
	err := r.results[len(r.results)-1].Err
	return err, err != nil
}

// Results returns all results, oldest first.
func (r *Recorder) Results() []Result {
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.Clone(r.results)
}

func (r *Recorder) add(result Result) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if len(r.results) == maxResults {
		r.results = slices.Delete(r.results, 0, 1)
	}
	r.results = append(r.results, result.bounded())
}

// newResult describes what a call came to. Its attempts are a copy: whoever
// gets a result may change it.
func newResult(req *http.Request, resp *http.Response, attempts []Attempt, f *failure) Result {
	r := Result{Attempts: slices.Clone(attempts)}
	if resp != nil {
		r.Status = resp.StatusCode
	}
	if f != nil {
		r.Err = &f.Error
	}
	if req.URL != nil {
		r.Host, r.Path = req.URL.Host, req.URL.Path
	}
	return r
}

// bounded returns r with texts that are not too long to keep, and apart from
// what the response holds.
func (r Result) bounded() Result {
	if r.Err != nil {
		e := *r.Err
		e.Attempts = boundedAttempts(e.Attempts)
		e.Message, e.RequestID = boundedText(e.Message), boundedText(e.RequestID)
		e.Code = catalog.Code(boundedText(string(e.Code)))
		e.Params = slices.Clone(e.Params)
		for i := range e.Params {
			e.Params[i].Value = boundedText(e.Params[i].Value)
		}
		r.Err = &e
	}
	r.Attempts = boundedAttempts(r.Attempts)
	return r
}

func boundedAttempts(attempts []Attempt) []Attempt {
	attempts = slices.Clone(attempts)
	for i := range attempts {
		a := &attempts[i]
		a.Message, a.RequestID = boundedText(a.Message), boundedText(a.RequestID)
		a.Code = catalog.Code(boundedText(string(a.Code)))
		if a.secrets != nil { // a part of a failure, all of which it would keep
			secrets := *a.secrets
			a.secrets = &secrets
		}
	}
	return attempts
}

// boundedText cuts a long text. A copy of the rest lets go of the whole.
func boundedText(s string) string {
	if len(s) <= maxRecordedText {
		return s
	}
	return strings.Clone(s[:maxRecordedText])
}
