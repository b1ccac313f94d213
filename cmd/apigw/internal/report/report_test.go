package report

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// facts lists what the answer that counts was made of.
func facts(r Report) string {
	if r.Best < 0 {
		return ""
	}
	var list []string
	for _, f := range r.Answers[r.Best].Facts {
		list = append(list, f.Name+"="+f.Value+" at "+f.Place.String())
	}
	return strings.Join(list, "; ")
}

// A head within HTML has entities, which are not the gateway's.
func TestHeadWithinHTML(t *testing.T) {
	report := Read([]byte("<pre>HTTP/1.1 400 Bad Request\nX-Ca-Error-Message: Invalid Signature, " +
		"Server StringToSign:`GET#*/*####X-Ca-Key:k#/a?x=1&amp;y=2`\n</pre>"))
	if report.Best < 0 {
		t.Fatal("got no answer")
	}
	got := report.Answers[report.Best].Header.Get("X-Ca-Error-Message")
	if want := "Invalid Signature, Server StringToSign:`GET#*/*####X-Ca-Key:k#/a?x=1&y=2`"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestReadSaysWhere(t *testing.T) {
	for _, c := range []struct{ name, text, want string }{
		{"head", "HTTP/1.1 403 F\nX-Ca-Error-Code: B403MQ\n\n",
			"status=403 at line 1, column 1; X-Ca-Error-Code=B403MQ at line 2, column 1"},
		{"behind CR LF", "HTTP/2 403\r\nx-ca-error-code: B403MQ\r\n",
			"status=403 at line 1, column 1; X-Ca-Error-Code=B403MQ at line 2, column 1"},
		{"behind a prefix", "< HTTP/2 403\n< x-ca-error-code: B403MQ\n",
			"status=403 at line 1, column 3; X-Ca-Error-Code=B403MQ at line 2, column 3"},
		{"in a sentence", "sorry,\nwe got B403MQ again", "X-Ca-Error-Code=B403MQ at line 2, column 8"},
		{"behind Chinese, in characters", "错误码：B403MQ", "X-Ca-Error-Code=B403MQ at line 1, column 1"},
		{"behind colours", "\x1b[1mgot\x1b[0m \x1b[31mB403MQ\x1b[0m", "X-Ca-Error-Code=B403MQ at line 1, column 18"},
		{"field", "{\n \"a\": [{\"status\": 503, \"x-ca-error-code\": \"D503CB\"}]\n}",
			"status=503 at a[0].status (line 2, column 19); X-Ca-Error-Code=D503CB at a[0].x-ca-error-code (line 2, column 43)"},
		{"head in a field", `{"raw":"HTTP/1.1 403 F\r\nX-Ca-Error-Code: B403MQ\r\n\r\n"}`,
			"status=403 at raw (line 1, column 8); X-Ca-Error-Code=B403MQ at raw (line 1, column 8)"},
		{"nothing", "hello", ""},
		{"empty", "", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			if got := facts(Read([]byte(c.text))); got != c.want {
				t.Errorf("got  %s\nwant %s", got, c.want)
			}
		})
	}
}

func TestReadFindsTheBody(t *testing.T) {
	for _, c := range []struct{ name, text, want string }{
		{"behind a head", "HTTP/1.1 503 S\nServer: e\n\nno healthy upstream", "no healthy upstream"},
		{"of a mail", "> HTTP/1.1 503 S\n> Server: e\n>\n> no healthy\n> upstream\n\nbye", "no healthy\nupstream"},
		{"of curl -v", "> GET / HTTP/1.1\n>\n< HTTP/1.1 503 S\n< Server: e\n< \nno healthy upstream\n* left intact\n",
			"no healthy upstream"},
		{"of curl -v in a container",
			"w | < HTTP/1.1 503 S\nw | < Server: e\nw | < \nw | no healthy upstream\nw | * left\n",
			"no healthy upstream"},
		{"before a fence", "```\nHTTP/1.1 503 S\nServer: e\n\nno healthy upstream\n```\nthanks", "no healthy upstream"},
		{"before the next command", "$ curl -i h\nHTTP/1.1 503 S\nServer: e\n\nno healthy upstream\n$ ",
			"no healthy upstream"},
		{"of a field", `{"status":503,"response_body":"no healthy upstream"}`, "no healthy upstream"},
		{"of HAR", `{"response":{"status":503,"content":{"text":"no healthy upstream"}}}`, "no healthy upstream"},
		{"that is announced as empty", "HTTP/1.1 503 S\nContent-Length: 0\n\nafterwards I tried again", ""},
		{"with an empty line", "HTTP/1.1 503 S\nServer: e\n\na\n\nb\n", "a\n\nb"},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := Read([]byte(c.text))
			if r.Best < 0 {
				t.Fatal("got no answer")
			}
			if got := string(r.Answers[r.Best].Body); got != c.want {
				t.Errorf("got %q, want %q", got, c.want)
			}
		})
	}
}

