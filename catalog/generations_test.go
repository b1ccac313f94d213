package catalog

import (
	"os"
	"strconv"
	"strings"
	"testing"
)

// answerOf is a line of testdata/generations.tsv: what a source says about an
// answer of the newer generations, in the words of whoever gathered it.
type answerOf struct {
	line                                                   int
	generation, status, mark, body, origin, reached, retry string
	source, confidence                                     string
}

func gathered(t *testing.T) (answers []answerOf) {
	t.Helper()
	data, err := os.ReadFile("testdata/generations.tsv")
	if err != nil {
		t.Fatal(err)
	}
	for i, line := range strings.Split(strings.TrimRight(string(data), "\n"), "\n") {
		f := strings.Split(line, "\t")
		if strings.HasPrefix(line, "#") || f[0] == "generation" {
			continue
		}
		if len(f) != 9 {
			t.Fatalf("line %d: %d columns, want 9", i+1, len(f))
		}
		answers = append(answers, answerOf{i + 1, f[0], f[1], f[2], f[3], f[4], f[5], f[6], f[7], f[8]})
	}
	return answers
}

// Every answer that was gathered has a row, and the row says the same: place in
// the file, generation, status, text, who made it, what is proven, what to do.
func TestGatheredAnswersAreRows(t *testing.T) {
	var rows []Entry
	for e := range All() {
		plugin := e.Generation == GenerationHigress && strings.Contains(e.Source, "@")
		if plugin || e.Generation > GenerationHigress {
			rows = append(rows, e)
		}
	}
	answers := gathered(t)
	if len(rows) != len(answers) || len(answers) != 122 {
		t.Fatalf("%d rows for %d answers, want 122", len(rows), len(answers))
	}
	for i, a := range answers {
		e := rows[i]
		t.Run(e.ID, func(t *testing.T) {
			if e.Source != a.source {
				t.Fatalf("line %d is from %s, the row from %s", a.line, a.source, e.Source)
			}
			if e.Generation.String() != a.generation || !e.HasStatus(firstNumber(a.status)) {
				t.Errorf("got %v %d, want %s %s", e.Generation, e.Status, a.generation, a.status)
			}
			if e.Message != "" && !isJSON(e.Message) && !strings.HasPrefix(e.Message, "${") && e.Message != a.body {
				t.Errorf("got the text %q, want %q", e.Message, a.body)
			}
			if got := e.Confidence.String(); !strings.HasPrefix(a.confidence, got) {
				t.Errorf("got confidence %s, want %s", got, a.confidence)
			}
			a.checkOrigin(t, e)
			a.checkDecision(t, e)
		})
	}
}

func firstNumber(status string) int {
	n, _ := strconv.Atoi(strings.Fields(status)[0]) // 0 for any
	return n
}

func (a answerOf) checkOrigin(t *testing.T, e Entry) {
	t.Helper()
	want := map[string]Origin{
		"proxy": OriginProxy, "upstream via proxy": OriginProxy,
		"gateway": OriginGateway, "gateway or model": OriginUnknown,
		"Function Compute": OriginFunctionCompute, "function code": OriginBackend, "backend (via proxy)": OriginBackend,
	}[a.origin]
	if e.Origin != want {
		t.Errorf("got origin %v, want %v", e.Origin, want)
	}
}

// checkDecision compares the advice. Rows never say more than the source: where
// that advises retries of idempotent calls only, the row says "maybe".
func (a answerOf) checkDecision(t *testing.T, e Entry) {
	t.Helper()
	once := strings.HasPrefix(a.retry, "retry-idempotent")
	anyMethod := strings.HasPrefix(a.retry, "retry-any-method")
	wait := strings.HasPrefix(a.retry, "wait")
	if canRetry := e.Retry != RetryNo; canRetry != (once || anyMethod || wait) {
		t.Errorf("got retry %v, the source says %s", e.Retry, a.retry)
	}
	if notSent := e.Reached == ReachedNo || e.Reached == ReachedNoAtThisHop; notSent && (once ||
		!strings.HasPrefix(a.reached, "no")) {
		t.Errorf("got reached %v, the source says %s, %s", e.Reached, a.reached, a.retry)
	}
	if strings.HasPrefix(a.reached, "no-at-this-hop") && e.Reached != ReachedNoAtThisHop {
		t.Errorf("got reached %v, the source says %s", e.Reached, a.reached)
	}
	if strings.HasPrefix(a.reached, "yes") && e.Reached != ReachedYes {
		t.Errorf("got reached %v, the source says %s", e.Reached, a.reached)
	}
	if wait != (e.Class == ClassThrottled) {
		t.Errorf("got class %v, the source says %s", e.Class, a.retry)
	}
}
