package inspect

import (
	"net/http"
	"strings"

	"github.com/apigw-go/apigw/catalog"
	"github.com/apigw-go/apigw/internal/redact"
	"github.com/apigw-go/apigw/signer"
)

// signatureView is why a signature was refused: what differs, the cause first,
// and both strings line by line.
type signatureView struct {
	Text        string           `json:"text"`
	Differences []differenceView `json:"differences"`
	Lines       []lineView       `json:"lines"`
}

type differenceView struct {
	Title string       `json:"title"`
	Text  catalog.Text `json:"text"`
	Fix   catalog.Text `json:"fix"`
}

// lineView is a line of both strings. Values that may be secrets are masked, so
// two lines can look the same and differ.
type lineView struct {
	Name    string `json:"name"`
	Signed  string `json:"signed"`
	Server  string `json:"server"`
	Differs bool   `json:"differs"`
}

const maxLineShown = 2048

// signatureOf returns the diagnosis of a refused signature, nil if there is
// none.
func signatureOf(resp *http.Response, m *redact.Masker) *signatureView {
	d, ok := signer.FromResponse(resp)
	if !ok {
		return nil
	}
	v := &signatureView{Text: m.Text(d.String(), maxLineShown)}
	for _, f := range d.Findings {
		title := f.Part.String()
		if f.Name != "" {
			title += " " + redact.Line(f.Name, 128)
		}
		v.Differences = append(v.Differences, differenceView{
			Title: title, Text: catalog.Text{EN: f.Sentence(), ZH: f.SentenceZH()},
			Fix: catalog.Text{EN: f.Fix(), ZH: f.FixZH()},
		})
	}
	signed, server := d.Strings()
	v.Lines = sideBySide(strings.Split(string(signed), "\n"), strings.Split(string(server), "#"), m)
	return v
}

// fixed are the names of the lines that every string has.
var fixed = [...]string{"method", "Accept", "Content-MD5", "Content-Type", "Date"}

// sideBySide puts lines of the same name beside each other: the fixed ones by
// their place, headers by their names, path and parameters last.
func sideBySide(signed, server []string, m *redact.Masker) (lines []lineView) {
	if len(signed) <= len(fixed) || len(server) <= len(fixed) {
		return []lineView{both("", strings.Join(signed, " "), strings.Join(server, " "), m)}
	}
	for i, name := range fixed {
		lines = append(lines, both(name, signed[i], server[i], m))
	}
	ofServer := map[string]string{}
	for _, line := range server[len(fixed) : len(server)-1] {
		name, _, _ := strings.Cut(line, ":")
		ofServer[strings.ToLower(name)] = line
	}
	for _, line := range signed[len(fixed) : len(signed)-1] {
		name, _, _ := strings.Cut(line, ":")
		lines = append(lines, both("", line, ofServer[strings.ToLower(name)], m))
		delete(ofServer, strings.ToLower(name))
	}
	for _, line := range server[len(fixed) : len(server)-1] {
		name, _, _ := strings.Cut(line, ":")
		if _, alone := ofServer[strings.ToLower(name)]; alone {
			lines = append(lines, both("", "", line, m))
		}
	}
	return append(lines, both("path", signed[len(signed)-1], server[len(server)-1], m))
}

func both(name, signed, server string, m *redact.Masker) lineView {
	return lineView{Name: name, Signed: shown(signed, m), Server: shown(server, m), Differs: signed != server}
}

// shown masks a line. Path and query are masked apart, since a text with a query
// shows none of it.
func shown(line string, m *redact.Masker) string {
	path, query, ok := strings.Cut(line, "?")
	text := m.Text(path, maxLineShown)
	if ok {
		text += "?" + m.Text(query, maxLineShown)
	}
	return text
}
