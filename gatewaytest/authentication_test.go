package gatewaytest_test

import (
	"strings"
	"testing"

	"github.com/apigw-go/apigw/catalog"
	"github.com/apigw-go/apigw/gatewaytest"
)

func TestAppCodeInItsPlaces(t *testing.T) {
	const code, unknown = gatewaytest.DefaultAppCode, "400 A400AC Invalid AppCode `not exists`"
	const nothing = "400 I400MH Header `X-Ca-Key` is Required"
	header := func(value string) map[string]string { return map[string]string{"Authorization": value} }
	for name, tt := range map[string]struct {
		param  string
		path   string
		header map[string]string
		want   string
	}{
		"header":                      {header: header("APPCODE " + code), want: served},
		"header in small letters":     {header: header("appcode " + code), want: served},
		"header in mixed case":        {header: header("AppCode " + code), want: served},
		"header with two blanks":      {header: header("APPCODE  " + code), want: served},
		"header without a blank":      {header: header("APPCODE" + code), want: nothing},
		"header without a code":       {header: header("APPCODE"), want: unknown},
		"another scheme":              {header: header("Bearer " + code), want: nothing},
		"query":                       {path: "/items?AppCode=" + code, want: served},
		"query, escaped":              {path: "/items?AppCode=%66" + code[1:], want: served},
		"query, wrong":                {path: "/items?AppCode=wrong", want: unknown},
		"query of another name":       {path: "/items?appcode=" + code, want: nothing},
		"query of a name that is set": {param: "appcode", path: "/items?appcode=" + code, want: served},
		"query switched off":          {param: "-", path: "/items?AppCode=" + code, want: nothing},
		"the header counts":           {path: "/items?AppCode=" + code, header: header("APPCODE wrong"), want: unknown},
	} {
		t.Run(name, func(t *testing.T) {
			g := &gatewaytest.Gateway{Dialect: catalog.GenerationVPC, AppCodeParam: tt.param}
			if got := show(request{unsigned: true, path: tt.path, header: tt.header}.do(t, g)); got != tt.want {
				t.Errorf("got %s, want %s", got, tt.want)
			}
			if path := g.Log()[0].Path; strings.Contains(path, "?") {
				t.Errorf("the log has the query: %s", path)
			}
		})
	}
}

// Node reads 16 KiB of headers, all together.
func TestErrorTextIsShort(t *testing.T) {
	q := request{path: "/items?a=" + strings.Repeat("x", 20<<10), key: gatewaytest.DefaultAppKey, secret: "wrong"}
	for _, dialect := range []catalog.Generation{catalog.GenerationClassic, catalog.GenerationVPC,
		catalog.GenerationHigress} {
		h := q.do(t, &gatewaytest.Gateway{Dialect: dialect, Now: newClock().now}).Header
		if got := len(h.Get("X-Ca-Error-Message")); got == 0 || got > 8<<10 {
			t.Errorf("%v: got %d bytes of text, want at most %d", dialect, got, 8<<10)
		}
		var all strings.Builder
		h.Write(&all)
		if all.Len() > 12<<10 {
			t.Errorf("%v: got %d bytes of headers", dialect, all.Len())
		}
	}
}

func TestRouteTakesOneKindOfCredentials(t *testing.T) {
	code := map[string]string{"Authorization": "APPCODE " + gatewaytest.DefaultAppCode}
	for auth, want := range map[gatewaytest.Auth][2]int{ // of a signature, of an AppCode
		gatewaytest.AuthApp: {200, 200}, gatewaytest.AuthSignature: {200, 400}, gatewaytest.AuthAppCode: {400, 200},
		gatewaytest.AuthNone: {200, 200},
	} {
		g := &gatewaytest.Gateway{Now: newClock().now, Routes: []gatewaytest.Route{{Pattern: "/", Auth: auth}}}
		got := [2]int{request{}.do(t, g).StatusCode, request{unsigned: true, header: code}.do(t, g).StatusCode}
		if got != want {
			t.Errorf("%v: got %v, want %v", auth, got, want)
		}
	}
}
