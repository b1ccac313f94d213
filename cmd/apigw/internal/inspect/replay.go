package inspect

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/textproto"
	"net/url"
	"strings"
	"time"
)

// replay is what the page asks for. What is nil stays as it was.
type replay struct {
	Method  *string       `json:"method"`
	Target  *string       `json:"target"`
	Headers *[]headerView `json:"headers"` // a masked one keeps the value of the call
	Body    *string       `json:"body"`
}

// maxReplay bounds what the page sends, maxReplayTime how long a replay takes.
const (
	maxReplay     = 1 << 20
	maxReplayTime = 10 * time.Minute
)

// serveReplay sends a call again through the proxy, as a call of its own, and
// answers with its id. The browser's own protection is not enough for something
// that can run a POST: only our page sets Content-Type to JSON.
func (i *Inspector) serveReplay(w http.ResponseWriter, r *http.Request) {
	fail := func(status int, format string, args ...any) {
		writeJSON(w, status, map[string]string{"error": fmt.Sprintf(format, args...)})
	}
	e := i.entry(r)
	if e == nil {
		fail(http.StatusNotFound, "this call is no longer kept")
		return
	}
	if r.Header.Get("Content-Type") != "application/json" {
		fail(http.StatusUnsupportedMediaType, "send JSON")
		return
	}
	var change replay
	decoder := json.NewDecoder(http.MaxBytesReader(w, r.Body, maxReplay))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(&change); err != nil {
		fail(http.StatusBadRequest, "this is no replay: %v", err)
		return
	}
	if decoder.Decode(new(replay)) != io.EOF {
		fail(http.StatusBadRequest, "this is no replay: something follows it")
		return
	}
	req, err := e.again(change)
	if err != nil {
		fail(http.StatusConflict, "%v", err)
		return
	}
	// With a context of its own: the call goes on if the page is closed. A stream
	// that does not end would go on for ever.
	ctx, cancel := context.WithTimeout(context.Background(), maxReplayTime)
	defer cancel()
	id := i.watch(&discard{header: http.Header{}}, req.WithContext(ctx), i.inner, e.id)
	writeJSON(w, http.StatusOK, map[string]uint64{"id": id})
}

// again makes the request that is sent in place of the first one.
func (e *entry) again(change replay) (*http.Request, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	method, target, body := e.method, e.target, string(e.requestBody.data)
	if change.Method != nil {
		method = *change.Method
	}
	if change.Target != nil {
		target = *change.Target
	}
	switch {
	case change.Body != nil:
		body = *change.Body
	case !e.requestBody.whole():
		return nil, fmt.Errorf("the body was not kept, or not whole: start the proxy with --bodies, or give a body")
	}
	if !strings.HasPrefix(target, "/") || strings.ContainsAny(target, " \r\n#") {
		return nil, fmt.Errorf("the target must be a path that begins with /, without blanks")
	}
	u, err := url.ParseRequestURI(target)
	if err != nil {
		return nil, fmt.Errorf("the target is no path: %v", err)
	}
	req, err := http.NewRequest(method, u.String(), strings.NewReader(body))
	if err != nil {
		return nil, fmt.Errorf("this cannot be sent: %v", err)
	}
	req.URL, req.RequestURI, req.Host = u, target, e.request.Get("Host")
	req.Header = e.headers(change.Headers)
	req.GetBody = nil
	req.Body, req.ContentLength = io.NopCloser(bytes.NewReader([]byte(body))), int64(len(body))
	if body == "" {
		req.Body = http.NoBody
	}
	return req, nil
}

// headers returns those of the call, or what the page made of them.
func (e *entry) headers(change *[]headerView) http.Header {
	h := e.request.Clone()
	if change != nil {
		h = http.Header{}
		for _, v := range *change {
			name := textproto.CanonicalMIMEHeaderKey(v.Name)
			if v.Masked {
				h[name] = append([]string(nil), e.request[name]...)
			} else {
				h.Add(name, v.Value)
			}
		}
	}
	for _, name := range []string{"Host", "Content-Length", "Connection", "Transfer-Encoding", "Expect", "Upgrade"} {
		h.Del(name)
	}
	return h
}

// discard takes an answer that nobody waits for.
type discard struct{ header http.Header }

func (d *discard) Header() http.Header         { return d.header }
func (d *discard) Write(p []byte) (int, error) { return len(p), nil }
func (d *discard) WriteHeader(int)             {}
func (d *discard) Flush()                      {}
