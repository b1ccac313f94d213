package otelapigw

import (
	"errors"
	"net/http"
	"os"
	"time"

	"github.com/apigw-go/apigw"
	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"
	semconv "go.opentelemetry.io/otel/semconv/v1.40.0"
	"go.opentelemetry.io/otel/trace"
)

// ScopeName is the name of the instrumentation scope of all metrics. The scope
// has the version of this module and the schema URL of the conventions.
const ScopeName = "github.com/apigw-go/apigw/otelapigw"

// Attributes that the conventions have no name for. Durations are seconds.
const (
	StopReasonKey      = attribute.Key("apigw.stop_reason")
	ReachedKey         = attribute.Key("apigw.reached")
	RequestIDKey       = attribute.Key("apigw.request_id")
	AttemptDurationKey = attribute.Key("apigw.attempt.duration")
	RetryDelayKey      = attribute.Key("apigw.retry.delay")
)

// Option changes what [Instrument] does.
type Option func(*config)

type config struct {
	meters          metric.MeterProvider
	requestDuration bool
	attrs           []attribute.KeyValue
}

// WithMeterProvider takes the instruments from p. Without it, or if p is nil,
// they come from [otel.GetMeterProvider].
func WithMeterProvider(p metric.MeterProvider) Option {
	return func(c *config) { c.meters = p }
}

// WithRequestDuration records http.client.request.duration, one value for each
// attempt. Leave it out where otelhttp or another instrumentation measures the
// same requests: each would be counted twice.
func WithRequestDuration() Option {
	return func(c *config) { c.requestDuration = true }
}

// WithAttributes adds attributes to all metrics, so that several Transports of
// one program can be told apart, by name or by purpose.
func WithAttributes(attrs ...attribute.KeyValue) Option {
	return func(c *config) { c.attrs = append(c.attrs, attrs...) }
}

// Instrument makes t report to OpenTelemetry. It puts itself behind the hooks
// that t has: those run first. Call it once for each Transport, before the
// first request and after setting hooks, Budget and Limiter.
//
// The Registration observes the retry budget and the call limits; Unregister
// ends that, and only that, when a Transport is given up before the program
// ends. Most programs drop it. After an error, t is as it was.
//
// Two Transports that talk to the same hosts need [WithAttributes], since the
// state of one budget would overwrite that of the other.
func Instrument(t *apigw.Transport, opts ...Option) (metric.Registration, error) {
	var c config
	for _, o := range opts {
		o(&c)
	}
	if c.meters == nil {
		c.meters = otel.GetMeterProvider()
	}
	in, err := newInstruments(c)
	if err != nil {
		return nil, err
	}
	budget, err := in.observeBudget(t)
	if err != nil {
		return nil, err
	}
	limits, err := in.observeLimits(t)
	if err != nil {
		return nil, errors.Join(err, budget.Unregister())
	}

	onAttempt, onRetry, onDone := t.OnAttempt, t.OnRetry, t.OnDone
	t.OnAttempt = func(req *http.Request, a apigw.Attempt) {
		if onAttempt != nil {
			onAttempt(req, a)
		}
		in.attempt(req, a)
	}
	t.OnRetry = func(req *http.Request, failed apigw.Attempt, delay time.Duration) {
		if onRetry != nil {
			onRetry(req, failed, delay)
		}
		in.retry(req, failed, delay)
	}
	t.OnDone = func(req *http.Request, r apigw.Result) {
		if onDone != nil {
			onDone(req, r)
		}
		in.done(req, r)
	}
	return registrations{budget, limits}, nil
}

// durationBounds are the ones that the conventions advise.
var durationBounds = []float64{0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 7.5, 10}

type instruments struct {
	meter    metric.Meter
	attrs    []attribute.KeyValue // of every metric
	methods  map[string]bool
	places   places
	duration metric.Float64Histogram // nil: left to others
	requests metric.Int64Counter
	retries  metric.Int64Counter
}

