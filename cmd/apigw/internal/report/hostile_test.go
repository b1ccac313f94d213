package report

import (
	"strings"
	"testing"
	"time"
)

// hostile are pieces that a megabyte is made of, each against a part of the
// reader that could take time by the square of the length.
var hostile = map[string]string{
	"heads":                     "HTTP/1.1 403 F\na: b\n\n",
	"heads of redirects":        "HTTP/1.1 302 F\nLocation: x\n\n",
	"heads without headers":     "HTTP/1.1 403 F\n\n",
	"status lines":              "HTTP/1.1 403 Forbidden\n",
	"heads with a prefix":       "web-1 | < HTTP/1.1 401 U\nweb-1 | < a: b\n",
	"verbose heads":             "< HTTP/1.1 401 U\n< a: b\n<\n",
	"requests":                  "> GET / HTTP/1.1\n",
	"folded lines":              "HTTP/1.1 403 x\nX-Ca-Error-Message: Quota\n a\n a\n",
	"announced bodies":          "HTTP/1.1 200 OK\nContent-Length: 3\n\nabcHTTP/1.1 200 OK\n\n",
	"open objects":              `{"a":`,
	"open arrays":               `[[`,
	"arrays of strings":         `["a`,
	"objects":                   `{"a":"bcdefg"},`,
	"a long list":               `"status",403,`,
	"JSON lines":                "{\"status\":403,\"x-ca-error-code\":\"B403MQ\"}\n",
	"JSON in JSON":              `{"a":"{\"b\":\"{}\\n\"}"}`,
	"backquotes":                "`",
	"quotes":                    `"'`,
	"backslashes":               `\`,
	"names without values":      "x-ca-error-code ",
	"codes that are none":       "x-ca-error-code: zz ",
	"codes in open brackets":    "x-ca-error-code: [zz ",
	"names with quotes":         `x-ca-error-message:"`,
	"names with brackets":       `x-ca-error-message=[`,
	"names in a list":           "x-ca-error-message: a, ",
	"labels":                    "message: ",
	"labels of several words":   "request id status code ",
	"one-word headers":          "server ",
	"codes":                     "B403MQ ",
	"codes in a path":           "/B403MQ.",
	"unknown codes":             "B403ZZ ",
	"statuses":                  "403 ",
	"texts":                     "Quota Exhausted ",
	"beginnings of texts":       "Throttled by API Flow Contro ",
	"texts with parameters":     "Header `",
	"strings to sign":           "Invalid Signature, Server StringToSign:`",
	"one letter":                "x",
	"blanks":                    " ",
	"line breaks":               "\n",
	"carriage returns":          "\r",
	"colours":                   "\x1b[31ma",
	"open escapes":              "\x1b[",
	"zeros":                     "\x00",
	"characters of no width":    "\u200b",
	"not UTF-8":                 "\xff\xfe\xfd",
	"Chinese":                   "状态码",
	"tags":                      "<td>x-ca-error-code</td>",
	"dots":                      "a.",
	"many words":                "lorem ipsum dolor ",
	"names and blanks":          "x-ca-error-code" + strings.Repeat(" ", 2000),
	"escaped blanks":            "x-ca-error-message=%20",
	"entities":                  "<&amp;",
	"titles":                    "<title>403 ",
	"lists of YAML":             "x-ca-request-id:\n- ",
	"lines that announce":       "status: 403:\n{\"a\":1}\n",
	"commas":                    "x-ca-error-message: " + strings.Repeat(",", 16000),
	"different request ids":     "x-ca-request-id: 1\nx-ca-request-id: 2\n",
	"errors in different lines": "x-ca-error-code: B403MQ\nx-ca-error-code: A403IP\n",
}

func megabyte(piece string) []byte {
	return []byte(strings.Repeat(piece, MaxText/len(piece)+1)[:MaxText])
}

// A megabyte of anything takes a fraction of a second: see BenchmarkRead. The bound is for
// machines of any sort, however busy: time by the square of the length would be
// minutes.
func TestReadTakesNoLongerThanTheText(t *testing.T) {
	for name, piece := range hostile {
		t.Run(name, func(t *testing.T) {
			text := megabyte(piece)
			start := time.Now()
			Read(text)
			if took := time.Since(start); took > 30*time.Second {
				t.Errorf("got %v for a megabyte of %q, want well below a second", took, piece[:min(len(piece), 40)])
			}
		})
	}
}

func BenchmarkRead(b *testing.B) {
	for name, piece := range hostile {
		b.Run(name, func(b *testing.B) {
			text := megabyte(piece)
			b.SetBytes(int64(len(text)))
			for b.Loop() {
				Read(text)
			}
		})
	}
}
