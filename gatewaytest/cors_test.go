package gatewaytest_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/apigw-go/apigw/catalog"
	"github.com/apigw-go/apigw/gatewaytest"
)

func TestCORS(t *testing.T) {
	const page = "https://www.example.com"
	for name, tt := range map[string]struct {
		origins         []string
		method, target  string
		origin, asks    string
		want, allowed   string
		executed, route int
	}{
		"preflight of anybody":  {nil, "OPTIONS", "/orders", page, "POST", "200", "*", 0, 1},
		"preflight of the page": {[]string{page}, "OPTIONS", "/orders", page, "POST", "200", page, 0, 1},
		"preflight of another page": {[]string{"https://other.example"}, "OPTIONS", "/orders", page, "POST",
			"403 A403CO", "", 0, 1},
		"preflight for no API":        {nil, "OPTIONS", "/orders", page, "DELETE", "404 I404CO", "*", 0, 0},
		"OPTIONS of its own":          {nil, "OPTIONS", "/own", page, "POST", "200", "*", 1, 0},
		"OPTIONS that is no question": {nil, "OPTIONS", "/orders", page, "", "404 I404NF", "*", 0, 0},
		"call of anybody":             {nil, "POST", "/orders", page, "", "400 I400MH", "*", 0, 1},
		"call of another page": {[]string{"https://other.example"}, "GET", "/open", page, "", "403 A403CO", "",
			0, 0},
		"call of the page":   {[]string{page}, "GET", "/open", page, "", "200", page, 1, 0},
		"call of no browser": {[]string{page}, "GET", "/open", "", "", "200", "", 1, 0},
	} {
		t.Run(name, func(t *testing.T) {
			g := &gatewaytest.Gateway{Dialect: catalog.GenerationVPC, Origins: tt.origins, Routes: []gatewaytest.Route{
				{Pattern: "POST /orders"}, {Pattern: "OPTIONS /own", Auth: gatewaytest.AuthNone}, {Pattern: "/open",
					Auth: gatewaytest.AuthNone}}}
			r := httptest.NewRequest(tt.method, tt.target, nil)
			for name, value := range map[string]string{
				"Origin": tt.origin, "Access-Control-Request-Method": tt.asks,
				"Access-Control-Request-Headers": "x-ca-key",
			} {
				if value != "" {
					r.Header.Set(name, value)
				}
			}
			w := httptest.NewRecorder()
			g.ServeHTTP(w, r)
			h := w.Header()
			got := fmt.Sprint(w.Code)
			if code := h.Get("X-Ca-Error-Code"); code != "" {
				got += " " + code
			}
			if got != tt.want || h.Get("Access-Control-Allow-Origin") != tt.allowed {
				t.Errorf("got %s and the origin %q, want %s and %q", got, h.Get("Access-Control-Allow-Origin"), tt.want,
					tt.allowed)
			}
			preflight := tt.asks != "" && tt.target != "/own"
			if asked := h.Get("Access-Control-Allow-Headers"); (asked == "x-ca-key") != (preflight &&
				w.Code == http.StatusOK) {
				t.Errorf("got the allowed headers %q", asked)
			}
			if got := g.Counts().Executed; got != tt.executed {
				t.Errorf("got %d executions, want %d", got, tt.executed)
			}
			if got := g.RouteCounts("POST /orders").Received; got != tt.route {
				t.Errorf("got %d requests of the route, want %d", got, tt.route)
			}
		})
	}
}
