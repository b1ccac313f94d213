package signer

import "strings"

// compareHeaders goes through the signed headers of both sides by name.
func (c *comparison) compareHeaders() {
	client, gateway := c.clientHeaders(), c.gateway.headers
	if len(client) == 0 && len(gateway) > 1 {
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
	for _, h := range c.client.headers {
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
		if name != h.name || strings.TrimLeft(h.value, " \t") != h.value && at >= 0 && c.gateway.headers[at].value != h.value {
			c.add("header-blank-after-colon", PartHeader, shown, h.value, strings.TrimSpace(h.value))
			h.value = strings.TrimLeft(h.value, " \t")
		}
		h.name = name
		headers = append(headers, h)
	}
	return headers
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
	fresh := sameName(name, "X-Ca-Nonce") || sameName(name, "X-Ca-Timestamp")
	switch {
	case gateway == "":
		return "header-lost"
	case signed == "":
		return "header-set-late"
	case strings.TrimSpace(signed) == strings.TrimSpace(gateway):
		return "header-blanks"
	case sameName(name, "X-Ca-Timestamp") && isNumber(signed) && isNumber(gateway) && len(signed) != len(gateway):
		return "timestamp-unit"
	case strings.HasPrefix(gateway, signed) && strings.HasPrefix(strings.TrimSpace(gateway[len(signed):]), ","):
		return "header-repeated"
	case fresh:
		return "other-run"
	}
	return "header-differs"
}

func isNumber(s string) bool { return s != "" && strings.Trim(s, "0123456789") == "" }
