package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"math"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/apigw-go/apigw"
	"github.com/apigw-go/apigw/catalog"
	"github.com/apigw-go/apigw/signer"
)

// callResult is what --json prints. Scripts read it: names and types stay.
type callResult struct {
	Status     int           `json:"status"` // 0 without a response
	Attempts   []callAttempt `json:"attempts"`
	Error      *explanation  `json:"error"`       // null below 400
	StopReason string        `json:"stop_reason"` // empty below 400
	BodyBytes  int64         `json:"body_bytes"`
}

// callAttempt is one line of the timeline.
type callAttempt struct {
	Status     int     `json:"status"` // 0 without a response
	Code       string  `json:"code"`
	Message    string  `json:"message"`
	RequestID  string  `json:"request_id"`
	WaitMS     float64 `json:"wait_ms"`
	DurationMS float64 `json:"duration_ms"`
	Error      string  `json:"error"`
}

// caller performs one call and shows it.
type caller struct {
	in      *invocation
	secrets []string // never to be shown, wherever they turn up
}

func runCall(in *invocation, args []string) int {
	fs := in.flags("call")
	request := requestFlags(fs)
	credentials := keyFlags(fs)
	fs.BoolVar(&credentials.appCode, "appcode", false, "")
	policyFile := fs.String("policy", "", "")
	maxAttempts := fs.Int("max-attempts", 0, "")
	initialBackoff := fs.Duration("initial-backoff", 0, "")
	timeout := fs.Duration("timeout", 0, "")
	asJSON := fs.Bool("json", false, "")
	rest, ok, code := in.parse(fs, args, 1)
	if !ok {
		return code
	}
	switch {
	case len(rest) == 0:
		return in.misuse("no URL; see `apigw call -h` for examples")
	case isSet(fs, "max-attempts") && *maxAttempts < 1:
		return in.misuse("--max-attempts %d: give 1 for no retry, or more", *maxAttempts)
	case isSet(fs, "initial-backoff") && *initialBackoff <= 0:
		return in.misuse("--initial-backoff %v: give a duration above 0, such as 100ms", *initialBackoff)
	case isSet(fs, "timeout") && *timeout <= 0:
		return in.misuse("--timeout %v: give a duration above 0, such as 5s", *timeout)
	}
	req, err := request.build(in, rest[0])
	if err != nil {
		return in.misuse("%v", err)
	}
	s, err := credentials.signer(in, req)
	if err != nil {
		return in.misuse("%v", err)
	}
	policy, err := policyOf(*policyFile, req)
	if err != nil {
		return in.misuse("--policy: %v", err)
	}
	policy.MaxAttempts = cmp.Or(*maxAttempts, policy.MaxAttempts)
	if d := *initialBackoff; d > 0 {
		policy.InitialBackoff = d
		if policy.MaxBackoff < d && (policy.MaxBackoff > 0 || d > 10*time.Second) {
			policy.MaxBackoff = d // the default is 10 s; a longer first pause is meant
		}
	}
	ctx, stop := in.untilSignal()
	defer stop()
	if *timeout > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeoutCause(ctx, *timeout, fmt.Errorf("the --timeout of %v passed: %w", *timeout, context.DeadlineExceeded))
		defer cancel()
	}
	c := &caller{in: in, secrets: in.secretsOf(req, s)}
	return c.call(req.WithContext(ctx), s, policy, *asJSON)
}

