package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"strings"
)

// requestSpec is a request as people write it for curl.
type requestSpec struct {
	method  string
	headers []string // "Name: value"
	data    []string // "text" or "@file"
	stage   string
	body    []byte // all of data, once built
}

// requestFlags defines the flags of a request.
func requestFlags(fs *flag.FlagSet) *requestSpec {
	r := new(requestSpec)
	fs.StringVar(&r.method, "X", "", "")
	fs.Func("H", "", repeatable(&r.headers))
	fs.Func("d", "", repeatable(&r.data))
	fs.StringVar(&r.stage, "stage", "", "")
	return r
}

// build makes the request. Its errors hold no query and no header value.
func (r *requestSpec) build(in *invocation, rawURL string) (*http.Request, error) {
	u, err := parseURL(rawURL)
	if err != nil {
		return nil, err
	}
	for i, d := range r.data {
		part, err := readData(in, d)
		if err != nil {
			return nil, err
		}
		if i > 0 {
			r.body = append(r.body, '&') // as curl joins them
		}
		r.body = append(r.body, part...)
	}
	method := r.method
	if method == "" {
		method = http.MethodGet
		if r.data != nil {
			method = http.MethodPost
		}
	}
	var body io.Reader
	if len(r.body) > 0 {
		body = bytes.NewReader(r.body) // has a GetBody, so that it can be repeated
	}
	req, err := http.NewRequestWithContext(in.ctx, method, u.String(), body)
	if err != nil {
		return nil, fmt.Errorf("-X %q is no HTTP method", shorten(method))
	}
	for _, h := range r.headers {
		name, value, ok := strings.Cut(h, ":")
		name, value = strings.TrimSpace(name), strings.TrimSpace(value)
		switch {
		case !ok || !isToken(name):
			return nil, errors.New("a -H is not of the form 'Name: value'")
		case strings.ContainsFunc(value, func(r rune) bool { return r < ' ' && r != '\t' || r == 0x7f }):
			return nil, fmt.Errorf("-H %s: the value holds a control character", name)
		case strings.EqualFold(name, "Host"):
			req.Host = value
		default:
			req.Header.Add(name, value)
		}
	}
	if len(r.body) > 0 && req.Header.Get("Content-Type") == "" {
		req.Header.Set("Content-Type", contentType(r.body))
	}
	if r.stage != "" {
		req.Header.Set("X-Ca-Stage", r.stage)
	}
	return req, nil
}

// isToken reports whether s can be the name of a header (RFC 9110 section
// 5.6.2).
func isToken(s string) bool {
	return s != "" && !strings.ContainsFunc(s, func(r rune) bool {
		return r <= ' ' || r >= 0x7f || strings.ContainsRune("\"(),/:;<=>?@[\\]{}", r)
	})
}

// contentType is JSON where the data is an object or a list, else a form, as
// curl always has it.
func contentType(body []byte) string {
	if b := bytes.TrimSpace(body); len(b) > 0 && (b[0] == '{' || b[0] == '[') && json.Valid(b) {
		return "application/json"
	}
	return "application/x-www-form-urlencoded"
}

func readData(in *invocation, d string) ([]byte, error) {
	file, isFile := strings.CutPrefix(d, "@")
	switch {
	case !isFile:
		return []byte(d), nil
	case file == "-":
		return io.ReadAll(in.stdin)
	}
	data, err := os.ReadFile(file)
	if err != nil {
		return nil, fmt.Errorf("-d: %w", err)
	}
	return data, nil
}

// parseURL refuses what cannot be called. Errors of net/url repeat the URL, so
// they are not told.
func parseURL(raw string) (*url.URL, error) {
	u, err := url.Parse(raw)
	switch {
	case err != nil:
		return nil, errors.New("the URL is malformed; escape blanks as %20 and put quotes around it")
	case u.Scheme == "" || u.Host == "":
		return nil, errors.New("the URL needs a scheme and a host, as in https://api.example.com/orders")
	case u.Scheme != "http" && u.Scheme != "https":
		return nil, fmt.Errorf("the scheme %q is not http or https", shorten(u.Scheme))
	}
	return u, nil
}
