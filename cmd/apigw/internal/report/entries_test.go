package report

import (
	"bytes"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"
	"unicode/utf16"
)

// entries shows what Entries makes of a log: the line of each entry, and how
// many lines it has.
func entries(t *testing.T, r io.Reader) string {
	t.Helper()
	var list []string
	for e, err := range Entries(r) {
		if err != nil {
			list = append(list, "error: "+err.Error())
			continue
		}
		list = append(list, fmt.Sprintf("%d:%d", e.Line, bytes.Count(e.Text, []byte("\n"))+1))
	}
	return strings.Join(list, " ")
}

func TestEntries(t *testing.T) {
	for _, c := range []struct{ name, log, want string }{
		{"lines", "a\nb\nc\n", "1:1 2:1 3:1"},
		{"no line end", "a\nb", "1:1 2:1"},
		{"empty lines", "a\n\n\nb\n", "1:1 4:1"},
		{"stack", "err\n\tat x\n\tat y\nCaused by: z\n\tat w\nnext\n", "1:5 6:1"},
		{"head", "HTTP/1.1 403 F\nA: b\nC: d\n\nnext\n", "1:4 5:1"},
		{"heads", "HTTP/1.1 403 F\nA: b\nHTTP/1.1 200 OK\nA: b\n", "1:2 3:2"},
		{"head with a prefix", "t1 HTTP/1.1 403 F\nt2 A: b\nother\n", "1:2 3:1"},
		{"JSON lines", "{\"a\":1}\n{\"a\":[2]}\n", "1:1 2:1"},
		{"JSON in many lines", "{\n \"a\": 1\n}\n{\n \"a\": 2\n}\n", "1:1 4:1"},
		{"array", "[\n {\"a\": 1},\n {\n \"a\": 2}\n]\n", "2:1 3:2"},
		{"array in one line", `[{"a":1},{"a":2}]`, "1:1 1:1"},
		{"HAR", "{\"log\": {\n \"version\": \"1.2\",\n \"entries\": [\n  {\"a\": 1},\n  {\"a\": 2}\n ]}}\n", "4:1 5:1"},
		{"JSON that breaks off", "[\n {\"a\": 1},\n {\"a\"", "2:1 error: behind line 2: unexpected EOF"},
		{"nothing", "", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			if got := entries(t, strings.NewReader(c.log)); got != c.want {
				t.Errorf("got %q, want %q", got, c.want)
			}
		})
	}
}

func TestEntriesOfPackedLogs(t *testing.T) {
	const log = "first line of the log\nsecond line of the log\n"
	var packed bytes.Buffer
	z := gzip.NewWriter(&packed)
	io.WriteString(z, log)
	z.Close()
	if got := entries(t, &packed); got != "1:1 2:1" {
		t.Errorf("gzip: got %q", got)
	}
	var wide bytes.Buffer
	for _, unit := range utf16.Encode([]rune(log)) {
		wide.Write([]byte{byte(unit), byte(unit >> 8)})
	}
	if got := entries(t, &wide); got != "1:1 2:1" {
		t.Errorf("UTF-16: got %q", got)
	}
}

func TestEntriesReportWhatCannotBeRead(t *testing.T) {
	r := io.MultiReader(strings.NewReader("a\n"), iotestErr{})
	if got := entries(t, r); got != "1:1 error: broken pipe" {
		t.Errorf("got %q, want the line and the error", got)
	}
}

type iotestErr struct{}

func (iotestErr) Read([]byte) (int, error) { return 0, errors.New("broken pipe") }

// A line without an end must not fill the memory.
func TestEntriesAreBounded(t *testing.T) {
	long := io.LimitReader(endless{}, 8<<20)
	for e, err := range Entries(long) {
		if err != nil {
			t.Fatal(err)
		}
		if len(e.Text) > mostOfEntry+64<<10 {
			t.Errorf("got an entry of %d bytes, want at most %d", len(e.Text), mostOfEntry)
		}
	}
}

type endless struct{}

func (endless) Read(p []byte) (int, error) {
	for i := range p {
		p[i] = 'x'
	}
	return len(p), nil
}

func TestTimestamp(t *testing.T) {
	for text, want := range map[string]string{
		"2026-11-25T08:00:00.123Z x":                    "2026-11-25T08:00:00.123Z",
		"2026/11/25 14:47:37 apigw: x":                  "2026/11/25 14:47:37",
		`1.2.3.4 - - [25/Nov/2026:08:00:00 +0000] "GET`: "25/Nov/2026:08:00:00 +0000",
		"Nov 25 08:00:00 host app":                      "Nov 25 08:00:00",
		"[main] 2026-11-25 08:00:00,120 DEBUG":          "2026-11-25 08:00:00,120",
		`{"level":"warn","ts":1790000000.12,"msg":"x"}`: `"ts":1790000000.12`,
		"2026-11-25T08:00:00+08:00 x":                   "2026-11-25T08:00:00+08:00",
		"no time at all":                                "",
		"":                                              "",
	} {
		if got := Timestamp(text); got != want {
			t.Errorf("%q: got %q, want %q", text, got, want)
		}
	}
}

func FuzzEntries(f *testing.F) {
	for _, seed := range []string{"a\nb", "HTTP/1.1 403 F\nA: b\n\n", "[{\"a\":1}", "{\"log\":{\"entries\":[{}]}}",
		"\x1f\x8b", "\xff\xfea\x00"} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, log []byte) {
		last := 0
		for e, err := range Entries(bytes.NewReader(log)) {
			if err != nil {
				return
			}
			if e.Line < last || e.Line < 1 {
				t.Fatalf("got line %d behind %d", e.Line, last)
			}
			last = e.Line
			ReadEntry(e)
			Timestamp(string(e.Text))
		}
	})
}
