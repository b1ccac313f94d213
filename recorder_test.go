package apigw

import (
	"errors"
	"net/http"
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
