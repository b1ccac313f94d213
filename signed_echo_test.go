package apigw_test

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"testing"

	"github.com/apigw-go/apigw"
	"github.com/apigw-go/apigw/signer"
	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"
)

// rawEchoes are answers that repeat what a signer below the Transport added, also
// ones that net/http refuses and quotes in its errors.
var rawEchoes = map[string]string{
	"unknown text":             "HTTP/1.1 403 Forbidden\r\nX-Ca-Error-Message: refused %s now\r\nContent-Length: 0\r\n\r\n",
	"code":                     "HTTP/1.1 403 Forbidden\r\nX-Ca-Error-Code: %s\r\nContent-Length: 0\r\n\r\n",
	"request id":               "HTTP/1.1 403 Forbidden\r\nX-Ca-Request-Id: %s\r\nContent-Length: 0\r\n\r\n",
	"status line":              "HTTP/1.1 %s\r\n\r\n",
	"protocol":                 "%s 200 OK\r\n\r\n",
	"no HTTP":                  "%s\r\n\r\n",
	"Content-Length":           "HTTP/1.1 200 OK\r\nContent-Length: %s\r\n\r\n",
	"two Content-Lengths":      "HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: %s\r\n\r\n",
	"Transfer-Encoding":        "HTTP/1.1 200 OK\r\nTransfer-Encoding: %s\r\n\r\n",
	"line without a colon":     "HTTP/1.1 200 OK\r\n%s\r\n\r\n",
	"continuation at the head": "HTTP/1.1 200 OK\r\n %s\r\n\r\n",
	"trailer":                  "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTrailer: Content-Length %s\r\n\r\n0\r\n\r\n",
	"reason":                   "HTTP/1.1 504 %[1]s\r\nX-Ca-Error-Code: D504CO\r\nX-Ca-Error-Message: Backend service connect failed `%[1]s`\r\nContent-Length: 0\r\n\r\n",
	"JSON":                     "HTTP/1.1 401 Unauthorized\r\nContent-Type: application/json\r\nContent-Length: 200\r\n\r\n{\"code\":\"%s\",\"message\":\"%[1]s\"}",
}

// echoing answers each request with a text made of what secretOf finds in it.
func echoing(t *testing.T, format string, secretOf func(*http.Request) string) (host string, seen func() string) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	secrets := make(chan string, 16)
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			if r, err := http.ReadRequest(bufio.NewReader(c)); err == nil {
				secret := secretOf(r)
				fmt.Fprintf(c, format, secret)
				secrets <- secret
			}
			c.Close()
		}
	}()
	return l.Addr().String(), func() string { return <-secrets }
}

// What only a signer put on the wire is masked as well, with a response and
// without one.
func TestNoEchoOfASignerIsShown(t *testing.T) {
	for name, c := range map[string]struct {
		signer   *signer.Signer
		secretOf func(*http.Request) string
	}{
		"signature": {&signer.Signer{AppKey: "203753385", AppSecret: "not-a-secret"},
			func(r *http.Request) string { return r.Header.Get("X-Ca-Signature") }},
		"AppKey": {&signer.Signer{AppKey: "203753385", AppSecret: "not-a-secret"},
			func(r *http.Request) string { return r.Header.Get("X-Ca-Key") }},
		"AppCode": {&signer.Signer{AppCode: "tops3cretappcode00"}, func(r *http.Request) string {
			return strings.TrimPrefix(r.Header.Get("Authorization"), "APPCODE ")
		}},
		"AppCode in the query": {&signer.Signer{AppCode: "tops3cretappcode00", AppCodeParameter: "AppCode"},
			func(r *http.Request) string {
				return r.URL.Query().Get("AppCode")
			}},
	} {
		for where, format := range rawEchoes {
			t.Run(name+" in "+where, func(t *testing.T) {
				host, seen := echoing(t, format, c.secretOf)
				base := &http.Transport{DisableKeepAlives: true}
				s := &signer.Signer{
					AppKey: c.signer.AppKey, AppSecret: c.signer.AppSecret, AppCode: c.signer.AppCode,
					AppCodeParameter: c.signer.AppCodeParameter, Hosts: []string{host}, Base: base,
				}
				shown := shownOf(t, s, "http://"+host+"/v1/x")
				secret := seen()
				for output, text := range shown {
					if name == "AppKey" && (output == "Signer" || output == "Transport") {
						continue // a Signer says whose it is
					}
					if secret == "" || strings.Contains(strings.ToLower(text), strings.ToLower(secret)) {
						t.Errorf("%s shows %q: %s", output, secret, text)
					}
				}
			})
		}
	}
}

// shownOf makes a call and returns what a program can print of it.
func shownOf(t *testing.T, base http.RoundTripper, url string) map[string]string {
	t.Helper()
	var zapped, slogged bytes.Buffer
	outputs := map[string]string{}
	show := func(name string, v any) {
		outputs[name] += fmt.Sprintf("%v %+v %#v %q\n", v, v, v, v)
		if text, err := json.Marshal(v); err == nil {
			outputs[name+" JSON"] += string(text)
		}
	}
	tr := &apigw.Transport{
		Base: base, Policy: apigw.RetryPolicy{MaxAttempts: 1},
		Logger: zap.New(zapcore.NewCore(zapcore.NewJSONEncoder(zap.NewProductionEncoderConfig()),
			zapcore.AddSync(&zapped), zap.DebugLevel)),
		Slog:      slog.New(slog.NewTextHandler(&slogged, &slog.HandlerOptions{Level: slog.LevelDebug})),
		OnAttempt: func(_ *http.Request, a apigw.Attempt) { show("Attempt", a) },
		OnDone:    func(_ *http.Request, r apigw.Result) { show("Result", r) },
	}
	ctx, recorder := apigw.WithRecorder(context.Background())
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		t.Fatal(err)
	}
	resp, err := tr.RoundTrip(req)
	if err == nil {
		io.Copy(io.Discard, resp.Body)
		resp.Body.Close()
		if d, ok := signer.FromResponse(resp); ok {
			show("Diagnosis", d)
		}
	} else {
		show("error", err)
	}
	if e, ok := recorder.Last(); ok {
		show("Error", e)
		outputs["SafeMessage"] = e.SafeMessage()
	}
	show("Recorder", recorder)
	show("Transport", tr)
	show("Signer", base)
	outputs["zap"], outputs["slog"] = zapped.String(), slogged.String()
	return outputs
}

// A success shows no echo either: its request id is logged.
func TestNoEchoOfASuccessIsShown(t *testing.T) {
	const success = "HTTP/1.1 200 OK\r\nX-Ca-Request-Id: %s\r\nContent-Length: 0\r\n\r\n"
	host, seen := echoing(t, success, func(r *http.Request) string {
		return strings.TrimPrefix(r.Header.Get("Authorization"), "APPCODE ")
	})
	s := &signer.Signer{AppCode: "tops3cretappcode00", Hosts: []string{host},
		Base: &http.Transport{DisableKeepAlives: true}}
	shown := shownOf(t, s, "http://"+host+"/v1/x")
	secret := seen()
	for output, text := range shown {
		if secret == "" || strings.Contains(text, secret) {
			t.Errorf("%s shows %q: %s", output, secret, text)
		}
	}
	if !strings.Contains(shown["slog"], "apigw: attempt") {
		t.Errorf("the attempt was not logged: %q", shown["slog"])
	}
}
