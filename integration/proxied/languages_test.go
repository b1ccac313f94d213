package proxied

import (
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/apigw-go/apigw/gatewaytest"
)

// A program in any language makes one call: method, URL and body are its
// arguments, and it prints the status, X-Apigw-Attempts and X-Apigw-Reached.
var programs = map[string][]string{
	"curl":    {"sh", filepath.Join("testdata", "call.sh")},
	"python3": {"python3", filepath.Join("testdata", "call.py")},
	"node":    {"node", filepath.Join("testdata", "call.mjs")},
}

// Every call ends as the Transport would end it, and nothing runs twice.
func TestPrograms(t *testing.T) {
	refused := gatewaytest.Outcome{Error: "D503BB", Times: 2}
	for name, c := range map[string]struct {
		method, body string
		outcome      []gatewaytest.Outcome
		skew         time.Duration
		want         string // status, attempts, reached
		executed     int
	}{
		"success":      {"GET", "", nil, 0, "200 1 -", 1},
		"JSON":         {"POST", `{"a":"b"}`, nil, 0, "200 1 -", 1},
		"two failures": {"GET", "", []gatewaytest.Outcome{refused}, 0, "200 3 -", 1},
		"not reached": {"POST", "x",
			[]gatewaytest.Outcome{{Error: "D504CO",
				Params: map[string]string{"Reason": "Timeout connecting to 10.0.0.1:80"}}}, 0, "200 2 -", 1},
		"may have run": {"POST", "x", []gatewaytest.Outcome{{Error: "D504TO"}}, 0, "504 1 maybe", 1},
		"dropped before": {"GET", "", []gatewaytest.Outcome{{Drop: gatewaytest.DropBeforeBackend}}, 0, "200 2 -",
			1},
		"dropped behind a POST": {"POST", "x", []gatewaytest.Outcome{{Drop: gatewaytest.DropAfterBackend}}, 0,
			"502 1 maybe", 1},
		"quota":       {"POST", "x", []gatewaytest.Outcome{{Error: "B403MQ", Times: -1}}, 0, "403 1 no", 0},
		"wrong clock": {"POST", "x", nil, 20 * time.Minute, "200 2 -", 1},
	} {
		t.Run(name, func(t *testing.T) {
			for program, command := range programs {
				t.Run(program, func(t *testing.T) {
					needs(t, program)
					gateway := &gatewaytest.Gateway{Routes: []gatewaytest.Route{{Pattern: "/", Script: c.outcome}}}
					if c.skew != 0 {
						gateway.Now = func() time.Time { return time.Now().Add(c.skew) }
					}
					server := gatewaytest.NewServer(gateway)
					defer server.Close()
					p := start(t, server)
					args := append(command[1:len(command):len(command)], c.method,
						p.address+"/v1/orders?token=tops3cret&q=a%20b", c.body)
					out, err := exec.Command(command[0], args...).CombinedOutput()
					if err != nil {
						t.Fatalf("%v\n%s", err, out)
					}
					if got := strings.TrimSpace(string(out)); got != c.want {
						t.Errorf("got %q, want %q", got, c.want)
					}
					if got := gateway.Counts().Executed; got != c.executed {
						t.Errorf("the backend ran %d times, want %d", got, c.executed)
					}
				})
			}
		})
	}
}
