package apigw

import (
	"net/http"
	"slices"
	"testing"
	"testing/synctest"
	"time"
)

func TestHooksTellTheStory(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var story []string
		tr := &Transport{
			Base:      serve(unavailable, ok),
			OnAttempt: func(_ *http.Request, a Attempt) { story = append(story, "attempt "+http.StatusText(a.Status)) },
			OnRetry:   func(_ *http.Request, a Attempt, _ time.Duration) { story = append(story, "retry") },
			OnDone:    func(_ *http.Request, r Result) { story = append(story, "done "+http.StatusText(r.Status)) },
		}
		resp, err := tr.RoundTrip(newRequest(t, http.MethodGet, ""))
		if err != nil {
			t.Fatal(err)
		}
		resp.Body.Close()
		want := []string{"attempt Gateway Timeout", "retry", "attempt OK", "done OK"}
		if !slices.Equal(story, want) {
			t.Errorf("got %q, want %q", story, want)
		}
	})
}
