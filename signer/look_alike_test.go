package signer

import "testing"

func TestLookAlike(t *testing.T) {
	for name, c := range map[string]struct {
		a, b string
		want bool
	}{
		"hard blank":            {"two\u00a0words", "two words", true},
		"character of no width": {"a\u200bb", "ab", true},
		"full width":            {"ａ＝１", "a=1", true},
		"typographic quotes":    {"“a”", `"a"`, true},
		"accent apart":          {"cafe\u0301", "café", true},
		"another letter":        {"cafe", "cafa", false},
		"accent left out":       {"cafe", "café", false},
		"one more letter":       {"cafes\u0301", "café", false},
	} {
		t.Run(name, func(t *testing.T) {
			if got := lookAlike(c.a, c.b); got != c.want {
				t.Errorf("got %v, want %v", got, c.want)
			}
			if got := lookAlike(c.b, c.a); got != c.want {
				t.Errorf("the other way: got %v, want %v", got, c.want)
			}
		})
	}
}

// A name in another letter case is a name, not the rest of the value before it.
func TestParameterNameInAnotherCase(t *testing.T) {
	d, ok := Diagnose("GET\n\n\n\n\n/p?a=1&B=2&c=3", "Server StringToSign:`GET#####/p?a=1&b=2&c=3`")
	if !ok || d.Findings[0].Code != "parameter-case" || d.Name != "b" {
		t.Errorf("got %v, want parameter-case of b", d)
	}
}

func TestParameterCauseOfCharacters(t *testing.T) {
	for name, c := range map[string]struct{ signed, gateway, want string }{
		"escapes of GBK":       {"%B1%B1%BE%A9", "北京", "parameter-charset"},
		"GBK escaped on a way": {"北京", "%B1%B1%BE%A9", "parameter-charset"},
		"hard blank":           {"two\u00a0words", "two words", "parameter-look-alike"},
		"accent apart":         {"cafe\u0301", "café", "parameter-look-alike"},
		"escapes of UTF-8":     {"%E5%8C%97", "北", "parameter-encoded"},
		"another city":         {"上海", "北京", "parameter-differs"},
	} {
		t.Run(name, func(t *testing.T) {
			if got := parameterCause(pair{value: c.signed}, pair{value: c.gateway}); got != c.want {
				t.Errorf("got %s, want %s", got, c.want)
			}
		})
	}
}
