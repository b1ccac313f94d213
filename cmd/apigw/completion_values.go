package main

import (
	"fmt"
	"slices"
	"strings"

	"github.com/apigw-go/apigw/catalog"
)

// knownValue is a flag that takes one of few words.
type knownValue struct {
	flag   string
	values []string
}

// knownValues are those of all commands; a name means the same in each.
func knownValues() []knownValue {
	return []knownValue{
		{"algorithm", []string{"HmacSHA256", "HmacSHA1"}},
		{"auth-plugin", []string{"hmac-auth", "key-auth", "jwt-auth", "basic-auth"}},
		{"class", namesUpTo(catalog.ClassCircuitOpen)},
		{"dialect", namesUpTo(catalog.GenerationFC)},
		{"generation", namesUpTo(catalog.GenerationFC)},
		{"lang", []string{"en", "zh"}},
		{"stage", []string{"RELEASE", "PRE", "TEST"}},
		{"window", []string{"opened", "aligned", "sliding", "bucket"}},
	}
}

// valuesOf are the words that a flag takes, nil where any text is a value.
func valuesOf(flag string) []string {
	all := knownValues()
	if i := slices.IndexFunc(all, func(k knownValue) bool { return k.flag == flag }); i >= 0 {
		return all[i].values
	}
	return nil
}

// bashValues are the branches for the word before the cursor.
func bashValues() string {
	var b strings.Builder
	for _, k := range knownValues() {
		fmt.Fprintf(&b, "    --%s) COMPREPLY=($(compgen -W %q -- \"$cur\")); return ;;\n", k.flag,
			strings.Join(k.values, " "))
	}
	return b.String()
}
