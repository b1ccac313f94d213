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

// A shell that reads the script without a complaint takes all of it.
func TestOtherShellsReadTheScript(t *testing.T) {
	for shell, args := range map[string][]string{"zsh": {"-n"}, "fish": {"--no-execute"}} {
		if _, err := exec.LookPath(shell); err != nil {
			continue // bash is everywhere, these are not
		}
		cmd := exec.CommandContext(t.Context(), shell, append(args, "/dev/stdin")...)
		cmd.Stdin = strings.NewReader(runCommand([]string{"completion", shell}, "", nil).stdout)
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Errorf("%s: %v, %s", shell, err, out)
		}
	}
}

// The words that complete a value are those that the commands take.
func TestKnownValuesAreTaken(t *testing.T) {
	for _, k := range knownValues() {
		used := false
		for _, c := range commands() {
			for _, f := range flagsOf(c) {
				used = used || f.name == k.flag && !f.isBool
			}
		}
		if !used || len(k.values) < 2 {
			t.Errorf("%s: no command has the flag, or %q are too few", k.flag, k.values)
		}
	}
	for _, class := range valuesOf("class") {
		if got := runCommand([]string{"catalog", "--class", class}, "", nil); got.exit != exitOK {
			t.Errorf("--class %s: got exit %d, %s", class, got.exit, got.stderr)
		}
	}
	for _, window := range valuesOf("window") {
		s := gatewaySettings{window: window, limits: []string{"1/s"}}
		if _, err := s.parseLimits(); err != nil {
			t.Errorf("--window %s: %v", window, err)
		}
	}
}

func TestBashCompletes(t *testing.T) {
	if _, err := exec.LookPath("bash"); err != nil {
		t.Skip("no bash here")
	}
	script := runCommand([]string{"completion", "bash"}, "", nil).stdout
	for _, c := range []struct{ line, want string }{
		{"apigw ex", "explain"},
		{"apigw explain --ea", "--each"},
		{"apigw --lang zh explain --js", "--json"},
		{"apigw --lang z", "zh"},
		{"apigw catalog --class quo", "quota"},
		{"apigw gateway --dialect vp", "vpc"},
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
