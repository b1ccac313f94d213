package signer

import "testing"

func TestServerStringToSign(t *testing.T) {
	tests := []struct {
		name, message, want string
		ok                  bool
	}{
		{"classic", "Invalid Signature, Server StringToSign:`GET#/`", "GET#/", true},
		{"Higress", "Server StringToSign:`GET#/`", "GET#/", true},
		{"blank before the backquote", "Server StringToSign: `GET#/` ", "GET#/", true},
		{"no backquotes", "Server StringToSign: GET#/ ", "GET#/", true},
		{"rest of the line only", "Server StringToSign:GET#/\nrequest id 1", "GET#/", true},
		{"backquote in a value", "Server StringToSign:`GET#/?a=`b``", "GET#/?a=`b`", true},
		{"cut short", "Server StringToSign:`GET#/", "GET#/", true},
		{"text around it", "400: Invalid Signature, Server StringToSign:`GET#/`, request id 1", "GET#/", true},
		{"another letter case", "server stringtosign:`GET#/`", "", false},
		{"empty", "Server StringToSign:``", "", false},
		{"another message", "Nonce Used", "", false},
		{"no message", "", "", false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got, ok := ServerStringToSign(tt.message); got != tt.want || ok != tt.ok {
				t.Errorf("got %q, %v, want %q, %v", got, ok, tt.want, tt.ok)
			}
		})
	}
}
