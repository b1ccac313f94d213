package main

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"strings"
	"unicode/utf8"

	"github.com/apigw-go/apigw"
	"github.com/apigw-go/apigw/catalog"
	"github.com/apigw-go/apigw/internal/redact"
	"github.com/apigw-go/apigw/signer"
)

// callResult is what --json prints. Scripts read it: names and types stay, and
// what comes new comes behind.
type callResult struct {
	Status     int           `json:"status"` // 0 without a response
	Attempts   []callAttempt `json:"attempts"`
	Error      *explanation  `json:"error"`       // null below 400
	StopReason string        `json:"stop_reason"` // empty below 400
	BodyBytes  int64         `json:"body_bytes"`
	// Body is the body as text, or empty where it is none: then BodyBase64 has
	// it. Both are empty with -o. BodyCut says that only the beginning is here.
	Body       string `json:"body"`
	BodyBase64 string `json:"body_base64,omitempty"`
	BodyCut    bool   `json:"body_cut,omitempty"`
	// BodyError is why the body broke off, empty where it did not.
	BodyError string `json:"body_error,omitempty"`
}

// mostBodyInJSON bounds the body of --json, which is held in memory.
const mostBodyInJSON = 8 << 20

// call sends the request and returns the exit code.
func (c *caller) call() int {
	ctx, stop := c.in.untilSignal()
	defer stop()
	timed, cancel := c.flags.withTimeout(ctx)
	defer cancel()
	code := c.send(timed)
	// The user's doing, whatever error came of it.
	if ctx.Err() != nil {
		c.in.complain("interrupted")
		return exitInterrupted
	}
	return code
}

// client is the client of the call. The timeline comes from its hooks.
func (c *caller) client() *http.Client {
	var base http.RoundTripper = noting{c, c.base}
	if c.flags.verbose {
		base = &verbose{c: c, base: base}
	}
	transport := &apigw.Transport{Base: base, Policy: c.policy, OnAttempt: c.showAttempt, OnRetry: c.showWait}
	if c.signer != nil {
		c.signer.Base = base
		transport.Base = c.signer
	}
	client := &http.Client{Transport: transport}
	if !c.flags.follow {
		// As curl without -L: what a redirect leads to is another call.
		client.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	} else {
		client.CheckRedirect = c.showRedirect
	}
	return client
}

// send performs the call and shows how it went.
func (c *caller) send(ctx context.Context) int {
	in := c.in
	ctx, recorder := apigw.WithRecorder(ctx)
	c.showTarget(c.req)
	resp, err := c.client().Do(c.req.WithContext(ctx))
	if c.upload != nil {
		c.upload.clear()
	}
	result := callResult{Attempts: []callAttempt{}}
	for _, r := range recorder.Results() {
		for _, a := range r.Attempts {
			result.Attempts = append(result.Attempts, c.attempt(a))
		}
	}
	e, code := c.outcome(resp, err)
	// outcome has complained already.
	if code == exitMisuse {
		return code
	}
	if resp != nil {
		defer resp.Body.Close()
		result.Status = resp.StatusCode
		if err := c.receive(resp, &result); err != nil {
			code = exitNoResponse
		}
	}
	if e != nil {
		x := c.masked(in.explain(e))
		result.Error, result.StopReason = &x, e.Stop.String()
	}
	if c.flags.asJSON {
		in.json(result)
	} else if e != nil {
		c.showFailure(e, resp)
	}
	c.showEnd(resp, &result)
	return code
}

// outcome is the error that came of the call, nil for none, and the exit code
// that says whose it is.
func (c *caller) outcome(resp *http.Response, err error) (*apigw.Error, int) {
	if err == nil {
		e, _ := apigw.FromResponse(resp)
		return e, exitCode(e)
	}
	var refused *signer.Error
	if errors.As(err, &refused) { // nothing was sent: the flags are wrong
		return nil, c.in.misuse("%s", c.maskErr(refused))
	}
	// Every error of the transport is one; the rest comes from http.Client,
	// before it asks the transport.
	var e *apigw.Error
	if !errors.As(err, &e) {
		e = &apigw.Error{Entry: catalog.Entry{ID: catalog.UnknownID}, Origin: apigw.OriginNone, Err: err}
	}
	return e, exitNoResponse
}

// exitCode says who failed; nil is nobody. A text that is not in the catalog
// may be the provider's own, written after the backend ran, so that it does not
// count as the gateway's.
func exitCode(e *apigw.Error) int {
	switch {
	case e == nil:
		return exitOK
	case e.Origin == apigw.OriginGateway:
		return exitGateway
	}
	return exitBackend
}

// receive writes head and body where they belong. It returns why the body broke
// off; an output that cannot be written is not the fault of the response.
func (c *caller) receive(resp *http.Response, result *callResult) error {
	if c.flags.head {
		fmt.Fprint(c.in.stdout, c.head(resp))
	}
	out := &output{w: c.body}
	var kept strings.Builder
	// Standard output gets one object and nothing else.
	if c.flags.asJSON && c.file == nil {
		out.w = &limitedWriter{w: &kept, left: mostBodyInJSON}
	}
	n, err := io.Copy(out, resp.Body)
	result.BodyBytes = n
	if c.file != nil && out.err == nil {
		out.err = syncFile(c.file)
	}
	if out.err != nil {
		if c.file != nil {
			c.in.complain("-o: %v", out.err)
		}
		err = nil
	}
	// JSON has no bytes: what is no text goes as base64.
	switch body := kept.String(); {
	case utf8.ValidString(body):
		result.Body = body
	default:
		result.BodyBase64 = base64.StdEncoding.EncodeToString([]byte(body))
	}
	result.BodyCut = c.file == nil && c.flags.asJSON && n > mostBodyInJSON
	if err != nil {
		result.BodyError = c.maskErr(err)
	}
	return err
}

// syncFile finds out whether the disk took all. A device such as /dev/null
// cannot be asked.
func syncFile(f *os.File) error {
	if info, err := f.Stat(); err != nil || !info.Mode().IsRegular() {
		return err
	}
	return f.Sync()
}

// limitedWriter drops what is beyond its bound.
type limitedWriter struct {
	w    io.Writer
	left int
}

func (l *limitedWriter) Write(p []byte) (int, error) {
	keep := p[:min(len(p), l.left)]
	l.left -= len(keep)
	if _, err := l.w.Write(keep); err != nil {
		return 0, err
	}
	return len(p), nil
}

// mostPath bounds a path that is shown.
const mostPath = 2048

// showTarget is the first line of the timeline.
func (c *caller) showTarget(req *http.Request) {
	fmt.Fprintf(c.in.stderr, "%s %s%s\n", printable(req.Method), printable(req.URL.Host),
		redact.URLPath(req.URL, mostPath))
}

// mostRedirects is how many redirects -L follows, as http.Client does.
const mostRedirects = 10

func (c *caller) showRedirect(req *http.Request, via []*http.Request) error {
	if len(via) >= mostRedirects {
		return c.in.errorf("stopped after %d redirects", mostRedirects)
	}
	fmt.Fprintf(c.in.stderr, "%s ", c.in.t("redirected to", "重定向到"))
	c.showTarget(req)
	return nil
}
