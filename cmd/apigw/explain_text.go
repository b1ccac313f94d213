package main

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/apigw-go/apigw"
	"github.com/apigw-go/apigw/catalog"
	"github.com/apigw-go/apigw/signer"
)

// labelWidth is the width of the labels of an explanation.
const labelWidth = 14

// writeVerdict prints an explanation for people.
func (in *invocation) writeVerdict(v verdict, q question) {
	fmt.Fprintln(in.stdout, in.verdictTitle(v, q))
	x := v.x
	in.line("meaning", "含义", x.Meaning)
	in.line("remedy", "解决办法", x.Remedy)
	for _, note := range x.Notes {
		in.line("note", "注意", note)
	}
	if v.err != nil {
		in.writeEntry(v)
	}
	in.line("request id", "请求 ID", printable(x.RequestID))
	in.writeCandidates(x)
	if v.err != nil {
		in.writeParams(v.err, q)
	}
	in.writeFindings(x, q)
	if v.diagnosis != nil {
		in.writeDiagnosis(v.diagnosis, v.trimmed)
	}
}

// line prints one labelled line, nothing without a value.
func (in *invocation) line(en, zh, value string) {
	if value == "" {
		return
	}
	label := in.t(en, zh)
	fmt.Fprintf(in.stdout, "  %s%s%s\n", paint(in.colour, bold, label),
		strings.Repeat(" ", max(1, labelWidth-width(label))), value)
}

// verdictTitle is the first line. Its colour says what kind of answer it is:
// green only where it is proven that there was no error.
func (in *invocation) verdictTitle(v verdict, q question) string {
	var title []string
	if v.x.Code != "" {
		title = append(title, printable(v.x.Code))
	}
	if v.x.Status != 0 {
		title = append(title, strconv.Itoa(v.x.Status))
	}
	if m := shownMessage(v.err, q.message()); m != "" {
		title = append(title, m)
	}
	if len(title) == 0 {
		title = append(title, v.x.ID)
	}
	c := red
	switch v.x.ID {
	case noErrorID:
		c = green
	case catalog.UnknownID:
		c = yellow
	}
	return paint(in.colour, c, strings.Join(title, "  "))
}

// writeEntry prints what the catalog says.
func (in *invocation) writeEntry(v verdict) {
	e, x := v.err, v.x
	in.line("id", "编号", x.ID)
	in.line("class", "类别", x.Class)
	in.line("origin", "来源", in.originText(e.Origin))
	in.line("retry", "重试", in.retryText(e, x))
	reached := x.BackendReached
	if e.Reached == e.Entry.Reached && e.Entry.ReachedWhy != "" {
		reached += in.t(" ("+e.Entry.ReachedWhy+")", "")
	}
	in.line("backend ran", "后端执行", reached)
	if x.Fixer != catalog.PartyUnknown.String() {
		in.line("fixed by", "由谁解决", x.Fixer)
	}
	in.line("confidence", "可信度", in.confidenceText(e))
	in.line("source", "出处", e.Entry.Source)
}

// writeCandidates lists what a status alone can mean, a line a class.
func (in *invocation) writeCandidates(x explanation) {
	if len(x.Candidates) == 0 {
		return
	}
	fmt.Fprintf(in.stdout, "  %s\n", paint(in.colour, bold, in.t("it can be", "可能是")))
	for _, c := range x.Candidates {
		shown := c.IDs[:min(len(c.IDs), 4)]
		text := strings.Join(shown, ", ")
		if n := len(c.IDs) - len(shown); n > 0 {
			text += fmt.Sprintf(in.t(" and %d more", " 等另 %d 个"), n)
		}
		fmt.Fprintf(in.stdout, "    %-16s %-6s %s\n", c.Class, c.Retry, text)
	}
	fmt.Fprintf(in.stdout, "    %-16s %-6s %s\n", in.t("(backend)", "（后端）"), "",
		in.t("the API's own answer, in its own words", "API 自身的应答"))
}

// writeParams prints the varying parts of the message, and the string to sign
// of a refused signature.
func (in *invocation) writeParams(e *apigw.Error, q question) {
	for _, p := range e.Params {
		if p.Name != "StringToSign" {
			in.line(p.Name, p.Name, printable(p.Value))
		}
	}
	if text, ok := signer.ServerStringToSign(q.message()); ok {
		in.writeStringToSign(text)
	}
}

