package proxy

import "testing"

func TestParseUpstream(t *testing.T) {
	for raw, want := range map[string]string{
		"https://api.example.com":       "https://api.example.com",
		"https://api.example.com/":      "https://api.example.com",
		"http://127.0.0.1:8080":         "http://127.0.0.1:8080",
		"api.example.com":               "",
		"ftp://api.example.com":         "",
		"https://":                      "",
		"https://u:p@api.example.com":   "",
		"https://api.example.com/v1":    "",
		"https://api.example.com?a=b":   "",
		"https://api.example.com/#part": "",
		"::":                            "",
	} {
		u, err := ParseUpstream(raw)
		if got := ""; err == nil {
			got = u.String()
			if got != want {
				t.Errorf("ParseUpstream(%q) = %q, want %q", raw, got, want)
			}
		} else if want != "" {
			t.Errorf("ParseUpstream(%q): %v", raw, err)
		}
	}
}
