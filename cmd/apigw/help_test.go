package main

import (
	"regexp"
	"slices"
	"strings"
	"testing"
)

// pageNames are all pages that there must be.
func pageNames() []string {
	names := append([]string{"apigw"}, topics...)
	for _, c := range commands() {
		names = append(names, c.name)
	}
	return names
}

func TestEveryPageIsThereInBothLanguages(t *testing.T) {
	for _, lang := range []string{"en", "zh"} {
		in := &invocation{lang: lang}
		for _, name := range pageNames() {
			if in.page(name) == "" {
				t.Errorf("no page help/%s/%s.txt", lang, name)
			}
		}
		files, err := pages.ReadDir("help/" + lang)
		if err != nil {
			t.Fatal(err)
		}
		for _, f := range files {
			if !slices.Contains(pageNames(), strings.TrimSuffix(f.Name(), ".txt")) {
				t.Errorf("help/%s/%s belongs to no command or topic", lang, f.Name())
			}
		}
	}
}

func TestPagesFitATerminal(t *testing.T) {
	for _, lang := range []string{"en", "zh"} {
		in := &invocation{lang: lang}
		for _, name := range pageNames() {
			for i, line := range strings.Split(in.page(name), "\n") {
				// Commands to copy may be longer.
				if width(line) > 84 && !strings.HasPrefix(line, "  ") {
					t.Errorf("help/%s/%s.txt:%d is %d columns wide", lang, name, i+1, width(line))
				}
			}
		}
	}
}

// A flag that no page names does not exist for anybody, and one that only a
// page names is a lie.
func TestPagesNameEveryFlag(t *testing.T) {
	documented := regexp.MustCompile(`(?m)^  (--?[\w-]+)`)
	for _, c := range commands() {
		var defined []string
		for _, f := range flagsOf(c) {
			defined = append(defined, dashed(f.name))
		}
		slices.Sort(defined)
		for _, lang := range []string{"en", "zh"} {
			var named []string
			for _, m := range documented.FindAllStringSubmatch((&invocation{lang: lang}).page(c.name), -1) {
				named = append(named, m[1])
			}
			slices.Sort(named)
			if !slices.Equal(named, defined) {
				t.Errorf("help/%s/%s.txt names %q, the command has %q", lang, c.name, named, defined)
			}
		}
	}
}
