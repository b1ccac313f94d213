package main

import (
	"strings"
	"testing"
)

func TestGatewayMisuse(t *testing.T) {
	for name, tt := range map[string]struct {
		args []string
		want string
	}{
		"reading": {[]string{"--reading", "path-decodet"},
			`--reading: reading: unknown word "path-decodet"; known are documented`},
		"limit": {[]string{"--limit", "100"},
			`--limit: limit "100" does not begin with a number of calls and a window`},
		"window": {[]string{"--limit", "1/s", "--window", "round"},
			`--window: limit "1/s round": unknown word "round"`},
		"window for nothing":   {[]string{"--window", "aligned"}, "--window needs a --limit"},
		"certificate for none": {[]string{"--cert-out", "x.pem"}, "--cert-out needs --tls"},
		"certificate nowhere": {[]string{"--tls", "--cert-out", "no/such/folder/x.pem", "--listen", "127.0.0.1:0"},
			"--cert-out: open no/such/folder/x.pem"},
		"negative quota":     {[]string{"--quota", "-1"}, "may not be negative"},
		"quota of words":     {[]string{"--quota", "many"}, "give a whole number"},
		"base path":          {[]string{"--base-path", "v1"}, `--base-path "v1" does not begin with a slash`},
		"stage without name": {[]string{"--stages", "TEST,"}, `--stages "TEST," has an empty name`},
		"origin":             {[]string{"--origins", "example.com"}, `--origins "example.com" is no origin`},
		"timeout":            {[]string{"--timeout", "3"}, "give a duration, such as 250ms or 1.5s"},
		"dialect of no fake": {[]string{"--dialect", "unknown"}, "known are classic, vpc, higress, envoy"},
		"plug-in": {[]string{"--dialect", "higress", "--auth-plugin", "hmac"},
			`--auth-plugin "hmac" is not known`},
		"plug-in of another": {[]string{"--date-offset", "1m"}, "belong to --dialect higress; add it"},
		"row to throttle with": {[]string{"--dialect", "higress", "--throttled", "none"},
			`no row "none" in the catalog`},
		"an argument": {[]string{"gateway.json"}, "arguments besides the flags: 1"},
	} {
		t.Run(name, func(t *testing.T) {
			got := runCommand(append([]string{"gateway"}, tt.args...), "", nil)
			if got.exit != exitMisuse || !strings.Contains(got.stderr, tt.want) || got.stdout != "" {
				t.Errorf("got exit %d, %s%s; want %d and %s", got.exit, got.stdout, got.stderr, exitMisuse, tt.want)
			}
		})
	}
}
