package apigw

import (
	"net/http"
	"slices"
	"sync"
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
// does each Transport where one lies under another, the inner one first. It is
// safe for concurrent use.
type Recorder struct {
	mu      sync.Mutex
	results []Result
}

// maxResults bounds a Recorder whose context is used for ever. The oldest
// results go first.
const maxResults = 1024

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
	r.results = append(r.results, result)
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
