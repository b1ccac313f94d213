package signer

import (
	"encoding/json"
	"html"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"
)

// compareParameters goes through the parameters of both sides by name.
func (c *comparison) compareParameters() {
	if strings.ReplaceAll(c.client.query, "\n", "#") == c.gateway.query {
		if c.gateway.query != "" {
			c.equal++
		}
		return
	}
	client, gateway := c.client.params, gatewayParameters(c.gateway.query)
	if client == nil {
		client = clientParameters(c.client.query, gateway)
	}
	switch {
	case len(client) == 0 && len(gateway) > 0 && !c.names.known:
		c.add("parameters-left-out", PartParameter, c.names.parameter(gateway[0]), "", gateway[0].value)
		return
	}
	used := make([]bool, len(gateway))
	var order []int
	var missing []pair
	for i, p := range client {
		if slices.ContainsFunc(client[:i], func(q pair) bool { return q.name == p.name }) {
			c.add("parameter-repeated", PartParameter, c.names.parameter(p), p.value, "")
			continue
		}
		at := findParameter(gateway, used, p.name)
		if at < 0 {
			missing = append(missing, p)
			continue
		}
		used[at] = true
		order = append(order, at)
		c.compareParameter(p, gateway[at])
	}
	for _, p := range missing {
		c.add("parameter-not-there", PartParameter, c.names.parameter(p), p.value, "")
	}
	for i, p := range gateway {
		code := "parameter-not-signed"
		if p.value == "" {
			code = "parameter-empty-left-out"
		}
		if !used[i] {
			c.add(code, PartParameter, c.names.parameter(p), "", p.value)
		}
	}
	if !slices.IsSorted(order) {
		c.add("parameters-unsorted", PartParameter, "", "", "")
	}
}

// otherSeparator reports whether the client's parameters are the gateway's,
// joined in another way: by commas or semicolons, or all of it by nothing.
func (c *comparison) otherSeparator() bool {
	signed, gateway := asTold(c.client.query), c.gateway.query
	fewer := strings.Count(signed, "&") < strings.Count(gateway, "&")
	if gateway == "" || c.client.params != nil || signed != "" && !fewer {
		return false
	}
	if signed == "" {
		rest, ok := strings.CutPrefix(asTold(c.client.path), c.gateway.path)
		if !ok || rest == "" {
			return false
		}
		signed = rest
	}
	plain := strings.NewReplacer("&", "", "=", "", ",", "", ";", "", "?", "", "|", "").Replace
	return plain(signed) == plain(gateway)
}

// gatewayParameters splits the gateway's parameters. They are sorted by name, so
// a piece that breaks the order is no parameter but the rest of a value with an
// "&".
func gatewayParameters(query string) []pair { return splitParameters(query, nil) }

// clientParameters splits parameters that may be unsorted: a piece whose name the
// gateway has is a parameter wherever it stands.
func clientParameters(query string, gateway []pair) []pair {
	return splitParameters(query, func(name string) bool { return findParameter(gateway, nil, name) >= 0 })
}

func splitParameters(query string, known func(string) bool) []pair {
	var params []pair
	if query == "" {
		return nil
	}
	highest := ""
	for i, piece := range strings.SplitN(query, "&", 4*maxParameters) {
		name, value, ok := strings.Cut(piece, "=")
		last := len(params) - 1
		if i > 0 && (name <= highest && (known == nil || !known(name)) || len(params) == maxParameters) {
			params[last].value += "&" + piece
			continue
		}
		params = append(params, pair{name, value, !ok})
		highest = max(highest, name)
	}
	return params
}

// findParameter returns the place of a parameter that is not used yet: the exact
// name before one that is encoded or escaped.
func findParameter(params []pair, used []bool, name string) int {
	similar := -1
	for i, p := range params {
		switch {
		case used != nil && used[i]:
		case p.name == name:
			return i
		case similar < 0 && (strings.EqualFold(p.name, name) || decode(name, true, false) == p.name || decode(p.name, true, false) == name ||
			html.UnescapeString("&"+name) == "&"+p.name || strings.TrimPrefix(name, "amp;") == p.name):
			similar = i
		}
	}
	return similar
}

