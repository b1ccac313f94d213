package apigw

import (
	"cmp"
	"net/http"

	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"
)

// logAttempt writes one attempt.
func (c *slowCall) logAttempt(a Attempt) {
	if c.t.Logger == nil {
		return
	}
	if entry := c.t.Logger.Check(zapcore.DebugLevel, "apigw: attempt"); entry != nil {
		fields := c.requestFields()
		logged := a // a itself would be allocated even for a silent Transport
		fields = append(fields, zap.Inline(&logged))
		if e := c.latest; e != nil {
			fields = append(fields, zap.String("class", e.Entry.Class.String()), zap.String("origin", e.Origin.String()))
		}
		entry.Write(fields...)
	}
}

// logDone writes how the call ended: nothing where the first attempt
// succeeded.
func (c *slowCall) logDone(e *Error) {
	if c.t.Logger == nil {
		return
	}
	if e == nil {
		if len(c.attempts) > 1 {
			if entry := c.t.Logger.Check(zapcore.InfoLevel, "apigw: succeeded after retry"); entry != nil {
				entry.Write(append(c.requestFields(), zap.Array("attempts", attempts(c.attempts)))...)
			}
		}
		return
	}
	if entry := c.t.Logger.Check(zapcore.WarnLevel, "apigw: given up"); entry != nil {
		entry.Write(append(c.requestFields(), zap.Object("error", e))...)
	}
}

// requestFields name the request without its query.
func (c *slowCall) requestFields() []zap.Field {
	fields := []zap.Field{zap.String("method", clean(cmp.Or(c.req.Method, http.MethodGet), 16))}
	if c.req.URL != nil {
		fields = append(fields, zap.String("host", clean(c.req.URL.Host, 256)), zap.String("path", clean(c.req.URL.Path, 256)))
	}
	return fields
}
