package apigw

import (
	"github.com/apigw-go/apigw/catalog"
	"go.uber.org/zap/zapcore"
)

// MarshalLogObject implements [zapcore.ObjectMarshaler] with what [Error.Error]
// tells, as fields.
func (e *Error) MarshalLogObject(enc zapcore.ObjectEncoder) error {
	enc.AddString("id", e.entry().ID)
	if e.Code != "" {
		enc.AddString("code", clean(string(e.Code), 32))
	}
	if e.Status != 0 {
		enc.AddInt("status", e.Status)
	}
	enc.AddString("class", e.entry().Class.String())
	enc.AddString("origin", e.Origin.String())
	if m := e.SafeMessage(); m != "" {
		enc.AddString("message", m)
	}
	enc.AddString("meaning", e.entry().Meaning.EN)
	if e.entry().ID != catalog.UnknownID && !e.entry().Verified() {
		enc.AddBool("unverified", true)
	}
	enc.AddString("remedy", e.entry().Remedy.EN)
	enc.AddString("backend_reached", e.Reached.String())
	if e.RequestID != "" {
		enc.AddString("request_id", clean(e.RequestID, 64))
	}
	if e.Err != nil {
		enc.AddString("cause", safeText(e.Err))
	}
	if e.Stop != StopUnknown {
		enc.AddString("stop_reason", e.Stop.String())
	}
	if len(e.Attempts) == 0 {
		return nil
	}
	return enc.AddArray("attempts", attempts(e.Attempts))
}
