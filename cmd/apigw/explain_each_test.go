package main

import (
	"bytes"
	"compress/gzip"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
)

const mixedLog = `2026-11-25T08:00:00Z INFO started
2026-11-25T08:00:01Z WARN apigw: given up {"error": {"id": "D503CB", "code": "D503CB", "status": 503, "request_id": "7AD052CB-EE8B-4DFD-BBAF-EFB340E0A5AF"}}
2026/11/25 08:00:02 apigw: B403MQ 403 Api Market Subscription quota exhausted: the marketplace call package is used up; buy more calls; GET api.example.com/v1
2026-11-25T08:00:03Z ERROR call failed (429): {'x-ca-error-code': 'T429PR'}
	at com.example.Client.call(Client.java:503)
10.0.0.5 - - [25/Nov/2026:08:00:04 +0000] "GET /v1/weather HTTP/1.1" 200 12 "-" "curl/8"
10.0.0.5 - - [25/Nov/2026:08:00:05 +0000] "GET /v1/weather HTTP/1.1" 502 0 "-" "curl/8"
2026-11-25T08:00:06Z WARN apigw: given up {"error": {"id": "D503CB", "code": "D503CB", "status": 503, "request_id": "0F1E2D3C-4B5A-4697-8877-665544332211"}}
`

func decodeEach(t *testing.T, text string) (lines []eachLine) {
	t.Helper()
	dec := json.NewDecoder(strings.NewReader(text))
	dec.DisallowUnknownFields()
	for {
		var line eachLine
		if err := dec.Decode(&line); err == io.EOF {
			return lines
		} else if err != nil {
			t.Fatalf("%v in %q", err, text)
		}
		lines = append(lines, line)
	}
}

func TestExplainEachCountsByRow(t *testing.T) {
	got := runCommand([]string{"explain", "--each", "-", "--json"}, mixedLog, nil)
	if got.exit != exitOK {
		t.Fatalf("exit: got %d, want 0; %s", got.exit, got.stderr)
	}
	var rows []string
	lines := decodeEach(t, got.stdout)
	for _, l := range lines {
		rows = append(rows, fmt.Sprintf("%d %s %d %s %s %d-%d", l.Count, l.ID, l.Status, l.Retry, l.Fixer, l.First.Line,
			l.Last.Line))
	}
	want := "2 D503CB 503 wait provider 2-8\n1 B403MQ 403 no caller 3-3\n1 T429PR 429 wait provider 4-4\n1 unknown 502 retry unknown 7-7"
	if got := strings.Join(rows, "\n"); got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
	if got, want := lines[0].RequestID, "0F1E2D3C-4B5A-4697-8877-665544332211"; got != want {
		t.Errorf("request id: got %q, want that of the last, %q", got, want)
	}
	if got, want := lines[0].First.Time, "2026-11-25T08:00:01Z"; got != want {
		t.Errorf("time: got %q, want %q", got, want)
	}
}

func TestExplainEachOutput(t *testing.T) {
	testGolden(t, "", []golden{
		{name: "explain-each", args: []string{"explain", "--each", "-"}, stdin: mixedLog},
		{name: "explain-each-zh", args: []string{"explain", "--each", "-", "-lang", "zh"}, stdin: mixedLog},
		{name: "explain-each-nothing", args: []string{"explain", "--each", "-"}, stdin: "hello\nworld\n",
			exit: exitUnknown},
		{name: "explain-each-empty", args: []string{"explain", "--each", "-"}, exit: exitMisuse},
		{name: "explain-each-no-file", args: []string{"explain", "--each", "testdata/none.log"}, exit: exitMisuse},
		{name: "explain-each-folder", args: []string{"explain", "--each", "testdata"}, exit: exitMisuse},
		{name: "explain-each-and-text", args: []string{"explain", "--each", "-", "B403MQ"}, exit: exitMisuse},
	})
}

func TestExplainEachReadsPackedFilesAndHAR(t *testing.T) {
	var packed bytes.Buffer
	z := gzip.NewWriter(&packed)
	io.WriteString(z, mixedLog)
	z.Close()
	file := filepath.Join(t.TempDir(), "app.log.gz")
	if err := os.WriteFile(file, packed.Bytes(), 0o600); err != nil {
		t.Fatal(err)
	}
	got := runCommand([]string{"explain", "--each", file, "--json"}, "", nil)
	if lines := decodeEach(t, got.stdout); len(lines) != 4 {
		t.Errorf("gzip: got %d rows, want 4; %s", len(lines), got.stderr)
	}
	got = runCommand([]string{"explain", "--each", "testdata/forms/har-two-entries.txt", "--json"}, "", nil)
	if lines := decodeEach(t, got.stdout); len(lines) != 1 || lines[0].ID != "D503CB" {
		t.Errorf("HAR: got %s, want one row D503CB", got.stdout)
	}
}

// repeated is a log of any length.
type repeated struct {
	piece []byte
	left  int
	rest  []byte
}

func (r *repeated) Read(p []byte) (int, error) {
	if len(r.rest) == 0 {
		if r.left == 0 {
			return 0, io.EOF
		}
		r.left--
		r.rest = r.piece
	}
	n := copy(p, r.rest)
	r.rest = r.rest[n:]
	return n, nil
}

// The memory of --each does not grow with the log.
func TestExplainEachNeedsConstantMemory(t *testing.T) {
	in := &invocation{ctx: context.Background(), lang: "en"}
	heap := func(times int) uint64 {
		tally, err := in.tallyLog(t.Context(), &repeated{piece: []byte(mixedLog), left: times})
		if err != nil {
			t.Fatal(err)
		}
		runtime.GC()
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		if want := 7 * times; tally.entries != want {
			t.Fatalf("entries: got %d, want %d", tally.entries, want)
		}
		runtime.KeepAlive(tally)
		return m.HeapAlloc
	}
	short := heap(10)
	if long := heap(10_000); long > short+1<<20 {
		t.Errorf("heap: got %d bytes behind a long log, want about the %d behind a short one", long, short)
	}
}

func TestShortTime(t *testing.T) {
	for s, want := range map[string]string{
		"2026-11-25T08:00:00.123Z":   "11-25 08:00",
		"2026/11/25 14:47:37":        "11/25 14:47",
		"25/Nov/2026:08:00:00 +0000": "25/Nov 08:00",
		"Nov 25 08:00:00":            "Nov 25 08:00",
		"11-25 08:00:00.123":         "11-25 08:00",
		`"ts":1790000000.12`:         "09-21 14:13",
		"odd":                        "odd",
	} {
		if got := shortTime(s); got != want {
			t.Errorf("%q: got %q, want %q", s, got, want)
		}
	}
}

func TestProgressIsForTerminalsOnly(t *testing.T) {
	var stderr bytes.Buffer
	p := &progress{in: &invocation{stderr: &stderr}}
	if _, err := io.Copy(io.Discard, p.reader(&repeated{piece: make([]byte, 1<<16), left: 100})); err != nil {
		t.Fatal(err)
	}
	p.clear()
	if stderr.Len() > 0 {
		t.Errorf("got %q, want nothing", stderr.String())
	}
}
