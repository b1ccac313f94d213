package apigw

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/apigw-go/apigw/catalog"
	"github.com/apigw-go/apigw/internal/redact"
)

// Error returns one line: code first, then meaning, remedy, request id,
// attempts and why there was no further one. It holds no query string, no
// credential and nothing of a string to sign.
func (e *Error) Error() string {
	var b strings.Builder
	m := e.secrets.Masker()
	b.WriteString("apigw: ")
	if e.Status != 0 {
		e.writeResponse(&b, m)
	} else {
		b.WriteString("no response")
	}
	if e.Host != "" {
		fmt.Fprintf(&b, "; %s %s%s",
			redact.Line(e.Method, maxMethod), redact.Line(e.Host, maxHost), redact.Path(e.Path, maxPath))
	}
	if e.Err != nil {
		b.WriteString(": ")
		b.WriteString(m.Err(e.Err, maxCause))
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

// writeResponse writes what a response said and what the catalog adds.
func (e *Error) writeResponse(b *strings.Builder, m *redact.Masker) {
	if code := m.Code(string(e.Code)); code != "" {
		b.WriteString(code)
		b.WriteByte(' ')
	}
	b.WriteString(strconv.Itoa(e.Status))
	if message := e.safeMessage(m); message != "" {
		b.WriteByte(' ')
		b.WriteString(message)
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
	if e.withheld != "" {
		b.WriteString(redact.Line(e.withheld, maxCause))
		b.WriteString("; ")
	}
	b.WriteString(e.entry().Remedy.EN)
	if id := m.RequestID(e.RequestID); id != "" {
		b.WriteString("; request id ")
		b.WriteString(id)
	}
}

// SafeMessage returns the gateway's text for a log: the catalog's wording with
// those parameters that name a thing, other texts in quotes and shortened.
// Query strings, strings to sign and whatever the request carried as a secret
// are taken out. Empty where there was no text.
func (e *Error) SafeMessage() string { return e.safeMessage(e.secrets.Masker()) }

func (e *Error) safeMessage(m *redact.Masker) string {
	if e.entry().ID != catalog.UnknownID {
		return fillTemplate(e.entry(), e.Params, m)
	}
	if shown := m.Text(e.Message, maxMessage); shown != "" {
		return strconv.Quote(shown)
	}
	return ""
}

// fillTemplate writes the message of a row with the parameters that the catalog
// shows; a dotted gap stands for the others.
func fillTemplate(entry catalog.Entry, params []catalog.Param, m *redact.Masker) string {
	return strings.TrimSpace(entry.Fill(func(name string) string {
		i := slices.IndexFunc(params, func(p catalog.Param) bool { return p.Name == name })
		if i < 0 || !entry.ShowsParam(name) {
			return "…"
		}
		return m.Text(params[i].Value, maxMessage)
	}))
}
