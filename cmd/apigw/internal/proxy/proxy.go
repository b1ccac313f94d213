// Package proxy is a reverse proxy that signs, retries and explains calls to
// one API, for programs that cannot do that themselves. It is
// [httputil.ReverseProxy] over an [apigw.Transport], with a guard in front.
package proxy

import (
	"context"
	"errors"
	"io"
	"log"
	"net/http"
	"net/http/httputil"
	"net/url"
	"sync"

	"github.com/apigw-go/apigw"
)

// DefaultFormLimit is how much of a form is read into memory to sign it.
const DefaultFormLimit = 1 << 20

// Config says where a proxy sends to, and how.
type Config struct {
	// Upstream is the API: a scheme and a host, nothing else. See
	// [ParseUpstream].
	Upstream *url.URL
	// Transport sends; its Base signs.
	Transport http.RoundTripper
	// Pass lists headers of the client that are sent although they may hold
	// credentials, such as Authorization for the backend.
	Pass []string
	// FormLimit bounds a form, which must be read to sign its parameters. 0
	// means [DefaultFormLimit].
	FormLimit int64
	// OnOutcome, if not nil, is called once for each call, when the response
	// head is known or there will be none. It must not keep the response.
	OnOutcome func(*http.Request, Outcome)
	// ErrorLog gets what net/http has to say. If nil, nothing is written.
	ErrorLog *log.Logger
}

// Outcome is what a call came to.
type Outcome struct {
	Status   int             // of the answer to the client; 0 if it went away
	Response *http.Response  // of the API, nil without one; its body is not to be read
	Attempts []apigw.Attempt // empty where nothing was sent
	Err      *apigw.Error    // nil for a success
}

// New returns the handler of a proxy. It is safe for concurrent use.
func New(config Config) http.Handler {
	p := &proxy{config: config, pass: canonical(config.Pass)}
	if p.config.FormLimit <= 0 {
		p.config.FormLimit = DefaultFormLimit
	}
	if p.config.OnOutcome == nil {
		p.config.OnOutcome = func(*http.Request, Outcome) {}
	}
	if p.config.ErrorLog == nil {
		p.config.ErrorLog = log.New(io.Discard, "", 0)
	}
	p.reverse = &httputil.ReverseProxy{
		Rewrite:        p.rewrite,
		Transport:      config.Transport,
		FlushInterval:  -1, // events reach the client as they come
		ModifyResponse: p.modify,
		ErrorHandler:   p.fail,
		BufferPool:     &buffers{},
		ErrorLog:       p.config.ErrorLog,
	}
	return p
}

type proxy struct {
	config  Config
	pass    map[string]bool
	reverse *httputil.ReverseProxy
}

// ServeHTTP sends one call on.
func (p *proxy) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	ctx, recorder := apigw.WithRecorder(r.Context())
	r = r.WithContext(context.WithValue(ctx, recorderKey{}, recorder))
	if r.Method == http.MethodConnect || r.RequestURI == "*" {
		p.refuse(w, r, problem{
			Status: http.StatusMethodNotAllowed, Title: "no forward proxy",
			Detail: "this proxy serves one API: call its paths, do not tunnel through it",
		})
		return
	}
	if err := readForm(r, p.config.FormLimit); err != nil {
		var tooLong *http.MaxBytesError
		if errors.As(err, &tooLong) {
			p.refuse(w, r, tooLongForm(p.config.FormLimit))
			return
		}
		p.refuse(w, r, problem{
			Status: http.StatusBadRequest, Title: "the form cannot be read",
			Detail: "the connection broke before its end",
		})
		return
	}
	p.reverse.ServeHTTP(interimWriter{w}, r)
}

// refuse answers a call that is not sent.
func (p *proxy) refuse(w http.ResponseWriter, r *http.Request, answer problem) {
	answer.Reached = "no"
	p.config.OnOutcome(r, Outcome{Status: answer.Status})
	writeProblem(w, answer)
}

type recorderKey struct{}

// attemptsOf returns how often the call of ctx was sent so far.
func attemptsOf(ctx context.Context) []apigw.Attempt {
	recorder, ok := ctx.Value(recorderKey{}).(*apigw.Recorder)
	if !ok {
		return nil
	}
	var attempts []apigw.Attempt
	for _, result := range recorder.Results() {
		attempts = append(attempts, result.Attempts...)
	}
	return attempts
}

// failureOf returns how the call of ctx failed, nil if it did not. Of long texts
// it has the beginning, so that it can be kept.
func failureOf(ctx context.Context) *apigw.Error {
	recorder, ok := ctx.Value(recorderKey{}).(*apigw.Recorder)
	if !ok {
		return nil
	}
	e, _ := recorder.Last()
	return e
}

// buffers are those of ReverseProxy, used again.
type buffers struct{ pool sync.Pool }

const bufferSize = 32 << 10

func (b *buffers) Get() []byte {
	if p, ok := b.pool.Get().(*[]byte); ok {
		return *p
	}
	return make([]byte, bufferSize)
}

func (b *buffers) Put(p []byte) { b.pool.Put(&p) }
