package apigw

import (
	"cmp"
	"context"
	"log/slog"
	"math"
	"net/http"

	"github.com/apigw-go/apigw/internal/pace"
	"github.com/apigw-go/apigw/internal/redact"
	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"
)

// loggers get the events of calls, both the same. Each may be nil.
type loggers struct {
	zap  *zap.Logger
	slog *slog.Logger
}

// debug reports whether somebody listens to every attempt.
func (l loggers) debug(ctx context.Context) bool { return l.enabled(ctx, slog.LevelDebug) }

func (l loggers) enabled(ctx context.Context, level slog.Level) bool {
	return l.zap != nil && l.zap.Core().Enabled(zapLevel(level)) || l.slog != nil && l.slog.Enabled(ctx, level)
}

// attempt writes one attempt.
func (l loggers) attempt(req *http.Request, a Attempt, f *failure) {
	if !l.debug(req.Context()) {
		return
	}
	attrs := append(requestAttrs(req), a.attrs(a.masker())...)
	if f != nil {
		attrs = append(attrs, slog.String("class", f.Entry.Class.String()), slog.String("origin", f.Origin.String()))
	}
	l.write(req.Context(), slog.LevelDebug, "apigw: attempt", attrs)
}

// done writes how the call ended: nothing if the first attempt succeeded.
func (l loggers) done(req *http.Request, list []Attempt, f *failure) {
	ctx := req.Context()
	switch {
	case f != nil && l.enabled(ctx, slog.LevelWarn):
		l.write(ctx, slog.LevelWarn, "apigw: given up", append(requestAttrs(req), slog.Any("error", &f.Error)))
	case f == nil && len(list) > 1 && l.enabled(ctx, slog.LevelInfo):
		saved := slog.Any("attempts", attempts{list: list})
		l.write(ctx, slog.LevelInfo, "apigw: succeeded after retry", append(requestAttrs(req), saved))
	}
}

// limit writes what was learned about a call limit.
func (l loggers) limit(req *http.Request, key string, s pace.State) {
	if !l.enabled(req.Context(), slog.LevelInfo) {
		return
	}
	l.write(req.Context(), slog.LevelInfo, "apigw: call limit learned", []slog.Attr{
		slog.String("limit", redact.Line(key, maxHost)), slog.Float64("calls_per_second", math.Round(s.Rate*100)/100),
		slog.Duration("window", s.Window), slog.Int("waiting", s.Waiting), slog.Uint64("refused", s.Refused),
	})
}

func (l loggers) write(ctx context.Context, level slog.Level, message string, attrs []slog.Attr) {
	if l.slog != nil {
		l.slog.LogAttrs(ctx, level, message, attrs...)
	}
	if l.zap == nil {
		return
	}
	if entry := l.zap.Check(zapLevel(level), message); entry != nil {
		entry.Write(zap.Inline(zapcore.ObjectMarshalerFunc(func(enc zapcore.ObjectEncoder) error {
			return addAttrs(enc, attrs)
		})))
	}
}

func zapLevel(level slog.Level) zapcore.Level {
	switch level {
	case slog.LevelDebug:
		return zapcore.DebugLevel
	case slog.LevelInfo:
		return zapcore.InfoLevel
	}
	return zapcore.WarnLevel
}

// requestAttrs name the request without its query.
func requestAttrs(req *http.Request) []slog.Attr {
	attrs := []slog.Attr{slog.String("method", redact.Line(cmp.Or(req.Method, http.MethodGet), maxMethod))}
	if req.URL != nil {
		attrs = append(attrs,
			slog.String("host", redact.Line(req.URL.Host, maxHost)),
			slog.String("path", redact.Path(req.URL.Path, maxPath)))
	}
	return attrs
}
