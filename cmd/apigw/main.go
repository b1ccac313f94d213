// Command apigw explains, demonstrates and performs calls to APIs on Alibaba
// Cloud API Gateway (阿里云 API 网关).
//
// Run "apigw help" for the commands. All but call and gateway work without a
// network.
package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
)

// Exit codes, as "apigw help exit-codes" lists them.
const (
	exitOK = 0
	// demo: a row decided otherwise than the catalog says; policy: a file with
	// faults; the output cannot be written
	exitFailure    = 1
	exitMisuse     = 2
	exitUnknown    = 3 // explain: not in the catalog, or not enough to say
	exitGateway    = 4 // call: the gateway answered with an error
	exitBackend    = 5 // call: the backend, or a proxy on the way, did
	exitNoResponse = 6 // call: nobody answered

	exitInterrupted = 130 // Ctrl-C, as shells have it
)

func main() {
	os.Exit(run(context.Background(), os.Args[1:], os.Stdin, os.Stdout, os.Stderr, os.Getenv))
}

// command is one word after "apigw". Its help page has the same name.
type command struct {
	name string
	run  func(*invocation, []string) int
}

// commands are in the order of the overview. It is a function because help
// itself asks for it.
func commands() []command {
	return []command{
		{"demo", runDemo},
		{"explain", runExplain},
		{"call", runCall},
		{"sign", runSign},
		{"proxy", runProxy},
		{"gateway", runGateway},
		{"catalog", runCatalog},
		{"policy", runPolicy},
		{"completion", runCompletion},
		{"help", runHelp},
		{"version", runVersion},
	}
}

// run is main without the process: tests call it. It returns the exit code.
// What waits for somebody ends early when ctx does.
func run(ctx context.Context, args []string, stdin io.Reader, stdout, stderr io.Writer, env func(string) string) int {
	out := &output{w: stdout}
	in := &invocation{ctx: ctx, stdin: stdin, stdout: out, stderr: stderr, env: env, name: "apigw"}
	in.lang = languageOf(env)
	in.colour, in.colourErr = isColourful(stdout, env), isColourful(stderr, env)
	in.liveErr = isTerminal(stderr) && env("TERM") != "dumb"
	code := in.run(args)
	if out.err != nil {
		in.complain("%s: %v", in.t("cannot write the output", "无法写出结果"), out.err)
		return exitFailure
	}
	return code
}

// output remembers that writing failed, so that nobody takes half an output for
// the whole.
type output struct {
	w   io.Writer
	err error
}

func (o *output) Write(p []byte) (n int, err error) {
	if n, err = o.w.Write(p); err != nil {
		o.err = err
	}
	return n, err
}

// run finds the command and leaves the rest to it.
func (in *invocation) run(args []string) int {
	fs := in.flags("")
	fs.Bool("version", false, "")
	// Only the flags before the command are for here.
	rest, ok, code := in.parseFlags(fs, args)
	if !ok {
		return code
	}
	switch {
	case fs.Lookup("version").Value.String() == "true":
		return runVersion(in, nil)
	case len(rest) == 0:
		fmt.Fprint(in.stderr, in.page("apigw"))
		return exitMisuse
	}
	var names []string
	for _, c := range commands() {
		if c.name == rest[0] {
			in.name = "apigw " + c.name
			return c.run(in, rest[1:])
		}
		names = append(names, c.name)
	}
	if i := slices.Index(rest, "--lang"); i > 0 && i+1 < len(rest) { // no command has read it
		if lang, ok := parseLanguage(rest[i+1]); ok {
			in.lang = lang
		}
	}
	return in.misuse("there is no command %q%s; the commands are %s", shorten(rest[0]), in.didYouMean(rest[0], names),
		strings.Join(names, ", "))
}
