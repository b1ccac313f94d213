package main

import (
	"flag"
	"io"
)

// flagInfo is a flag as help and completion need it.
type flagInfo struct {
	name   string
	isBool bool // takes no value
}

// flagsOf lists the flags of a command, in the order of their names. It asks the
// command itself, so that no list can be out of date.
func flagsOf(c command) (list []flagInfo) {
	in := &invocation{stdin: nil, stdout: io.Discard, stderr: io.Discard, env: func(string) string { return "" }}
	in.inspect = func(fs *flag.FlagSet) {
		fs.VisitAll(func(f *flag.Flag) {
			b, ok := f.Value.(interface{ IsBoolFlag() bool })
			list = append(list, flagInfo{name: f.Name, isBool: ok && b.IsBoolFlag()})
		})
	}
	c.run(in, nil)
	return list
}
