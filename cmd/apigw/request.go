package main

import (
	"flag"
	"net/http"
	"net/url"
	"strconv"
	"strings"
)

// requestSpec is a request as people write it for curl.
type requestSpec struct {
	method  string
	headers []string // "Name: value"
	data    []string // of -d and --data-urlencode, see dataOf
	forms   []string // of -F
	stage   string

	body []byte // the whole body, once built; nil where it is streamed
}

// requestFlags defines the flags of a request.
func requestFlags(fs *flag.FlagSet) *requestSpec {
	r := new(requestSpec)
	fs.StringVar(&r.method, "X", "", "")
	fs.Func("H", "", repeatable(&r.headers))
	fs.Func("d", "", repeatable(&r.data))
	fs.Func("data-urlencode", "", func(s string) error {
		r.data = append(r.data, urlencodeMark+s)
		return nil
	})
	fs.Func("F", "", repeatable(&r.forms))
	fs.StringVar(&r.stage, "stage", "", "")
	return r
}

// build makes the request. Its errors hold no query and no header value.
func (r *requestSpec) build(in *invocation, rawURL string) (*http.Request, error) {
	u, err := in.parseURL(rawURL)
	if err != nil {
		return nil, err
	}
	b, err := r.buildBody(in)
	if err != nil {
		return nil, err
	}
	method := r.method
	if method == "" {
		method = http.MethodGet
		if r.data != nil || r.forms != nil {
			method = http.MethodPost
		}
	}
	req, err := http.NewRequestWithContext(in.ctx, method, u.String(), nil)
	if err != nil {
		return nil, in.errorf("-X %q is no HTTP method", shorten(method))
	}
	for _, h := range r.headers {
		if err := in.addHeader(req, h); err != nil {
			return nil, err
		}
	}
	if b.size != 0 {
		// Nobody but the writer of a multipart body knows its boundary.
		if req.Header.Get("Content-Type") == "" || r.forms != nil {
			req.Header.Set("Content-Type", b.contentType)
		}
		// It can be opened again, so that the request can be sent again.
		req.ContentLength, req.GetBody = b.size, b.open
		if req.Body, err = b.open(); err != nil {
			return nil, in.errorf("-d: %s", safeText(err))
		}
	}
	if strings.ContainsFunc(r.stage, isControl) {
		return nil, in.errorf("--stage %q holds a control character", shorten(r.stage))
	}
	if r.stage != "" {
		req.Header.Set("X-Ca-Stage", r.stage)
	}
	return req, nil
}

// addHeader takes a -H over.
func (in *invocation) addHeader(req *http.Request, h string) error {
	name, value, ok := strings.Cut(h, ":")
	name, value = strings.TrimSpace(name), strings.TrimSpace(value)
	switch {
	case !ok || !isToken(name):
		return in.errorf("a -H is not of the form 'Name: value'")
	case strings.ContainsFunc(value, isControl):
		return in.errorf("-H %s: the value holds a control character", name)
	case strings.EqualFold(name, "Host"):
		req.Host = value
	default:
		req.Header.Add(name, value)
	}
	return nil
}

// isToken reports whether s can be the name of a header (RFC 9110 section
// 5.6.2).
func isToken(s string) bool {
	return s != "" && !strings.ContainsFunc(s, func(r rune) bool {
		return r <= ' ' || r >= 0x7f || strings.ContainsRune("\"(),/:;<=>?@[\\]{}", r)
	})
}

// parseURL refuses what cannot be called. Without a scheme it is https, on this
// machine http. Errors of net/url show the URL, so they are not shown.
func (in *invocation) parseURL(raw string) (*url.URL, error) {
	if raw != "" && !strings.Contains(raw, "://") && !strings.HasPrefix(raw, "/") {
		raw = withScheme(raw)
	}
	u, err := url.Parse(raw)
	switch {
	case err != nil:
		return nil, in.errorf("the URL is malformed; escape blanks as %%20 and put quotes around it")
	case u.Scheme == "" || u.Hostname() == "":
		return nil, in.errorf("the URL needs a host, as in https://api.example.com/orders")
	case u.Scheme != "http" && u.Scheme != "https":
		return nil, in.errorf("the scheme %q is not http or https", shorten(u.Scheme))
	case u.Port() != "" && !isPort(u.Port()):
		return nil, in.errorf("the URL has the port %q; give one from 1 to 65535", shorten(u.Port()))
	}
	return u, nil
}

// isControl reports whether the value of a header cannot hold r.
func isControl(r rune) bool { return r < ' ' && r != '\t' || r == 0x7f }

func isPort(s string) bool {
	n, err := strconv.ParseUint(s, 10, 16)
	return err == nil && n > 0
}

// withScheme completes "api.example.com/orders".
func withScheme(raw string) string {
	authority := raw
	if i := strings.IndexAny(raw, "/?#"); i >= 0 {
		authority = raw[:i]
	}
	if u, err := url.Parse("//" + authority); err == nil && isLoopback(u.Hostname()) {
		return "http://" + raw
	}
	return "https://" + raw
}
