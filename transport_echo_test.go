package apigw

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"
)

// secretPlaces are the places of a request that hold a secret, each with the
// forms in which a server may echo it.
var secretPlaces = map[string]struct {
	put    func(*http.Request)
	echoes []string
}{
	"custom header": {header("X-My-Key", "tops3cret-header"), []string{"tops3cret-header", "TOPS3CRET-HEADER"}},
	"AppCode": {header("Authorization", "APPCODE tops3cretappcode00"),
		[]string{"tops3cretappcode00", "APPCODE tops3cretappcode00"}},
	"Bearer":    {header("authorization", "Bearer tops3cret.bearer"), []string{"tops3cret.bearer"}},
	"Basic":     {header("Authorization", basic), []string{basic, "tops3cret-user", "tops3cret-password"}},
	"proxy":     {header("Proxy-Authorization", basic), []string{"tops3cret-password"}},
	"signature": {header("X-Ca-Signature", "tops3cretc2lnbmF0dXJl="), []string{"tops3cretc2lnbmF0dXJl="}},
	"AppKey":    {header("X-Ca-Key", "tops3cret203753385"), []string{"tops3cret203753385"}},
	"cookie":    {header("Cookie", `a=b; session="tops3cret-cookie"`), []string{"tops3cret-cookie"}},
	"query": {query("token=tops3cret-9f8e&env=tops3cret"),
		[]string{"tops3cret-9f8e", "token=tops3cret-9f8e&env=tops3cret"}},
	"escaped query": {query("token=tops3cret%20a%26b"),
		[]string{"tops3cret a&b", "tops3cret%20a%26b", "tops3cret+a%26b", "tops3cret a&amp;b"}},
	"query in the path":   {path("/v1/x?token=tops3cret-path"), []string{"tops3cret-path"}},
	"password in the URL": {user("me", "tops3cret-url"), []string{"tops3cret-url"}},
	"form": {body("application/x-www-form-urlencoded", "pin=tops3cret-form&b=c"),
		[]string{"tops3cret-form"}},
	"escaped form": {body("application/x-www-form-urlencoded", "pin=tops3cret%21form"),
		[]string{"tops3cret!form", "tops3cret%21form"}},
	"JSON":                 {body("application/json", `{"pin":["tops3cret-json"]}`), []string{"tops3cret-json"}},
	"same form as a code":  {header("X-Pin", "T0PS3C"), []string{"T0PS3C", "t0ps3c"}},
	"a word like a secret": {query("a=tops3cret"), []string{"tops3cret"}},
}

var basic = "Basic " + base64.StdEncoding.EncodeToString([]byte("tops3cret-user:tops3cret-password"))

func header(name, value string) func(*http.Request) {
	return func(r *http.Request) { r.Header[name] = []string{value} }
}
func query(raw string) func(*http.Request) { return func(r *http.Request) { r.URL.RawQuery = raw } }
func path(p string) func(*http.Request)    { return func(r *http.Request) { r.URL.Path = p } }
func user(name, password string) func(*http.Request) {
	return func(r *http.Request) { r.URL.User = url.UserPassword(name, password) }
}
func body(contentType, text string) func(*http.Request) {
	return func(r *http.Request) {
		r.Header.Set("Content-Type", contentType)
		r.ContentLength = int64(len(text))
		r.GetBody = func() (io.ReadCloser, error) { return io.NopCloser(strings.NewReader(text)), nil }
		r.Body, _ = r.GetBody()
	}
}

// answersThatEcho are the places of a response that can echo a secret.
var answersThatEcho = map[string]func(secret string) answer{
	"unknown text":     func(s string) answer { return answer{status: 403, message: "refused " + s + " now"} },
	"known text":       func(s string) answer { return answer{status: 403, message: "User Arrears " + s} },
	"name of a header": func(s string) answer { return answer{status: 400, message: "Header `" + s + "` is Required"} },
	"reason": func(s string) answer {
		return answer{status: 504, code: "D504CO", message: "Backend service connect failed `" + s + "`"}
	},
	"string to sign": func(s string) answer {
		return answer{status: 400, message: "Invalid Signature, Server StringToSign:`GET#" + s + "#/x`"}
	},
	"code":       func(s string) answer { return answer{status: 403, code: s, message: "x"} },
	"request id": func(s string) answer { return answer{status: 403, header: http.Header{headerRequestID: {s}}} },
	"error":      func(s string) answer { return answer{err: fmt.Errorf("cannot send %s", s)} },
	"error of a URL": func(s string) answer {
		return answer{err: &url.Error{Op: "Get", URL: "http://h/?" + s,
			Err: io.EOF}}
	},
	"malformed": func(s string) answer { return answer{err: fmt.Errorf("malformed HTTP status code %q", s)} },
}

