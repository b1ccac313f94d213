package proxy

import (
	"maps"
	"net/http"
	"net/http/httptest"
	"testing"
)

func TestGuard(t *testing.T) {
	open := Guard{Hosts: []string{"proxy.internal"}}
	closed := Guard{Hosts: []string{"proxy.internal"}, Token: "token-of-the-test"}
	for name, c := range map[string]struct {
		guard  Guard
		host   string
		path   string
		header http.Header
		want   int
	}{
		"loopback":               {open, "127.0.0.1:8079", "/", nil, 200},
		"another loopback":       {open, "127.8.9.1:8079", "/", nil, 200},
		"IPv6 loopback":          {open, "[::1]:8079", "/", nil, 200},
		"mapped loopback":        {open, "[::ffff:127.0.0.1]:80", "/", nil, 200},
		"localhost":              {open, "LOCALHOST:8079", "/", nil, 200},
		"localhost with a dot":   {open, "localhost.", "/", nil, 200},
		"listed":                 {open, "Proxy.Internal:8079", "/", nil, 200},
		"rebinding":              {open, "evil.example:8079", "/", nil, 421},
		"like localhost":         {open, "localhost.evil.example", "/", nil, 421},
		"like loopback":          {open, "127.0.0.1.evil.example", "/", nil, 421},
		"address of the network": {open, "192.168.1.7:8079", "/", nil, 421},
		"any address":            {open, "0.0.0.0:8079", "/", nil, 421},
		"no host":                {open, "", "/", nil, 421},
		"listed is exact":        {open, "a.proxy.internal", "/", nil, 421},
		"own page":               {open, "127.0.0.1:8079", "/", http.Header{"Origin": {"http://127.0.0.1:8079"}}, 200},
		"other port":             {open, "127.0.0.1:8079", "/", http.Header{"Origin": {"http://127.0.0.1:3000"}}, 403},
		"other origin":           {open, "127.0.0.1:8079", "/", http.Header{"Origin": {"https://evil.example"}}, 403},
		"opaque origin":          {open, "127.0.0.1:8079", "/", http.Header{"Origin": {"null"}}, 403},
		"two origins": {open, "127.0.0.1:8079", "/",
			http.Header{"Origin": {"http://127.0.0.1:8079", "https://evil.example"}}, 403},
		"cross-site":            {open, "127.0.0.1:8079", "/", http.Header{"Sec-Fetch-Site": {"cross-site"}}, 403},
		"same-site":             {open, "127.0.0.1:8079", "/", http.Header{"Sec-Fetch-Site": {"same-site"}}, 403},
		"typed by hand":         {open, "127.0.0.1:8079", "/", http.Header{"Sec-Fetch-Site": {"none"}}, 200},
		"no token":              {closed, "127.0.0.1", "/", nil, 401},
		"wrong token":           {closed, "127.0.0.1", "/", http.Header{HeaderToken: {"token-of-the-tesT"}}, 401},
		"token":                 {closed, "127.0.0.1", "/", http.Header{HeaderToken: {"token-of-the-test"}}, 200},
		"token does not excuse": {closed, "evil.example", "/", http.Header{HeaderToken: {"token-of-the-test"}}, 421},
		"not as a bearer": {closed, "127.0.0.1", "/", http.Header{"Authorization": {"Bearer token-of-the-test"}},
			401},
	} {
		t.Run(name, func(t *testing.T) {
			served := c.guard.Wrap(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
			r := httptest.NewRequest(http.MethodGet, "http://x"+c.path, nil)
			r.Host = c.host
			maps.Copy(r.Header, c.header)
			w := httptest.NewRecorder()
			served.ServeHTTP(w, r)
			if w.Code != c.want {
				t.Errorf("got %d, want %d", w.Code, c.want)
			}
		})
	}
}
