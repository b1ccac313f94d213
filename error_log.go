package apigw

import (
	"log/slog"

	"github.com/apigw-go/apigw/catalog"
	"github.com/apigw-go/apigw/internal/redact"
	"go.uber.org/zap/zapcore"
)

// LogValue implements [slog.LogValuer] with what [Error.Error] says, as fields.
func (e Error) LogValue() slog.Value { return slog.GroupValue(e.attrs()...) }

// MarshalLogObject implements [zapcore.ObjectMarshaler] with what [Error.Error]
// says, as fields.
func (e Error) MarshalLogObject(enc zapcore.ObjectEncoder) error { return addAttrs(enc, e.attrs()) }

// attrs are the fields of a log line, without anything secret.
func (e *Error) attrs() []slog.Attr {
	entry, m := e.entry(), e.secrets.Masker()
	attrs := []slog.Attr{slog.String("id", entry.ID)}
	add := func(attr slog.Attr) { attrs = append(attrs, attr) }
	if code := m.Code(string(e.Code)); code != "" {
		add(slog.String("code", code))
	}
	if e.Status != 0 {
		add(slog.Int("status", e.Status))
	}
	add(slog.String("class", entry.Class.String()))
	add(slog.String("origin", e.Origin.String()))
	if message := e.safeMessage(m); message != "" {
		add(slog.String("message", message))
	}
	add(slog.String("meaning", entry.Meaning.EN))
	if entry.ID != catalog.UnknownID && !entry.Verified() {
		add(slog.Bool("unverified", true))
	}
	add(slog.String("remedy", entry.Remedy.EN))
	if e.withheld != "" {
		add(slog.String("credentials", redact.Line(e.withheld, maxCause)))
	}
	add(slog.String("backend_reached", e.Reached.String()))
	if id := m.RequestID(e.RequestID); id != "" {
		add(slog.String("request_id", id))
	}
	if e.Err != nil {
		add(slog.String("cause", m.Err(e.Err, maxCause)))
	}
	if e.Stop != StopUnknown {
		add(slog.String("stop_reason", e.Stop.String()))
	}
	if len(e.Attempts) > 0 {
		add(slog.Any("attempts", attempts{e.Attempts, m}))
	}
	return attrs
}
