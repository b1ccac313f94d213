package apigw

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/url"
	"slices"
	"testing"
	"testing/synctest"
	"time"
)

func TestAttemptTimeout(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		slow := answer{status: 200, delay: time.Minute}
		base := serve(slow, ok)
		tr := &Transport{Base: base, Policy: RetryPolicy{AttemptTimeout: time.Second, InitialBackoff: time.Second, Jitter: JitterNone}}
		resp, err := tr.RoundTrip(newRequest(t, http.MethodGet, ""))
		if err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Hour) // the body may take longer than the head
		body, err := io.ReadAll(resp.Body)
		resp.Body.Close()
		if err != nil || string(body) != ok.body {
			t.Errorf("body %q, %v, want %q", body, err, ok.body)
		}
		if want := []time.Duration{0, 2 * time.Second}; !slices.Equal(base.at, want) {
			t.Errorf("attempts at %v, want %v", base.at, want)
		}
	})
}

func TestAttemptTimeoutOfAPost(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		tr := &Transport{Base: serve(answer{status: 200, delay: time.Minute}), Policy: RetryPolicy{AttemptTimeout: time.Second}}
		_, err := tr.RoundTrip(newRequest(t, http.MethodPost, ""))
		var e *Error
		if !errors.As(err, &e) || e.Stop != StopMayHaveRun || !e.Timeout() || !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("got %v, want a timeout that may have run", err)
		}
	})
}

func TestTimeoutShowsThroughHTTPClient(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		client := &http.Client{Transport: &Transport{Base: serve(answer{delay: time.Hour})}, Timeout: time.Second}
		_, err := client.Get("http://api.example.com/")
		var u *url.Error
		if !errors.As(err, &u) || !u.Timeout() {
			t.Errorf("got %v, want a timeout", err)
		}
	})
}

func TestContextOfTheResponseOutlivesAnAttemptTimeout(t *testing.T) {
	client := &http.Client{Transport: &Transport{Base: serve(quota, ok), Policy: RetryPolicy{AttemptTimeout: time.Minute}}}
	resp, err := client.Get("http://api.example.com/")
	if err != nil {
		t.Fatal(err)
	}
	resp.Body.Close()
	again, err := client.Do(resp.Request)
	if err != nil {
		t.Fatal(err)
	}
	again.Body.Close()
	if e, found := FromResponse(again); found {
		t.Errorf("the success carries the failure before it: %v", e)
	}
}