// Nothing that the request carried is shown, wherever a server echoes it, and
// whatever a program does with what it gets.
func TestNoEchoIsShown(t *testing.T) {
	for place, p := range secretPlaces {
		for where, answer := range answersThatEcho {
			t.Run(place+" in "+where, func(t *testing.T) {
				for _, echo := range p.echoes {
					for output, text := range outputsOf(t, p.put, answer(echo)) {
						if lower := strings.ToLower(text); strings.Contains(lower, "tops3cret") ||
							strings.Contains(lower, "t0ps3c") {
							t.Errorf("%s shows %q: %s", output, echo, text)
						}
					}
				}
			})
		}
	}
}

// outputsOf makes a call and returns all that a program can print of it.
func outputsOf(t *testing.T, put func(*http.Request), a answer) map[string]string {
	t.Helper()
	req := newRequest(t, http.MethodGet, "")
	put(req)
	var zapped, slogged bytes.Buffer
	var attempt Attempt
	var result Result
	tr := &Transport{
		Base:   serve(a),
		Policy: RetryPolicy{MaxAttempts: 1},
		Logger: zap.New(zapcore.NewCore(zapcore.NewJSONEncoder(zap.NewProductionEncoderConfig()),
			zapcore.AddSync(&zapped), zap.DebugLevel)),
		Slog:      slog.New(slog.NewTextHandler(&slogged, &slog.HandlerOptions{Level: slog.LevelDebug})),
		OnAttempt: func(_ *http.Request, a Attempt) { attempt = a },
		OnDone:    func(_ *http.Request, r Result) { result = r },
	}
	ctx, recorder := WithRecorder(req.Context())
	resp, err := tr.RoundTrip(req.WithContext(ctx))
	if err == nil {
		resp.Body.Close()
	}
	e := result.Err
	if e == nil {
		t.Fatal("got no error")
	}
	outputs := map[string]string{"Error": e.Error(), "SafeMessage": e.SafeMessage(), "zap": zapped.String(),
		"slog": slogged.String()}
	for name, v := range map[string]any{"*Error": e, "Error": *e, "Attempt": attempt, "Result": result,
		"Recorder": recorder, "attempts": e.Attempts} {
		for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%d"} {
			outputs[name+" "+verb] = fmt.Sprintf(verb, v)
		}
		text, err := json.Marshal(v)
		if err != nil {
			t.Fatal(err)
		}
		outputs[name+" JSON"] = string(text)
		var any bytes.Buffer
		zap.New(zapcore.NewCore(zapcore.NewJSONEncoder(zapcore.EncoderConfig{}), zapcore.AddSync(&any),
			zap.DebugLevel)).Info("", zap.Any("v", v))
		outputs[name+" zap.Any"] = any.String()
		any.Reset()
		slog.New(slog.NewJSONHandler(&any, nil)).Info("", "v", v)
		outputs[name+" slog"] = any.String()
	}
	return outputs
}

// What is shown still says what happened.
func TestPrintedFormsSayWhatHappened(t *testing.T) {
	outputs := outputsOf(t, func(*http.Request) {},
		answer{status: 403, code: "B403MQ", message: "Api Market Subscription quota exhausted"})
	for output, want := range map[string]string{
		"Error %+v": "B403MQ 403", "Error JSON": `"code":"B403MQ"`, "Attempt %+v": "attempt 1: 403 B403MQ after ",
		"Attempt JSON": `"status":403`,
		"Result %#v":   "B403MQ 403", "Result JSON": `"host":"api.example.com"`,
		"Recorder %+v": "apigw.Recorder(1 results)", "Result slog": `"code":"B403MQ"`,
		"Attempt zap.Any": `"status":403`,
	} {
		if got := outputs[output]; !strings.Contains(got, want) {
			t.Errorf("%s: got %q, want %q in it", output, got, want)
		}
	}
}
