package main

import (
	"fmt"
	"math"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/apigw-go/apigw"
	"github.com/apigw-go/apigw/signer"
)

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

// showAttempt and showWait are the timeline, live.
func (c *caller) showAttempt(_ *http.Request, a apigw.Attempt) {
	if c.upload != nil {
		c.upload.clear()
	}
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

func (c *caller) showWait(_ *http.Request, _ apigw.Attempt, wait time.Duration) {
	fmt.Fprintf(c.in.stderr, "    %s\n", paint(c.in.colourErr, yellow, c.in.t("wait ", "等待 ")+milliseconds(wait)))
}

// attempt is an attempt fit to be shown. Its text is that of the catalog, with
// parameters that cannot hold a secret, or a text without query strings.
func (c *caller) attempt(a apigw.Attempt) callAttempt {
	shown := callAttempt{
		Status: a.Status, Code: c.mask(string(a.Code)), RequestID: c.masker.Load().RequestID(a.RequestID),
		WaitMS: inMilliseconds(a.Wait), DurationMS: inMilliseconds(a.Duration), Error: c.maskErr(a.Err),
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
			fmt.Fprintf(w, "  %s%s%s\n", paint(in.colourErr, bold, label),
				strings.Repeat(" ", max(1, labelWidth-width(label))), value)
		}
	}
	title := in.t("no response", "没有响应")
	if e.Status != 0 {
		title = strings.TrimSpace(strings.Join([]string{x.Code, strconv.Itoa(e.Status), c.mask(e.SafeMessage())}, " "))
		title = strings.Join(strings.Fields(title), " ")
	}
	fmt.Fprintf(w, "%s: %s\n", in.name, paint(in.colourErr, red, title))
	if e.Err != nil {
		line("cause", "原因", c.maskErr(e.Err))
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
	if e.Stop == apigw.StopUnknown {
		return // no attempt failed: http.Client gave up, see the cause
	}
	attempts := fmt.Sprintf(in.t("after %d attempts: ", "共尝试 %d 次："), len(e.Attempts))
	if len(e.Attempts) == 1 {
		attempts = in.t("after 1 attempt: ", "共尝试 1 次：")
	}
	line("stopped", "停止", attempts+in.stopText(e.Stop))
}

// showEnd says what is left to say: a body that broke off, a redirect.
func (c *caller) showEnd(resp *http.Response, result *callResult) {
	switch {
	case resp == nil:
	case result.BodyError != "":
		c.in.complain("the body broke off after %d bytes: %s", result.BodyBytes, result.BodyError)
	case resp.StatusCode/100 == 3 && !c.flags.follow && resp.Header.Get("Location") != "":
		fmt.Fprintf(c.in.stderr, c.in.t("not followed, -L does: the redirect to %s\n", "未跟随重定向（-L 会跟随）：%s\n"),
			c.mask(resp.Header.Get("Location")))
	}
}
