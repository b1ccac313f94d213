package proxied

import (
	"fmt"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/apigw-go/apigw/gatewaytest"
)

// A limit of 20 calls a second, a pool of programs that calls at once: each call
// waits its turn, none fails, nothing runs twice.
func TestProgramsUnderALimit(t *testing.T) {
	needs(t, "node")
	limit, err := gatewaytest.ParseLimit("20/s")
	if err != nil {
		t.Fatal(err)
	}
	gateway := &gatewaytest.Gateway{Routes: []gatewaytest.Route{{Pattern: "/", Limits: []gatewaytest.Limit{limit}}}}
	server := gatewaytest.NewServer(gateway)
	defer server.Close()
	p := start(t, server, "--policy", filepath.Join("testdata", "limit.json"))
	const calls = 60
	out, err := exec.Command("node", filepath.Join("testdata", "pool.mjs"), p.address+"/v1/orders",
		fmt.Sprint(calls)).CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	if got, want := strings.TrimSpace(string(out)), fmt.Sprintf("%d of %d succeeded", calls, calls); got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	if got := gateway.Counts().Executed; got != calls {
		t.Errorf("the backend ran %d times, want %d", got, calls)
	}
}
