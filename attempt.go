package apigw

import (
	"log/slog"
	"strconv"
	"time"

	"github.com/apigw-go/apigw/catalog"
	"github.com/apigw-go/apigw/internal/redact"
	"go.uber.org/zap/zapcore"
)

// Attempt is one sending of a request.
type Attempt struct {
	Number   int           // 1 for the first
	Start    time.Time     // when it was sent
	Duration time.Duration // until the response head or the failure
	Wait     time.Duration // the delay before it
	Status   int           // 0 without a response
	Proto    string        // of the response, such as "HTTP/2.0"; empty without one
	// Code, Message and RequestID are the gateway's, as received; empty
	// where it sent none.
	Code      catalog.Code
	Message   string
	RequestID string
	// Class and Origin are what the answer was taken for. Both are unknown
	// for a success and without a response.
	Class  catalog.Class
	Origin Origin
	Err    error // why there was no response, else nil

	// secrets are those of the request, nil if none are known. They are taken
	// out of what is shown.
	secrets *redact.Secrets
}

// masker returns nil if no secrets are known.
func (a Attempt) masker() *redact.Masker {
	if a.secrets == nil {
		return nil
	}
	return a.secrets.Masker()
}

// attrs are the fields of a log line. The message is left out: it may hold what
// must not be logged.
func (a Attempt) attrs(m *redact.Masker) []slog.Attr {
	attrs := []slog.Attr{
		slog.Int("attempt", a.Number), slog.Duration("wait", a.Wait), slog.Duration("duration", a.Duration),
	}
	if a.Status != 0 {
		attrs = append(attrs, slog.Int("status", a.Status))
	}
	if code := m.Code(string(a.Code)); code != "" {
		attrs = append(attrs, slog.String("code", code))
	}
	if id := m.RequestID(a.RequestID); id != "" {
		attrs = append(attrs, slog.String("request_id", id))
	}
	if a.Err != nil {
		attrs = append(attrs, slog.String("cause", m.Err(a.Err, maxCause)))
	}
	return attrs
}

// LogValue implements [slog.LogValuer], without the message.
func (a Attempt) LogValue() slog.Value { return slog.GroupValue(a.attrs(a.masker())...) }

// MarshalLogObject implements [zapcore.ObjectMarshaler], without the message.
func (a Attempt) MarshalLogObject(enc zapcore.ObjectEncoder) error {
	return addAttrs(enc, a.attrs(a.masker()))
}

// attempts are logged with the secrets of their request taken out.
type attempts struct {
	list   []Attempt
	masker *redact.Masker // of all of them; nil: each has its own
}

func (a attempts) attrs(one Attempt) []slog.Attr {
	if a.masker == nil {
		return one.attrs(one.masker())
	}
	return one.attrs(a.masker)
}

// LogValue implements [slog.LogValuer]. The attempts stand under their numbers,
// since slog has no lists of groups.
func (a attempts) LogValue() slog.Value {
	groups := make([]slog.Attr, len(a.list))
	for i, one := range a.list {
		groups[i] = slog.Attr{Key: strconv.Itoa(one.Number), Value: slog.GroupValue(a.attrs(one)...)}
	}
	return slog.GroupValue(groups...)
}

// MarshalLogArray implements [zapcore.ArrayMarshaler].
func (a attempts) MarshalLogArray(enc zapcore.ArrayEncoder) error {
	for _, one := range a.list {
		err := enc.AppendObject(zapcore.ObjectMarshalerFunc(func(enc zapcore.ObjectEncoder) error {
			return addAttrs(enc, a.attrs(one))
		}))
		if err != nil {
			return err
		}
	}
	return nil
}
