package main

import (
	"bytes"
	"encoding/json"
	"os"
	"strings"

	"github.com/apigw-go/apigw/cmd/apigw/internal/report"
	"github.com/apigw-go/apigw/signer"
)

// signedString is a string to sign that was read from a file.
type signedString struct {
	text string
	// trimmed says that the file has a line break behind the text or a byte order
	// mark before it. It is taken for the editor's, but a program may sign it too.
	trimmed bool
}

// readSigned reads a string to sign: alone, or as "apigw sign" printed it. One
// newline at the end is that of the editor.
func (in *invocation) readSigned(file string) (s signedString, err error) {
	data, err := os.ReadFile(file)
	if err != nil {
		return s, err
	}
	text := report.Decode(data)
	if strings.HasPrefix(strings.TrimSpace(text), "{") {
		var printed struct {
			StringToSign string `json:"string_to_sign"`
		}
		if err := json.Unmarshal([]byte(text), &printed); err != nil || printed.StringToSign == "" {
			return s, in.errorf("%s is JSON, but not that of `apigw sign --json`; it should hold the string that you "+
				"signed, not the body", file)
		}
		s.text = printed.StringToSign
		return s, nil
	}
	own := false
	printed := strings.ReplaceAll(text, "\r\n", "\n")
	if rest, ok := strings.CutPrefix(printed, stringToSignTitle+"\n"); ok {
		text, _, _ = strings.Cut(rest, "\n"+headersTitle+"\n")
		own = true
	} else if rest, ok := strings.CutPrefix(printed, escapedTitle+"\n"); ok {
		rest, _, _ = strings.Cut(rest, "\n"+headersTitle+"\n")
		if text, err = unescapeText(rest); err != nil {
			return s, in.errorf("%s has escapes that `apigw sign` does not write", file)
		}
		own = true
	}
	// Other line ends stay: CR LF in the string itself is a cause of refusals.
	s.text = strings.TrimSuffix(strings.TrimSuffix(text, "\n"), "\r")
	s.trimmed = !own && (s.text != text || bytes.HasPrefix(data, []byte("\ufeff")))
	if s.text == "" {
		return s, in.errorf("%s is empty; it should hold the string that you signed", file)
	}
	return s, nil
}

// diagnose compares the string of the file with that of the answer.
func (in *invocation) diagnose(v *verdict, file, message string) error {
	signed, err := in.readSigned(file)
	if err != nil {
		return in.errorf("--signed: %v", err)
	}
	var ok bool
	if v.diagnosis, ok = signer.Diagnose(signed.text, message); !ok {
		if isCutOut(message) {
			return in.cutOut("--signed")
		}
		return in.errorf(
			"--signed: the response holds no string to sign (Server StringToSign:...) to compare with")
	}
	v.trimmed = signed.trimmed
	v.x.Diagnosis = in.diagnosisSummary(v.diagnosis, v.trimmed)
	return nil
}

// cutOut is the complaint about a text that shows the place of a string to sign
// and not the string.
func (in *invocation) cutOut(flag string) error {
	return in.errorf("%s: the string to sign was taken out of this answer, as apigw does where it shows or logs one; "+
		"save the answer itself, with curl -si", flag)
}

func isCutOut(message string) bool {
	return strings.Contains(message, "StringToSign…") || strings.Contains(message, "StringToSign:…")
}