func (c *comparison) compareParameter(client, gateway pair) {
	client.name, client.value = strings.ReplaceAll(client.name, "\n", "#"), strings.ReplaceAll(client.value, "\n", "#")
	shown := c.names.parameter(pair{name: gateway.name}) // both sides have it
	switch {
	case client.name != gateway.name:
		code := "parameter-encoded"
		switch {
		case strings.EqualFold(client.name, gateway.name):
			code = "parameter-case"
		case strings.HasPrefix(client.name, "amp;"), strings.HasPrefix(gateway.name, "amp;"):
			code = "parameter-html"
		case decode(gateway.name, true, false) == client.name:
			code = "parameter-encoded-twice"
		}
		c.add(code, PartParameter, shown, client.name, gateway.name)
		if client.value == gateway.value {
			return
		}
	case c.same(client.value, gateway.value) && client.bare == gateway.bare:
		return
	}
	c.add(parameterCause(client, gateway), PartParameter, shown, client.value, gateway.value)
}

func parameterCause(client, gateway pair) string {
	a, b := client.value, gateway.value
	onceA, onceB := decode(a, true, false), decode(b, true, false)
	switch {
	case a == b:
		return "parameter-empty-value"
	case strings.ReplaceAll(a, "+", " ") == strings.ReplaceAll(b, "+", " "):
		return "parameter-plus"
	case onceA == b, decode(a, false, false) == b, decode(onceA, true, false) == b:
		return "parameter-encoded"
	case onceB == a, decode(b, false, false) == a:
		return "parameter-encoded-twice"
	case html.UnescapeString(a) == b, html.UnescapeString(b) == a:
		return "parameter-html"
	case strings.TrimSpace(a) == strings.TrimSpace(b):
		return "parameter-blanks"
	case b == "" && isNull(a):
		return "parameter-null"
	case b == "":
		return "parameter-value-lost"
	case a == "":
		return "parameter-dropped"
	case strings.HasPrefix(b, a+"="):
		return "parameter-cut-at-equals"
	case strings.HasPrefix(b, a) && strings.ContainsAny(b[len(a):len(a)+1], "?&#;+"):
		return "parameter-cut-here"
	case strings.HasPrefix(a, b) && strings.ContainsAny(a[len(b):len(b)+1], "&#;"):
		return "parameter-not-escaped"
	case strings.HasPrefix(a, b+","), strings.HasPrefix(b, a+","):
		return "parameter-repeated"
	case strings.Trim(a, `"'[]`) == strings.Trim(b, `"'[]`):
		return "parameter-quoted"
	case strings.EqualFold(a, b):
		return "parameter-case"
	case sameNumber(a, b):
		return "parameter-number"
	case sameJSON(a, b):
		return "parameter-json"
	case lookAlike(a, b):
		return "parameter-look-alike"
	case otherCharset(a, b), otherCharset(onceA, b), otherCharset(a, onceB): // escapes of GBK
		return "parameter-charset"
	}
	return "parameter-differs"
}

// isNull reports whether a value is a language's word for none.
func isNull(s string) bool {
	switch strings.ToLower(s) {
	case "null", "undefined", "none", "nil", "nan":
		return true
	}
	return false
}

// sameJSON reports whether two texts are the same JSON value, or the same text
// with the escapes of JSON.
func sameJSON(a, b string) bool {
	var x, y any
	if json.Unmarshal([]byte(a), &x) == nil && json.Unmarshal([]byte(b), &y) == nil && reflect.DeepEqual(x, y) {
		return true
	}
	if !strings.Contains(a, `\`) && !strings.Contains(b, `\`) {
		return false
	}
	return unquoted(a) == b || unquoted(b) == a
}

func unquoted(s string) string {
	var text string
	if json.Unmarshal([]byte(`"`+strings.ReplaceAll(s, `"`, `\"`)+`"`), &text) != nil {
		return s
	}
	return text
}

func sameNumber(a, b string) bool {
	x, errA := strconv.ParseFloat(a, 64)
	y, errB := strconv.ParseFloat(b, 64)
	return errA == nil && errB == nil && x == y
}

// otherCharset reports whether the ASCII in both is the same and the rest of one
// is not UTF-8, question marks, or UTF-8 that was read as ISO-8859-1.
func otherCharset(a, b string) bool {
	if isASCII(a) && isASCII(b) {
		return false
	}
	repairedA, _ := fromLatin1(a)
	repairedB, _ := fromLatin1(b)
	lost := func(s string) bool {
		return !utf8.ValidString(s) || strings.Contains(s, "?") || strings.ContainsRune(s, utf8.RuneError)
	}
	return repairedA == b || repairedB == a || (lost(a) || lost(b)) && onlyASCII(a) == onlyASCII(b)
}

// onlyASCII drops what is not ASCII, and the marks that stand for it.
func onlyASCII(s string) string {
	return strings.Map(func(r rune) rune {
		if r >= 0x80 || r == '?' {
			return -1
		}
		return r
	}, s)
}
