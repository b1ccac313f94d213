package main

import (
	"bytes"
	"encoding/json"
	"io"
	"net/url"
	"os"
	"strings"
)

// requestBody is a body that can be opened any number of times.
type requestBody struct {
	open        func() (io.ReadCloser, error)
	size        int64
	contentType string
}

// urlencodeMark begins the entries of requestSpec.data that come from
// --data-urlencode, so that both kinds stay in their order.
const urlencodeMark = "\x00"

// streamedFrom is the size from which a file is read while it is sent.
const streamedFrom = 1 << 20

// buildBody makes the body of -d, --data-urlencode or -F. The size is 0 where
// there is none.
func (r *requestSpec) buildBody(in *invocation) (requestBody, error) {
	switch {
	case len(r.forms) > 0 && len(r.data) > 0:
		return requestBody{}, in.errorf("-F and -d exclude each other: a body is either multipart or not")
	case len(r.forms) > 0:
		return in.multipartBody(r.forms)
	}
	if b, ok := streamedFile(r.data); ok {
		return b, nil
	}
	for i, d := range r.data {
		part, err := in.readData(d)
		if err != nil {
			return requestBody{}, err
		}
		if i > 0 {
			r.body = append(r.body, '&') // as curl joins them
		}
		r.body = append(r.body, part...)
	}
	body := r.body
	return requestBody{
		open:        func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(body)), nil },
		size:        int64(len(body)),
		contentType: contentType(body),
	}, nil
}

// streamedFile is the body of a single -d @FILE whose file is large.
func streamedFile(data []string) (requestBody, bool) {
	if len(data) != 1 || !strings.HasPrefix(data[0], "@") || data[0] == "@-" {
		return requestBody{}, false
	}
	file := data[0][1:]
	info, err := os.Stat(file)
	if err != nil || !info.Mode().IsRegular() || info.Size() < streamedFrom {
		return requestBody{}, false
	}
	b := requestBody{open: func() (io.ReadCloser, error) { return os.Open(file) }, size: info.Size(),
		contentType: "application/octet-stream"}
	if first, err := firstByte(file); err == nil && (first == '{' || first == '[') {
		b.contentType = "application/json"
	}
	return b, true
}

// firstByte is the first byte of a file that is not white space.
func firstByte(file string) (byte, error) {
	f, err := os.Open(file)
	if err != nil {
		return 0, err
	}
	defer f.Close()
	head := make([]byte, 512)
	n, err := f.Read(head)
	if head = bytes.TrimSpace(head[:n]); len(head) > 0 {
		return head[0], nil
	}
	return 0, err
}

// contentType is JSON where the data is an object or a list, else a form, as
// curl always has it.
func contentType(body []byte) string {
	if b := bytes.TrimSpace(body); len(b) > 0 && (b[0] == '{' || b[0] == '[') && json.Valid(b) {
		return "application/json"
	}
	return "application/x-www-form-urlencoded"
}

// readData reads one value of -d or --data-urlencode.
func (in *invocation) readData(d string) ([]byte, error) {
	if encoded, ok := strings.CutPrefix(d, urlencodeMark); ok {
		return in.urlencoded(encoded)
	}
	file, isFile := strings.CutPrefix(d, "@")
	if !isFile {
		return []byte(d), nil
	}
	data, err := in.readFile(file)
	if err != nil {
		return nil, in.errorf("-d: %s", safeText(err))
	}
	return data, nil
}

// readFile reads a file, or standard input for "-".
func (in *invocation) readFile(file string) ([]byte, error) {
	if file == "-" {
		return io.ReadAll(in.stdin)
	}
	return os.ReadFile(file)
}

// urlencoded encodes a value as curl documents --data-urlencode: "content",
// "=content", "name=content", "@file", "name@file". A blank becomes %20, since
// gateways disagree on "+".
func (in *invocation) urlencoded(value string) ([]byte, error) {
	name, content, encoded := "", value, false
	if i := strings.IndexAny(value, "=@"); i >= 0 {
		name, content, encoded = value[:i], value[i+1:], true
		if value[i] == '@' {
			data, err := in.readFile(content)
			if err != nil {
				return nil, in.errorf("--data-urlencode: %s", safeText(err))
			}
			content = string(data)
		}
	}
	content = strings.ReplaceAll(url.QueryEscape(content), "+", "%20")
	if encoded && name != "" {
		content = name + "=" + content
	}
	return []byte(content), nil
}
