package gatewaytest

import (
	"encoding/json"
	"net/http"
	"strings"
)

// maxMessage cuts the message off, so that the string to sign of a large form
// does not exceed what clients read of a header: Node takes 16 KiB for all of
// them together.
const maxMessage = 8 << 10

// message fills the parameters of the row's text in. A parameter that nobody
// gave gets a sample value.
func (r *refusal) message(req *http.Request) string {
	return r.entry.Fill(func(name string) string {
		value, ok := r.params[name]
		if !ok {
			value = sample(name, r.entry, req, "")
		}
		// The string to sign stands in backquotes on all the wire samples,
		// though not in all the rows.
		if name == "StringToSign" && !strings.Contains(r.entry.Message, "`") {
			value = "`" + value + "`"
		}
		if strings.HasPrefix(r.entry.Message, "{") {
			value = inJSON(value)
		}
		return value
	})
}

// inJSON writes a value for the inside of a JSON string.
func inJSON(s string) string {
	quoted, _ := json.Marshal(s) // strings always encode
	return string(quoted[1 : len(quoted)-1])
}

// headerText makes s fit for a header: line breaks become "#", as the gateway
// writes them, other control characters "?". Bytes that are not UTF-8 stay.
func headerText(s string) string {
	b := []byte(s[:min(len(s), maxMessage)])
	for i, c := range b {
		switch {
		case c == '\n':
			b[i] = '#'
		case c < ' ' || c == 0x7f:
			b[i] = '?'
		}
	}
	return string(b)
}
