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
		tr := &Transport{
			Base:         base,
			PrepareRetry: func(r *http.Request) error { r.Header.Set("X-Ca-Nonce", "n2"); return nil },
		}
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
		if !errors.As(err, &e) || e.Stop != StopPrepareFailed || !errors.Is(err, cause) || e.Status != 0 ||
			e.Attempts[0].Status != 504 {
			t.Errorf("got %v, want prepare-failed after an attempt that got the 504", err)
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

// What was refused is still there if the retry cannot be sent after all.
func TestPrepareRetryThatForgetsTheNonce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		refusal := unavailable
		refusal.body = "busy"
		base := serve(refusal)
		req := newRequest(t, http.MethodGet, "")
		req.Header.Set("X-Ca-Nonce", "n1")
		tr := &Transport{Base: base, PrepareRetry: func(*http.Request) error { return nil }}
		resp, err := tr.RoundTrip(req)
		if err != nil {
			t.Fatal(err)
		}
		body, _ := io.ReadAll(resp.Body)
		e, _ := FromResponse(resp)
		if e == nil || e.Stop != StopNonce || base.attempts() != 1 || string(body) != "busy" {
			t.Errorf(
				"got %v, %q after %d attempts, want nonce-not-renewed and the refusal after one",
				e,
				body,
				base.attempts(),
			)
		}
	})
}

// A function of the caller that fails is for the caller to see.
func TestGetBodyThatFails(t *testing.T) {
	for name, c := range map[string]struct {
		getBody func() (io.ReadCloser, error)
		want    string
	}{
		"an error": {func() (io.ReadCloser, error) { return nil, errors.New("gone") }, "gone"},
		"nothing":  {func() (io.ReadCloser, error) { return nil, nil }, "neither a body nor an error"},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				base := serve(unavailable)
				req := newRequest(t, http.MethodPut, "order")
				req.GetBody = c.getBody
				tr := &Transport{Base: base}
				resp, err := tr.RoundTrip(req)
				var e *Error
				if resp != nil || !errors.As(err, &e) || e.Stop != StopBody || !strings.Contains(err.Error(), c.want) {
					t.Fatalf("got %v, %v, want body-not-replayable and %q", resp, err, c.want)
				}
				if e.Status != 0 || len(e.Attempts) != 1 || e.Attempts[0].Status != 504 || base.attempts() != 1 {
					t.Errorf("got %+v, want one attempt that got a 504", e)
				}
				if got := tr.Budgets()[0].Available; got != 10 {
					t.Errorf("%v retries are left, want all 10", got)
				}
			})
		})
	}
}

// trailerBody sets the trailer of its request when it has been read.
type trailerBody struct {
	io.Reader
	req *http.Request
}

func (b *trailerBody) Read(p []byte) (int, error) {
	n, err := b.Reader.Read(p)
	if err == io.EOF {
		b.req.Trailer.Set("X-Sum", "7")
	}
	return n, err
}

func (b *trailerBody) Close() error { return nil }

func TestTrailerOfARetry(t *testing.T) {
	for name, hook := range map[string]func(*http.Request) error{
		"plain": nil, "with PrepareRetry": func(r *http.Request) error { r.Header.Set("X-Try", "again"); return nil },
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				base := serve(dialFailed, ok)
				req := newRequest(t, http.MethodPut, "")
				req.Trailer = http.Header{"X-Sum": nil}
				newBody := func() (io.ReadCloser, error) { return &trailerBody{strings.NewReader("order"), req}, nil }
				req.Body, _ = newBody()
				req.GetBody, req.ContentLength = newBody, -1
				resp, err := (&Transport{Base: base, Policy: soon, PrepareRetry: hook}).RoundTrip(req)
				if err != nil {
					t.Fatal(err)
				}
				resp.Body.Close()
				if got := base.seen[1].Trailer.Get("X-Sum"); got != "7" {
					t.Errorf("the retry has the trailer %q, want 7", got)
				}
			})
		})
	}
}
