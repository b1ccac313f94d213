package main

import "testing"

// Nonce and timestamp may come as headers, as people have them for curl.
func TestSignTakesNonceAndTimestampFromHeaders(t *testing.T) {
	env := map[string]string{"APIGW_APP_SECRET": "tops3cret"}
	const url = "https://api.example.com/orders"
	want := runCommand([]string{"sign", "--json", "--key", "1", "--nonce", "n", "--timestamp", "5", url}, "", env)
	got := runCommand([]string{"sign", "--json", "--key", "1", "-H", "X-Ca-Nonce: n", "-H", "X-Ca-Timestamp: 5", url}, "", env)
	if got.exit != exitOK || got.stdout != want.stdout {
		t.Errorf("got exit %d, %s%s; want %s", got.exit, got.stdout, got.stderr, want.stdout)
	}
}
