// Package inspect watches the calls of a proxy: it keeps the latest ones, shows
// them on a page, sends one again, and counts them for Prometheus.
//
// Nothing that came from the network is ever markup: the server sends JSON, and
// the page writes text. What may be a secret is masked before it leaves here.
package inspect

import (
	"bufio"
	"context"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/apigw-go/apigw"
	"github.com/apigw-go/apigw/catalog"
	"github.com/apigw-go/apigw/cmd/apigw/internal/proxy"
	"github.com/apigw-go/apigw/internal/redact"
)

// MaxBody is how much of a body is kept, if bodies are.
const MaxBody = 64 << 10

// Inspector watches calls. Its methods are safe for concurrent use; set the
// fields before the first call.
type Inspector struct {
	// Upstream is the address of the API, for the commands that the page makes.
	Upstream string
	// Proxy is the address of the proxy, for the same.
	Proxy string
	// Bodies keeps the first 64 KiB of each body.
	Bodies bool
	// Token opens the page. It must not be empty.
	Token string
	// Language is that of the page until the user chooses another: "en" or "zh".
	Language string
	// Remote protects the metrics too, since others can reach them.
	Remote bool
	// Budgets returns the retry budgets, and Limits the call limits, for the
	// plots and metrics. Each may be nil.
	Budgets func() []apigw.BudgetState
	Limits  func() []apigw.PacerState
	// StopText explains a reason in both languages. If nil, its own text is
	// shown.
	StopText func(apigw.StopReason) catalog.Text

	ring    ring
	inner   http.Handler // what Wrap watches
	metrics metrics
	history history
}

type entryKey struct{}

// Wrap puts the Inspector before the handler of a proxy, and returns both.
func (i *Inspector) Wrap(next http.Handler) http.Handler {
	i.inner = next
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { i.watch(w, r, next, 0) })
}

// watch serves a call and keeps it.
func (i *Inspector) watch(w http.ResponseWriter, r *http.Request, next http.Handler, replayOf uint64) uint64 {
	e := i.ring.add(func(e *entry) {
		e.method, e.target, e.request, e.replayOf = r.Method, targetOf(r), r.Header.Clone(), replayOf
		e.request.Set("Host", r.Host)
		e.secrets = redact.Of(r)
		e.requestBody = capture{limit: MaxBody, hidden: !i.Bodies}
		if i.Bodies {
			e.responseBody.limit = MaxBody
		}
	})
	i.metrics.begin()
	r = r.WithContext(context.WithValue(r.Context(), entryKey{}, e))
	if r.Body != nil && r.Body != http.NoBody {
		r.Body = &watchedBody{r.Body, e}
	}
	watched := &watchedWriter{ResponseWriter: w, entry: e}
	defer func() {
		i.ring.change(e, func() {
			e.done, e.duration = true, time.Since(e.start)
			e.requestBody.drop()
			if watched.status != 0 {
				e.status = watched.status
			}
			if e.response == nil {
				e.response = w.Header().Clone()
			}
		})
		i.metrics.end(e)
	}()
	next.ServeHTTP(watched, r)
	return e.id
}

// targetOf returns path and query as the client wrote them, without the host and
// the user of the absolute form.
func targetOf(r *http.Request) string {
	if strings.HasPrefix(r.RequestURI, "/") {
		return r.RequestURI
	}
	return r.URL.RequestURI()
}

func entryOf(ctx context.Context) *entry {
	e, _ := ctx.Value(entryKey{}).(*entry)
	return e
}

// OnAttempt is a hook for [apigw.Transport.OnAttempt].
func (i *Inspector) OnAttempt(req *http.Request, a apigw.Attempt) {
	if e := entryOf(req.Context()); e != nil {
		i.ring.change(e, func() { e.attempts, e.delay = append(e.attempts, a), 0 })
		i.metrics.attempt(a)
	}
}

// OnRetry is a hook for [apigw.Transport.OnRetry].
func (i *Inspector) OnRetry(req *http.Request, _ apigw.Attempt, delay time.Duration) {
	if e := entryOf(req.Context()); e != nil {
		i.ring.change(e, func() { e.delay = delay })
	}
}

// OnOutcome is a hook for [proxy.Config].
func (i *Inspector) OnOutcome(req *http.Request, o proxy.Outcome) {
	e := entryOf(req.Context())
	if e == nil {
		return
	}
	i.ring.change(e, func() {
		e.status, e.failure, e.delay = o.Status, o.Err, 0
		if len(o.Attempts) > 0 {
			e.attempts = o.Attempts
		}
		if o.Response == nil {
			return
		}
		e.response = o.Response.Header.Clone()
		e.collect(o.Response.Request)
		e.signed = signatureOf(o.Response, e.secrets.Masker())
	})
}

// collect adds the secrets of the request as it was sent, and of its body, which
// the answer may echo. The caller holds the lock.
func (e *entry) collect(sent *http.Request) {
	if sent != nil {
		e.sent = sent.Header.Clone()
		e.secrets.AddRequest(sent)
		e.inBodies = redact.Of(&http.Request{Header: e.request}, &http.Request{Header: e.sent})
		_, query, _ := strings.Cut(e.target, "?")
		came, _ := url.ParseQuery(query)
		for name, values := range sent.URL.Query() {
			if !came.Has(name) { // a signer put it there
				e.inBodies.Add(values...)
			}
		}
	}
	e.secrets.AddBodyText(e.request, e.requestBody.data)
	e.kept = len(e.requestBody.data)
	e.requestBody.drop()
}

func (i *Inspector) explain(s apigw.StopReason) catalog.Text {
	if i.StopText != nil {
		return i.StopText(s)
	}
	return catalog.Text{EN: s.Text()}
}

// watchedBody counts and keeps a request body.
type watchedBody struct {
	io.ReadCloser
	entry *entry
}

func (b *watchedBody) Read(p []byte) (int, error) {
	n, err := b.ReadCloser.Read(p)
	b.entry.mu.Lock()
	b.entry.requestBody.add(p[:n])
	b.entry.mu.Unlock()
	return n, err
}

// watchedWriter counts and keeps an answer.
type watchedWriter struct {
	http.ResponseWriter
	entry  *entry
	status int
}

func (w *watchedWriter) WriteHeader(status int) {
	if w.status == 0 && (status >= 200 || status == http.StatusSwitchingProtocols) {
		w.status = status
	}
	w.ResponseWriter.WriteHeader(status)
}

func (w *watchedWriter) Write(p []byte) (int, error) {
	if w.status == 0 {
		w.status = http.StatusOK
	}
	n, err := w.ResponseWriter.Write(p)
	w.entry.mu.Lock()
	w.entry.responseBody.add(p[:n])
	w.entry.mu.Unlock()
	return n, err
}

// Hijack notes that the connection is no longer HTTP.
func (w *watchedWriter) Hijack() (net.Conn, *bufio.ReadWriter, error) {
	return http.NewResponseController(w.ResponseWriter).Hijack()
}

// Unwrap lets http.ResponseController flush.
func (w *watchedWriter) Unwrap() http.ResponseWriter { return w.ResponseWriter }
