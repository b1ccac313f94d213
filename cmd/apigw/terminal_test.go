package main

import (
	"bytes"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/apigw-go/apigw"
)

func TestWidthCountsColumns(t *testing.T) {
	for s, want := range map[string]int{"": 0, "abc": 3, "状态码": 6, "a状": 3, "（未）": 6, "é": 1} {
		if got := width(s); got != want {
			t.Errorf("width(%q): got %d, want %d", s, got, want)
		}
	}
}

func TestColourNeedsATerminal(t *testing.T) {
	env := func(string) string { return "" }
	if isColourful(new(bytes.Buffer), env) {
		t.Error("a buffer: got colour, want none")
	}
	file, err := os.CreateTemp(t.TempDir(), "")
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	if isColourful(file, env) {
		t.Error("a file: got colour, want none")
	}
}

func TestNoColorIsHonoured(t *testing.T) {
	device, err := os.OpenFile(os.DevNull, os.O_WRONLY, 0) // a character device, as a terminal
	if err != nil {
		t.Fatal(err)
	}
	defer device.Close()
	for _, name := range []string{"NO_COLOR", "TERM"} {
		value := map[string]string{"NO_COLOR": "1", "TERM": "dumb"}[name]
		if isColourful(device, func(n string) string { return map[string]string{name: value}[n] }) {
			t.Errorf("%s=%s: got colour, want none", name, value)
		}
	}
}

func TestTableAlignsPaintedAndWideCells(t *testing.T) {
	var b bytes.Buffer
	table(&b, true, [][]string{{"编号", "x"}, {"a", "y"}}, func(_, column int) colour {
		if column == 0 {
			return green
		}
		return ""
	})
	want := "\x1b[1m编号\x1b[0m  \x1b[1mx\x1b[0m\n\x1b[32ma\x1b[0m     y\n"
	if got := b.String(); got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestLanguage(t *testing.T) {
	for _, c := range []struct {
		name string
		env  map[string]string
		want string
	}{
		{"nothing set", nil, "en"},
		{"LANG", map[string]string{"LANG": "zh_CN.UTF-8"}, "zh"},
		{"LC_ALL wins", map[string]string{"LC_ALL": "en_US.UTF-8", "LANG": "zh_CN.UTF-8"}, "en"},
		{"LC_MESSAGES before LANG", map[string]string{"LC_MESSAGES": "zh_TW", "LANG": "en_US"}, "zh"},
		{"C", map[string]string{"LC_ALL": "C.UTF-8"}, "en"},
		{"another language", map[string]string{"LANG": "de_DE"}, "en"},
	} {
		t.Run(c.name, func(t *testing.T) {
			if got := languageOf(func(n string) string { return c.env[n] }); got != c.want {
				t.Errorf("got %q, want %q", got, c.want)
			}
		})
	}
}

func TestTheFlagWinsOverTheEnvironment(t *testing.T) {
	got := runCommand([]string{"explain", "B403MQ", "-lang", "en"}, "", map[string]string{"LANG": "zh_CN.UTF-8"})
	if !strings.Contains(got.stdout, "meaning") {
		t.Errorf("got %s, want English", got.stdout)
	}
}

func TestEveryStopReasonHasChinese(t *testing.T) {
	for s := apigw.StopUnknown + 1; s <= apigw.StopQuotaHeld; s++ {
		if stopTexts[s] == "" {
			t.Errorf("%v has no Chinese text", s)
		}
	}
}

func TestNear(t *testing.T) {
	words := []string{"Quota Exhausted", "Quota Expired", "A403IP", "throttled"}
	for _, c := range []struct {
		word string
		want []string
	}{
		{"Qouta Exhausted", []string{"Quota Exhausted"}},
		{"quota", []string{"Quota Exhausted", "Quota Expired"}},
		{"A403PI", []string{"A403IP"}},
		{"nothing like it", nil},
		{"", nil},
		{strings.Repeat("x", 300), nil},
	} {
		if got := near(c.word, words); !slices.Equal(got, c.want) {
			t.Errorf("near(%q): got %q, want %q", c.word, got, c.want)
		}
	}
}
