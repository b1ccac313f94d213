package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"slices"
	"strconv"
	"strings"

	"github.com/apigw-go/apigw"
	"github.com/apigw-go/apigw/catalog"
	"github.com/apigw-go/apigw/signer"
)

// noErrorID is the id of a response that is no error.
const noErrorID = "none"

// explanation is what --json prints of an error, alone and within the result of
// a call. Scripts read it: names and types stay.
type explanation struct {
	ID             string            `json:"id"`
	Code           string            `json:"code"`
	Status         int               `json:"status"`
	Class          string            `json:"class"`
	Origin         string            `json:"origin"`
	Retry          string            `json:"retry"`
	BackendReached string            `json:"backend_reached"`
	Params         map[string]string `json:"params"`
	Meaning        string            `json:"meaning"`
	Remedy         string            `json:"remedy"`
	Confidence     string            `json:"confidence"`
	Inferred       bool              `json:"inferred"`
	RequestID      string            `json:"request_id"`
}

// explain is the explanation of a decoded error. Where no status was seen, it is
// the one of the row.
func (in *invocation) explain(e *apigw.Error) explanation {
	x := explanation{
		ID: e.Entry.ID, Code: string(e.Code), Status: e.Status,
		Class: e.Entry.Class.String(), Origin: e.Origin.String(), Retry: e.Entry.Retry.String(),
		BackendReached: e.Reached.String(), Params: map[string]string{},
		Meaning: e.Entry.Meaning.In(in.lang), Remedy: e.Entry.Remedy.In(in.lang),
		Confidence: e.Entry.Confidence.String(), Inferred: e.Inferred, RequestID: e.RequestID,
	}
	if x.Status == 0 {
		x.Status = e.Entry.Status
	}
	for _, p := range e.Params {
		x.Params[p.Name] = p.Value
	}
	return x
}

// noError is the explanation of a response below 400. A 2xx without a code was
// forwarded and answered; of others that is not documented.
// https://help.aliyun.com/document_detail/181132.htm
func (in *invocation) noError(status int, h http.Header) explanation {
	x := explanation{
		ID: noErrorID, Status: status, Class: noErrorID, Origin: apigw.OriginUnknown.String(),
		Retry: catalog.RetryNo.String(), BackendReached: catalog.ReachedUnknown.String(), Params: map[string]string{},
		Meaning: in.t("no error", "没有错误"), Remedy: in.t("nothing to do", "无需处理"),
		Confidence: catalog.ConfidenceHigh.String(), RequestID: h.Get("X-Ca-Request-Id"),
	}
	if status/100 == 2 && h.Get("X-Ca-Error-Code") == "" {
		x.Origin, x.BackendReached = apigw.OriginBackend.String(), catalog.ReachedYes.String()
		x.Meaning = in.t("no error: the gateway passed the answer of the backend on", "没有错误：网关转发了后端的应答")
	}
	return x
}

// explainInput is what somebody wants to have explained.
type explainInput struct {
	status int
	header http.Header // X-Ca-Error-Code, X-Ca-Error-Message, and what else came
	body   []byte
	row    catalog.Entry // where the id of a row was given, else without an ID
}

func runExplain(in *invocation, args []string) int {
	fs := in.flags("explain")
	asJSON := fs.Bool("json", false, "")
	status := fs.Int("status", 0, "")
	code := fs.String("code", "", "")
	message := fs.String("message", "", "")
	signedFile := fs.String("signed", "", "")
	rest, ok, exit := in.parse(fs, args, 1)
	if !ok {
		return exit
	}
	given := func(name string) bool { return isSet(fs, name) }

	// What was given decides where the answer comes from; --status may stand
	// beside everything, since a text alone can belong to two rows.
	input := explainInput{header: make(http.Header)}
	switch {
	case given("status") && (*status < 100 || *status > 999):
		return in.misuse("--status %d is no HTTP status; give one from 100 to 999", *status)
	case len(rest) == 1 && (given("code") || given("message")):
		return in.misuse("give either TEXT or --code and --message, not both")
	case len(rest) == 0 && !given("status") && strings.TrimSpace(*code+*message) == "":
		return in.misuse("nothing to explain: give a code, a text, or - for a response head on standard input, as in `curl -si URL | apigw explain -`")
	case len(rest) == 0:
		input.header.Set("X-Ca-Error-Code", *code)
		input.header.Set("X-Ca-Error-Message", *message)
	case strings.TrimSpace(rest[0]) == "":
		return in.misuse("the text to explain is empty")
	case rest[0] == "-":
		text, err := readSome(in.stdin)
		if err != nil {
			return in.misuse("standard input: %s", safeText(err))
		}
		if len(bytes.TrimSpace(text)) == 0 {
			return in.misuse("standard input is empty; did curl fail? Its flags for this are -si")
		}
		input = parseInput(text)
	default:
		input = parseInput([]byte(rest[0]))
	}
	if given("status") {
		input.status = *status
	}

	e, x := in.classify(input)
	var difference *signer.Diagnosis
	if *signedFile != "" {
		signed, err := readSigned(*signedFile)
		if err != nil {
			return in.misuse("--signed: %v", err)
		}
		text := input.header.Get("X-Ca-Error-Message")
		if difference, ok = signer.Diagnose(signed, text); !ok {
			return in.misuse("--signed: the response holds no string to sign (Server StringToSign:...) to compare with")
		}
	}
	if *asJSON {
		// The object has no field for the difference, which is prose.
		in.json(x)
		if difference != nil {
			fmt.Fprint(in.stderr, difference.Comparison())
		}
	} else {
		in.writeExplanation(e, x, input)
		if difference != nil {
			fmt.Fprintf(in.stdout, "\n%s", difference.Comparison())
		}
	}
	if x.ID != catalog.UnknownID {
		return exitOK
	}
	in.suggest(input)
	return exitUnknown
}