// call sends the request and returns the exit code.
func (c *caller) call(req *http.Request, s *signer.Signer, policy apigw.RetryPolicy, asJSON bool) int {
	in := c.in
	base := http.DefaultTransport.(*http.Transport).Clone()
	base.DisableCompression = true // the body goes out as it came in
	defer base.CloseIdleConnections()
	transport := &apigw.Transport{Base: base, Policy: policy, OnAttempt: c.showAttempt, OnRetry: c.showPause}
	if s != nil {
		s.Base = base
		transport.Base = s
	}
	// The timeline comes from the hooks, the result from the recorder: what
	// is shown is what the transport itself says it did.
	client := &http.Client{
		Transport: transport,
		// As curl without -L: what a redirect leads to is another call.
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
	ctx, recorder := apigw.WithRecorder(req.Context())
	fmt.Fprintf(in.stderr, "%s %s%s\n", printable(req.Method), printable(req.URL.Host), printable(cmp.Or(req.URL.EscapedPath(), "/")))
	resp, err := client.Do(req.WithContext(ctx))

	result := callResult{Attempts: []callAttempt{}}
	for _, r := range recorder.Results() {
		for _, a := range r.Attempts {
			result.Attempts = append(result.Attempts, c.attempt(a))
		}
	}
	var e *apigw.Error
	code := exitOK
	switch {
	case err != nil:
		var refused *signer.Error
		code = exitNoResponse
		if errors.As(err, &refused) { // nothing was sent: the flags are wrong
			return in.misuse("%s", c.mask(safeText(refused)))
		}
		// Every error of the transport is one; the rest comes from
		// http.Client, before it asks the transport.
		if !errors.As(err, &e) {
			e = &apigw.Error{Entry: catalog.Entry{ID: catalog.UnknownID}, Origin: apigw.OriginNone, Err: err}
		}
	default:
		defer resp.Body.Close()
		result.Status = resp.StatusCode
		e, _ = apigw.FromResponse(resp)
		code = exitCode(e)
		out := &output{w: in.stdout}
		if asJSON {
			out.w = io.Discard // only counted
		}
		result.BodyBytes, err = io.Copy(out, resp.Body)
		if out.err != nil {
			err = nil // not the fault of the response; run complains
		}
		if err != nil {
			code = exitNoResponse
		}
	}
	if e != nil {
		x := c.masked(in.explain(e))
		result.Error, result.StopReason = &x, e.Stop.String()
	}
	if asJSON {
		in.json(result)
	} else if e != nil {
		c.showFailure(e, resp)
	}
	switch {
	case resp == nil:
	case err != nil:
		in.complain("%s: %s", in.t("the body broke off after "+strconv.FormatInt(result.BodyBytes, 10)+" bytes", "响应体中断，已收到 "+strconv.FormatInt(result.BodyBytes, 10)+" 字节"), c.mask(safeText(err)))
	case resp.StatusCode/100 == 3 && resp.Header.Get("Location") != "":
		fmt.Fprintf(in.stderr, in.t("not followed: the redirect to %s\n", "未跟随重定向：%s\n"), c.mask(printable(cutQueries(resp.Header.Get("Location")))))
	}
	return code
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

// showAttempt and showPause are the timeline, live.
func (c *caller) showAttempt(_ *http.Request, a apigw.Attempt) {
	shown := c.attempt(a)
	what := paint(c.in.colourErr, red, c.in.t("no response", "无响应"))
	switch {
	case a.Status >= 400:
		what = paint(c.in.colourErr, red, strconv.Itoa(a.Status))
	case a.Status > 0:
		what = paint(c.in.colourErr, green, strconv.Itoa(a.Status))
	}
	parts := []string{fmt.Sprintf("#%d", a.Number), what}
	for _, p := range []string{shown.Code, shown.Message, shown.Error, milliseconds(a.Duration)} {
		if p != "" {
			parts = append(parts, p)
		}
	}
	if shown.RequestID != "" {
		parts = append(parts, c.in.t("request id ", "请求 ID ")+shown.RequestID)
	}
	fmt.Fprintln(c.in.stderr, strings.Join(parts, "  "))
}

func (c *caller) showPause(_ *http.Request, a apigw.Attempt, pause time.Duration) {
	fmt.Fprintf(c.in.stderr, "    %s\n", paint(c.in.colourErr, yellow, c.in.t("wait ", "等待 ")+milliseconds(pause)))
}

// attempt is an attempt fit to be shown. Its text is that of the catalog, with
// parameters that cannot hold a secret, or a text without query strings.
func (c *caller) attempt(a apigw.Attempt) callAttempt {
	shown := callAttempt{
		Status: a.Status, Code: c.mask(printable(string(a.Code))), RequestID: c.mask(printable(a.RequestID)),
		WaitMS: inMilliseconds(a.Wait), DurationMS: inMilliseconds(a.Duration), Error: c.mask(safeText(a.Err)),
	}
	// Attempt has the text as received. Masked before it is classified: a
	// secret of which the library cuts a part off would not be found behind.
	h := http.Header{"X-Ca-Error-Code": {string(a.Code)}, "X-Ca-Error-Message": {c.mask(a.Message)}}
	if e, failed := apigw.Classify(a.Status, h); failed && a.Status > 0 {
		shown.Message = e.SafeMessage()
	}
	return shown
}

// inMilliseconds rounds to microseconds, so that JSON stays readable.
func inMilliseconds(d time.Duration) float64 {
	return math.Round(d.Seconds()*1e6) / 1e3
}

// showFailure explains how the call ended. resp is nil where there is none.
func (c *caller) showFailure(e *apigw.Error, resp *http.Response) {
	in, w := c.in, c.in.stderr
	x := c.masked(in.explain(e))
	line := func(en, zh, value string) {
		if value != "" {
			label := in.t(en, zh)
			fmt.Fprintf(w, "  %s%s%s\n", paint(in.colourErr, bold, label), strings.Repeat(" ", max(1, labelWidth-width(label))), value)
		}
	}
	title := in.t("no response", "没有响应")
	if e.Status != 0 {
		title = strings.TrimSpace(strings.Join([]string{x.Code, strconv.Itoa(e.Status), c.mask(e.SafeMessage())}, " "))
		title = strings.Join(strings.Fields(title), " ")
	}
	fmt.Fprintf(w, "%s: %s\n", in.name, paint(in.colourErr, red, title))
	if e.Err != nil {
		line("cause", "原因", c.mask(safeText(e.Err)))
	} else {
		line("meaning", "含义", in.meaning(e.Entry))
		line("remedy", "解决办法", x.Remedy)
		line("class", "类别", x.Class)
		line("origin", "来源", in.originText(e.Origin))
	}
	line("backend ran", "后端执行", x.BackendReached)
	if e.Inferred {
		line("confidence", "可信度", in.confidenceText(e))
	}
	line("request id", "请求 ID", printable(x.RequestID))
	if resp != nil {
		if d, ok := signer.FromResponse(resp); ok {
			line("signature", "签名", c.mask(d.String()))
		}
	}
	attempts := fmt.Sprintf(in.t("after %d attempts: ", "共尝试 %d 次："), len(e.Attempts))
	if len(e.Attempts) == 1 {
		attempts = in.t("after 1 attempt: ", "共尝试 1 次：")
	}
	line("stopped", "停止", attempts+in.stopText(e.Stop))
}

// masked takes out of an explanation what the request may have carried. The
// string to sign is made of its values and goes as a whole; the diagnosis of
// the signer names the difference without them.
func (c *caller) masked(x explanation) explanation {
	for name, value := range x.Params {
		if name == "StringToSign" {
			x.Params[name] = "***"
			continue
		}
		x.Params[name] = c.mask(printable(cutQueries(value)))
	}
	x.Code, x.RequestID = c.mask(printable(x.Code)), c.mask(printable(x.RequestID))
	return x
}

// mask replaces secrets that somebody on the way may have repeated.
func (c *caller) mask(s string) string {
	for _, secret := range c.secrets {
		s = strings.ReplaceAll(s, secret, "***")
	}
	return s
}

// secretsOf lists what must not be shown of a request and its surroundings, in
// all spellings. Very short values are left out: replacing them would tear
// every text apart.
func (in *invocation) secretsOf(req *http.Request, s *signer.Signer) (secrets []string) {
	add := func(values ...string) {
		for _, v := range values {
			if len(v) >= 4 {
				secrets = append(secrets, v)
			}
		}
	}
	add(in.env("APIGW_APP_SECRET"), in.env("APIGW_APP_CODE"))
	if s != nil {
		add(string(s.AppSecret), string(s.AppCode)) // of a file
	}
	for name, values := range req.Header {
		switch name {
		case "Authorization", "Proxy-Authorization", "Cookie", "X-Ca-Signature":
			for _, v := range values {
				add(v)
				add(strings.Fields(v)...)
			}
		}
	}
	add(req.URL.RawQuery)
	for pair := range strings.SplitSeq(req.URL.RawQuery, "&") {
		_, value, _ := strings.Cut(pair, "=")
		plain, _ := url.QueryUnescape(value)
		if len(plain) >= 8 { // shorter ones may be words of the gateway
			add(value, plain)
		}
	}
	if decoded, err := url.QueryUnescape(req.URL.RawQuery); err == nil {
		add(decoded)
	}
	if password, ok := req.URL.User.Password(); ok {
		add(password)
	}
	// A short one within a longer one must not tear that apart.
	slices.SortFunc(secrets, func(a, b string) int { return len(b) - len(a) })
	return secrets
}