func newInstruments(c config) (*instruments, error) {
	in := &instruments{
		meter: c.meters.Meter(ScopeName, metric.WithInstrumentationVersion(version()),
			metric.WithSchemaURL(semconv.SchemaURL)),
		attrs:   c.attrs,
		methods: knownMethods(os.Getenv(methodsVariable)),
	}
	var err, err1, err2 error
	if c.requestDuration {
		in.duration, err = in.meter.Float64Histogram("http.client.request.duration", metric.WithUnit("s"),
			metric.WithDescription("Duration of HTTP client requests."),
			metric.WithExplicitBucketBoundaries(durationBounds...))
	}
	in.requests, err1 = in.meter.Int64Counter("apigw.client.requests", metric.WithUnit("{request}"),
		metric.WithDescription("Round trips, all attempts of a request being one."))
	in.retries, err2 = in.meter.Int64Counter("apigw.client.retries", metric.WithUnit("{retry}"),
		metric.WithDescription("Retries decided on, counted before their delay."))
	return in, errors.Join(err, err1, err2)
}

func (in *instruments) attempt(req *http.Request, a apigw.Attempt) {
	ctx := req.Context()
	result := outcomeOf(a)
	if span := trace.SpanFromContext(ctx); span.IsRecording() {
		attrs := append(result, AttemptDurationKey.Float64(a.Duration.Seconds()))
		attrs = appendResends(attrs, a.Number)
		if id := requestID(a); id != "" {
			attrs = append(attrs, RequestIDKey.String(id))
		}
		span.AddEvent("apigw.attempt", trace.WithTimestamp(a.Start.Add(a.Duration)), trace.WithAttributes(attrs...))
	}
	if in.duration != nil && in.duration.Enabled(ctx) {
		attrs := append(in.target(req), result...)
		if v := protocolVersion(a.Proto); v != "" {
			attrs = append(attrs, semconv.NetworkProtocolVersion(v))
		}
		in.duration.Record(ctx, a.Duration.Seconds(), in.with(attrs))
	}
}

func (in *instruments) retry(req *http.Request, failed apigw.Attempt, delay time.Duration) {
	ctx := req.Context()
	if span := trace.SpanFromContext(ctx); span.IsRecording() {
		span.AddEvent("apigw.retry",
			trace.WithAttributes(RetryDelayKey.Float64(delay.Seconds()), errorTypeKey.String(errorType(failed))))
	}
	in.retries.Add(ctx, 1, in.with(append(in.target(req), outcomeOf(failed)...)))
}

func (in *instruments) done(req *http.Request, r apigw.Result) {
	ctx := req.Context()
	var outcome []attribute.KeyValue
	if r.Status != 0 {
		outcome = append(outcome, statusKey.Int(r.Status))
	}
	if r.Err != nil {
		outcome = append(outcome, errorTypeKey.String(errorTypeOf(r.Err)), StopReasonKey.String(r.Err.Stop.String()))
	}
	if span := trace.SpanFromContext(ctx); span.IsRecording() {
		attrs := appendResends(outcome, len(r.Attempts))
		if r.Err != nil {
			attrs = append(attrs, ReachedKey.String(r.Err.Reached.String()))
		}
		// An event, since the span can be that of a caller with many calls.
		span.AddEvent("apigw.call", trace.WithAttributes(attrs...))
		if isClient(span) && len(r.Attempts) > 1 {
			span.SetAttributes(semconv.HTTPRequestResendCount(len(r.Attempts) - 1))
		}
	}
	in.requests.Add(ctx, 1, in.with(append(in.target(req), outcome...)))
}

// isClient reports whether the span is that of this request, as otelhttp makes
// it around the Transport. Spans of other kinds belong to a caller.
func isClient(span trace.Span) bool {
	s, ok := span.(interface{ SpanKind() trace.SpanKind })
	return ok && s.SpanKind() == trace.SpanKindClient
}

func (in *instruments) with(attrs []attribute.KeyValue) metric.MeasurementOption {
	return metric.WithAttributes(append(attrs, in.attrs...)...)
}
