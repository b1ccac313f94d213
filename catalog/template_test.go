package catalog

import (
	"slices"
	"strings"
	"testing"
)

func TestParseTemplate(t *testing.T) {
	for message, want := range map[string][]part{
		"":                              nil,
		"Quota Exhausted":               {{before: "Quota Exhausted"}},
		"Header `${HeaderName}` is bad": {{"Header `", "HeaderName"}, {before: "` is bad"}},
		"Server StringToSign:%s":        {{"Server StringToSign:", "StringToSign"}},
		"${A}${B}":                      {{"", "A"}, {"", "B"}},
		"%s":                            {{"", "Text"}},
		"a %s, b %s":                    {{"a ", "a"}, {", b ", "b"}},
		"100% ${A} %":                   {{"100% ", "A"}, {before: " %"}},
		"${A is not closed":             {{before: "${A is not closed"}},
		"${A} ${B is not":               {{"", "A"}, {before: " ${B is not"}},
		"${}":                           {{before: "${}"}},
		"文本%s":                          {{"文本", "Text"}},
		"$":                             {{before: "$"}},
	} {
		if got := parseTemplate(message); !slices.Equal(got, want) {
			t.Errorf("%q: got %q, want %q", message, got, want)
		}
	}
}

func TestFill(t *testing.T) {
	e := Entry{Message: "Invalid Header `${HeaderName}` ${Reason}"}
	var names []string
	got := e.Fill(func(name string) string { names = append(names, name); return strings.ToUpper(name) })
	if want := "Invalid Header `HEADERNAME` REASON"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	if want := []string{"HeaderName", "Reason"}; !slices.Equal(names, want) {
		t.Errorf("parameters %q, want %q", names, want)
	}
	if got := (Entry{}).Fill(nil); got != "" {
		t.Errorf("no text: got %q", got)
	}
}

func FuzzParseTemplate(f *testing.F) {
	for e := range All() {
		f.Add(e.Message)
	}
	f.Add("${")
	f.Fuzz(func(t *testing.T, message string) {
		text := Entry{Message: message}.Fill(func(name string) string {
			if name == "" {
				t.Error("a parameter without a name")
			}
			return ""
		})
		if len(text) > len(message) {
			t.Errorf("%q grew to %q", message, text)
		}
	})
}