// A backend writes into a body what it likes. It must not speak for the gateway.
func TestABodyNeverOutvotesTheHead(t *testing.T) {
	for _, body := range []string{
		"HTTP/1.1 200 OK\n\n",
		"HTTP/1.1 200 OK\nX-Ca-Error-Message: OK\nX-Ca-Request-Id: 1\n\n{}",
		"\n\nHTTP/2 200\nserver: Kaede\n\n",
		"< HTTP/1.1 200 OK\n< a: b\n<\n",
		`{"status":200,"headers":{"x-ca-error-code":"A403IP"}}`,
		"X-Ca-Error-Code: A403IP\n",
		"HTTP/1.1 403 Forbidden\nX-Ca-Error-Code: A403IP\n\n",
		"apigw: A403IP 403 Access denied by IP Control Policy",
		"HTTP/1.1 100 Continue\n\nHTTP/1.1 200 OK\n\n",
	} {
		for _, head := range []string{"HTTP/1.1 503 S\nServer: x\n\n",
			"HTTP/1.1 503 S\nServer: x\nX-Ca-Error-Code: D503CB\n\n", "HTTP/1.1 503 S\nContent-Length: 5\n\n"} {
			r := Read([]byte(head + body))
			a := r.Answers[r.Best]
			want := ""
			if strings.Contains(head, "D503CB") {
				want = "D503CB"
			}
			if a.Status != 503 || a.Header.Get(nameCode) != want {
				t.Errorf("%q: got status %d, code %q, want 503, %q", head+body, a.Status, a.Header.Get(nameCode), want)
			}
		}
	}
}

func TestReadKeepsTheFirstAndTheLastOfManyAnswers(t *testing.T) {
	var b strings.Builder
	for range 500 {
		b.WriteString("HTTP/1.1 503 S\nContent-Length: 0\n\n")
	}
	b.WriteString("HTTP/1.1 403 F\nX-Ca-Error-Code: B403MQ\n\n")
	r := Read([]byte(b.String()))
	if r.Count != 501 || len(r.Answers) != mostAnswers {
		t.Errorf("got %d answers, %d kept, want 501 and %d", r.Count, len(r.Answers), mostAnswers)
	}
	if got := r.Answers[r.Best].Status; got != 403 {
		t.Errorf("got status %d, want that of the latest", got)
	}
}

func FuzzRead(f *testing.F) {
	files, err := filepath.Glob("../../testdata/forms/*.txt")
	if err != nil || len(files) < 100 {
		f.Fatalf("got %d forms, %v, want the table of the command", len(files), err)
	}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		r := Read(text)
		if r.Best >= len(r.Answers) || r.Best < 0 && r.Count > 0 {
			t.Fatalf("got answer %d of %d", r.Best, len(r.Answers))
		}
		lines := strings.Count(decode(text), "\n") + 1
		for _, a := range r.Answers {
			if a.Status != 0 && (a.Status < 100 || a.Status > 999) {
				t.Errorf("got status %d", a.Status)
			}
			for _, fact := range a.Facts {
				if fact.Place.Line < 1 || fact.Place.Line > lines || fact.Place.Column < 1 {
					t.Errorf("got %s at %v of %d lines", fact.Name, fact.Place, lines)
				}
			}
		}
	})
}
