package main

import (
	"fmt"
	"net/http"
	"strings"

	"github.com/apigw-go/apigw"
	"github.com/apigw-go/apigw/catalog"
	"github.com/apigw-go/apigw/cmd/apigw/internal/report"
)

// finding says where a fact of an explanation stands in the text. It has no
// value: that would show a string to sign twice.
type finding struct {
	Field  string `json:"field"`
	Line   int    `json:"line"`
	Column int    `json:"column"`
	Path   string `json:"path,omitempty"` // of a JSON document
}

// otherAnswer is an answer that the text reports and that does not count.
type otherAnswer struct {
	ID         string `json:"id"`
	Status     int    `json:"status"`
	Code       string `json:"code"`
	RequestID  string `json:"request_id"`
	Line       int    `json:"line"`
	WithinBody bool   `json:"within_body"`
}

// candidate is a row that a status alone can stand for.
type candidate struct {
	Class string   `json:"class"`
	Retry string   `json:"retry"`
	IDs   []string `json:"ids"`
}

// notEnough is the explanation of an input that neither says that something
// failed nor that nothing did.
func (in *invocation) notEnough(q question) explanation {
	x := in.blank()
	x.RequestID, x.Status = requestIDOf(q.answer.Header), q.answer.Status
	x.Meaning = in.t("not enough to say: neither a status nor an error of the gateway is in it",
		"信息不足：既没有状态码，也没有网关的错误信息")
	x.Remedy = in.t("show the whole answer: curl -si URL | apigw explain -", "请提供完整响应：curl -si URL | apigw explain -")
	switch {
	case x.RequestID != "":
		x.Meaning = in.t("a request id alone: it says that a gateway saw the call, not how it ended",
			"仅有请求 ID：说明网关收到过该调用，但不知结果如何")
		x.Remedy = in.t("look the id up in the log of the API's provider, or give it to support; to have the error "+
			"explained, show the whole answer: curl -si URL | apigw explain -",
			"请 API 提供方凭该 ID 查询日志，或提交工单；如需解释错误，请提供完整响应：curl -si URL | apigw explain -")
	case unfinished(q):
		x.Meaning = in.t("a status of success came, but not the whole answer: it was an interim one or a proxy's, or the "+
			"transfer broke off",
			"收到了表示成功的状态码，但没有完整的响应：可能只是中间响应或代理的应答，或传输中途断开")
		x.Remedy = in.t("see what the text says about the connection; retry if the call is safe to send twice, since the "+
			"backend may have run it",
			"请查看文本中关于连接的说明；后端可能已执行，只有可以安全重发时才重试")
	case tellsOfNoResponse(q.report.Text):
		x.Origin = apigw.OriginNone.String()
		x.Meaning = in.t("no response: nobody answered the call, so that there is no error of the gateway to explain",
			"没有响应：该调用未得到任何应答，因此没有网关错误可解释")
		x.Remedy = in.t("look at the cause in the text: network, name, certificate or time limit",
			"请查看文本中的原因：网络、域名、证书或时限")
	}
	return x
}

// noResponseText begins the error of a call that nobody answered.
const noResponseText = "apigw: no response"

// tellsOfNoResponse recognises what this library and curl print where nobody
// answered.
func tellsOfNoResponse(text string) bool {
	return strings.Contains(text, noResponseText) || strings.Contains(text, "curl: (")
}

// contradiction is the explanation of an error mark beside a status of success.
func (in *invocation) contradiction(e *apigw.Error, status int) explanation {
	x := in.blank()
	if e != nil {
		x = in.explain(e)
	}
	x.Status = status
	x.Retry, x.Confidence = retryUnknown, catalog.ConfidenceLow.String()
	x.note(fmt.Sprintf(in.t(
		"contradiction: status %d says success, the error header says refusal. A plug-in, a proxy or a program may "+
			"have "+
			"changed the status; the Transport goes by the status and returns this answer as a success",
		"矛盾：状态码 %d 表示成功，错误头却表示被拒绝。状态码可能被插件、代理或程序改写；Transport 以状态码为准，视为成功返回"), status))
	if x.ID == catalog.UnknownID {
		x.Meaning = in.t("a success with a text that is not in the catalog; it may be the provider's own",
			"成功响应带有目录中没有的文本；可能是提供方自定义的")
		x.Remedy = in.t("read the body, and ask the API provider what the text says", "查看响应体，并向 API 提供方询问该文本的含义")
	} else {
		x.Remedy = in.t("find out who set the status, then: ", "先查明是谁设置了状态码，然后：") + x.Remedy
	}
	return x
}

