package retryable_test

import (
	"context"
	"errors"
	"io"
	"net/http"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/apigw-go/apigw"
	"github.com/apigw-go/apigw/retryable"
	"github.com/cenkalti/backoff/v4"
	"github.com/hashicorp/go-retryablehttp"
)

// http.Client hides a password in its errors, so that they name another URL.
func TestPasswordInTheURL(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		base := serve(dialFailed)
		c := retryable.NewClient(&apigw.Transport{Base: base})
		if _, err := c.Post("http://us%20er:pass@api.example.com/", "text/plain", []byte("order")); err == nil {
			t.Error("got a response, want none")
		}
		if len(base.at) != 4 {
			t.Errorf("got %d attempts, want 4: nothing was sent", len(base.at))
		}
	})
}

func TestManyAttempts(t *testing.T) {
	base := serve(unavailable)
	policy := apigw.RetryPolicy{MaxAttempts: 150, NewBackOff: func() apigw.BackOff { return &backoff.ZeroBackOff{} }}
	c := retryable.NewClient(&apigw.Transport{
		Base: base, Policy: policy, Budget: &apigw.RetryBudget{Unlimited: true},
	})
	c.RetryMax = 2 // does not count
	resp, err := c.Get("http://api.example.com/")
	if err != nil {
		t.Fatal(err)
	}
	resp.Body.Close()
	if len(base.at) != 150 {
		t.Errorf("got %d attempts, want 150", len(base.at))
	}
}

// A PrepareRetry that signs needs the body, which has been sent already.
func TestPrepareRetrySeesTheBody(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		base := serve(unavailable, unavailable, ok)
		var seen []string
		tr := &apigw.Transport{Base: base, PrepareRetry: func(req *http.Request) error {
			b, err := io.ReadAll(req.Body) // what is sent stays whole
			seen = append(seen, string(b))
			return err
		}}
		resp, err := retryable.NewClient(tr).Post("http://api.example.com/", "text/plain", []byte("order"))
		if err != nil {
			t.Fatal(err)
		}
		resp.Body.Close()
		if want := []string{"order", "order"}; !slices.Equal(seen, want) {
			t.Errorf("PrepareRetry read %q, want %q", seen, want)
		}
		if want := []string{"order", "order", "order"}; !slices.Equal(base.bodies, want) {
			t.Errorf("sent %q, want %q", base.bodies, want)
		}
	})
}

// A request without GetBody is remembered up to MaxBodyBuffer, as everywhere.
func TestBodyWithoutGetBody(t *testing.T) {
	for _, tt := range []struct {
		name   string
		buffer int64
		want   []string
	}{
		{"sent again", 5, []string{"order", "order"}},
		{"too long", 4, []string{"order"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				base := serve(unavailable, ok)
				req := newRequest(t, http.MethodPost, "order")
				req.GetBody = nil
				r, err := retryablehttp.FromRequest(req)
				if err != nil {
					t.Fatal(err)
				}
				c := retryable.NewClient(&apigw.Transport{Base: base,
					Policy: apigw.RetryPolicy{MaxBodyBuffer: tt.buffer}})
				resp, err := c.Do(r)
				if err != nil {
					t.Fatal(err)
				}
				resp.Body.Close()
				if !slices.Equal(base.bodies, tt.want) {
					t.Errorf("sent %q, want %q", base.bodies, tt.want)
				}
			})
		})
	}
}

func TestRequestCountsOnceInTheBudget(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		budget := new(apigw.RetryBudget)
		c := retryable.NewClient(&apigw.Transport{Base: serve(unavailable, unavailable, ok), Budget: budget})
		resp, err := c.Get("http://api.example.com/")
		if err != nil {
			t.Fatal(err)
		}
		resp.Body.Close()
		if got := budget.States(); len(got) != 1 || got[0].Requests != 1 {
			t.Errorf("got %+v, want one host with one request", got)
		}
	})
}

// The loop of the library would return context.Canceled, without OnDone.
func TestCancelledWhileWaiting(t *testing.T) {
	cause := errors.New("enough")
	for name, a := range map[string]answer{"after a response": unavailable, "without a response": dialFailed} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				ctx, cancel := context.WithCancelCause(t.Context())
				time.AfterFunc(time.Second, func() { cancel(cause) })
				req, err := retryablehttp.NewRequestWithContext(ctx, http.MethodGet, "http://api.example.com/", nil)
				if err != nil {
					t.Fatal(err)
				}
				start, done := time.Now(), 0
				c := retryable.NewClient(&apigw.Transport{
					Base:   serve(a),
					Policy: apigw.RetryPolicy{InitialBackoff: 10 * time.Second, Jitter: apigw.JitterNone},
					OnDone: func(*http.Request, apigw.Result) { done++ },
				})
				if _, err = c.Do(req); !errors.Is(err, cause) || done != 1 {
					t.Errorf("got %v and %d results, want the cause and 1", err, done)
				}
				if took := time.Since(start); took != time.Second {
					t.Errorf("it took %v, want 1s", took)
				}
			})
		})
	}
}