// classify asks the library. The error is nil where the response is none.
func (in *invocation) classify(input explainInput) (*apigw.Error, explanation) {
	if input.row.ID != "" {
		e := &apigw.Error{Entry: input.row, Code: input.row.Code, Status: input.row.Status, Origin: apigw.OriginGateway, Reached: input.row.Reached}
		return e, in.explain(e)
	}
	e, ok := apigw.Classify(input.status, input.header)
	if !ok {
		return nil, in.noError(input.status, input.header)
	}
	if e.Origin == apigw.OriginBackend {
		if row, ok := higressBody(input); ok {
			e.Entry, e.Reached, e.Origin = row, row.Reached, apigw.OriginGateway
		}
	}
	x := in.explain(e)
	if x.ID == catalog.UnknownID && !x.Inferred && input.status == 0 {
		// The library always has a status; here is a text alone.
		x.Meaning = in.t("not in the catalog; it may be a text of the API's provider", "错误目录中没有；可能是 API 提供方自定义的文本")
		x.Remedy = in.t("check the spelling, or show the whole head: curl -si URL | apigw explain -", "请检查拼写，或提供完整响应头：curl -si URL | apigw explain -")
	}
	return e, x
}

// labelWidth is the width of the labels of an explanation.
const labelWidth = 14

// higressBody recognises an error that Higress hmac-auth tells in the body and
// nowhere else. The transport does not do that: it never reads bodies.
func higressBody(input explainInput) (catalog.Entry, bool) {
	body := strings.TrimSpace(string(input.body[:min(len(input.body), 256)]))
	if body == "" {
		return catalog.Entry{}, false
	}
	for row := range catalog.All() {
		if row.Generation == catalog.GenerationHigress && row.Status == input.status && row.Message == body {
			return row, true
		}
	}
	return catalog.Entry{}, false
}

// parseInput reads a response head or, where it is none, the id of a row, a
// code, a status or a text, also a code and a status before the text, as they
// stand in logs.
func parseInput(text []byte) explainInput {
	if head, ok := parseHead(text); ok {
		return explainInput{status: head.status, header: head.header, body: head.body}
	}
	input := explainInput{header: make(http.Header)}
	message := strings.TrimSpace(string(bytes.TrimPrefix(text, byteOrderMark)))
	if n := len(message) - 1; n > 0 && message[0] == message[n] && strings.ContainsRune("\"'`", rune(message[0])) {
		message = strings.TrimSpace(message[1:n]) // pasted out of a log or a program
	}
	if row, ok := catalog.ByID(strings.ToLower(message)); ok {
		input.row = row
		return input
	}
	message = strings.TrimSpace(strings.TrimPrefix(message, "apigw:"))
	word, after, _ := strings.Cut(message, " ")
	if c := catalog.Code(strings.ToUpper(strings.TrimRight(word, ":,;"))); c.Valid() {
		input.header.Set("X-Ca-Error-Code", string(c))
		message = strings.TrimSpace(after)
		word, after, _ = strings.Cut(message, " ")
	}
	if n, err := strconv.Atoi(strings.TrimRight(word, ":,;")); err == nil && n >= 100 && n <= 599 {
		input.status = n
		message = strings.TrimSpace(after)
	}
	input.header.Set("X-Ca-Error-Message", message)
	return input
}

// readSome reads what can be a head and its short body, and lets the writer of
// a long body finish.
func readSome(r io.Reader) ([]byte, error) {
	text, err := io.ReadAll(io.LimitReader(r, 1<<20))
	if err == nil {
		_, err = io.Copy(io.Discard, r)
	}
	return text, err
}

// readSigned reads a string to sign: alone, or as "apigw sign" printed it. One
// newline at the end is that of the editor.
func readSigned(file string) (string, error) {
	data, err := os.ReadFile(file)
	if err != nil {
		return "", err
	}
	text := strings.ReplaceAll(string(data), "\r\n", "\n")
	if strings.HasPrefix(strings.TrimSpace(text), "{") {
		var printed struct {
			StringToSign string `json:"string_to_sign"`
		}
		if err := json.Unmarshal(data, &printed); err != nil || printed.StringToSign == "" {
			return "", fmt.Errorf("%s is JSON, but not that of `apigw sign --json`", file)
		}
		return printed.StringToSign, nil
	}
	if own, ok := strings.CutPrefix(text, stringToSignTitle+"\n"); ok {
		text, _, _ = strings.Cut(own, "\n"+headersTitle+"\n")
	}
	text = strings.TrimSuffix(text, "\n")
	if text == "" {
		return "", fmt.Errorf("%s is empty; it should hold the string that you signed", file)
	}
	return text, nil
}

