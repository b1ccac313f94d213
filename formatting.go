package apigw

import (
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"strconv"

	"github.com/apigw-go/apigw/internal/redact"
	"go.uber.org/zap/zapcore"
)

// An Error, an Attempt, a Result and a Recorder hold what came over the wire, a
// string to sign among it. However they are printed, encoded or logged, they
// show what [Error.Error] shows: fmt and encoding/json would else walk through
// their fields.

// Format writes [Error.Error] whatever the verb.
func (e Error) Format(f fmt.State, _ rune) { io.WriteString(f, e.Error()) }

// Format writes the attempt in one line, without the message, whatever the verb.
func (a Attempt) Format(f fmt.State, _ rune) { io.WriteString(f, a.String()) }

// Format writes the result in one line, whatever the verb.
func (r Result) Format(f fmt.State, _ rune) { io.WriteString(f, r.String()) }

// Format writes how many results there are, whatever the verb.
func (r *Recorder) Format(f fmt.State, _ rune) {
	if r == nil {
		io.WriteString(f, "<nil>")
		return
	}
	fmt.Fprintf(f, "apigw.Recorder(%d results)", len(r.Results()))
}

// String returns the attempt in one line, without the message.
func (a Attempt) String() string {
	m := a.masker()
	text := "attempt " + strconv.Itoa(a.Number) + ": "
	switch {
	case a.Err != nil:
		text += m.Err(a.Err, maxCause)
	default:
		text += strconv.Itoa(a.Status)
		if code := m.Code(string(a.Code)); code != "" {
			text += " " + code
		}
	}
	return text + " after " + a.Duration.String()
}

// String returns the result in one line.
func (r Result) String() string {
	if r.Err != nil {
		return r.Err.Error()
	}
	text := fmt.Sprintf("%d %s%s after %d attempt", r.Status, redact.Line(r.Host, maxHost),
		redact.Path(r.Path, maxPath), len(r.Attempts))
	if len(r.Attempts) != 1 {
		text += "s"
	}
	return text
}

// MarshalJSON writes the fields of a log line.
func (e Error) MarshalJSON() ([]byte, error) { return marshal(e.attrs()) }

// MarshalJSON writes the fields of a log line, without the message.
func (a Attempt) MarshalJSON() ([]byte, error) { return marshal(a.attrs(a.masker())) }

// MarshalJSON writes the fields of a log line.
func (r Result) MarshalJSON() ([]byte, error) { return marshal(r.attrs()) }

// LogValue implements [slog.LogValuer].
func (r Result) LogValue() slog.Value { return slog.GroupValue(r.attrs()...) }

// MarshalLogObject implements [zapcore.ObjectMarshaler].
func (r Result) MarshalLogObject(enc zapcore.ObjectEncoder) error { return addAttrs(enc, r.attrs()) }

func (r Result) attrs() []slog.Attr {
	attrs := []slog.Attr{
		slog.String("host", redact.Line(r.Host, maxHost)), slog.String("path", redact.Path(r.Path, maxPath)),
		slog.Int("status", r.Status),
	}
	if r.Err != nil {
		return append(attrs, slog.Any("error", r.Err))
	}
	return append(attrs, slog.Any("attempts", attempts{list: r.Attempts}))
}

// marshal encodes fields made for slog. Durations are texts, such as "250ms".
func marshal(attrs []slog.Attr) ([]byte, error) {
	object := make(map[string]any, len(attrs))
	for _, a := range attrs {
		switch v := a.Value.Any().(type) {
		case attempts:
			object[a.Key] = v.list
		case fmt.Stringer: // a time.Duration
			object[a.Key] = v.String()
		default:
			object[a.Key] = v
		}
	}
	return json.Marshal(object)
}
