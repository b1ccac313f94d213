package main

import (
	"encoding/json"
	"strings"
	"testing"
)

// A body says nothing about the response that it is in, whatever it looks like:
// the backend writes it.
func TestBodyDoesNotSpeakForItsResponse(t *testing.T) {
	const (
		refused = "HTTP/1.1 403 Forbidden\r\nX-Ca-Error-Code: B403MQ\r\nContent-Type: text/plain\r\n\r\n"
		fine    = "HTTP/1.1 200 OK\r\nServer: x\r\n\r\n"
	)
	for name, c := range map[string]struct{ text, code string }{
		"a success in a refusal":            {refused + fine + "fine", "B403MQ"},
		"a success without headers":         {refused + "HTTP/1.1 200 OK\r\n\r\nfine", "B403MQ"},
		"a refusal in a success":            {fine + refused, ""},
		"another refusal":                   {refused + "HTTP/2 403\nx-ca-error-code: A403IP\n\n", "B403MQ"},
		"line feeds alone":                  {strings.ReplaceAll(refused+fine, "\r\n", "\n"), "B403MQ"},
		"whole body announced":              {"HTTP/1.1 403 F\r\nContent-Length: 19\r\nX-Ca-Error-Code: B403MQ\r\n\r\nHTTP/1.1 200 OK\r\n\r\n", "B403MQ"},
		"a shorter body announced":          {"HTTP/1.1 403 F\r\nContent-Length: 3\r\nX-Ca-Error-Code: B403MQ\r\n\r\nHTTP/1.1 200 OK\r\n\r\n", "B403MQ"},
		"in a chunk":                        {"HTTP/1.1 403 F\r\nTransfer-Encoding: chunked\r\nX-Ca-Error-Code: B403MQ\r\n\r\n13\r\n" + fine + "\r\n0\r\n\r\n", "B403MQ"},
		"with a Location that is no detour": {"HTTP/1.1 403 F\r\nLocation: /x\r\nX-Ca-Error-Code: B403MQ\r\n\r\n" + fine, "B403MQ"},
		"an interim answer in it":           {refused + "HTTP/1.1 100 Continue\r\n\r\n" + fine, "B403MQ"},
		"JSON":                              {refused + `{"status":200,"x-ca-error-code":"A403IP"}`, "B403MQ"},
		"JSON in a success":                 {fine + `{"status":403,"x-ca-error-code":"A403IP"}`, ""},
		"lines of curl -v":                  {refused + "< HTTP/1.1 200 OK\n< a: b\n< \n", "B403MQ"},
		"below curl -v": {"> GET / HTTP/1.1\n> Host: a\n> \n< HTTP/1.1 403 F\n< X-Ca-Error-Code: B403MQ\n< \n" +
			"< HTTP/1.1 200 OK\n< a: b\n<\n", "B403MQ"},
		"in a dump":               {`{"status":403,"headers":{"X-Ca-Error-Code":"B403MQ"},"body":"HTTP/1.1 200 OK\r\n\r\n"}`, "B403MQ"},
		"in a dump, first":        {`{"body":"HTTP/1.1 200 OK\r\n\r\n{\"status\":200}","status":403,"headers":{"X-Ca-Error-Code":"B403MQ"}}`, "B403MQ"},
		"code in a dump":          {`{"status":200,"headers":{"Server":"x"},"body":"X-Ca-Error-Code: B403MQ"}`, ""},
		"words in a success":      {fine + "the error was X-Ca-Error-Code: B403MQ, status 403", ""},
		"behind a redirect":       {"HTTP/1.1 302 Found\r\nLocation: /x\r\n\r\n" + refused + fine, "B403MQ"},
		"behind a tunnel":         {"HTTP/1.1 200 Connection established\r\n\r\n" + refused + fine, "B403MQ"},
		"behind an interim":       {"HTTP/1.1 100 Continue\r\n\r\n" + refused + fine, "B403MQ"},
		"many successes":          {refused + strings.Repeat(fine, 1000), "B403MQ"},
		"a success, many refused": {fine + strings.Repeat(refused, 1000), ""},
	} {
		t.Run(name, func(t *testing.T) {
			got := runCommand([]string{"explain", "--json", "-"}, c.text, nil)
			var x struct{ Code string }
			if err := json.Unmarshal([]byte(got.stdout), &x); err != nil {
				t.Fatalf("%v in %q, %s", err, got.stdout, got.stderr)
			}
			if x.Code != c.code {
				t.Errorf("got code %q, want %q: %s", x.Code, c.code, got.stdout)
			}
		})
	}
}
