package main

import "testing"

// "No error" is said of a whole answer only.
func TestAnUnfinishedAnswerIsNoSuccess(t *testing.T) {
	for name, c := range map[string]struct {
		text string
		want int
	}{
		"interim answer":          {"HTTP/1.1 103 Early Hints\nLink: </a>\n", exitUnknown},
		"tunnel of a proxy":       {"HTTP/1.1 200 Connection established\n\ncurl: (35) SSL_ERROR_SYSCALL\n", exitUnknown},
		"curl broke off":          {"HTTP/1.1 200 OK\nContent-Length: 9\n\nab\ncurl: (18) transfer closed\n", exitUnknown},
		"Go broke off":            {"status=200 read body: unexpected EOF", exitUnknown},
		"Python broke off":        {"<Response [200]>\nhttp.client.IncompleteRead: IncompleteRead(3 bytes read)", exitUnknown},
		"tunnel and answer":       {"HTTP/1.1 200 Connection established\n\nHTTP/1.1 200 OK\nServer: a\n\nok\n", exitOK},
		"body about such a thing": {"HTTP/1.1 200 OK\nServer: a\n\n{\"last\":\"unexpected EOF\"}\n", exitOK},
		"an earlier call": {"$ curl -si http://a\ncurl: (7) Failed to connect\n$ curl -si http://b\n" +
			"HTTP/1.1 200 OK\nServer: a\n\nok\n", exitOK},
		"protocols switched": {"HTTP/1.1 101 Switching Protocols\nUpgrade: websocket\n", exitOK},
	} {
		t.Run(name, func(t *testing.T) {
			got := runCommand([]string{"explain", "-"}, c.text, nil)
			if got.exit != c.want {
				t.Errorf("got exit %d, %s, want %d", got.exit, got.stdout, c.want)
			}
		})
	}
}
