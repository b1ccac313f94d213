package main

import (
	"flag"
	"fmt"
	"slices"
	"strings"
	"time"
)

// secretFlags are flags that people try and that must not exist.
var secretFlags = []string{"secret", "app-secret", "appsecret", "password", "code", "app-code"}

// explainFlagError says what to do about a complaint of the flag package.
func (in *invocation) explainFlagError(fs *flag.FlagSet, err error) string {
	text := err.Error()
	if name, ok := strings.CutPrefix(text, "flag needs an argument: -"); ok {
		return in.sprintf("%s needs a value behind it", dashed(name))
	}
	name, unknown := strings.CutPrefix(text, "flag provided but not defined: -")
	if !unknown {
		return in.badValue(fs, text)
	}
	var names []string
	fs.VisitAll(func(f *flag.Flag) { names = append(names, f.Name) })
	switch {
	case slices.Contains(secretFlags, name):
		return in.sprintf("there is no flag %s, because other users of this machine could read its value: set "+
			"APIGW_APP_SECRET or APIGW_APP_CODE, or name a file with --secret-file", dashed(name))
	case len(name) > 1 && slices.Contains(names, name[:1]):
		return in.sprintf("there is no flag %s; write %s with a blank", "-"+name[:1]+"…", "-"+name[:1]+" VALUE")
	}
	if near := nearest(name, names); near != "" {
		return in.sprintf("there is no flag %s (did you mean %s?); -h shows all", dashed(likeFlag(name)), near)
	}
	return in.sprintf("there is no flag %s; -h shows all", dashed(likeFlag(name)))
}

// likeFlag is what of a name looks like a flag: the rest can be a value that
// somebody wrote behind it, such as a password.
func likeFlag(name string) string {
	for i, c := range name {
		if c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c == '-' || c == '_' {
			continue
		}
		return name[:i] + "…"
	}
	return shorten(name)
}

// nearest are the flags that may have been meant, as they are written.
func nearest(name string, names []string) string {
	words := slices.DeleteFunc(slices.Clone(names), func(n string) bool { return len(n) == 1 })
	if len(name) < 3 {
		return "" // every flag is near a letter
	}
	found := near(name, words)
	for i := range found {
		found[i] = dashed(found[i])
	}
	return strings.Join(found, ", ")
}

// dashed is a flag as it is written: one dash for a letter, two for a word.
func dashed(name string) string {
	if len(name) == 1 {
		return "-" + name
	}
	return "--" + name
}

// badValue rewrites `invalid value "x" for flag -status: parse error`.
func (in *invocation) badValue(fs *flag.FlagSet, text string) string {
	_, rest, ok := strings.Cut(text, " for flag -")
	value, _, _ := strings.Cut(strings.TrimPrefix(text, "invalid value "), " for flag -")
	if !ok { // `invalid boolean value "x" for -json: parse error`
		if _, rest, ok = strings.Cut(text, " for -"); !ok {
			return text
		}
		value, _, _ = strings.Cut(strings.TrimPrefix(text, "invalid boolean value "), " for -")
	}
	name, reason, _ := strings.Cut(rest, ": ")
	return in.sprintf("%s does not take %s: %s", dashed(name), value, in.wanted(fs, name, reason))
}

// wanted says what a flag takes.
func (in *invocation) wanted(fs *flag.FlagSet, name, reason string) string {
	f := fs.Lookup(name)
	if f == nil || reason != "parse error" {
		return reason
	}
	switch v := f.Value.(type) {
	case flag.Getter:
		switch v.Get().(type) {
		case time.Duration:
			return in.sprintf("give a duration, such as 250ms or 1.5s")
		case int, int64:
			return in.sprintf("give a whole number")
		}
	}
	return in.sprintf("give true or false, or leave the value out")
}

// sprintf is fmt.Sprintf in the language of the user.
func (in *invocation) sprintf(format string, args ...any) string {
	return fmt.Sprintf(in.translated(format), args...)
}
