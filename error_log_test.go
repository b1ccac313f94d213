package apigw

import (
	"bytes"
	"encoding/json"
	"log/slog"
	"net/http"
	"testing"
	"testing/synctest"
)

// Both loggers of Go show the same of an Error, whoever writes it.
func TestErrorIsALogValue(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := answer{status: 429, code: "T429PA", header: http.Header{headerRequestID: {"r1"}}}
		e := mustFail(t, &Transport{Base: serve(a)}, newRequest(t, http.MethodPost, ""))
		var buf bytes.Buffer
		slog.New(slog.NewJSONHandler(&buf, nil)).Info("x", "error", e, "attempt", e.Attempts[0])
		var line struct {
			Error   map[string]any
			Attempt map[string]any
		}
		if err := json.Unmarshal(buf.Bytes(), &line); err != nil {
			t.Fatal(err)
		}
		for k, want := range map[string]any{
			"id": "T429PA", "code": "T429PA", "status": 429.0, "class": "throttled", "origin": "gateway",
			"backend_reached": "maybe", "request_id": "r1", "stop_reason": "throttled",
			"message": "Throttled by API Flow Control",
		} {
			if line.Error[k] != want {
				t.Errorf("error.%s = %v, want %v", k, line.Error[k], want)
			}
		}
		first, _ := line.Error["attempts"].(map[string]any)["1"].(map[string]any)
		if first["status"] != 429.0 || line.Attempt["status"] != 429.0 || line.Attempt["Message"] != nil {
			t.Errorf("attempts are %v, the attempt %v", first, line.Attempt)
		}
	})
}
