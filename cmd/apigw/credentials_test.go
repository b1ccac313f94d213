package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// People give the secret where the name of its file belongs.
func TestSecretFileIsNotEchoed(t *testing.T) {
	for _, lang := range []string{"en", "zh"} {
		got := runCommand([]string{"call", "--lang", lang, "--key", "1", "--secret-file", "tops3cret",
			"https://api.example.com/"}, "", nil)
		if got.exit != exitMisuse || strings.Contains(got.stdout+got.stderr, "tops3cret") {
			t.Errorf("got exit %d, %s; want 2, and not the word", got.exit, got.stderr)
		}
	}
}

func TestSecretFileThatOthersCanReadIsReported(t *testing.T) {
	file := filepath.Join(t.TempDir(), "secret")
	for _, c := range []struct {
		mode os.FileMode
		warn bool
	}{{0o600, false}, {0o400, false}, {0o640, true}, {0o604, true}} {
		if err := os.WriteFile(file, []byte("s3cret-of-the-test"), 0o600); err != nil {
			t.Fatal(err)
		}
		if err := os.Chmod(file, c.mode); err != nil {
			t.Fatal(err)
		}
		got := runCommand([]string{"sign", "--key", "1", "--secret-file", file, "https://api.example.com/"}, "", nil)
		if warned := strings.Contains(got.stderr, "chmod 600"); warned != c.warn || got.exit != exitOK {
			t.Errorf("mode %04o: got exit %d, warning %v, want 0, %v", c.mode, got.exit, warned, c.warn)
		}
		os.Remove(file)
	}
}
