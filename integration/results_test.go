package integration

import (
	"flag"
	"os"
	"strings"
	"testing"
)

var update = flag.Bool("update", false, "write RESULTS.md instead of comparing with it")

const resultsFile = "RESULTS.md"

// row is one line of RESULTS.md.
type row struct {
	client
	unavailable, quota, retries string
}

const resultsHead = `# Clients with an apigw.Transport in them

What the tests of this module measured, each client with the default policy (4 attempts) through a fake gateway on a real
socket. "503": Service Unavailable twice, then service. "Quota": an exhausted quota for ever. "Retries of the client": 503 for
ever, without a retry budget; the Transport's default budget bounds such a product in earnest. ` + "`t` is the Transport, `r` the\nRecorder of `ctx`." + `

Where there is no response, the error of every client has the Transport's in its chain: ` + "`errors.AsType[*apigw.Error](err)`." + `
Only when http.Client.Timeout fired has net/http kept no more than its text; a Recorder or OnDone has it then.

| client | how to put it in | how the error is reached | 503 | quota | retries of the client |
| --- | --- | --- | --- | --- | --- |
`

func markdown(rows []row) string {
	var b strings.Builder
	b.WriteString(resultsHead)
	for _, r := range rows {
		cells := []string{r.name, "`" + r.inject + "`", "`" + r.reached + "`", r.unavailable, r.quota, r.retries}
		b.WriteString("| " + strings.Join(cells, " | ") + " |\n")
	}
	b.WriteString("\nWritten by `go test -run TestClients . -update`; versions of the clients: go.mod; " +
		"`teaHTTP`, an adapter of a few lines: tea_test.go.\n")
	return b.String()
}

func compareResults(t *testing.T, rows []row) {
	t.Helper()
	got := markdown(rows)
	if *update {
		if err := os.WriteFile(resultsFile, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	want, err := os.ReadFile(resultsFile)
	if err != nil {
		t.Fatal(err)
	}
	if got != string(want) {
		t.Errorf("%s is out of date, run with -update; got\n%s", resultsFile, got)
	}
}
