package near_test

import (
	"strings"
	"testing"

	"github.com/apigw-go/apigw/internal/near"
)

func TestWord(t *testing.T) {
	known := []string{"initialBackoff", "maxAttempts", "jitter", "after-backend"}
	for _, tt := range []struct{ word, want string }{
		{"maxAttempt", "maxAttempts"},
		{"max_attempts", "maxAttempts"},
		{"MAX-ATTEMPTS", "maxAttempts"},
		{"inititalBackof", "initialBackoff"},
		{"jiter", "jitter"},
		{"jittre", "jitter"},
		{"after_backed", "after-backend"},
		{"maxRetries", ""},
		{"", ""},
		{strings.Repeat("x", 1<<16), ""},
	} {
		if got := near.Word(tt.word, known); got != tt.want {
			t.Errorf("%.40q: got %q, want %q", tt.word, got, tt.want)
		}
	}
}

func TestDistance(t *testing.T) {
	for _, tt := range []struct {
		a, b string
		want int
	}{
		{"", "", 0}, {"", "ab", 2}, {"ab", "", 2}, {"auth", "auth", 0},
		{"auth", "auht", 1}, {"kitten", "sitting", 3}, {"abc", "axc", 1},
	} {
		if got := near.Distance(tt.a, tt.b); got != tt.want {
			t.Errorf("%q, %q: got %d, want %d", tt.a, tt.b, got, tt.want)
		}
	}
}
