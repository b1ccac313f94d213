package apigw

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/apigw-go/apigw/catalog"
)

// Error returns one line: code first, then meaning, remedy, request id,
// attempts and why there was no further one. It holds no query string, no
// credential and nothing of a string to sign.
func (e *Error) Error() string {
	var b strings.Builder
	b.WriteString("apigw: ")
	if e.Status != 0 {
		if e.Code != "" {
			b.WriteString(clean(string(e.Code), 32))
			b.WriteByte(' ')
		}
		b.WriteString(strconv.Itoa(e.Status))
		if m := e.SafeMessage(); m != "" {
			b.WriteByte(' ')
			b.WriteString(m)
		}
		b.WriteString(": ")
		b.WriteString(e.entry().Meaning.EN)
		switch {
		case e.Inferred:
			b.WriteString(" (inferred from the code)")
		case e.entry().ID != catalog.UnknownID && !e.entry().Verified():
			b.WriteString(" (unverified)")
		}
		b.WriteString("; ")
		b.WriteString(e.entry().Remedy.EN)
		if e.RequestID != "" {
			b.WriteString("; request id ")
			b.WriteString(clean(e.RequestID, 64))
		}
	} else {
		b.WriteString("no response")
	}
	if e.Host != "" {
		fmt.Fprintf(&b, "; %s %s%s", clean(e.Method, 16), clean(e.Host, 256), clean(e.Path, 256))
	}
	if e.Err != nil {
		b.WriteString(": ")
		b.WriteString(safeText(e.Err))
	}
	if n := len(e.Attempts); n == 1 {
		b.WriteString("; 1 attempt")
	} else if n > 1 {
		fmt.Fprintf(&b, "; %d attempts", n)
	}
	if e.Stop != StopUnknown {
		b.WriteString(", no further one: ")
		b.WriteString(e.Stop.Text())
	}
	return b.String()
}

// SafeMessage returns the gateway's text for a log: the catalog's wording with
// only those parameters that cannot hold a secret, other texts cleaned,
// shortened and without query strings. Empty where there was no text.
func (e *Error) SafeMessage() string {
	if e.entry().ID == catalog.UnknownID {
		if e.shown != "" {
			return e.shown
		}
		return showUnknown(e.Message)
	}
	return fillTemplate(e.entry(), e.Params)
}

// fillTemplate writes the message of a row with the parameters that the catalog
// shows; a dotted gap stands for the others.
func fillTemplate(entry catalog.Entry, params []catalog.Param) string {
	return strings.TrimSpace(entry.Fill(func(name string) string {
		i := slices.IndexFunc(params, func(p catalog.Param) bool { return p.Name == name })
		if i < 0 || !entry.ShowsParam(name) {
			return "…"
		}
		return clean(cutQueries(params[i].Value), 120)
	}))
}

// showUnknown quotes a text that the catalog does not know. Values of secrets,
// such as those of a request's credentials, are replaced.
func showUnknown(message string, secrets ...string) string {
	for _, s := range secrets {
		if len(s) >= 4 {
			message = strings.ReplaceAll(message, s, "***")
		}
	}
	if message = clean(cutQueries(message), 120); message == "" {
		return ""
	}
	return strconv.Quote(message)
}
