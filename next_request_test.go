package apigw

import (
	"errors"
	"io"
	"net/http"
	"reflect"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
)

func TestPrepareRetryRenewsTheNonce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		base := serve(unavailable, ok)
		req := newRequest(t, http.MethodPost, "order")
		req.Header.Set("X-Ca-Nonce", "n1")
		before := req.Header.Clone()
		tr := &Transport{Base: base, PrepareRetry: func(r *http.Request) error { r.Header.Set("X-Ca-Nonce", "n2"); return nil }}
		resp, err := tr.RoundTrip(req)
		if err != nil {
			t.Fatal(err)
		}
		resp.Body.Close()
		var nonces []string
		for _, r := range base.seen {
			nonces = append(nonces, r.Header.Get("X-Ca-Nonce"))
		}
		if want := []string{"n1", "n2"}; !slices.Equal(nonces, want) {
			t.Errorf("nonces sent %q, want %q", nonces, want)
		}
		if !reflect.DeepEqual(req.Header, before) {
			t.Errorf("the caller's header became %v", req.Header)
		}
	})
}

func TestPrepareRetryFails(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		cause := errors.New("no key")
		tr := &Transport{Base: serve(unavailable), PrepareRetry: func(*http.Request) error { return cause }}
		_, err := tr.RoundTrip(newRequest(t, http.MethodPost, "order"))
		var e *Error
		if !errors.As(err, &e) || e.Stop != StopPrepareFailed || !errors.Is(err, cause) || e.Status != 503 {
			t.Errorf("got %v, want prepare-failed after the 503", err)
		}
	})
}

func TestPrepareRetryMayReplaceTheBody(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		body := &countingBody{Reader: strings.NewReader("order")}
		req := newRequest(t, http.MethodPut, "")
		req.Body, req.ContentLength = body, 5
		base := serve(unavailable, ok)
		tr := &Transport{Base: base, PrepareRetry: func(r *http.Request) error {
			b, err := io.ReadAll(r.Body)
			r.Body = io.NopCloser(strings.NewReader(string(b)))
			return err
		}}
		resp, err := tr.RoundTrip(req)
		if err != nil {
			t.Fatal(err)
		}
		resp.Body.Close()
		if body.closes() != 1 || !slices.Equal(base.bodies, []string{"order", "order"}) {
			t.Errorf("body closed %d times, sent %q; want once, and the order twice", body.closes(), base.bodies)
		}
	})
}

func TestPrepareRetryThatForgetsTheNonce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		base := serve(unavailable)
		req := newRequest(t, http.MethodGet, "")
		req.Header.Set("X-Ca-Nonce", "n1")
		_, err := (&Transport{Base: base, PrepareRetry: func(*http.Request) error { return nil }}).RoundTrip(req)
		var e *Error
		if !errors.As(err, &e) || e.Stop != StopNonce || base.attempts() != 1 {
			t.Errorf("got %v after %d attempts, want nonce-not-renewed after one", err, base.attempts())
		}
	})
}
