package otelapigw

import (
	"errors"
	"net/http"
	"time"

	"github.com/apigw-go/apigw"
	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"
	"go.opentelemetry.io/otel/trace"
)

// ScopeName is the name of the instrumentation scope of all metrics.
const ScopeName = "github.com/apigw-go/apigw/otelapigw"

// Attributes that the conventions have no name for. Durations are seconds.
const (
	StopReasonKey      = attribute.Key("apigw.stop_reason")
	RequestIDKey       = attribute.Key("apigw.request_id")
	AttemptDurationKey = attribute.Key("apigw.attempt.duration")
	RetryPauseKey      = attribute.Key("apigw.retry.pause")
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

// WithoutRequestDuration leaves http.client.request.duration to an
// instrumentation that lies below the Transport and measures each attempt, or
// around it and measures them all as one.
func WithoutRequestDuration() Option {
	return func(c *config) { c.requestDuration = false }
}

// WithAttributes adds attributes to all metrics, so that several Transports of
// one program can be told apart, by name or by purpose.
func WithAttributes(attrs ...attribute.KeyValue) Option {
	return func(c *config) { c.attrs = append(c.attrs, attrs...) }
}

// Instrument makes t report to OpenTelemetry. It puts itself behind the hooks
// that t has: those run first. Call it once for each Transport, before the
// first request and after setting hooks and Budget.
//
// The Registration observes the retry budget; Unregister ends that, and only
// that, when a Transport is given up before the program ends. Most programs
// drop it. After an error, t is as it was.
//
// Two Transports that talk to the same hosts need [WithAttributes], since the
// state of one budget would overwrite that of the other.
func Instrument(t *apigw.Transport, opts ...Option) (metric.Registration, error) {
	c := config{requestDuration: true}
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
	registration, err := in.observeBudget(t)
	if err != nil {
		return nil, err
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
	return registration, nil
}

// durationBounds are the ones that the conventions advise.
var durationBounds = []float64{0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 7.5, 10}

type instruments struct {
	meter    metric.Meter
	attrs    []attribute.KeyValue    // of every metric
	duration metric.Float64Histogram // nil: left to others
	requests metric.Int64Counter
	retries  metric.Int64Counter
}

func newInstruments(c config) (*instruments, error) {
	in := &instruments{meter: c.meters.Meter(ScopeName), attrs: c.attrs}
	var err, err1, err2 error
	if c.requestDuration {
		in.duration, err = in.meter.Float64Histogram("http.client.request.duration", metric.WithUnit("s"),
			metric.WithDescription("Duration of HTTP client requests."), metric.WithExplicitBucketBoundaries(durationBounds...))
	}
	in.requests, err1 = in.meter.Int64Counter("apigw.client.requests", metric.WithUnit("{request}"),
		metric.WithDescription("Round trips, all attempts of a request being one."))
	in.retries, err2 = in.meter.Int64Counter("apigw.client.retries", metric.WithUnit("{retry}"),
		metric.WithDescription("Retries decided on, counted before their delay."))
	return in, errors.Join(err, err1, err2)
}

func (in *instruments) attempt(req *http.Request, a apigw.Attempt) {
	ctx := req.Context()
	span := trace.SpanFromContext(ctx)
	result := outcomeOf(a)
	if span.IsRecording() {
		attrs := append(result, AttemptDurationKey.Float64(a.Duration.Seconds()))
		attrs = appendResends(attrs, a.Number)
		if id := requestID(a.RequestID); id != "" {
			attrs = append(attrs, RequestIDKey.String(id))
		}
		span.AddEvent("apigw.attempt", trace.WithTimestamp(a.Start.Add(a.Duration)), trace.WithAttributes(attrs...))
	}
	if in.duration != nil && in.duration.Enabled(ctx) {
		attrs := appendResends(append(target(req), result...), a.Number)
		in.duration.Record(ctx, a.Duration.Seconds(), in.with(attrs))
	}
}

func (in *instruments) retry(req *http.Request, failed apigw.Attempt, delay time.Duration) {
	ctx := req.Context()
	if span := trace.SpanFromContext(ctx); span.IsRecording() {
		span.AddEvent("apigw.retry", trace.WithAttributes(RetryPauseKey.Float64(delay.Seconds()), errorTypeKey.String(errorType(failed))))
	}
	in.retries.Add(ctx, 1, in.with(append(target(req), outcomeOf(failed)...)))
}

func (in *instruments) done(req *http.Request, r apigw.Result) {
	ctx := req.Context()
	attrs := target(req)
	if r.Status != 0 {
		attrs = append(attrs, statusKey.Int(r.Status))
	}
	var stop []attribute.KeyValue
	if r.Err != nil {
		attrs = append(attrs, errorTypeKey.String(errorTypeOf(r.Err)))
		stop = append(stop, StopReasonKey.String(r.Err.Stop.String()))
	}
	if span := trace.SpanFromContext(ctx); span.IsRecording() {
		span.SetAttributes(appendResends(stop, len(r.Attempts))...)
	}
	in.requests.Add(ctx, 1, in.with(append(attrs, stop...)))
}

func (in *instruments) with(attrs []attribute.KeyValue) metric.MeasurementOption {
	return metric.WithAttributes(append(attrs, in.attrs...)...)
}
