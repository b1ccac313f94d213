package gatewaytest_test

import (
	"bufio"
	"bytes"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/apigw-go/apigw/catalog"
	"github.com/apigw-go/apigw/gatewaytest"
)

// What the parser accepts, a gateway can play.
func FuzzParseScript(f *testing.F) {
	for _, seed := range []string{
		`{"routes":[{"pattern":"POST /orders","script":[{"error":"classic.service-unavailable"},{"drop":"after-backend"},{"status":200}]}]}`,
		`{"routes":[{"pattern":"/{id}","auth":"appcode","maxBody":1,"script":[{"status":503,"body":"x","dripBytes":1,"times":-1}]}]}`,
		`{"routes":[{"pattern":"/a/{x}"},{"pattern":"/{y}/b"}]}`, `{"routes":[{"pattern":"/`, `{"routes":{}}`,
		"\xef\xbb\xbf{}", `{"\ud800":[]}`,
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		routes, err := gatewaytest.ParseScript(data, "fuzz")
		if err != nil {
			if !strings.HasPrefix(err.Error(), "fuzz:") {
				t.Errorf("got %v, want a place first", err)
			}
			return
		}
		g := &gatewaytest.Gateway{Routes: append([]gatewaytest.Route{}, routes...)}
		defer func() {
			if v := recover(); v != nil && v != http.ErrAbortHandler {
				t.Errorf("the gateway panics: %v", v)
			}
		}()
		for i := range g.Routes {
			for j := range g.Routes[i].Script { // nothing that takes time
				o := &g.Routes[i].Script[j]
				o.Delay, o.DripEvery = 0, 0
			}
			g.Routes[i].Latency = 0
		}
		g.ServeHTTP(httptest.NewRecorder(), httptest.NewRequest("GET", "/", nil))
	})
}

// Whatever arrives gets an answer with a status, and an answer that net/http
// can send.
func FuzzGateway(f *testing.F) {
	const signed = "X-Ca-Key: 203753385\r\nX-Ca-Signature: YQ==\r\nX-Ca-Timestamp: 1\r\n"
	for _, seed := range []string{
		"GET / HTTP/1.1\r\nHost: a\r\n\r\n",
		"GET /a?b=%0A%00%ff HTTP/1.1\r\nHost: a\r\n" + signed + "\r\n",
		"POST //x/../y?q HTTP/1.1\r\nHost: a:1\r\nX-Ca-Key: 203753385\r\nX-Ca-Signature: x\r\nX-Ca-Signature-Headers: ,a, ,\r\n" +
			"Content-Type: application/x-www-form-urlencoded\r\nContent-Length: 5\r\n\r\n%%%&=",
		"OPTIONS * HTTP/1.1\r\nHost: a\r\nAuthorization: APPCODE \r\n\r\n",
		"CONNECT a:1 HTTP/1.1\r\nHost: a\r\nDate: x\r\n" + signed + "\r\n",
		"OPTIONS /a HTTP/1.1\r\nHost: a\r\nOrigin: b\r\nAccess-Control-Request-Method: \x7f\r\nAccess-Control-Request-Headers: x\r\n\r\n",
		"GET /a?x-api-key=1 HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer e30.e30.\r\nX-Higress-Nonce: 12345678\r\nx-api-key: fakegatewayappcode\r\n\r\n",
		"BREW http://b/c HTTP/1.0\r\nX-Ca-Request-Mode: debug\r\nX-Ca-Stage: \xff\r\n\r\n",
	} {
		for settings := range uint8(8) {
			f.Add([]byte(seed), settings)
		}
	}
	f.Fuzz(func(t *testing.T, wire []byte, settings uint8) {
		req, err := http.ReadRequest(bufio.NewReader(bytes.NewReader(wire)))
		if err != nil {
			return
		}
		g := &gatewaytest.Gateway{Dialect: catalog.Generation(settings % 4)}
		if settings%8 > 3 {
			g.Dialect, g.Plugins.Auth = catalog.GenerationHigress, gatewaytest.AuthPlugin(settings%4)
			g.Plugins.Replay, g.Plugins.DateOffset = &gatewaytest.ReplayProtection{Optional: true}, time.Minute
			g.Origins, g.BasePath = []string{"b"}, "/a"
		}
		answer := httptest.NewRecorder()
		defer func() {
			// A body that is cut off is the one thing without an answer.
			if v := recover(); v != nil && v != http.ErrAbortHandler {
				t.Errorf("the gateway panics: %v", v)
			}
		}()
		g.ServeHTTP(answer, req)
		if answer.Code < 200 || answer.Code > 599 {
			t.Errorf("got the status %d", answer.Code)
		}
		for name, values := range answer.Result().Header {
			if i := strings.IndexFunc(values[0], func(r rune) bool { return r < ' ' || r == 0x7f }); i >= 0 {
				t.Errorf("%s: got a control character in %q", name, values[0])
			}
		}
	})
}
