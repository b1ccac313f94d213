package signer

import "strings"

// compareHeaders goes through the signed headers of both sides by name.
func (c *comparison) compareHeaders() {
	client, gateway := c.clientHeaders(), c.gateway.headers
	if len(client) == 0 && len(gateway) > 0 {
		c.add("no-header-block", PartHeader, "", "", "")
		return
	}
	used := make([]bool, len(gateway))
	var order []int // of the client's headers, as places in the gateway's
	var missing []pair
	for _, h := range client {
		at := findHeader(gateway, used, h.name)
		if at < 0 {
			missing = append(missing, h)
			continue
		}
		used[at] = true
		order = append(order, at)
		c.compareHeader(h, gateway[at])
	}
	for _, h := range missing {
		c.add("header-not-listed", PartHeader, c.names.header(h.name), h.value, "")
	}
	for i, h := range gateway {
		if !used[i] {
			c.add("header-not-signed", PartHeader, c.names.header(h.name), "", h.value)
		}
	}
	for i := 1; i < len(order); i++ {
		if order[i] < order[i-1] {
			c.add("headers-unsorted", PartHeader, c.names.header(gateway[order[i]].name), "", "")
			break
		}
	}
}

// clientHeaders are the client's signed headers, without those that must not be
// among them and the blanks and signs that must not be in their lines.
func (c *comparison) clientHeaders() []pair {
	var headers []pair
	for _, h := range c.splitHeaders() {
		name := strings.TrimSpace(h.name)
		shown := c.names.header(name)
		switch i := standardIndex(name); {
		case i >= 0 && findHeader(c.gateway.headers, nil, name) < 0:
			c.add("standard-header-in-block", standardPart(i), "", h.value, "")
			continue
		case sameName(name, "X-Ca-Signature"), sameName(name, "X-Ca-Signature-Headers"):
			c.add("signature-signed", PartHeader, shown, h.value, "")
			continue
		}
		if h.bare {
			c.add("header-separator", PartHeader, shown, h.value, "")
		}
		at := findHeader(c.gateway.headers, nil, name)
		value := strings.TrimLeft(h.value, " \t")
		if name != h.name || value != h.value && at >= 0 && c.gateway.headers[at].value != h.value {
			c.add("header-blank-after-colon", PartHeader, shown, h.value, strings.TrimSpace(value))
			h.value = value
		}
		h.name = name
		headers = append(headers, h)
	}
	return headers
}

// splitHeaders are the client's header lines, one for each header: a line can
// hold the next ones, too, joined by a comma or the like.
func (c *comparison) splitHeaders() []pair {
	if len(c.client.headers) == 0 || len(c.client.headers) >= len(c.gateway.headers) {
		return c.client.headers
	}
	var headers []pair
	joined := false
	for _, h := range c.client.headers {
		for {
			at, next := c.nextName(h.value)
			if at < 0 {
				break
			}
			joined = true
			headers = append(headers, pair{name: h.name, value: strings.TrimRight(h.value[:at], " ,;&|")})
			h = pair{name: next, value: h.value[at+len(next)+1:]}
		}
		headers = append(headers, h)
	}
	if joined {
		c.add("headers-joined", PartHeader, "", "", "")
	}
	return headers
}

// nextName finds a name of the gateway's headers, with its colon, behind a sign
// that joins two lines; -1 for none.
func (c *comparison) nextName(value string) (at int, name string) {
	for i := 1; i < len(value); i++ {
		if strings.IndexByte(" ,;&|", value[i-1]) < 0 {
			continue
		}
		for _, h := range c.gateway.headers {
			if hasPrefixFold(value[i:], h.name+":") {
				return i, value[i : i+len(h.name)]
			}
		}
	}
	return -1, ""
}

// findHeader returns the place of a header that is not used yet: the exact name
// before another letter case.
func findHeader(headers []pair, used []bool, name string) int {
	folded := -1
	for i, h := range headers {
		switch {
		case used != nil && used[i]:
		case h.name == name:
			return i
		case folded < 0 && sameName(h.name, name):
			folded = i
		}
	}
	return folded
}

func (c *comparison) compareHeader(client, gateway pair) {
	name := c.names.header(client.name)
	if client.name != gateway.name {
		c.add("header-name-case", PartHeader, name, client.name, gateway.name)
	}
	if signed := strings.ReplaceAll(client.value, "\n", "#"); !c.same(signed, gateway.value) {
		c.add(headerCause(client.name, signed, gateway.value), PartHeader, name, signed, gateway.value)
	}
}

func headerCause(name, signed, gateway string) string {
	stamp := sameName(name, "X-Ca-Timestamp")
	switch {
	case gateway == "":
		return "header-lost"
	case signed == "":
		return "header-set-late"
	case strings.TrimSpace(signed) == strings.TrimSpace(gateway):
		return "header-blanks"
	case stamp && !isNumber(signed) && isNumber(gateway):
		return "timestamp-format"
	case stamp && isNumber(signed) && isNumber(gateway) && len(signed) != len(gateway):
		return "timestamp-unit"
	case strings.HasPrefix(gateway, signed) && strings.HasPrefix(strings.TrimSpace(gateway[len(signed):]), ","):
		return "header-repeated"
	case stamp, sameName(name, "X-Ca-Nonce"):
		return "other-run"
	case decode(signed, true, false) == gateway, decode(gateway, true, false) == signed:
		return "header-encoded"
	case strings.EqualFold(signed, gateway):
		return "header-case"
	case otherCharset(signed, gateway):
		return "header-charset"
	case sameName(name, "X-Ca-Key"):
		return "key-differs"
	}
	return "header-differs"
}

func isNumber(s string) bool { return s != "" && strings.Trim(s, "0123456789") == "" }
