package gatewaytest_test

import (
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"

	"github.com/apigw-go/apigw/catalog"
	"github.com/apigw-go/apigw/gatewaytest"
)

// A script says what happens to one request after the other.
func Example() {
	g := &gatewaytest.Gateway{Routes: []gatewaytest.Route{{
		Pattern: "POST /orders",
		Auth:    gatewaytest.AuthNone,
		Script: []gatewaytest.Outcome{
			{Error: "D504CO"},
			{Drop: gatewaytest.DropAfterBackend},
		},
	}}}
	s := gatewaytest.NewServer(g)
	defer s.Close()

	for range 3 {
		resp, err := s.Client().Post(s.URL+"/orders", "text/plain", strings.NewReader("two apples"))
		if err != nil {
			fmt.Println("no answer")
			continue
		}
		resp.Body.Close()
		fmt.Printf("%d %q\n", resp.StatusCode, resp.Header.Get("X-Ca-Error-Message"))
	}
	fmt.Printf("%+v\n", g.Counts()) // the lost answer hid an execution
	// Output:
	// 504 "Backend service connect failed `Timeout connecting to 192.0.2.1:8080`"
	// no answer
	// 200 ""
	// {Received:3 Executed:2}
}

// The gateway checks AppCodes and signatures and answers in its dialect.
func ExampleGateway() {
	s := gatewaytest.NewServer(&gatewaytest.Gateway{Dialect: catalog.GenerationVPC})
	defer s.Close()

	for _, code := range []string{"mistyped", gatewaytest.DefaultAppCode} {
		req, err := http.NewRequest("GET", s.URL+"/items", nil)
		if err != nil {
			fmt.Println(err)
			return
		}
		req.Header.Set("Authorization", "APPCODE "+code)
		resp, err := s.Client().Do(req)
		if err != nil {
			fmt.Println(err)
			return
		}
		resp.Body.Close()
		fmt.Println(resp.StatusCode, resp.Header.Get("X-Ca-Error-Code"), resp.Header.Get("X-Ca-Error-Message"))
	}
	// Output:
	// 400 A400AC Invalid AppCode `not exists`
	// 200
}

// Errors in a script say where they are and what to write.
func ExampleParseScript() {
	_, err := gatewaytest.ParseScript([]byte(`{"routes": [
  {"pattern": "POST /orders", "script": [{"eror": "D504CO"}]}
]}`), "outage.json")
	fmt.Println(err)
	// Output:
	// outage.json:2:43: unknown field "eror": did you mean "error"?
}

func ExampleErrorRows() {
	s := gatewaytest.NewServer(gatewaytest.ErrorRows())
	defer s.Close()
	resp, err := s.Client().Get(s.URL + "/errors/I400MH?HeaderName=X-Tenant")
	if err != nil {
		fmt.Println(err)
		return
	}
	resp.Body.Close()
	fmt.Println(resp.Status, resp.Header.Get("X-Ca-Error-Code"), resp.Header.Get("X-Ca-Error-Message"))
	// Output:
	// 400 Bad Request I400MH Header `X-Tenant` is Required
}

// Limits count as the gateway may: here at most two calls in any second, and
// three in a minute of the clock.
func ExampleGateway_limits() {
	g := &gatewaytest.Gateway{Routes: []gatewaytest.Route{{
		Pattern: "GET /quotes/{id}",
		Auth:    gatewaytest.AuthNone,
		Limits: []gatewaytest.Limit{
			{Calls: 2, Window: time.Second, Kind: gatewaytest.SlidingLog},
			{Calls: 3, Window: time.Minute, Kind: gatewaytest.AlignedWindow},
		},
	}}}
	s := gatewaytest.NewServer(g)
	defer s.Close()

	for range 3 {
		resp, err := s.Client().Get(s.URL + "/quotes/7")
		if err != nil {
			fmt.Println(err)
			return
		}
		resp.Body.Close()
		fmt.Printf("%d %q\n", resp.StatusCode, resp.Header.Get("X-Ca-Error-Message"))
	}
	// Output:
	// 200 ""
	// 200 ""
	// 403 "Throttled by API Flow Control"
}

// A gateway of the newer generation: an API key, and a limit that names the
// seconds after which to come back.
func ExamplePlugins() {
	g := &gatewaytest.Gateway{
		Dialect: catalog.GenerationHigress,
		Plugins: gatewaytest.Plugins{Auth: gatewaytest.KeyAuth},
		Routes:  []gatewaytest.Route{{Pattern: "/", Limits: []gatewaytest.Limit{{Calls: 1, Window: time.Hour}}}},
	}
	s := gatewaytest.NewServer(g)
	defer s.Close()

	for _, key := range []string{"mistyped", gatewaytest.DefaultAppCode, gatewaytest.DefaultAppCode} {
		req, err := http.NewRequest("GET", s.URL, nil)
		if err != nil {
			fmt.Println(err)
			return
		}
		req.Header.Set("X-Api-Key", key)
		resp, err := s.Client().Do(req)
		if err != nil {
			fmt.Println(err)
			return
		}
		body, err := io.ReadAll(resp.Body)
		resp.Body.Close()
		fmt.Println(resp.StatusCode, resp.Header.Get("X-Ratelimit-Reset"), string(body), err)
	}
	// Output:
	// 403  Request denied by Key Auth check. Unauthorized consumer. <nil>
	// 200  {"method":"GET","path":"/","bytes":0} <nil>
	// 429 3600 Too many requests <nil>
}
