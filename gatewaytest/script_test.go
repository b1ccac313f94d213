package gatewaytest_test

import (
	"net/http"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/apigw-go/apigw/gatewaytest"
)

func TestParseScript(t *testing.T) {
	const script = `{"routes": [
  {"pattern": "POST /orders", "auth": "none", "max_body": 10, "latency": "1s", "timeout": "2s", "script": [
    {"error": "D504CO", "params": {"Reason": "Connection is closed"}, "retry_after": "3", "times": -1},
    {"drop": "after-backend", "reset": true, "delay": "1.5s"},
    {"status": 200, "body": "done", "header": {"X-A": "1"}, "drip_bytes": 2, "drip_every": "10ms"}
  ]},
  {"pattern": "/"}
]}`
	want := []gatewaytest.Route{
		{
			Pattern: "POST /orders", Auth: gatewaytest.AuthNone, MaxBody: 10, Latency: time.Second, Timeout: 2 * time.Second,
			Script: []gatewaytest.Outcome{
				{Error: "D504CO", Params: map[string]string{"Reason": "Connection is closed"}, RetryAfter: "3", Times: -1},
				{Drop: gatewaytest.DropAfterBackend, Reset: true, Delay: 1500 * time.Millisecond},
				{Status: 200, Body: "done", Header: http.Header{"X-A": {"1"}}, DripBytes: 2, DripEvery: 10 * time.Millisecond},
			},
		},
		{Pattern: "/"},
	}
	got, err := gatewaytest.ParseScript([]byte(script), "script.json")
	if err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("got %+v %v, want %+v", got, err, want)
	}
}

func TestParseScriptErrors(t *testing.T) {
	// outcome puts o where an outcome belongs; it begins in column 41.
	outcome := func(o string) string { return `{"routes":[{"pattern":"/a","script":    [` + o + `]}]}` }
	for name, tt := range map[string]struct{ script, want string }{
		"empty":                {``, `s:1:1: the file is empty: write {"routes"`},
		"not an object":        {`[]`, `s:1:1: the script is a list; write an object`},
		"no routes":            {`{}`, `no "routes"`},
		"cut off":              {`{"routes":[`, `s:1:12: not JSON: unexpected end of JSON input: a quote, bracket`},
		"not JSON":             {"{\n  \"routes\": x}", `s:2:13: not JSON`},
		"more behind":          {"{\"routes\":[]}\n{}", `s:2:1: not JSON: invalid character '{' after top-level value: take out`},
		"unknown top field":    {`{"route":[]}`, `s:1:2: unknown field "route" in the script; did you mean "routes"?`},
		"unknown route field":  {`{"routes":[{"patern":"/"}]}`, `s:1:13: unknown field "patern" in a route; did you mean "pattern"?`},
		"unknown field":        {outcome(`{"colour":1}`), `s:1:43: unknown field "colour" in an outcome; known are error, params`},
		"no pattern":           {"{\"routes\":[\n {}]}", `s:2:2: a route without a pattern`},
		"invalid pattern":      {`{"routes":[{"pattern":"a b c"}]}`, `s:1:23: pattern "a b c" cannot be used`},
		"pattern twice":        {`{"routes":[{"pattern":"/"},{"pattern":"/"}]}`, `s:1:39: pattern "/" cannot be used`},
		"field twice":          {outcome(`{"status":200,"status":201}`), `s:1:56: field "status" stands twice`},
		"unknown row":          {outcome(`{"error":"clasic.quota-exhausted"}`), `did you mean "classic.quota-exhausted"?`},
		"row far off":          {outcome(`{"error":"?"}`), `write an ID such as`},
		"status out of range":  {outcome(`{"status":99}`), `"status" is 99; write a whole number from 200 to 999`},
		"status with fraction": {outcome(`{"status":200.5}`), `"status" is 200.5; write a whole number`},
		"status as string":     {outcome(`{"status":"200"}`), `"status" is a string; write a number`},
		"null":                 {outcome(`{"body":null}`), `"body" is null; write a string`},
		"duration as number":   {outcome(`{"delay":3}`), `"delay" is the number 3; write a string`},
		"duration without":     {outcome(`{"delay":"3"}`), `"delay" is "3"; write a duration such as`},
		"negative duration":    {outcome(`{"delay":"-3s"}`), `write a duration such as`},
		"unknown drop":         {outcome(`{"drop":"after-backed"}`), `did you mean "after-backend"?`},
		"times zero":           {outcome(`{"times":0}`), `"times" is 0`},
		"reset as number":      {outcome(`{"reset":1}`), `write true or false`},
		"error and status":     {outcome(`{"error":"D504CO","status":200}`), `s:1:42: error "D504CO" and status 200 exclude each other`},
		"body for nothing":     {outcome(`{"body":"x"}`), `a "body" needs`},
		"drip for nothing":     {outcome(`{"drip_every":"1s"}`), `"drip_every" needs "drip_bytes"`},
		"params for nothing":   {outcome(`{"params":{}}`), `"params" belong to an "error"`},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := gatewaytest.ParseScript([]byte(tt.script), "s")
			if err == nil || !strings.Contains(err.Error(), tt.want) || !strings.HasPrefix(err.Error(), "s:") {
				t.Errorf("got %v, want %s", err, tt.want)
			}
		})
	}
}
