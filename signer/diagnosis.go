package signer

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"unicode/utf8"
)

// Diagnosis compares the string that a client signed with the one that the
// gateway says it computed. It is read-only and safe for concurrent use. As JSON
// it holds its findings, without values.
type Diagnosis struct {
	// Findings are all the differences that were found, the likely cause first.
	// There is always one.
	Findings []Finding

	// Part and Name are those of the first finding, Cause its sentence and fix
	// in English. Part is PartNone where the strings are equal as far as the
	// gateway's goes. None of them holds a value of either string.
	Part  Part
	Name  string
	Cause string

	// Truncated says that the gateway's string ends early, as when a proxy
	// cuts a long header, and is equal up to there.
	Truncated bool

	// Learned says which reading of the gateway the difference proved, to be
	// signed with from now on. Empty for none.
	Learned string

	signed, server string
}

// Diagnose compares the string that was signed, with its newlines, with the
// one in the text of X-Ca-Error-Message. It is false where the message holds
// no string to sign.
//
// The signed string may be built wrongly: Diagnose knows what people do to line
// breaks, lines, names, URLs and parameters. It takes gateways that write
// newlines as "#" and that leave them out, UTF-8 read as ISO-8859-1, and a
// message that was cut short. Where a parameter's value holds "&", which the
// string to sign does not escape, the name of a part may be wrong; that there is
// a difference is not.
func Diagnose(signed, message string) (*Diagnosis, bool) {
	told := parseMessage(message)
	if told.text == "" {
		return nil, false
	}
	return diagnose(signed, told, func(gateway string) (parts, []Finding) {
		first := gatewayParts(gateway, parts{})
		isHeader := func(name string) bool { return findHeader(first.headers, nil, name) >= 0 }
		text, findings := repair(signed, gateway, len(standard)+1+len(first.headers))
		return clientParts(text, isHeader), findings
	}, knownNames{}), true
}

// DiagnoseSent is [Diagnose] for a request that was sent with its signature. It
// looks at X-Ca-Signature, too, and names only headers and parameters that the
// request has. The body is looked at only where it is a form; sent.Body is not
// read.
func DiagnoseSent(sent *http.Request, body []byte, signed, message string) (*Diagnosis, bool) {
	d, ok := Diagnose(signed, message)
	if !ok {
		return nil, false
	}
	names := namesOf(sent, body)
	for i, f := range d.Findings {
		switch f.Part {
		case PartHeader:
			d.Findings[i].Name = names.header(f.Name)
		case PartParameter:
			d.Findings[i].Name = names.parameter(pair{name: f.Name})
		}
	}
	if d.Findings[0].Code == "same-string" {
		d.Findings = append(signatureFindings(sent.Header), d.Findings...)
	}
	return d.finish(), true
}

// diagnoseSigned compares what a Signer signed: path and parameters are known
// exactly.
func diagnoseSigned(sent *http.Request, signed signature, message string) (*Diagnosis, bool) {
	told := parseMessage(message)
	if told.text == "" {
		return nil, false
	}
	client := requestParts(sent, signed)
	return diagnose(string(signed.text), told, func(string) (parts, []Finding) { return client, nil },
		namesOf(sent, signed.form)), true
}

// namesOf are the names that a request has.
func namesOf(sent *http.Request, form []byte) knownNames {
	names := knownNames{true, sent.Header, map[string]bool{}}
	if sent.URL != nil {
		for _, p := range appendParameters(nil, sent.URL.RawQuery, false, Rules{}) {
			names.parameters[p.name] = true
		}
	}
	if contentType, _ := lookup(sent.Header, "Content-Type"); isForm(trim(contentType)) {
		for _, p := range appendParameters(nil, string(form), true, Rules{}) {
			names.parameters[p.name] = true
		}
	}
	return names
}

// diagnose compares the strings. clientOf gives the parts of the client's, in
// view of the gateway's, and the mistakes that were undone to get them.
func diagnose(
	signed string, told toldString, clientOf func(gateway string) (parts, []Finding), names knownNames,
) *Diagnosis {
	d := &Diagnosis{signed: signed, server: told.text}
	var best *comparison
	for _, text := range told.variants(signed) {
		client, findings := clientOf(text)
		if len(findings) == 0 && text == asTold(signed) {
			d.Findings = []Finding{{Code: "same-string"}}
			return d.finish()
		}
		begun := strings.HasPrefix(asTold(signed), text)
		if begun && (!told.closed || !isPath(gatewayParts(text, client).path)) {
			d.Truncated = true
			d.Findings = []Finding{{Code: "cut-short"}}
			return d.finish()
		}
		c := &comparison{client: client, names: names, findings: findings}
		if told.opened && !told.closed {
			text = completed(text, client)
		}
		c.gateway = gatewayParts(text, client)
		c.compare()
		if best == nil || c.equal > best.equal || c.equal == best.equal && len(c.findings) < len(best.findings) {
			best = c
		}
	}
	switch {
	case otherScheme(signed):
		best.findings = []Finding{{Code: "other-scheme", Part: PartWhole}}
	case best.equal == 0:
		best.findings = []Finding{{Code: "unrelated", Part: PartWhole}}
	case len(best.findings) == 0:
		best.findings = []Finding{{Code: "unexplained", Part: PartWhole}}
	}
	d.Findings = best.findings
	return d.finish()
}

