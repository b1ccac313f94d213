package main

import (
	"os/exec"
	"strings"
	"testing"
)

// Every command and every flag can be completed in every shell.
func TestCompletionHasEveryFlag(t *testing.T) {
	for _, shell := range shells {
		got := runCommand([]string{"completion", shell}, "", nil)
		if got.exit != exitOK {
			t.Fatalf("%s: got exit %d, %s", shell, got.exit, got.stderr)
		}
		for _, c := range commands() {
			if !strings.Contains(got.stdout, c.name) {
				t.Errorf("%s: no command %s", shell, c.name)
			}
			for _, f := range flagsOf(c) {
				name := dashed(f.name)
				if shell == "fish" {
					name = "-l " + f.name
					if len(f.name) == 1 {
						name = "-s " + f.name
					}
				}
				if !strings.Contains(got.stdout, name) {
					t.Errorf("%s: no flag %s of %s", shell, name, c.name)
				}
			}
		}
	}
}

func TestCompletionOutput(t *testing.T) {
	testGolden(t, "", []golden{
		{name: "completion-no-shell", args: []string{"completion"}, exit: exitMisuse},
		{name: "completion-bad-shell", args: []string{"completion", "bsh"}, exit: exitMisuse},
		{name: "completion-bad-shell-zh", args: []string{"completion", "tcsh", "--lang", "zh"}, exit: exitMisuse},
	})
}

func TestBashCompletes(t *testing.T) {
	if _, err := exec.LookPath("bash"); err != nil {
		t.Skip("no bash here")
	}
	script := runCommand([]string{"completion", "bash"}, "", nil).stdout
	for _, c := range []struct{ line, want string }{
		{"apigw ex", "explain"},
		{"apigw explain --ea", "--each"},
		{"apigw --lang explain --js", "--json"},
		{"apigw policy ch", "check"},
		{"apigw completion z", "zsh"},
		{"apigw help exit", "exit-codes"},
	} {
		words := strings.Fields(c.line)
		cmd := exec.CommandContext(t.Context(), "bash", "-c", script+`
COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); _apigw; echo "${COMPREPLY[*]}"`, "bash")
		cmd.Args = append(cmd.Args, words...)
		out, err := cmd.CombinedOutput()
		if got := strings.TrimSpace(string(out)); err != nil || got != c.want {
			t.Errorf("%s: got %q, %v, want %q", c.line, got, err, c.want)
		}
	}
}
