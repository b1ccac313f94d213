package apigw

import (
	"log/slog"

	"go.uber.org/zap/zapcore"
)

// How much of each is shown, in characters.
const (
	maxMethod  = 16
	maxMessage = 120
	maxHost    = 256
	maxPath    = 256
	maxCause   = 400
)

// addAttrs writes fields made for slog to zap, so that both show the same.
func addAttrs(enc zapcore.ObjectEncoder, attrs []slog.Attr) error {
	for _, a := range attrs {
		if err := addAttr(enc, a); err != nil {
			return err
		}
	}
	return nil
}

func addAttr(enc zapcore.ObjectEncoder, a slog.Attr) error {
	switch a.Value.Kind() {
	case slog.KindString:
		enc.AddString(a.Key, a.Value.String())
	case slog.KindInt64:
		enc.AddInt(a.Key, int(a.Value.Int64()))
	case slog.KindBool:
		enc.AddBool(a.Key, a.Value.Bool())
	case slog.KindDuration:
		enc.AddDuration(a.Key, a.Value.Duration())
	default:
		return addValue(enc, a)
	}
	return nil
}

// addValue writes what has a form of its own for zap.
func addValue(enc zapcore.ObjectEncoder, a slog.Attr) error {
	switch v := a.Value.Any().(type) {
	case zapcore.ArrayMarshaler:
		return enc.AddArray(a.Key, v)
	case zapcore.ObjectMarshaler:
		return enc.AddObject(a.Key, v)
	default:
		return enc.AddReflected(a.Key, v)
	}
}
