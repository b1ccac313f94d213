package main

import (
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
)

// form is a text of testdata/forms and what must come out.
type form struct {
	name, id, requestID string
	exit, status        int
}

func readForms(t *testing.T) (forms []form) {
	t.Helper()
	table, err := os.ReadFile("testdata/forms/forms.tsv")
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(table)) {
		f := strings.Split(strings.TrimSuffix(line, "\n"), "\t")
		if strings.HasPrefix(line, "#") {
			continue
		}
		if len(f) != 5 {
			t.Fatalf("got %d columns, want 5: %q", len(f), line)
		}
		exit, err1 := strconv.Atoi(f[2])
		status, err2 := strconv.Atoi(f[4])
		if err1 != nil || err2 != nil {
			t.Fatalf("%q: %v, %v", line, err1, err2)
		}
		forms = append(forms, form{f[0], f[1], f[3], exit, status})
	}
	return forms
}

// People post a failed call in many forms: each file is one.
func TestExplainReadsWhatPeopleHave(t *testing.T) {
	forms := readForms(t)
	if len(forms) < 100 {
		t.Fatalf("got %d forms, want the whole table", len(forms))
	}
	for _, f := range forms {
		t.Run(f.name, func(t *testing.T) {
			text, err := os.ReadFile(filepath.Join("testdata/forms", f.name+".txt"))
			if err != nil {
				t.Fatal(err)
			}
			got := runCommand([]string{"explain", "--json", "-"}, string(text), nil)
			x := decodeExplanation(t, got.stdout)
			if x.ID != f.id || got.exit != f.exit {
				t.Errorf("got id %q, exit %d, want %q, %d; %s", x.ID, got.exit, f.id, f.exit, got.stdout)
			}
			if x.RequestID != f.requestID {
				t.Errorf("request id: got %q, want %q", x.RequestID, f.requestID)
			}
			if f.status != 0 && x.Status != f.status {
				t.Errorf("status: got %d, want %d; %s", x.Status, f.status, got.stdout)
			}
		})
	}
}
