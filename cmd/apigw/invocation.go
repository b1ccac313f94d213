package main

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"os/signal"
	"slices"
	"strings"
	"syscall"
	"time"
)

// invocation is one run of a command: its surroundings and the settings that
// all commands share.
type invocation struct {
	ctx            context.Context
	stdin          io.Reader
	stdout, stderr io.Writer
	env            func(string) string

	name              string // "apigw call", begins every complaint
	lang              string // "en" or "zh"
	colour, colourErr bool   // of stdout, of stderr
	liveErr           bool   // somebody watches stderr
}

// flags returns an empty set with the flags that every command has. It prints
// nothing itself: help is a page, and complaints are ours.
func (in *invocation) flags(command string) *flag.FlagSet {
	fs := flag.NewFlagSet(command, flag.ContinueOnError)
	fs.SetOutput(io.Discard)
	fs.Usage = func() {}
	fs.Func("lang", "", func(s string) error {
		lang, ok := parseLanguage(s)
		if !ok {
			return errors.New(`give "en" or "zh"`)
		}
		in.lang = lang
		return nil
	})
	return fs
}

// parseFlags parses up to the first argument that is no flag. Where ok is
// false the command is over, with code.
func (in *invocation) parseFlags(fs *flag.FlagSet, args []string) (rest []string, ok bool, code int) {
	for _, a := range args {
		if a == "--" || fs.Lookup("appcode") == nil {
			break
		}
		// The flag package would repeat the value in its complaint.
		if name, _, has := strings.Cut(strings.TrimLeft(a, "-"), "="); has && strings.HasPrefix(a, "-") && name == "appcode" {
			return nil, false, in.misuse("--appcode takes no value, which other users of this machine could read: set APIGW_APP_CODE, or name a file with --secret-file")
		}
	}
	switch err := fs.Parse(args); {
	case errors.Is(err, flag.ErrHelp):
		fmt.Fprint(in.stdout, in.page(fs.Name()))
		return nil, false, exitOK
	case err != nil:
		return nil, false, in.misuse("%s", explainFlagError(fs, err))
	}
	return fs.Args(), true, 0
}

// parse parses flags wherever they stand, and the other arguments, of which
// there may be at most most. "--" ends the flags.
func (in *invocation) parse(fs *flag.FlagSet, args []string, most int) (positional []string, ok bool, code int) {
	for {
		rest, ok, code := in.parseFlags(fs, args)
		if !ok {
			return nil, false, code
		}
		if n := len(args) - len(rest); n > 0 && args[n-1] == "--" {
			positional, rest = append(positional, rest...), nil
		}
		if len(rest) == 0 {
			break
		}
		positional, args = append(positional, rest[0]), rest[1:]
	}
	if len(positional) > most {
		// They are not repeated: one may be a secret that was meant as the
		// value of a flag which takes none.
		return nil, false, in.misuse("%d arguments besides the flags, at most %d make sense; put quotes around what has blanks, see `%s -h`", len(positional), most, in.name)
	}
	return positional, true, 0
}

// explainFlagError adds the mend to a complaint of the flag package.
func explainFlagError(fs *flag.FlagSet, err error) string {
	text := err.Error()
	if name, ok := strings.CutPrefix(text, "flag needs an argument: -"); ok {
		return fmt.Sprintf("-%s needs a value behind it", name)
	}
	name, unknown := strings.CutPrefix(text, "flag provided but not defined: -")
	if !unknown {
		return strings.TrimSuffix(text, "parse error") + mendOf(fs, text)
	}
	var names []string
	fs.VisitAll(func(f *flag.Flag) { names = append(names, f.Name) })
	switch {
	case slices.Contains([]string{"secret", "app-secret", "appsecret", "password", "code", "app-code"}, name):
		return fmt.Sprintf("there is no flag -%s, because other users of this machine could read its value: set APIGW_APP_SECRET or APIGW_APP_CODE, or name a file with --secret-file", name)
	case len(name) > 1 && slices.Contains(names, name[:1]):
		return fmt.Sprintf("there is no flag -%s; write -%s %s with a blank", name[:1]+"…", name[:1], "VALUE")
	}
	return fmt.Sprintf("there is no flag -%s%s; -h shows all", shorten(name), didYouMean(name, names))
}

// mendOf says what the flag of a "parse error" takes; nothing for other texts.
func mendOf(fs *flag.FlagSet, text string) string {
	text, ok := strings.CutSuffix(text, ": parse error")
	if !ok {
		return ""
	}
	_, name, _ := strings.Cut(text[strings.LastIndex(text, " for")+1:], "-")
	f := fs.Lookup(name)
	if f == nil {
		return "parse error"
	}
	switch f.Value.(flag.Getter).Get().(type) {
	case time.Duration:
		return "give a duration, such as 250ms or 1.5s"
	case int:
		return "give a whole number"
	}
	return "give true or false, or leave the value out"
}

// misuse complains and returns the exit code of a wrong command line.
func (in *invocation) misuse(format string, args ...any) int {
	in.complain(format, args...)
	return exitMisuse
}

func (in *invocation) complain(format string, args ...any) {
	fmt.Fprintf(in.stderr, "%s: %s\n", in.name, fmt.Sprintf(format, args...))
}

// json prints v on one line, with "<" and "&" as they are.
func (in *invocation) json(v any) {
	enc := json.NewEncoder(in.stdout)
	enc.SetEscapeHTML(false)
	enc.Encode(v) // our own structs always encode; output keeps what else fails
}

// untilSignal returns a context that ends with in.ctx, or when somebody
// interrupts the program; a second interrupt kills it.
func (in *invocation) untilSignal() (context.Context, context.CancelFunc) {
	ctx, stop := signal.NotifyContext(in.ctx, syscall.SIGINT, syscall.SIGTERM)
	context.AfterFunc(ctx, stop)
	return ctx, stop
}

// isSet reports whether the user gave the flag.
func isSet(fs *flag.FlagSet, name string) bool {
	set := false
	fs.Visit(func(f *flag.Flag) { set = set || f.Name == name })
	return set
}

// repeatable collects the values of a flag that may be given several times.
func repeatable(to *[]string) func(string) error {
	return func(s string) error { *to = append(*to, s); return nil }
}
