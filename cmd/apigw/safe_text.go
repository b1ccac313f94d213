package main

import (
	"errors"
	"net/url"
	"strings"

	"github.com/apigw-go/apigw/internal/redact"
)

// safeText is err's text on one line and without the query strings of URLs. A
// *url.Error names the whole URL, so only what it wraps is shown.
func safeText(err error) string {
	if err == nil {
		return ""
	}
	var u *url.Error
	if errors.As(err, &u) && u.Err != nil {
		err = u.Err
	}
	return redact.Plain(err.Error())
}

// safeLines is safeText of an error of several lines, such as all the faults of
// a file.
func safeLines(err error) string {
	lines := strings.Split(err.Error(), "\n")
	if len(lines) == 1 {
		return safeText(err)
	}
	for i, line := range lines {
		lines[i] = redact.Plain(line)
	}
	return strings.Join(lines, "\n")
}
