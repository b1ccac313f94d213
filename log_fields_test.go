package apigw

import (
	"errors"
	"log/slog"
	"reflect"
	"testing"
	"time"

	"go.uber.org/zap/zapcore"
)

func TestFieldsKeepTheirTypes(t *testing.T) {
	enc := zapcore.NewMapObjectEncoder()
	err := addAttrs(enc, []slog.Attr{
		slog.String(
			"s",
			"x",
		), slog.Int("i", 7), slog.Bool("b", true), slog.Duration("d", time.Second), slog.Any("other", []int{1}),
		slog.Any("attempts", attempts{list: []Attempt{{Number: 1, Status: 503}}}),
	})
	want := map[string]any{
		"s": "x", "i": 7, "b": true, "d": time.Second, "other": []int{1},
		"attempts": []any{
			map[string]any{"attempt": 1, "wait": time.Duration(0), "duration": time.Duration(0), "status": 503},
		},
	}
	if err != nil || !reflect.DeepEqual(enc.Fields, want) {
		t.Errorf("got  %v, %v\nwant %v", enc.Fields, err, want)
	}
}

type refusingObject struct{}

func (refusingObject) MarshalLogObject(zapcore.ObjectEncoder) error { return errors.New("refused") }

func TestFieldsReportWhatFails(t *testing.T) {
	if err := addAttrs(zapcore.NewMapObjectEncoder(), []slog.Attr{slog.Any("x", refusingObject{})}); err == nil {
		t.Error("got no error, want that of the object")
	}
}
