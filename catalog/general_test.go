package catalog

import (
	"strings"
	"testing"
)

func TestInfer(t *testing.T) {
	for _, c := range []struct {
		code    Code
		status  int
		class   Class
		retry   Retry
		reached Reached
	}{
		{"T429ZZ", 429, ClassThrottled, RetryWait, ReachedMaybe},
		{"I400ZZ", 400, ClassBadRequest, RetryNo, ReachedMaybe},
		{"I404ZZ", 404, ClassNotFound, RetryNo, ReachedMaybe},
		{"A401ZZ", 401, ClassAuth, RetryNo, ReachedMaybe},
		{"A403ZZ", 403, ClassAccessControl, RetryNo, ReachedMaybe},
		{"S403ZZ", 403, ClassReplay, RetryNo, ReachedMaybe},
		{"B403ZZ", 403, ClassBilling, RetryNo, ReachedMaybe},
		{"B451ZZ", 451, ClassAccessControl, RetryNo, ReachedMaybe},
		{"A500ZZ", 500, ClassGateway, RetryNo, ReachedMaybe},
		{"D503ZZ", 503, ClassCircuitOpen, RetryWait, ReachedMaybe},
		{"D504ZZ", 504, ClassBackendTimeout, RetryWait, ReachedMaybe},
		{"D502ZZ", 502, ClassBackendError, RetrySoon, ReachedMaybe},
		{"D501ZZ", 501, ClassBackendError, RetryNo, ReachedMaybe},
		{"N502ZZ", 0, ClassBackendError, RetrySoon, ReachedMaybe},
		{"X500ZZ", 500, ClassGateway, RetrySoon, ReachedMaybe},
		{"X403ZZ", 403, ClassGateway, RetryNo, ReachedMaybe},
		{"Q503ZZ", 503, ClassGateway, RetrySoon, ReachedMaybe},
	} {
		e, ok := Infer(c.code, c.status)
		if !ok || e.Class != c.class || e.Retry != c.retry || e.Reached != c.reached || e.ID != UnknownID {
			t.Errorf("Infer(%q, %d) = %+v, %v; want %v, %v, %v", c.code, c.status, e, ok, c.class, c.retry, c.reached)
		}
	}
	if _, ok := Infer("Unauthorized", 403); ok {
		t.Error("a word is no code")
	}
}

func TestByStatusAnswersForEveryStatus(t *testing.T) {
	for status := -1; status < 1100; status++ {
		e := ByStatus(status)
		wantRetry := RetryNo
		switch status {
		case 500, 502, 503, 504:
			wantRetry = RetrySoon
		case 429:
			wantRetry = RetryWait
		}
		if e.Retry != wantRetry || e.Reached != ReachedMaybe {
			t.Errorf("ByStatus(%d): retry %v, reached %v; want %v, maybe", status, e.Retry, e.Reached, wantRetry)
		}
	}
}

// The list of statuses that are retried without a mark is the one of the table.
func TestRetryableStatus(t *testing.T) {
	for status := range 1100 {
		want := status == 500 || status == 502 || status == 503 || status == 504
		if got := RetryableStatus(status); got != want {
			t.Errorf("RetryableStatus(%d) = %v, want %v", status, got, want)
		}
	}
}

// Every code and every status gets an answer, whatever stands in front of it.
func TestGeneralEntriesAnswerForEverything(t *testing.T) {
	for letter := 'A'; letter <= 'Z'; letter++ {
		for status := -1; status < 1100; status++ {
			e, ok := Infer(Code(letter)+"400ZZ", status)
			if !ok || e.ID != UnknownID || e.Class == ClassUnknown || e.Meaning.ZH == "" || e.Remedy.EN == "" {
				t.Fatalf("letter %c, status %d: %+v, %v", letter, status, e, ok)
			}
		}
	}
	if e := NoResponse(); e.ID != UnknownID || e.Reached != ReachedMaybe || e.Retry != RetrySoon || e.Meaning.EN == "" {
		t.Errorf("no response: %+v", e)
	}
}

func TestParseGeneralRefuses(t *testing.T) {
	row := "T\t429\tthrottled\tfalse\twait\tno\twhy\tprovider\tm\tm\tr\tr\n"
	if _, err := parseGeneral(generalColumns + "\n" + row); err != nil {
		t.Fatalf("the good table: %v", err)
	}
	for name, c := range map[string]struct{ old, new, want string }{
		"status":  {"429", "4x9", `statuses: unknown value "4x9"`},
		"range":   {"429", "500-400", `statuses: unknown value "500-400"`},
		"class":   {"throttled", "slow", `class: unknown value "slow"`},
		"letters": {"T\t", "\t", `when: unknown value ""`},
		"retry":   {"wait", "later", `retry: unknown value "later"`},
		"fixer":   {"provider", "nobody", `fixer: unknown value "nobody"`},
		"columns": {"\tr\n", "\n", "line 2: 11 columns, want 12"},
		"no rows": {row, "", "no rows"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := parseGeneral(generalColumns + "\n" + strings.Replace(row, c.old, c.new, 1))
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("got %v, want %q in it", err, c.want)
			}
		})
	}
}
