package apigw

import (
	"bytes"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"
	"go.uber.org/zap/zaptest/observer"
)

func TestLogLevels(t *testing.T) {
	for name, c := range map[string]struct {
		answers []answer
		level   zapcore.Level
		want    []string
	}{
		"success":        {[]answer{ok}, zap.InfoLevel, nil},
		"success, debug": {[]answer{ok}, zap.DebugLevel, []string{"debug apigw: attempt"}},
		"saved by a retry": {
			[]answer{unavailable, ok}, zap.InfoLevel, []string{"info apigw: succeeded after retry"},
		},
		"given up": {
			[]answer{quota}, zap.DebugLevel, []string{"debug apigw: attempt", "warn apigw: given up"},
		},
		"network failure":      {[]answer{reset}, zap.InfoLevel, []string{"warn apigw: given up"}},
		"only warnings wanted": {[]answer{unavailable, ok}, zap.WarnLevel, nil},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				core, logs := observer.New(c.level)
				var lines bytes.Buffer
				handler := slog.NewTextHandler(&lines, &slog.HandlerOptions{Level: slog.Level(c.level * 4)})
				tr := &Transport{Base: serve(c.answers...), Logger: zap.New(core), Slog: slog.New(handler)}
				if resp, err := tr.RoundTrip(newRequest(t, http.MethodPost, "")); err == nil {
					resp.Body.Close()
				}
				var got []string
				for _, entry := range logs.All() {
					got = append(got, entry.Level.String()+" "+entry.Message)
				}
				if !slices.Equal(got, c.want) {
					t.Errorf("got %q, want %q", got, c.want)
				}
				if n := bytes.Count(lines.Bytes(), []byte("\n")); n != len(c.want) {
					t.Errorf("slog got %d lines, want %d as zap:\n%s", n, len(c.want), &lines)
				}
				for _, line := range c.want {
					level, message, _ := strings.Cut(line, " ")
					if !strings.Contains(
						lines.String(),
						fmt.Sprintf("level=%s msg=%q", strings.ToUpper(level), message),
					) {
						t.Errorf("slog lacks %q:\n%s", line, &lines)
					}
				}
			})
		})
	}
}

// Nothing that came with the request, and nothing that a hostile server says,
// gets into a log line at any level.
func TestLogHoldsNoSecret(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var buf bytes.Buffer
		encoder := zapcore.NewConsoleEncoder(zap.NewDevelopmentEncoderConfig())
		logger := zap.New(zapcore.NewCore(encoder, zapcore.AddSync(&buf), zap.DebugLevel))
		for _, a := range []answer{
			unavailable, quota, reset,
			{status: 400, message: "Invalid Signature, Server StringToSign:`POST#/x?password=tops3cret`"},
			{status: 403, message: "APPCODE tops3cret is wrong"},
			{status: 403, message: "User Arrears tops3cret"},
			{status: 403, code: "A400AC", message: "Invalid AppCode tops3cret"},
			{status: 403, code: "X", message: "see /v1/orders?token=tops3cret"},
			{status: 500, message: "fake\r\nline\x1b[2J", header: http.Header{headerRequestID: {"id\nfake line"}}},
			{err: &url.Error{Op: "Get", URL: "http://h/?token=tops3cret", Err: io.ErrUnexpectedEOF}},
		} {
			req := newRequest(t, http.MethodGet, "")
			req.Header.Set("Authorization", "APPCODE tops3cret")
			structured := slog.New(slog.NewTextHandler(&buf, &slog.HandlerOptions{Level: slog.LevelDebug}))
			resp, err := (&Transport{Base: serve(a), Logger: logger, Slog: structured}).RoundTrip(req)
			if err != nil {
				fmt.Fprintln(&buf, err)
				continue
			}
			resp.Body.Close()
			e, _ := FromResponse(resp)
			fmt.Fprintln(&buf, e)
		}
		if got := buf.String(); strings.Contains(got, "tops3cret") || strings.ContainsAny(got, "\x1b\r") ||
			strings.Contains(got, "\nfake") {
			t.Errorf("a secret or a forged line is in\n%s", got)
		}
	})
}

func TestLogFields(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		core, logs := observer.New(zap.InfoLevel)
		tr := &Transport{
			Base:   serve(answer{status: 429, code: "T429PA", header: http.Header{headerRequestID: {"r1"}}}),
			Logger: zap.New(core),
		}
		mustFail(t, tr, newRequest(t, http.MethodPost, ""))
		fields := logs.All()[0].ContextMap()
		got, _ := fields["error"].(map[string]any)
		for k, want := range map[string]any{
			"id": "T429PA", "code": "T429PA", "status": 429, "class": "throttled", "origin": "gateway",
			"unverified":      true,
			"backend_reached": "maybe", "request_id": "r1", "stop_reason": "throttled",
			"message": "Throttled by API Flow Control",
		} {
			if got[k] != want {
				t.Errorf("error.%s = %v, want %v", k, got[k], want)
			}
		}
		if fields["host"] != "api.example.com" || fields["path"] != "/v1/orders" || fields["method"] != "POST" {
			t.Errorf("got %v", fields)
		}
		if list, _ := got["attempts"].([]any); len(list) != 1 || list[0].(map[string]any)["wait"] != time.Duration(0) {
			t.Errorf("attempts are %v", got["attempts"])
		}
	})
}