func TestResponseHandlerIsNotRetried(t *testing.T) {
	refused := errors.New("not what was asked for")
	for _, tt := range []struct {
		name   string
		answer answer
		want   error
	}{
		{"success", ok, nil},
		{"handler fails", ok, refused},
		{"handler returns the failure", quota, apigw.ErrQuota},
	} {
		t.Run(tt.name, func(t *testing.T) {
			base, done := serve(tt.answer), 0
			req, err := retryablehttp.NewRequestWithContext(t.Context(), http.MethodGet, "http://api.example.com/", nil)
			if err != nil {
				t.Fatal(err)
			}
			req.SetResponseHandler(func(resp *http.Response) error {
				if e, found := apigw.FromResponse(resp); found {
					return e
				}
				return tt.want
			})
			c := retryable.NewClient(&apigw.Transport{Base: base, OnDone: func(*http.Request, apigw.Result) { done++ }})
			if _, err = c.Do(req); !errors.Is(err, tt.want) {
				t.Errorf("got %v, want %v", err, tt.want)
			}
			if len(base.at) != 1 || done != 1 {
				t.Errorf("got %d attempts and %d results, want 1 and 1", len(base.at), done)
			}
		})
	}
}

func TestRequestIsUsedTwice(t *testing.T) {
	c := retryable.NewClient(&apigw.Transport{Base: serve(quota)})
	req, err := retryablehttp.NewRequestWithContext(t.Context(), http.MethodGet, "http://api.example.com/", nil)
	if err != nil {
		t.Fatal(err)
	}
	for range 2 {
		resp, err := c.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		resp.Body.Close()
		if e, found := apigw.FromResponse(resp); !found || len(e.Attempts) != 1 {
			t.Errorf("got %v, want an Error of one attempt", e)
		}
	}
}

func TestInstall(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		base := serve(unavailable, dialFailed, ok)
		shared := &http.Client{Transport: base, Timeout: time.Minute}
		c := retryablehttp.NewClient()
		c.HTTPClient, c.Logger = shared, nil
		var calls []int
		c.RequestLogHook = func(_ retryablehttp.Logger, _ *http.Request, n int) { calls = append(calls, n) }
		for range 2 { // a second time changes nothing
			retryable.Install(c, &apigw.Transport{})
		}
		resp, err := c.Get("http://api.example.com/")
		if err != nil {
			t.Fatal(err)
		}
		resp.Body.Close()
		if len(base.at) != 3 || resp.StatusCode != 200 {
			t.Errorf("got %d attempts and status %d, want 3 and 200, through the client's own transport",
				len(base.at), resp.StatusCode)
		}
		if want := []int{0}; !slices.Equal(calls, want) {
			t.Errorf("the hook of the program was called with %v, want %v", calls, want)
		}
		if shared.Transport != http.RoundTripper(base) || c.HTTPClient.Timeout != time.Minute {
			t.Errorf("got %v and %v, want the program's client as it was, and its timeout",
				shared.Transport, c.HTTPClient.Timeout)
		}
	})
}

func TestInstallKeepsABaseThatIsSet(t *testing.T) {
	base, other := serve(ok), serve(ok)
	c := &retryablehttp.Client{HTTPClient: &http.Client{Transport: other}}
	retryable.Install(c, &apigw.Transport{Base: base})
	resp, err := c.Get("http://api.example.com/")
	if err != nil {
		t.Fatal(err)
	}
	resp.Body.Close()
	if len(base.at) != 1 || len(other.at) != 0 {
		t.Errorf("got %d and %d attempts, want 1 through Base and none beside it", len(base.at), len(other.at))
	}
}

// The library closes idle connections after each failure, of all requests.
func TestConnectionsOfOthersStay(t *testing.T) {
	base := serve(reset)
	c := retryable.NewClient(&apigw.Transport{Base: base, Policy: apigw.RetryPolicy{MaxAttempts: 1}})
	if _, err := c.Get("http://api.example.com/"); err == nil || !strings.Contains(err.Error(), "connection reset") {
		t.Errorf("got %v, want the cause", err)
	}
	if base.idle != 0 {
		t.Errorf("idle connections were closed %d times, want never", base.idle)
	}
}
