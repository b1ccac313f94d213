package signer

import (
	"encoding/base64"
	"encoding/hex"
	"net/http"
	"strings"
)

// A comparison collects the differences between the parts of the client's
// string and those of the gateway's.
type comparison struct {
	client, gateway parts
	names           knownNames
	findings        []Finding
	equal           int // parts that are not empty and the same
}

// knownNames are the names that may be shown: those of the request, where it is
// known. What a server puts in the place of a name can be a value.
type knownNames struct {
	known      bool
	headers    http.Header
	parameters map[string]bool
}

func (k knownNames) header(name string) string {
	if !k.known {
		return printable(strings.TrimSpace(name))
	}
	if _, n := lookup(k.headers, strings.TrimSpace(name)); n == 0 {
		return ""
	}
	return strings.TrimSpace(name)
}

// parameter returns a name to show. Without the request a piece that has no "="
// on either side can be the rest of a value with an "&".
func (k knownNames) parameter(p pair) string {
	if k.known && !k.parameters[p.name] || !k.known && p.bare {
		return ""
	}
	return printable(p.name)
}

func (c *comparison) add(code string, part Part, name, signed, gateway string) {
	c.findings = append(c.findings, Finding{code, part, name, Secret(signed), Secret(gateway)})
}

// compare finds all the differences, in the order of the string.
func (c *comparison) compare() {
	if c.client.misplaced {
		c.add("path-not-last", PartWhole, "", "", "")
	}
	c.methodLeftOut()
	c.compareMethod()
	c.compareStandard()
	for range c.client.blank {
		c.add("surplus-line", PartWhole, "", "", "")
	}
	c.compareHeaders()
	c.comparePath()
	c.compareParameters()
}

func (c *comparison) same(signed, gateway string) bool {
	if signed == gateway && signed != "" {
		c.equal++
	}
	return signed == gateway
}

// methodLeftOut sees that the string begins with Accept.
func (c *comparison) methodLeftOut() {
	first := c.client.method
	if len(c.gateway.fixed) == 0 || first != c.gateway.fixed[0] || isToken(first) && first == strings.ToUpper(first) {
		return
	}
	c.add("line-left-out", PartMethod, "", "", c.gateway.method)
	c.client.method = c.gateway.method
	c.client.fixed = append([]string{first}, c.client.fixed...)
	// The first signed header stood in the place of Date.
	n := len(c.client.fixed)
	name, value, _ := strings.Cut(c.client.fixed[n-1], ":")
	if n > len(standard) && findHeader(c.gateway.headers, nil, name) >= 0 {
		c.client.fixed = c.client.fixed[:n-1]
		c.client.headers = append([]pair{{name: name, value: value}}, c.client.headers...)
	}
}

func (c *comparison) compareMethod() {
	signed, gateway := c.client.method, c.gateway.method
	if c.same(signed, gateway) {
		return
	}
	first, _, more := strings.Cut(signed, " ")
	code := "method-differs"
	switch {
	case strings.EqualFold(strings.TrimSpace(signed), gateway):
		code = "method-case"
		if strings.TrimSpace(signed) != signed {
			code = "standard-blanks"
		}
	case more && strings.EqualFold(first, gateway):
		code = "request-line"
	}
	if code != "method-differs" {
		c.equal++
	}
	c.add(code, PartMethod, "", signed, gateway)
}

// compareStandard goes through Accept, Content-MD5, Content-Type and Date.
func (c *comparison) compareStandard() {
	signed := c.unnamed(c.client.fixed)
	if len(signed) == len(standard) && len(c.gateway.fixed) == len(standard) && swapped(signed, c.gateway.fixed) {
		c.add("lines-swapped", PartWhole, "", strings.Join(signed, "\n"), strings.Join(c.gateway.fixed, "\n"))
		return
	}
	for _, m := range align(signed, c.gateway.fixed) {
		switch {
		case m.gateway < 0:
			c.add("surplus-line", PartWhole, "", signed[m.client], "")
		case m.client < 0:
			code := "line-left-out"
			if c.gateway.fixed[m.gateway] != "" {
				code = "value-left-out"
			}
			c.add(code, standardPart(m.gateway), "", "", c.gateway.fixed[m.gateway])
		case !c.same(signed[m.client], c.gateway.fixed[m.gateway]):
			s, g := signed[m.client], c.gateway.fixed[m.gateway]
			c.add(standardCause(standardPart(m.gateway), s, g), standardPart(m.gateway), "", s, g)
		}
	}
}

// unnamed returns the lines of the standard headers without names in front. Where
// they are named, their order does not matter.
func (c *comparison) unnamed(lines []string) []string {
	var named [len(standard)]*string
	var rest []string
	for _, line := range lines {
		name, value, ok := strings.Cut(line, ":")
		i := standardIndex(name)
		if !ok || i < 0 {
			rest = append(rest, line)
			continue
		}
		value = strings.TrimSpace(value)
		named[i] = &value
		c.add("standard-header-named", standardPart(i), "", line, value)
	}
	if len(rest) == len(lines) {
		return lines
	}
	var all []string
	for i, value := range named {
		switch {
		case value != nil:
			all = append(all, *value)
		case len(rest) > 0:
			all = append(all, rest[0])
			rest = rest[1:]
		case i < len(c.gateway.fixed): // left out because the header is not sent
			all = append(all, "")
		}
	}
	return append(all, rest...)
}

