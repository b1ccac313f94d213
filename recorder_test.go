package apigw

import (
	"context"
	"errors"
	"net/http"
	"runtime"
	"strings"
	"testing"
	"testing/synctest"
)

func TestRecorder(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, recorder := WithRecorder(t.Context())
		if _, found := recorder.Last(); found {
			t.Error("an Error before any request")
		}
		client := &http.Client{Transport: &Transport{Base: serve(ok, quota)}}
		for range 2 {
			req, _ := http.NewRequestWithContext(ctx, http.MethodGet, "http://api.example.com/v1?secret=1", nil)
			resp, err := client.Do(req)
			if err != nil {
				t.Fatal(err)
			}
			resp.Body.Close()
		}
		e, found := recorder.Last()
		if !found || !errors.Is(e, ErrQuota) {
			t.Errorf("got %v, %v, want the quota error", e, found)
		}
		results := recorder.Results()
		if len(results) != 2 || results[0].Status != 200 || results[0].Err != nil || len(results[1].Attempts) != 1 ||
			results[1].Path != "/v1" {
			t.Errorf("got %+v", results)
		}
	})
}

// A Recorder lets go of long texts: of 200 MiB that a server sent it keeps a few.
func TestRecorderLetsGoOfLongTexts(t *testing.T) {
	ctx, recorder := WithRecorder(context.Background())
	for range 50 {
		long := strings.Repeat("x", 1<<20)
		tr := &Transport{
			Base:   serve(answer{status: 503, message: "a" + long, header: http.Header{headerRequestID: {"b" + long}}}),
			Policy: RetryPolicy{MaxAttempts: 2, NewBackOff: noDelay}, Budget: &RetryBudget{Unlimited: true},
		}
		resp, err := tr.RoundTrip(newRequest(t, http.MethodGet, "").WithContext(ctx))
		if err != nil {
			t.Fatal(err)
		}
		resp.Body.Close()
	}
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	if m.HeapAlloc > 40<<20 {
		t.Errorf("%d MiB are in use, want a few", m.HeapAlloc>>20)
	}
	runtime.KeepAlive(recorder)
}
