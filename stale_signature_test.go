package apigw

import (
	"net/http"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
)

// foreignSigner signs as other programs do: all headers with X-Ca in front, the
// old signature as well if it finds one.
func foreignSigner(r *http.Request) error {
	r.Header.Set("X-Ca-Nonce", "n2")
	var signed []string
	for name := range r.Header {
		if strings.HasPrefix(strings.ToUpper(name), "X-CA-") {
			signed = append(signed, name)
		}
	}
	slices.Sort(signed)
	r.Header.Set("X-Ca-Signature-Headers", strings.Join(signed, ","))
	r.Header.Set("X-Ca-Signature", "new")
	return nil
}

func TestHookThatSignsFindsNoOldSignature(t *testing.T) {
	for name, c := range map[string]struct {
		hook                 func(*http.Request) error
		nonce                string // of the caller
		signature, signedFor string // of the retry
	}{
		"signs anew":        {foreignSigner, "n1", "new", "X-Ca-Key,X-Ca-Nonce"},
		"signs nothing":     {func(*http.Request) error { return nil }, "", "old", "X-Ca-Key"},
		"takes the headers": {func(r *http.Request) error { r.Header = nil; return nil }, "", "old", "X-Ca-Key"},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				base := serve(notReached, ok)
				req := newRequest(t, http.MethodPost, "order")
				req.Header.Set("X-Ca-Key", "k")
				req.Header["x-ca-signature"] = []string{"old"}
				req.Header.Set("X-Ca-Signature-Headers", "X-Ca-Key")
				if c.nonce != "" {
					req.Header.Set("X-Ca-Nonce", c.nonce)
				}
				resp, err := (&Transport{Base: base, Policy: soon, PrepareRetry: c.hook}).RoundTrip(req)
				if err != nil {
					t.Fatal(err)
				}
				resp.Body.Close()
				if resp.StatusCode != 200 {
					t.Fatalf("status %d", resp.StatusCode)
				}
				sent := base.seen[1].Header
				if got := headerValue(sent, "X-Ca-Signature"); got != c.signature {
					t.Errorf("signature %q, want %q", got, c.signature)
				}
				if got := headerValue(sent, "X-Ca-Signature-Headers"); got != c.signedFor {
					t.Errorf("signed %q, want %q", got, c.signedFor)
				}
				if got := headerValue(req.Header, "X-Ca-Signature"); got != "old" {
					t.Errorf("the caller's signature became %q", got)
				}
			})
		})
	}
}
