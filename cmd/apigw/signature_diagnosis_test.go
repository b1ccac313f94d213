package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// diagnosisCase is a string that somebody signed, and what must be said of it.
type diagnosisCase struct {
	Name, Signed, Server string
	Match, Never         string
}

// What people sign wrongly is named by the command, in its object and in its
// text.
func TestExplainNamesTheCauseOfARefusedSignature(t *testing.T) {
	data, err := os.ReadFile("testdata/diagnosis.json")
	if err != nil {
		t.Fatal(err)
	}
	var file struct{ Cases []diagnosisCase }
	if err := json.Unmarshal(data, &file); err != nil || len(file.Cases) < 16 {
		t.Fatalf("got %d cases, %v, want 16", len(file.Cases), err)
	}
	for _, c := range file.Cases {
		t.Run(c.Name, func(t *testing.T) {
			mine := filepath.Join(t.TempDir(), "mine.txt")
			if err := os.WriteFile(mine, []byte(c.Signed), 0o600); err != nil {
				t.Fatal(err)
			}
			head := "HTTP/1.1 400 Bad Request\r\nX-Ca-Error-Message: Invalid Signature, Server StringToSign:`" +
				c.Server + "`\r\n\r\n"
			got := runCommand([]string{"explain", "--json", "--signed", mine, "-"}, head, nil)
			var x struct {
				Diagnosis struct{ Cause, Part string }
			}
			if err := json.Unmarshal([]byte(got.stdout), &x); err != nil || got.stderr != "" || got.exit != exitOK {
				t.Fatalf("got exit %d, %v, %q, %s", got.exit, err, got.stderr, got.stdout)
			}
			text := runCommand([]string{"explain", "--signed", mine, "-"}, head, nil).stdout
			_, text, _ = strings.Cut(text, "\n\n")
			text, _, _ = strings.Cut(text, "\n\n") // without the strings
			for _, said := range []string{text, got.stdout[strings.Index(got.stdout, `"diagnosis"`):]} {
				if !regexp.MustCompile("(?i)" + c.Match).MatchString(said) {
					t.Errorf("got %q, want %q in it", said, c.Match)
				}
			}
			for _, said := range []string{text, x.Diagnosis.Cause} {
				if c.Never != "" && regexp.MustCompile("(?i)"+c.Never).MatchString(said) {
					t.Errorf("got %q, want nothing of %q", said, c.Never)
				}
			}
		})
	}
}

// A diagnosis holds no value: a script may log it.
func TestTheDiagnosisInJSONHasNoValues(t *testing.T) {
	mine := filepath.Join(t.TempDir(), "mine.txt")
	if err := os.WriteFile(mine, []byte("GET\n\n\n\n\nX-Ca-Key:1\n/a?password=value-of-the-test"), 0o600); err != nil {
		t.Fatal(err)
	}
	message := "Invalid Signature, Server StringToSign:`GET#####X-Ca-Key:1#/a?password=other`"
	got := runCommand([]string{"explain", "--json", "--signed", mine, message}, "", nil)
	if strings.Contains(got.stdout, "value-of-the-test") {
		t.Errorf("got %s", got.stdout)
	}
}
