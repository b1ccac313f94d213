package main

import (
	"encoding/json"
	"fmt"
	"os"
	"strings"

	"github.com/apigw-go/apigw/cmd/apigw/internal/report"
)

// readSigned reads a string to sign: alone, or as "apigw sign" printed it. One
// newline at the end is that of the editor.
func readSigned(file string) (string, error) {
	data, err := os.ReadFile(file)
	if err != nil {
		return "", err
	}
	text := report.Decode(data)
	if strings.HasPrefix(strings.TrimSpace(text), "{") {
		var printed struct {
			StringToSign string `json:"string_to_sign"`
		}
		if err := json.Unmarshal([]byte(text), &printed); err != nil || printed.StringToSign == "" {
			return "", fmt.Errorf("%s is JSON, but not that of `apigw sign --json`", file)
		}
		return printed.StringToSign, nil
	}
	printed := strings.ReplaceAll(text, "\r\n", "\n")
	if own, ok := strings.CutPrefix(printed, stringToSignTitle+"\n"); ok {
		text, _, _ = strings.Cut(own, "\n"+headersTitle+"\n")
	} else if own, ok := strings.CutPrefix(printed, escapedTitle+"\n"); ok {
		own, _, _ = strings.Cut(own, "\n"+headersTitle+"\n")
		if text, err = unescapeText(own); err != nil {
			return "", fmt.Errorf("%s has escapes that `apigw sign` does not write", file)
		}
	}
	// Other line ends stay: CR LF in the string itself is a cause of refusals.
	text = strings.TrimSuffix(strings.TrimSuffix(text, "\n"), "\r")
	if text == "" {
		return "", fmt.Errorf("%s is empty; it should hold the string that you signed", file)
	}
	return text, nil
}