// suggest names rows that may have been meant.
func (in *invocation) suggest(input explainInput) {
	message, code := input.header.Get("X-Ca-Error-Message"), input.header.Get("X-Ca-Error-Code")
	if message == "" && code == "" {
		fmt.Fprintln(in.stderr, in.t(
			"A status alone says little: 403 can be a rate limit, a quota, a bill or a signature. Show the whole head: curl -si URL | apigw explain -",
			"仅凭状态码难以判断：403 可能是限流、配额、欠费或签名问题。请提供完整响应头：curl -si URL | apigw explain -"))
		return
	}
	var names []string
	for row := range catalog.All() {
		names = append(names, row.ID)
		if row.Message != "" {
			names = append(names, row.Message)
		}
	}
	word := message
	if word == "" {
		word = code
	}
	if found := near(word, names); len(found) > 0 {
		fmt.Fprintf(in.stderr, in.t("did you mean: %s\n", "是否指：%s\n"), strings.Join(found, ", "))
	}
}

// writeExplanation prints an explanation for people. e is nil where there is
// no error.
func (in *invocation) writeExplanation(e *apigw.Error, x explanation, input explainInput) {
	title := []string{}
	if x.Code != "" {
		title = append(title, printable(x.Code))
	}
	if x.Status != 0 {
		title = append(title, strconv.Itoa(x.Status))
	}
	if m := in.shownMessage(e, input); m != "" {
		title = append(title, m)
	}
	if len(title) == 0 {
		title = append(title, x.ID)
	}
	c := red
	if x.ID == noErrorID {
		c = green
	}
	fmt.Fprintln(in.stdout, paint(in.colour, c, strings.Join(title, "  ")))

	line := func(en, zh, value string) {
		if value == "" {
			return
		}
		label := in.t(en, zh)
		fmt.Fprintf(in.stdout, "  %s%s%s\n", paint(in.colour, bold, label), strings.Repeat(" ", max(1, labelWidth-width(label))), value)
	}
	line("meaning", "含义", x.Meaning)
	line("remedy", "解决办法", x.Remedy)
	if e == nil {
		line("request id", "请求 ID", printable(x.RequestID))
		return
	}
	line("id", "编号", x.ID)
	line("class", "类别", x.Class)
	line("origin", "来源", in.originText(e.Origin))
	line("retry", "重试", in.retryText(e))
	reached := x.BackendReached
	if e.Reached == e.Entry.Reached && e.Entry.ReachedWhy != "" {
		reached += in.t(" ("+e.Entry.ReachedWhy+")", "")
	}
	line("backend ran", "后端执行", reached)
	if e.Entry.Fixer != catalog.PartyUnknown {
		line("mended by", "由谁解决", e.Entry.Fixer.String())
	}
	line("confidence", "可信度", in.confidenceText(e))
	line("source", "出处", e.Entry.Source)
	line("request id", "请求 ID", printable(x.RequestID))
	for _, p := range e.Params {
		if p.Name != "StringToSign" {
			line(p.Name, p.Name, printable(p.Value))
		}
	}
	if text, ok := signer.ServerStringToSign(input.header.Get("X-Ca-Error-Message")); ok {
		in.writeStringToSign(text)
	}
}

// mostShown is how many characters of a text are shown. A longer one is none of
// the gateway.
const mostShown = 400

// shownMessage is the text of the gateway without its string to sign, which
// follows in lines; the wording of the catalog where none was given.
func (in *invocation) shownMessage(e *apigw.Error, input explainInput) string {
	message := input.header.Get("X-Ca-Error-Message")
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
	}
	return in.t("unknown: the provider may have written this text, after the backend ran", "unknown（可能是 API 提供方自定义的文本，后端可能已执行）")
}

// retryText says what the transport does with such an error by default, and for
// which methods.
func (in *invocation) retryText(e *apigw.Error) string {
	switch {
	case e.Entry.Class == catalog.ClassThrottled:
		return in.t("wait: stopped at once, unless a policy allows to wait (MaxThrottleWait)", "wait：默认不重试；策略允许时等待后重试（MaxThrottleWait）")
	case e.Entry.Retry == catalog.RetryNo:
		return in.t("no: another attempt fails the same way", "no：重试结果相同")
	case e.Reached == catalog.ReachedNo:
		return in.t(e.Entry.Retry.String()+": every method", e.Entry.Retry.String()+"：所有方法均重试")
	}
	return in.t(e.Entry.Retry.String()+": GET and the like; POST and PATCH not, they may have run", e.Entry.Retry.String()+"：GET 等方法重试；POST、PATCH 可能已执行，不重试")
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
