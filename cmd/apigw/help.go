package main

import (
	"embed"
	"fmt"
	"runtime"
	"runtime/debug"
	"strings"

	"github.com/apigw-go/apigw/catalog"
)

// A help page is a text file, one for each command and topic and language. A
// test holds the pages to the flags that there are.
//
//go:embed help
var pages embed.FS

// topics are the pages that belong to no command.
var topics = []string{"retry", "signing", "secrets", "profiles", "exit-codes"}

// page returns the help of a command or topic. The empty name is the overview.
func (in *invocation) page(name string) string {
	if name == "" {
		name = "apigw"
	}
	text, err := pages.ReadFile("help/" + in.lang + "/" + name + ".txt")
	if err != nil {
		return ""
	}
	return string(text)
}

func runHelp(in *invocation, args []string) int {
	rest, ok, code := in.parse(in.flags("help"), args, 1)
	if !ok {
		return code
	}
	topic := "apigw"
	if len(rest) == 1 {
		topic = rest[0]
	}
	if text := in.page(topic); text != "" && !strings.Contains(topic, "/") {
		fmt.Fprint(in.stdout, text)
		return exitOK
	}
	var names []string
	for _, c := range commands() {
		names = append(names, c.name)
	}
	names = append(names, topics...)
	return in.misuse("there is no help on %q%s; there is on %s", shorten(topic), in.didYouMean(topic, names),
		strings.Join(names, ", "))
}

func runVersion(in *invocation, args []string) int {
	if _, ok, code := in.parse(in.flags("version"), args, 0); !ok {
		return code
	}
	version := "(unknown version)"
	if info, ok := debug.ReadBuildInfo(); ok && info.Main.Version != "" {
		version = info.Main.Version
	}
	edition := catalog.CurrentEdition()
	fmt.Fprintf(in.stdout, "apigw %s, catalog %s (%s, %d rows), %s\n", version, edition.Name, edition.Date,
		catalog.Len(), runtime.Version())
	return exitOK
}
