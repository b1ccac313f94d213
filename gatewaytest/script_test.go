package gatewaytest_test

import (
	"net/http"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/apigw-go/apigw/gatewaytest"
)

func TestParseScript(t *testing.T) {
	const script = `{"routes": [
  {"pattern": "POST /orders", "auth": "none", "maxBody": 10, "latency": "1s", "timeout": "2s", "script": [
    {"error": "D504CO", "params": {"Reason": "Connection is closed"}, "retryAfter": "3", "times": -1},
    {"drop": "after-backend", "reset": true, "delay": "1.5s"},
    {"status": 200, "body": "done", "header": {"X-A": "1"}, "dripBytes": 2, "dripEvery": "10ms"}
  ]},
  {"pattern": "/", "httpsOnly": true, "limits": ["100/s", "3000/min aligned"], "appLimits": ["5/s bucket burst=2"], "quota": 7,
   "breaker": {"failures": 3, "within": "30s", "openFor": "0.25s", "timeoutsOnly": true, "trials": 2}}
]}`
	want := []gatewaytest.Route{
		{
			Pattern: "POST /orders", Auth: gatewaytest.AuthNone, MaxBody: 10, Latency: time.Second,
			Timeout: 2 * time.Second,
			Script: []gatewaytest.Outcome{
				{Error: "D504CO", Params: map[string]string{"Reason": "Connection is closed"}, RetryAfter: "3",
					Times: -1},
				{Drop: gatewaytest.DropAfterBackend, Reset: true, Delay: 1500 * time.Millisecond},
				{Status: 200, Body: "done", Header: http.Header{"X-A": {"1"}}, DripBytes: 2,
					DripEvery: 10 * time.Millisecond},
			},
		},
		{
			Pattern: "/", HTTPSOnly: true, Quota: &gatewaytest.Quota{Calls: 7},
			Limits: []gatewaytest.Limit{
				{Calls: 100, Window: time.Second}, {Calls: 3000, Window: time.Minute, Kind: gatewaytest.AlignedWindow}},
			AppLimits: []gatewaytest.Limit{{Calls: 5, Window: time.Second, Kind: gatewaytest.TokenBucket, Burst: 2}},
			Breaker: &gatewaytest.Breaker{
				Failures: 3, Within: 30 * time.Second, OpenFor: 250 * time.Millisecond, TimeoutsOnly: true, Trials: 2},
		},
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
		"empty":         {``, `s:1:1: the file is empty: write {"routes"`},
		"not an object": {`[]`, `s:1:1:`},
		"no routes":     {`{}`, `s:1:1: there is no "routes": write {"routes"`},
		"cut off":       {`{"routes":[`, `s:1:12: not JSON: unexpected end of JSON input: a quote, bracket`},
		"not JSON":      {"{\n  \"routes\": x}", `s:2:13: not JSON`},
		"more behind": {"{\"routes\":[]}\n{}",
			`s:2:1: not JSON: invalid character '{' after top-level value: take out`},
		"unknown top field": {`{"route":[]}`, `s:1:2: unknown field "route": did you mean "routes"?`},
		"unknown route field": {`{"routes":[{"patern":"/"}]}`,
			`s:1:13: unknown field "patern": did you mean "pattern"?`},
		"former spelling": {`{"routes":[{"pattern":"/","max_body":1}]}`,
			`unknown field "max_body": did you mean "maxBody"?`},
		"unknown field": {outcome(`{"colour":1}`),
			`s:1:43: unknown field "colour": take it out, known are body, delay`},
		"no pattern":      {"{\"routes\":[\n {}]}", `s:2:2: a route without a pattern`},
		"invalid pattern": {`{"routes":[{"pattern":"a b c"}]}`, `s:1:23: pattern "a b c"`},
		"pattern twice": {`{"routes":[{"pattern":"/"},{"pattern":"/"}]}`,
			`s:1:39: pattern "/" and "/" in line 1 conflict`},
		"field twice": {outcome(`{"status":200,"status":201}`), `s:1:56: "status" is there twice`},
		"unknown row": {outcome(`{"error":"clasic.quota-exhausted"}`),
			`did you mean "classic.quota-exhausted"?`},
		"row far off":          {outcome(`{"error":"?"}`), `write an ID such as`},
		"status out of range":  {outcome(`{"status":99}`), `status is 99: write a whole number from 200 to 999`},
		"status with fraction": {outcome(`{"status":200.5}`), `status is 200.5: write a whole number`},
		"status as string":     {outcome(`{"status":"200"}`), `status is a string: write a whole number`},
		"null":                 {outcome(`{"body":null}`), `body is null: write a string`},
		"duration as number":   {outcome(`{"delay":3}`), `delay is a number: write a string with a unit, such as "3s"`},
		"duration without":     {outcome(`{"delay":"3"}`), `delay is "3": write a duration, such as "3s"`},
		"negative duration":    {outcome(`{"delay":"-3s"}`), `delay is "-3s": write a duration`},
		"unknown drop":         {outcome(`{"drop":"after-backed"}`), `did you mean "after-backend"?`},
		"times zero":           {outcome(`{"times":0}`), `times is 0`},
		"reset as number":      {outcome(`{"reset":1}`), `write true or false`},
		"error and status": {outcome(`{"error":"D504CO","status":200}`),
			`s:1:42: error "D504CO" and status 200 exclude each other`},
		"body for nothing":   {outcome(`{"body":"x"}`), `a "body" needs`},
		"drip for nothing":   {outcome(`{"dripEvery":"1s"}`), `"dripEvery" needs "dripBytes"`},
		"params for nothing": {outcome(`{"params":{}}`), `"params" belong to an "error"`},
		"limit": {`{"routes":[{"pattern":"/","limits":["100/week"]}]}`,
			`s:1:37: limit "100/week": window "week" is not`},
		"limits no array": {`{"routes":[{"pattern":"/","limits":"100/s"}]}`,
			`limits is a string: write an array of limits`},
		"breaker": {`{"routes":[{"pattern":"/","breaker":{"open_for":"1s"}}]}`, `did you mean "openFor"?`},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := gatewaytest.ParseScript([]byte(tt.script), "s")
			if err == nil || !strings.Contains(err.Error(), tt.want) || !strings.HasPrefix(err.Error(), "s:") {
				t.Errorf("got %v, want %s", err, tt.want)
			}
		})
	}
}

// All faults of a file are told at once, in their order.
func TestParseScriptTellsAllFaults(t *testing.T) {
	_, err := gatewaytest.ParseScript([]byte(`{"routes": [
  {"patern": "/a", "auth": "nobody"},
  {"pattern": "/b", "latency": 3, "script": [{"error": "D504XX"}, {"times": 0, "drop": "late"}]},
  {"pattern": "/b"}
]}`), "s")
	if err == nil {
		t.Fatal("got no error")
	}
	var places []string
	for line := range strings.Lines(err.Error()) {
		place, _, _ := strings.Cut(line, ": ")
		places = append(places, place)
	}
	want := []string{"s:2:4", "s:2:28", "s:3:32", "s:3:56", "s:3:77", "s:3:88", "s:4:15"}
	if !slices.Equal(places, want) {
		t.Errorf("got faults at %q, want %q:\n%v", places, want, err)
	}
}
