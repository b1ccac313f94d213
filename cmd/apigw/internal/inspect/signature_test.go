package inspect

import (
	"slices"
	"strings"
	"testing"
)

func TestSideBySide(t *testing.T) {
	head := "GET\napplication/json\n\ntext/plain\n\n"
	for name, c := range map[string]struct {
		signed, server string
		want           []string // the lines that differ
	}{
		"equal": {head + "a:1\n/x?b=2", head + "a:1\n/x?b=2", nil},
		"another type": {head + "/x", strings.Replace(head, "text/plain", "text/html", 1) + "/x",
			[]string{"Content-Type: text/plain | text/html"}},
		"another header": {head + "a:1\nb:2\n/x", head + "b:2\nc:3\n/x", []string{": a:1 | ", ":  | c:3"}},
		"another case":   {head + "X-A:1\n/x", head + "x-a:1\n/x", []string{": X-A:1 | x-a:1"}},
		"another path":   {head + "/x?q=1", head + "/y?q=1", []string{"path: /x?q=1 | /y?q=1"}},
		"no string":      {"what", head + "/x", []string{": what | GET application/json  text/plain  /x"}},
	} {
		t.Run(name, func(t *testing.T) {
			var got []string
			for _, line := range sideBySide(strings.Split(c.signed, "\n"), strings.Split(c.server, "\n"), nil) {
				if line.Differs {
					got = append(got, line.Name+": "+line.Signed+" | "+line.Server)
				}
			}
			if !slices.Equal(got, c.want) {
				t.Errorf("got %q, want %q", got, c.want)
			}
		})
	}
}
