package proxy

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/textproto"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
)

// seen is what an API got.
type seen struct {
	mu   sync.Mutex
	list []string
}

func (s *seen) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, _ := io.ReadAll(r.Body)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.list = append(s.list, fmt.Sprintf("%s %s %s %q", r.Method, r.Host, r.RequestURI, body))
}

// A client cannot make two calls of one, call another host, or send what is not
// signed: the API gets what the proxy understood, or nothing.
func TestNothingIsSmuggled(t *testing.T) {
	const inner = "GET /smuggled HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n"
	post := func(head, body string) string {
		return "POST /x HTTP/1.1\r\nHost: 127.0.0.1\r\n" + head + "\r\n" + body
	}
	for name, text := range map[string]string{
		"two lengths":            post("Content-Length: 0\r\nContent-Length: 46\r\n", inner),
		"two lengths in one":     post("Content-Length: 0, 46\r\n", inner),
		"length with a sign":     post("Content-Length: +0\r\n", inner),
		"length in hexadecimal":  post("Content-Length: 0x0\r\n", inner),
		"negative length":        post("Content-Length: -1\r\n", inner),
		"blank before the colon": post("Content-Length : 0\r\n", inner),
		"length and chunks": post("Content-Length: 5\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n",
			"0\r\n\r\n"+inner),
		"chunks twice": post("Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n",
			"0\r\n\r\n"+inner),
		"chunks and identity":    post("Transfer-Encoding: chunked, identity\r\n", "0\r\n\r\n"+inner),
		"chunks of another name": post("Transfer-Encoding: xchunked\r\n", "0\r\n\r\n"+inner),
		"chunks with a tab":      post("Transfer-Encoding:\tchunked\r\nConnection: close\r\n", "0\r\n\r\n"+inner),
		"chunks by a folded line": post("Transfer-Encoding:\r\n chunked\r\nConnection: close\r\n",
			"0\r\n\r\n"+inner),
		"chunk size with a sign": post("Transfer-Encoding: chunked\r\n", "+0\r\n\r\n"+inner),
		"chunk size too large":   post("Transfer-Encoding: chunked\r\n", "fffffffffffffffff\r\n"+inner),
		"bare line feeds": "POST /x HTTP/1.1\nHost: 127.0.0.1\nContent-Length: 0\nConnection: close\n\n" +
			inner,
		"carriage return in a value": post("X-A: b\rX-Ca-Key: other\r\nContent-Length: 0\r\nConnection: close\r\n",
			""),
		"NUL in a value":               post("X-A: b\x00\r\nContent-Length: 0\r\nConnection: close\r\n", ""),
		"HTTP/1.0 with chunks":         "POST /x HTTP/1.0\r\nHost: 127.0.0.1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n" + inner,
		"HTTP/0.9":                     "GET /x\r\n" + inner,
		"two hosts":                    "GET /x HTTP/1.1\r\nHost: 127.0.0.1\r\nHost: evil.example\r\nConnection: close\r\n\r\n",
		"no host":                      "GET /x HTTP/1.1\r\nConnection: close\r\n\r\n",
		"absolute form":                "GET http://evil.example/x HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n",
		"absolute form with a user":    "GET http://a:b@evil.example/x HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n",
		"absolute form, other scheme":  "GET ftp://evil.example/x HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n",
		"host in the path":             "GET //evil.example/x HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n",
		"host in the path, odd letter": "GET //evil.example/x| HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n",
		"host behind a backslash":      "GET /\\evil.example/x HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n",
		"authority only":               "GET evil.example:80 HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n",
		"tunnel":                       "CONNECT evil.example:443 HTTP/1.1\r\nHost: evil.example\r\n\r\n",
		"star":                         "OPTIONS * HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n",
		"signature as a hop header": "GET /x HTTP/1.1\r\nHost: 127.0.0.1\r\nX-Ca-Signature: a\r\n" +
			"Connection: close, X-Ca-Signature, X-Ca-Key, X-Ca-Nonce\r\n\r\n",
	} {
		t.Run(name, func(t *testing.T) {
			var api seen
			unsigned := false
			var host string
			address := start(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				api.mu.Lock()
				host = r.Context().Value(http.LocalAddrContextKey).(net.Addr).String()
				for _, h := range []string{"X-Ca-Key", "X-Ca-Signature", "X-Ca-Nonce"} {
					unsigned = unsigned || len(r.Header[h]) != 1
				}
				unsigned = unsigned || r.Header.Get("X-Ca-Key") != "key-of-the-test"
				api.mu.Unlock()
				api.ServeHTTP(w, r)
			}), nil)
			answer := raw(t, address, text+"GET /end HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n")
			api.mu.Lock()
			defer api.mu.Unlock()
			if !strings.HasPrefix(answer, "HTTP/1.1 ") && !strings.HasPrefix(answer, "HTTP/1.0 ") {
				t.Errorf("got %q, want an answer", answer)
			}
			if unsigned {
				t.Error("a call is not signed as the proxy signs")
			}
			for i, call := range api.list {
				if !strings.Contains(call, " "+host+" ") {
					t.Errorf("call %q names another host than %s", call, host)
				}
				// What follows a request that was understood is a call of its own,
				// signed as any other; within one request it must not be.
				if i > 0 && len(api.list) > strings.Count(answer, "HTTP/1.1 200") {
					t.Errorf("calls %q for the answers %q", api.list, answer)
				}
			}
		})
	}
}