// writeFindings says where in the text the answer stands.
func (in *invocation) writeFindings(x explanation, q question) {
	if strings.Count(q.report.Text, "\n") > 1 || len(x.Others) > 0 {
		var places []string
		for _, f := range x.Found {
			place := fmt.Sprintf("%d:%d", f.Line, f.Column)
			if f.Path != "" {
				place = printable(f.Path)
			}
			places = append(places, f.Field+" "+place)
		}
		in.line("found at", "位置", strings.Join(places[:min(len(places), 4)], ", "))
	}
	for i, o := range x.Others {
		if i == 5 {
			in.line("", "", "…")
			break
		}
		text := fmt.Sprintf(in.t("line %d: %s", "第 %d 行：%s"), o.Line, o.ID)
		if o.Status != 0 {
			text += " " + strconv.Itoa(o.Status)
		}
		if o.WithinBody {
			text += in.t(", in a body, which may say anything", "，在响应体内，内容不可信")
		}
		in.line("other answer", "其他响应", text)
	}
}

// mostShown is how many characters of a text are shown. A longer one is none of
// the gateway.
const mostShown = 400

// shownMessage is the text of the gateway without its string to sign, which
// follows in lines; the wording of the catalog where none was given.
func shownMessage(e *apigw.Error, message string) string {
	if message == "" && e != nil {
		message = e.Entry.Message
	}
	message, _, _ = strings.Cut(message, "Server StringToSign")
	shown := []rune(printable(strings.TrimRight(message, " ,")))
	if len(shown) > mostShown {
		return string(shown[:mostShown]) + "…"
	}
	return string(shown)
}

// originText says who made the response.
func (in *invocation) originText(o apigw.Origin) string {
	switch o {
	case apigw.OriginGateway:
		return in.t("gateway", "gateway（网关）")
	case apigw.OriginBackend:
		return in.t("backend, or a proxy on the way", "backend（后端或途中的代理）")
	case apigw.OriginProxy:
		return in.t("proxy, inside the gateway or in front of it", "proxy（网关内部或前面的代理）")
	case apigw.OriginFunctionCompute:
		return in.t("function-compute, behind the gateway", "function-compute（网关后的函数计算）")
	}
	return in.t("unknown: it may come from the provider, after the backend ran", "unknown（可能来自 API 提供方，后端可能已执行）")
}

// retryText says what the transport does with such an error by default, and for
// which methods.
func (in *invocation) retryText(e *apigw.Error, x explanation) string {
	switch {
	case x.Retry == retryUnknown:
		return in.t("unknown: it depends on what it is", "unknown：取决于具体原因")
	case e.Entry.Class == catalog.ClassThrottled:
		return in.t("wait: stopped at once, unless a policy allows to wait (MaxThrottleWait)",
			"wait：默认不重试；策略允许时等待后重试（MaxThrottleWait）")
	case e.Entry.Wait > 0:
		wait := e.Entry.Wait.String()
		return in.t("wait: it lasts "+wait+"; stopped at once, unless MaxRetryAfter is that long",
			"wait：持续 "+wait+"；MaxRetryAfter 短于此则不重试")
	case e.Entry.Retry == catalog.RetryNo:
		return in.t("no: another attempt fails the same way", "no：重试结果相同")
	case e.Reached == catalog.ReachedNo:
		return in.t(e.Entry.Retry.String()+": every method", e.Entry.Retry.String()+"：所有方法均重试")
	}
	return in.t(e.Entry.Retry.String()+": GET and the like; POST and PATCH not, they may have run",
		e.Entry.Retry.String()+"：GET 等方法重试；POST、PATCH 可能已执行，不重试")
}

// confidenceText says how far a row was verified.
func (in *invocation) confidenceText(e *apigw.Error) string {
	switch {
	case e.Inferred:
		return in.t("not in the catalog: inferred from the letters of the code", "目录中没有：由错误码的字母推断")
	case e.Entry.ID == catalog.UnknownID:
		return in.t("not in the catalog", "目录中没有")
	}
	grade := e.Entry.Confidence.String()
	if !e.Entry.Verified() {
		return in.t("unverified ("+grade+")", "未验证（"+grade+"）")
	}
	if e.Entry.MessageConfidence != catalog.ConfidenceUnknown && e.Entry.MessageConfidence < catalog.ConfidenceMedium {
		return in.t(grade+", its text unverified", grade+"，文本未验证")
	}
	return grade
}

// writeStringToSign shows the gateway's string in lines, with what each means.
func (in *invocation) writeStringToSign(text string) {
	fmt.Fprintf(in.stdout, "  %s\n", paint(in.colour, bold, in.t(
		`string to sign of the gateway (a "#" in a value looks like a line break)`, "网关的待签名字符串（值中的“#”与换行无法区分）")))
	parts := []string{"method", "Accept", "Content-MD5", "Content-Type", "Date"}
	lines := strings.Split(text, "#")
	for i, line := range lines {
		part := "header"
		switch {
		case i < len(parts):
			part = parts[i]
		case strings.HasPrefix(line, "/"):
			part = "path"
		case slices.ContainsFunc(lines[len(parts):i], func(l string) bool { return strings.HasPrefix(l, "/") }):
			part = ""
		}
		fmt.Fprintln(in.stdout, strings.TrimRight(fmt.Sprintf("    %-13s %s", part, printable(line)), " "))
	}
}