// bareStatus turns the explanation of a status that nobody marked into the list
// of what it can be: a 403 is a limit, a quota, a bill, a signature or the
// backend's own.
func (in *invocation) bareStatus(v *verdict, status int) {
	x := &v.x
	x.Candidates = candidates(status)
	x.Origin = apigw.OriginUnknown.String()
	v.err.Origin = apigw.OriginUnknown
	if len(x.Candidates) == 0 {
		x.Meaning = in.t("only the status is known; the catalog has no row with it, so it is probably the backend's or "+
			"a proxy's",
			"只知道状态码；目录中没有该状态码的错误，可能来自后端或代理")
		return
	}
	x.Meaning = fmt.Sprintf(in.t("status %d alone does not say who refused, or why", "仅凭状态码 %d 无法判断是谁拒绝、为何拒绝"), status)
	x.Remedy = in.t("look at X-Ca-Error-Code and X-Ca-Error-Message of the answer, or show it whole: curl -si URL | "+
		"apigw explain -",
		"请查看响应头 X-Ca-Error-Code 与 X-Ca-Error-Message，或提供完整响应：curl -si URL | apigw explain -")
	for _, c := range x.Candidates {
		if c.Retry != x.Retry && x.Retry == catalog.RetryNo.String() {
			x.Retry = retryUnknown // some of them would pass later
		}
	}
	x.Fixer = catalog.PartyUnknown.String()
}

// candidates lists the rows of a status by class, in the order of the classes.
func candidates(status int) (list []candidate) {
	for class := catalog.ClassUnknown + 1; class <= catalog.ClassCircuitOpen; class++ {
		c := candidate{Class: class.String()}
		for e := range catalog.All() {
			if e.Class == class && e.Status == status {
				c.IDs = append(c.IDs, e.ID)
				c.Retry = e.Retry.String()
			}
		}
		if c.IDs != nil {
			list = append(list, c)
		}
	}
	return list
}

// addFindings says where the answer was found, and what else the text reports.
func (in *invocation) addFindings(x *explanation, q question) {
	if q.report.Best < 0 {
		return
	}
	for _, f := range q.answer.Facts {
		if !decides(f.Name) {
			continue
		}
		x.Found = append(x.Found, finding{f.Name, f.Place.Line, f.Place.Column, f.Place.Path})
	}
	failed := 0
	for _, a := range q.report.Others() {
		o := in.other(&a)
		x.Others = append(x.Others, o)
		if a.Failed() && !a.Within {
			failed++
		}
	}
	if failed > 0 && x.ID == noErrorID {
		x.note(in.t("an earlier answer in this text is an error, see the others", "文本中较早的一个响应是错误，见“其他响应”"))
	}
}

// decides reports whether a fact is one that an explanation rests on.
func decides(name string) bool {
	return name == "status" || name == "row" || name == "body" || strings.HasPrefix(name,
		"X-Ca-") || strings.HasPrefix(name, "X-Envoy-") || strings.HasPrefix(name, "X-Fc-")
}

// other is one line about an answer that does not count.
func (in *invocation) other(a *report.Answer) otherAnswer {
	o := otherAnswer{ID: catalog.UnknownID, Status: a.Status, Code: a.Header.Get("X-Ca-Error-Code"),
		RequestID: requestIDOf(a.Header), WithinBody: a.Within}
	if len(a.Facts) > 0 {
		o.Line = a.Facts[0].Place.Line
	}
	if a.Header == nil {
		a.Header = make(http.Header)
	}
	if row, ok := catalog.ByID(a.RowID); ok {
		o.ID = row.ID
	} else if e := classifyAnswer(a); e != nil {
		o.ID = e.Entry.ID
	} else if a.Status > 0 && !a.Failed() {
		o.ID = noErrorID
	}
	return o
}