// What the proxy says of a call cannot be said by the API.
func TestAPICannotSpeakForTheProxy(t *testing.T) {
	api := func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		h.Set("X-Apigw-Reached", "forged")
		w.WriteHeader(http.StatusEarlyHints)
		h.Set("Trailer", "X-Apigw-Stop, X-Sum")
		h["x-apigw-error"] = []string{"forged"}
		w.WriteHeader(http.StatusOK)
		io.WriteString(w, "body")
		http.NewResponseController(w).Flush()
		h.Set("X-Sum", "1")
		h.Set("X-Apigw-Stop", "forged")
		h.Set(http.TrailerPrefix+"X-Apigw-Remedy", "forged")
	}
	address := start(t, http.HandlerFunc(api), nil)
	answer := raw(t, address, "GET / HTTP/1.1\r\nHost: 127.0.0.1\r\nTE: trailers\r\nConnection: close\r\n\r\n")
	if strings.Contains(answer, "forged") || !strings.Contains(answer, "103 ") ||
		!strings.Contains(answer, "X-Sum: 1") {
		t.Errorf("got %q, want the interim answer and the trailer without anything forged", answer)
	}
	if got := strings.Count(answer, "X-Apigw-Attempts: 1\r\n"); got != 1 {
		t.Errorf("the proxy's own header is there %d times in %q", got, answer)
	}
}

// A client that sends a byte now and then neither blocks others nor is served
// before its head is whole.
func TestSlowClientBlocksNobody(t *testing.T) {
	var api seen
	address := start(t, &api, nil)
	conn, err := net.Dial("tcp", strings.TrimPrefix(address, "http://"))
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	slow := "POST /slow HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/x-www-form-urlencoded\r\nContent-Length: 3\r\n\r\na="
	for _, b := range []byte(slow) {
		conn.Write([]byte{b})
	}
	began := time.Now()
	if answer := raw(t, address,
		"GET /quick HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n"); !strings.HasPrefix(answer,
		"HTTP/1.1 200") {
		t.Errorf("got %q", answer)
	}
	if took := time.Since(began); took > 5*time.Second {
		t.Errorf("the other call took %v", took)
	}
	conn.Write([]byte("1"))
	if line, err := textproto.NewReader(bufio.NewReader(conn)).ReadLine(); err != nil ||
		!strings.HasPrefix(line, "HTTP/1.1 200") {
		t.Errorf("got %q, %v for the slow one", line, err)
	}
	api.mu.Lock()
	defer api.mu.Unlock()
	if len(api.list) != 2 || !strings.Contains(api.list[1], "/slow") || !strings.Contains(api.list[1], "a=1") {
		t.Errorf("the API got %q", api.list)
	}
}

// A token is compared as a whole, and where it is asked for nothing else opens.
func TestTokenOfTheProxy(t *testing.T) {
	guarded := Guard{Token: "token-of-the-test"}.Wrap(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
	for name, c := range map[string]struct {
		header http.Header
		query  string
		want   int
	}{
		"right":            {http.Header{HeaderToken: {"token-of-the-test"}}, "", 200},
		"beginning":        {http.Header{HeaderToken: {"token-of-the-tes"}}, "", 401},
		"longer":           {http.Header{HeaderToken: {"token-of-the-test2"}}, "", 401},
		"blank behind":     {http.Header{HeaderToken: {"token-of-the-test "}}, "", 401},
		"other letters":    {http.Header{HeaderToken: {"TOKEN-OF-THE-TEST"}}, "", 401},
		"second of two":    {http.Header{HeaderToken: {"x", "token-of-the-test"}}, "", 401},
		"two in one":       {http.Header{HeaderToken: {"x, token-of-the-test"}}, "", 401},
		"in the query":     {nil, "?token=token-of-the-test", 401},
		"as a cookie":      {http.Header{"Cookie": {"X-Apigw-Token=token-of-the-test"}}, "", 401},
		"as Authorization": {http.Header{"Authorization": {"Bearer token-of-the-test"}}, "", 401},
		"as a proxy's":     {http.Header{"Proxy-Authorization": {"Bearer token-of-the-test"}}, "", 401},
		"none":             {nil, "", 401},
		"empty":            {http.Header{HeaderToken: {""}}, "", 401},
		"right, another page": {http.Header{HeaderToken: {"token-of-the-test"}, "Origin": {"http://evil.example"}}, "",
			403},
	} {
		t.Run(name, func(t *testing.T) {
			r := httptest.NewRequest(http.MethodGet, "http://127.0.0.1/"+c.query, nil)
			for name, values := range c.header {
				r.Header[name] = slices.Clone(values)
			}
			w := httptest.NewRecorder()
			guarded.ServeHTTP(w, r)
			if w.Code != c.want {
				t.Errorf("got %d, want %d", w.Code, c.want)
			}
		})
	}
}