// swapped reports whether two lists hold the same lines in another order.
func swapped(a, b []string) bool {
	count := map[string]int{}
	same := true
	for i := range a {
		count[a[i]]++
		count[b[i]]--
		same = same && a[i] == b[i]
	}
	for _, n := range count {
		if n != 0 {
			return false
		}
	}
	return !same
}

// A match pairs lines by their index; -1 is a line that the other side lacks.
type match struct{ client, gateway int }

// align pairs the lines of both sides so that the fewest are left out, added or
// changed.
func align(client, gateway []string) []match {
	const changed, alone = 3, 2
	cost := make([][]int, len(client)+1)
	for i := range cost {
		cost[i] = make([]int, len(gateway)+1)
	}
	pair := func(i, j int) int {
		if client[i] == gateway[j] {
			return cost[i+1][j+1]
		}
		return cost[i+1][j+1] + changed
	}
	for i := len(client); i >= 0; i-- {
		for j := len(gateway); j >= 0; j-- {
			switch {
			case i == len(client):
				cost[i][j] = alone * (len(gateway) - j)
			case j == len(gateway):
				cost[i][j] = alone * (len(client) - i)
			default:
				cost[i][j] = min(pair(i, j), alone+cost[i+1][j], alone+cost[i][j+1])
			}
		}
	}
	var matches []match
	for i, j := 0, 0; i < len(client) || j < len(gateway); {
		switch {
		case i < len(client) && j < len(gateway) && cost[i][j] == pair(i, j):
			matches = append(matches, match{i, j})
			i, j = i+1, j+1
		case j == len(gateway) || i < len(client) && cost[i][j] == alone+cost[i+1][j]:
			matches = append(matches, match{i, -1})
			i++
		default:
			matches = append(matches, match{-1, j})
			j++
		}
	}
	return matches
}

// standardCause names the difference in a standard header.
func standardCause(part Part, signed, gateway string) string {
	code := map[Part]string{PartAccept: "accept", PartContentMD5: "md5", PartContentType: "type",
		PartDate: "date"}[part]
	if part == PartContentMD5 {
		if cause := md5Cause(signed); cause != "" {
			return cause
		}
		if strings.EqualFold(plainBase64(signed), plainBase64(gateway)) {
			return "md5-spelling"
		}
	}
	switch {
	case signed == "":
		return code + "-added"
	case gateway == "":
		return code + "-removed"
	case part == PartContentType:
		return typeCause(signed, gateway)
	case withoutBlanks(signed) == withoutBlanks(gateway):
		return "standard-blanks"
	case part == PartDate && isHTTPDate(signed) && isHTTPDate(gateway):
		return "other-run"
	}
	return code + "-differs"
}

// md5Cause recognizes what was made into a Content-MD5 wrongly.
func md5Cause(signed string) string {
	if _, err := hex.DecodeString(signed); err == nil && len(signed) >= 32 {
		return "md5-hex"
	}
	digest, err := base64.StdEncoding.DecodeString(signed)
	if err != nil {
		return ""
	}
	switch _, hexErr := hex.DecodeString(string(digest)); {
	case hexErr == nil && len(digest) == 32:
		return "md5-of-hex"
	case signed == "1B2M2Y8AsgTpgAmY7PhCfg==":
		return "md5-of-nothing"
	case len(digest) == 20, len(digest) == 32, len(digest) == 64:
		return "md5-other-digest"
	}
	return ""
}

// plainBase64 is base64 in its standard alphabet, without padding and blanks.
func plainBase64(s string) string {
	standard := strings.NewReplacer("-", "+", "_", "/", "%2B", "+", "%2F", "/", "%3D", "")
	return strings.TrimRight(standard.Replace(withoutBlanks(s)), "=")
}

func typeCause(signed, gateway string) string {
	a, b := strings.ToLower(withoutBlanks(signed)), strings.ToLower(withoutBlanks(gateway))
	typeA, paramsA, _ := strings.Cut(a, ";")
	typeB, paramsB, _ := strings.Cut(b, ";")
	switch {
	case a == b:
		return "type-spelling"
	case typeA == typeB && strings.HasPrefix(a, "multipart/") && paramsA != "" && paramsB != "":
		return "type-boundary"
	case typeA == typeB:
		return "type-charset"
	}
	return "type-differs"
}

func withoutBlanks(s string) string { return strings.Join(strings.Fields(s), "") }

func isHTTPDate(s string) bool {
	_, err := http.ParseTime(strings.TrimSuffix(s, "+00:00"))
	return err == nil
}