// asTold is a string as gateways show it.
func asTold(signed string) string { return strings.ReplaceAll(signed, "\n", "#") }

// variants are the texts that a gateway may have meant: with the line breaks that
// older ones leave out, and as UTF-8 where it was read as ISO-8859-1.
func (t toldString) variants(signed string) []string {
	texts := []string{t.text}
	whole := t.text
	if r, size := utf8.DecodeLastRuneInString(whole); !t.closed && r == utf8.RuneError && size == 1 {
		whole = whole[:len(whole)-1] // cut within a character
	}
	isCut := whole != t.text
	repaired, ok := fromLatin1(whole)
	// A string that goes on with half a character is not the one without it.
	if (ok || repaired != "" && isCut) && !(isCut && repaired == asTold(signed)) {
		texts = append(texts, repaired)
	}
	for i, text := range texts {
		if strings.HasPrefix(asTold(signed), text) {
			continue // cut short, by whoever closed the quotation
		}
		hashes := strings.Count(text, "#")
		if (hashes == 0 || hashes < len(standard) && t.closed) && strings.Count(signed, "\n") > len(standard) {
			texts[i] = asTold(unbroken(text, strings.Split(signed, "\n")))
		}
	}
	return texts
}

// finish orders the findings and copies the first one to the fields that are
// for it.
func (d *Diagnosis) finish() *Diagnosis {
	causeFirst(d.Findings)
	first := d.Findings[0]
	d.Part, d.Name = first.Part, first.Name
	d.Cause = first.Sentence() + "; " + first.Fix()
	return d
}

// String says in one line what differs and why, with the lengths of values in
// place of the values.
func (d Diagnosis) String() string {
	if len(d.Findings) == 0 {
		return "no diagnosis"
	}
	if d.Findings[0].Code == withheldCode {
		return d.Cause
	}
	text := "signature refused: " + d.Findings[0].String()
	switch n := len(d.Findings) - 1; {
	case n == 1:
		text += " (1 more difference)"
	case n > 1:
		text += fmt.Sprintf(" (%d more differences)", n)
	}
	if d.Learned != "" {
		text += "; the next signature for this host is made of " + d.Learned
	}
	return text
}

// Format writes [Diagnosis.String] whatever the verb: "%#v" would show the
// fields that are not exported.
func (d Diagnosis) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, d.String()) }

// MarshalJSON writes the findings, without values.
func (d Diagnosis) MarshalJSON() ([]byte, error) {
	return json.Marshal(struct {
		Summary   string    `json:"summary"`
		Findings  []Finding `json:"findings"`
		Truncated bool      `json:"truncated,omitempty"`
		Learned   string    `json:"learned,omitempty"`
	}{d.String(), d.Findings, d.Truncated, d.Learned})
}

// Strings returns both strings, newlines of the gateway's as it showed them. They
// hold the values of all parameters, passwords included; string(signed) is the
// text.
func (d Diagnosis) Strings() (signed, gateway Secret) { return Secret(d.signed), Secret(d.server) }

// Comparison shows all findings and both strings whole, in lines. The strings
// hold the values of all parameters, passwords included: show them to the person
// who asked, never write them to a log. Characters that do not print become "�".
func (d Diagnosis) Comparison() string {
	var b strings.Builder
	b.WriteString(d.String())
	if d.server == "" {
		b.WriteByte('\n')
		return b.String()
	}
	for _, f := range d.Findings[min(1, len(d.Findings)):] {
		b.WriteString("\nalso: " + f.String())
	}
	b.WriteString("\n\nsigned:\n")
	writeLines(&b, d.signed)
	b.WriteString("\ngateway:\n")
	writeLines(&b, strings.ReplaceAll(d.server, "#", "\n"))
	return b.String()
}

func writeLines(b *strings.Builder, text string) {
	for line := range strings.SplitSeq(text, "\n") {
		b.WriteString("  ")
		b.WriteString(strings.Map(printableRune, line))
		b.WriteByte('\n')
	}
}
