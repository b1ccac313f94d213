package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"os/signal"
	"strings"
	"syscall"
	"unicode"
	"unicode/utf16"
	"unicode/utf8"
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

	// inspect, if not nil, gets the flags of a command in place of a run.
	inspect func(*flag.FlagSet)
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
	if in.inspect != nil {
		in.inspect(fs)
		return nil, false, exitOK
	}
	for _, a := range args {
		if a == "--" || fs.Lookup("appcode") == nil {
			break
		}
		// The flag package would show the value in its complaint.
		if name, _, has := strings.Cut(strings.TrimLeft(a, "-"), "="); has && strings.HasPrefix(a, "-") &&
			name == "appcode" {
			return nil, false, in.misuse("--appcode takes no value, which other users of this machine could read: set " +
				"APIGW_APP_CODE, or name a file with --secret-file")
		}
	}
	switch err := fs.Parse(args); {
	case errors.Is(err, flag.ErrHelp):
		fmt.Fprint(in.stdout, in.page(fs.Name()))
		return nil, false, exitOK
	case err != nil:
		return nil, false, in.misuse("%s", in.explainFlagError(fs, err))
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
		// They are not shown: one may be a secret that was meant as the
		// value of a flag which takes none.
		return nil, false, in.misuse("arguments besides the flags: %d, at most %d make sense; put quotes around "+
			"what has "+
			"blanks, see `%s -h`", len(positional), most, in.name)
	}
	return positional, true, 0
}

// misuse complains and returns the exit code of a wrong command line.
func (in *invocation) misuse(format string, args ...any) int {
	in.complain(format, args...)
	return exitMisuse
}

// fault is misuse with the text of an error that [invocation.errorf] made, or
// that the library did.
func (in *invocation) fault(err error) int { return in.misuse("%s", safeLines(err)) }

// complain writes a line for people. The text is looked up in the language of
// the user.
func (in *invocation) complain(format string, args ...any) {
	fmt.Fprintf(in.stderr, "%s: %s\n", in.name, printableLines(fmt.Sprintf(in.translated(format), args...)))
}

// errorf is fmt.Errorf in the language of the user.
func (in *invocation) errorf(format string, args ...any) error {
	return fmt.Errorf(in.translated(format), args...)
}

// json prints v on one line, with "<" and "&" as they are.
func (in *invocation) json(v any) {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	enc.Encode(v) // our own structs always encode
	in.stdout.Write(escapeInvisible(b.Bytes()))
}

// escapeInvisible escapes what JSON need not escape and a terminal obeys: the
// controls of ISO 6429 and of the direction of writing. Outside of its strings
// JSON has none of them.
func escapeInvisible(text []byte) []byte {
	if !bytes.ContainsFunc(text, isInvisible) {
		return text
	}
	var b []byte
	for _, r := range string(text) {
		if !isInvisible(r) {
			b = utf8.AppendRune(b, r)
			continue
		}
		for _, unit := range utf16.AppendRune(nil, r) {
			b = fmt.Appendf(b, `\u%04x`, unit)
		}
	}
	return b
}

func isInvisible(r rune) bool { return r >= 0x7f && !unicode.IsPrint(r) }

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
