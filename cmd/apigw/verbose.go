package main

import (
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"

	"github.com/apigw-go/apigw/internal/redact"
)

// verbose shows the heads of what is sent and received, as curl -v does, below
// signer and transport: what it shows is what is on the wire. Values that may be
// secret are masked.
type verbose struct {
	c    *caller
	base http.RoundTripper
}

// RoundTrip shows the request before it is sent, so that a call that hangs shows
// what it hangs on. A value counts as a secret unless its header is known to be
// harmless.
func (v *verbose) RoundTrip(req *http.Request) (*http.Response, error) {
	var b strings.Builder
	target := redact.URLPath(req.URL, mostPath)
	if req.URL.RawQuery != "" {
		target += "?…"
	}
	fmt.Fprintf(&b, "> %s %s\n> Host: %s\n", printable(req.Method), printable(target), printable(hostOf(req)))
	for _, name := range slices.Sorted(maps.Keys(req.Header)) {
		for _, value := range req.Header[name] {
			if !redact.IsHarmlessHeader(name) && !strings.EqualFold(name, "X-Ca-Key") {
				value = redact.Mask
			}
			fmt.Fprintf(&b, "> %s: %s\n", printable(name), v.c.mask(value))
		}
	}
	if req.ContentLength > 0 {
		fmt.Fprintf(&b, "> Content-Length: %d\n", req.ContentLength)
	}
	fmt.Fprintf(v.c.in.stderr, "%s>\n", b.String())
	resp, err := v.base.RoundTrip(req)
	if err == nil {
		for line := range strings.Lines(v.c.head(resp)) {
			fmt.Fprintf(v.c.in.stderr, "< %s", line)
		}
	}
	return resp, err
}

// SendsThrough tells the Transport whose errors it gets.
func (v *verbose) SendsThrough() http.RoundTripper { return v.base }

func hostOf(req *http.Request) string {
	if req.Host != "" {
		return req.Host
	}
	return req.URL.Host
}

// secretResponseHeaders are given to the client to keep.
var secretResponseHeaders = []string{"Set-Cookie", "Set-Cookie2", "Authentication-Info"}

// head is the head of a response, its blank line included. Secrets of the
// request that the server repeated are masked.
func (c *caller) head(resp *http.Response) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s %s\n", resp.Proto, c.mask(resp.Status))
	h := resp.Header.Clone()
	if h == nil {
		h = http.Header{}
	}
	if resp.ContentLength >= 0 && h.Get("Content-Length") == "" {
		h.Set("Content-Length", fmt.Sprint(resp.ContentLength))
	}
	for _, name := range slices.Sorted(maps.Keys(h)) {
		for _, value := range h[name] {
			if slices.Contains(secretResponseHeaders, name) {
				value = redact.Mask
			}
			fmt.Fprintf(&b, "%s: %s\n", printable(name), c.mask(value))
		}
	}
	b.WriteByte('\n')
	return b.String()
}
