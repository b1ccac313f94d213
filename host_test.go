package apigw

import (
	"net/url"
	"testing"
)

func TestAppendHost(t *testing.T) {
	for _, c := range []struct{ url, want string }{
		{"http://api.example.com/", "api.example.com"},
		{"http://API.Example.COM/", "api.example.com"},
		{"http://api.example.com./", "api.example.com"},
		{"http://api.example.com:80/", "api.example.com"},
		{"https://api.example.com.:443/", "api.example.com"},
		{"HTTPS://api.example.com:443/", "api.example.com"},
		{"https://api.example.com:80/", "api.example.com:80"},
		{"http://api.example.com:8080/", "api.example.com:8080"},
		{"http://api.example.com:/", "api.example.com"},
		{"http://[::1]/", "[::1]"},
		{"http://[::1]:80/", "[::1]"},
		{"http://[FE80::1%25eth0]:8080/", "[fe80::1%eth0]:8080"},
		{"http://接口.example/", "接口.example"},
		{"unix:///x", ""},
	} {
		u, err := url.Parse(c.url)
		if err != nil {
			t.Fatal(err)
		}
		if got := string(appendHost(nil, u)); got != c.want {
			t.Errorf("%s: got %q, want %q", c.url, got, c.want)
		}
	}
}
