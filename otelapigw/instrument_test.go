package otelapigw_test

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"maps"
	"net"
	"net/http"
	"slices"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/apigw-go/apigw"
	"github.com/apigw-go/apigw/gatewaytest"
	"github.com/apigw-go/apigw/otelapigw"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"
	"go.opentelemetry.io/otel/metric/noop"
	sdkmetric "go.opentelemetry.io/otel/sdk/metric"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"
)

// rig is an instrumented Transport in front of a fake gateway, with the
// exporters of the SDK behind it. Everything happens on fake time.
type rig struct {
	t         *testing.T
	transport *apigw.Transport
	spans     *tracetest.InMemoryExporter
	tracer    *sdktrace.TracerProvider
	reader    *sdkmetric.ManualReader
}

func newRig(t *testing.T, base http.RoundTripper, opts ...otelapigw.Option) *rig {
	t.Helper()
	r := &rig{
		t: t,
		transport: &apigw.Transport{
			Base:   base,
			Policy: apigw.RetryPolicy{InitialBackoff: time.Second, Jitter: apigw.JitterNone},
			Budget: &apigw.RetryBudget{Ratio: 0.1, Reserve: 8},
		},
		spans:  tracetest.NewInMemoryExporter(),
		reader: sdkmetric.NewManualReader(),
	}
	r.tracer = sdktrace.NewTracerProvider(sdktrace.WithSyncer(r.spans))
	meters := sdkmetric.NewMeterProvider(sdkmetric.WithReader(r.reader))
	if _, err := otelapigw.Instrument(r.transport, append(opts, otelapigw.WithMeterProvider(meters))...); err != nil {
		t.Fatal(err)
	}
	return r
}

// send makes one request within a span of its own and returns that span.
func (r *rig) send(ctx context.Context, method, url string, header http.Header) tracetest.SpanStub {
	r.t.Helper()
	ctx, span := r.tracer.Tracer("test").Start(ctx, "call")
	req, err := http.NewRequestWithContext(ctx, method, url, nil)
	if err != nil {
		r.t.Fatal(err)
	}
	maps.Copy(req.Header, header)
	resp, err := r.transport.RoundTrip(req)
	if err == nil {
		resp.Body.Close()
	}
	span.End()
	spans := r.spans.GetSpans()
	r.spans.Reset()
	if len(spans) != 1 {
		r.t.Fatalf("got %d spans, want 1", len(spans))
	}
	return spans[0]
}

// metrics returns the points as "name{attributes} value", sorted; histograms
// show their count and sum.
func (r *rig) metrics() []string {
	r.t.Helper()
	var data metricdata.ResourceMetrics
	if err := r.reader.Collect(context.Background(), &data); err != nil {
		r.t.Fatal(err)
	}
	var lines []string
	for _, scope := range data.ScopeMetrics {
		if scope.Scope.Name != otelapigw.ScopeName {
			r.t.Errorf("scope: got %q, want %q", scope.Scope.Name, otelapigw.ScopeName)
		}
		for _, m := range scope.Metrics {
			add := func(set attribute.Set, value any) {
				lines = append(lines, fmt.Sprintf("%s{%s} %v", m.Name, show(set.ToSlice()), value))
			}
			switch d := m.Data.(type) {
			case metricdata.Histogram[float64]:
				for _, p := range d.DataPoints {
					add(p.Attributes, fmt.Sprintf("n=%d sum=%v", p.Count, p.Sum))
				}
			case metricdata.Sum[int64]:
				for _, p := range d.DataPoints {
					add(p.Attributes, p.Value)
				}
			case metricdata.Gauge[int64]:
				for _, p := range d.DataPoints {
					add(p.Attributes, p.Value)
				}
			case metricdata.Gauge[float64]:
				for _, p := range d.DataPoints {
					add(p.Attributes, p.Value)
				}
			}
		}
	}
	slices.Sort(lines)
	return lines
}

func show(attrs []attribute.KeyValue) string {
	var parts []string
	for _, kv := range attrs {
		parts = append(parts, string(kv.Key)+"="+kv.Value.Emit())
	}
	slices.Sort(parts)
	return strings.Join(parts, " ")
}

func events(span tracetest.SpanStub) []string {
	var lines []string
	for _, e := range span.Events {
		// The request id is different in every run.
		attrs := slices.DeleteFunc(slices.Clone(e.Attributes),
			func(kv attribute.KeyValue) bool { return kv.Key == otelapigw.RequestIDKey })
		lines = append(lines, e.Name+" "+show(attrs))
	}
	return lines
}

func gateway(t *testing.T, dialect *gatewaytest.Gateway, script ...gatewaytest.Outcome) http.RoundTripper {
	t.Helper()
	dialect.Routes = []gatewaytest.Route{{Pattern: "/", Auth: gatewaytest.AuthNone, Script: script}}
	s := gatewaytest.NewMemoryServer(dialect)
	t.Cleanup(s.Close)
	tr := s.Transport()
	t.Cleanup(tr.CloseIdleConnections)
	return tr
}

func wantLines(t *testing.T, what string, got, want []string) {
	t.Helper()
	if !slices.Equal(got, want) {
		t.Errorf("%s: got\n%s\nwant\n%s", what, strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}

func TestRetryThenSuccess(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, gateway(t, &gatewaytest.Gateway{},
			gatewaytest.Outcome{Error: "D504CO", Delay: 2 * time.Second}), otelapigw.WithRequestDuration())
		span := r.send(t.Context(), "GET", "http://api.example.com/v1/weather?token=hidden", nil)

		wantLines(t, "events", events(span), []string{
			"apigw.attempt apigw.attempt.duration=2 error.type=D504CO http.response.status_code=504",
			"apigw.retry apigw.retry.delay=1 error.type=D504CO",
			"apigw.attempt apigw.attempt.duration=0 http.request.resend_count=1 http.response.status_code=200",
			"apigw.call http.request.resend_count=1 http.response.status_code=200",
		})
		if got, want := show(span.Attributes), ""; got != want {
			t.Errorf("span of the caller: got %q, want %q", got, want)
		}
		if got, want := span.Events[0].Time.Sub(span.StartTime), 2*time.Second; got != want {
			t.Errorf("time of the first attempt's event: got %v, want %v", got, want)
		}
		const server = "server.address=api.example.com server.port=80"
		const budget = "server.address=api.example.com"
		wantLines(t, "metrics", r.metrics(), []string{
			"apigw.client.requests{http.request.method=GET http.response.status_code=200 " + server + "} 1",
			"apigw.client.retries{error.type=D504CO http.request.method=GET http.response.status_code=504 " + server +
				"} 1",
			"apigw.client.retry_budget.available{" + budget + "} 8", // a retry that succeeds is free
			"apigw.client.retry_budget.denied{" + budget + "} 0",
			"apigw.client.retry_budget.requests{" + budget + "} 1",
			"apigw.client.retry_budget.retries{" + budget + "} 0",
			"http.client.request.duration{error.type=D504CO http.request.method=GET http.response.status_code=504 network.protocol.version=1.1 " + server + "} n=1 sum=2",
			"http.client.request.duration{http.request.method=GET http.response.status_code=200 network.protocol.version=1.1 " + server + "} n=1 sum=0",
		})
	})
}

func TestErrorTypeAndStopReason(t *testing.T) {
	for _, c := range []struct {
		name      string
		method    string
		outcome   gatewaytest.Outcome
		errorType string
		stop      string
	}{
		{"code of the catalog", "GET", gatewaytest.Outcome{Error: "B403MQ"}, "B403MQ", "not-retryable"},
		{"classic text", "GET", gatewaytest.Outcome{Error: "classic.quota-exhausted"}, "quota", "not-retryable"},
		{"backend's own status", "GET", gatewaytest.Outcome{Status: 404}, "404", "not-retryable"},
		{"may have run", "POST", gatewaytest.Outcome{Status: 502}, "502", "may-have-run"},
		{"unknown code of the right shape", "GET",
			gatewaytest.Outcome{Status: 400, Header: http.Header{"X-Ca-Error-Code": {"I400ZZ"}}}, "bad-request",
			"not-retryable"},
		{"nonsense in the code header", "GET",
			gatewaytest.Outcome{Status: 400, Header: http.Header{"X-Ca-Error-Code": {"series-1"}}}, "400",
			"not-retryable"},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				r := newRig(t, gateway(t, &gatewaytest.Gateway{}, c.outcome))
				span := r.send(t.Context(), c.method, "http://api.example.com/", nil)
				if got := value(span.Events[0].Attributes, "error.type"); got != c.errorType {
					t.Errorf("error.type of the attempt: got %q, want %q", got, c.errorType)
				}
				if got := value(span.Events[len(span.Events)-1].Attributes, otelapigw.StopReasonKey); got != c.stop {
					t.Errorf("stop reason of the call: got %q, want %q", got, c.stop)
				}
				if got := r.metrics()[0]; !strings.Contains(got,
					"apigw.stop_reason="+c.stop+" error.type="+c.errorType+" ") {
					t.Errorf("metric: got %q, want stop reason %q and error.type %q", got, c.stop, c.errorType)
				}
			})
		})
	}
}

func value(attrs []attribute.KeyValue, key attribute.Key) string {
	for _, kv := range attrs {
		if kv.Key == key {
			return kv.Value.Emit()
		}
	}
	return ""
}

type roundTripFunc func(*http.Request) (*http.Response, error)

func (f roundTripFunc) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

func TestErrorTypeWithoutResponse(t *testing.T) {
	for _, c := range []struct {
		err  error
		want string
	}{
		{errors.New("broken"), "connection"},
		{context.Canceled, "canceled"},
		{&net.OpError{Op: "read", Err: context.DeadlineExceeded}, "timeout"},
		{&net.DNSError{Err: "no such host", Name: "api.example.com"}, "name_resolution"},
		{&net.OpError{Op: "dial", Err: syscall.ECONNREFUSED}, "connection_refused"},
		{&tls.CertificateVerificationError{Err: errors.New("unknown authority")}, "tls"},
	} {
		t.Run(c.want, func(t *testing.T) {
			r := newRig(t, roundTripFunc(func(*http.Request) (*http.Response, error) { return nil, c.err }))
			r.transport.Policy.MaxAttempts = 1
			span := r.send(t.Context(), "GET", "http://api.example.com/", nil)
			if got := value(span.Events[0].Attributes, "error.type"); got != c.want {
				t.Errorf("got %q, want %q", got, c.want)
			}
		})
	}
}

func TestBudgetDenied(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, gateway(t, &gatewaytest.Gateway{}, gatewaytest.Outcome{Error: "D504CO", Times: -1}))
		r.transport.Policy.InitialBackoff = time.Millisecond
		for range 4 {
			r.send(t.Context(), "GET", "http://api.example.com:8080/", nil)
		}
		// The reserve of eight pays for the retries of two requests and for
		// two of the third.
		got := r.metrics()
		for _, want := range []string{
			"apigw.client.retry_budget.denied{server.address=api.example.com server.port=8080} 2",
			"apigw.client.retry_budget.requests{server.address=api.example.com server.port=8080} 4",
		} {
			if !slices.Contains(got, want) {
				t.Errorf("got\n%s\nwant among them\n%s", strings.Join(got, "\n"), want)
			}
		}
	})
}

func TestLimits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, gateway(t, &gatewaytest.Gateway{}, gatewaytest.Outcome{Error: "T429PR"}))
		for _, line := range r.metrics() {
			if strings.Contains(line, "limit") {
				t.Errorf("got %s before a limit is known", line)
			}
		}
		r.transport.Policy.MaxThrottleWait = time.Minute
		r.send(t.Context(), "GET", "http://api.example.com/", nil)
		got := r.metrics()
		for _, want := range []string{
			"apigw.client.limit.closed{apigw.limit.key=api.example.com} 0",
			"apigw.client.limit.held_back{apigw.limit.key=api.example.com} 1",
			"apigw.client.limit.no_place{apigw.limit.key=api.example.com} 0",
			"apigw.client.limit.rate{apigw.limit.key=api.example.com} 1",
			"apigw.client.limit.refused{apigw.limit.key=api.example.com} 1",
			"apigw.client.limit.waiting{apigw.limit.key=api.example.com} 0",
		} {
			if !slices.Contains(got, want) {
				t.Errorf("got\n%s\nwant among them\n%s", strings.Join(got, "\n"), want)
			}
		}
	})
}

func TestHooksThatWereSetStillRun(t *testing.T) {
	var order []string
	tr := &apigw.Transport{
		Base: roundTripFunc(func(r *http.Request) (*http.Response, error) {
			return &http.Response{StatusCode: 503, Header: http.Header{}, Body: http.NoBody, Request: r}, nil
		}),
		Policy:    apigw.RetryPolicy{MaxAttempts: 2, InitialBackoff: time.Nanosecond},
		OnAttempt: func(_ *http.Request, a apigw.Attempt) { order = append(order, fmt.Sprint("attempt ", a.Number)) },
		OnRetry:   func(*http.Request, apigw.Attempt, time.Duration) { order = append(order, "retry") },
		OnDone:    func(_ *http.Request, r apigw.Result) { order = append(order, "done "+r.Err.Stop.String()) },
	}
	reader := sdkmetric.NewManualReader()
	if _, err := otelapigw.Instrument(tr,
		otelapigw.WithMeterProvider(sdkmetric.NewMeterProvider(sdkmetric.WithReader(reader)))); err != nil {
		t.Fatal(err)
	}
	req, _ := http.NewRequestWithContext(t.Context(), "GET", "http://api.example.com/", nil)
	if _, err := tr.RoundTrip(req); err != nil {
		t.Fatal(err)
	}
	wantLines(t, "hooks", order, []string{"attempt 1", "retry", "attempt 2", "done max-attempts"})
}

func TestNothingSecretIsReported(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, gateway(t, &gatewaytest.Gateway{}, gatewaytest.Outcome{Status: 403, Header: http.Header{
			"X-Ca-Error-Message": {"Invalid Signature, Server StringToSign:`GET#secret-header#/secret-path?q=secret-query`"},
			"X-Ca-Request-Id":    {"secret id with blanks"},
		}}))
		span := r.send(t.Context(), "GET", "http://user:secret-password@api.example.com/secret-path?q=secret-query",
			http.Header{"Authorization": {"APPCODE secret-code"}, "X-Ca-Signature": {"secret-signature"}})
		all := fmt.Sprint(span.Events, span.Attributes, r.metrics())
		if strings.Contains(all, "secret") {
			t.Errorf("got %s, want nothing with the word secret", all)
		}
	})
}

func TestOptions(t *testing.T) {
	t.Run("without WithRequestDuration", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			r := newRig(t, gateway(t, &gatewaytest.Gateway{}))
			r.send(t.Context(), "GET", "http://api.example.com/", nil)
			if got := strings.Join(r.metrics(), "\n"); strings.Contains(got, "http.client.request.duration") {
				t.Errorf("got\n%s\nwant no http.client.request.duration", got)
			}
		})
	})
	t.Run("WithAttributes", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			r := newRig(t, gateway(t, &gatewaytest.Gateway{}),
				otelapigw.WithAttributes(attribute.String("client", "orders")))
			r.send(t.Context(), "GET", "http://api.example.com/", nil)
			for _, line := range r.metrics() {
				if !strings.Contains(line, "{client=orders ") {
					t.Errorf("got %q, want the attribute client", line)
				}
			}
		})
	})
}

func TestUnregisterEndsTheBudgetOnly(t *testing.T) {
	tr := &apigw.Transport{Base: roundTripFunc(func(r *http.Request) (*http.Response, error) {
		return &http.Response{StatusCode: 200, Header: http.Header{}, Body: http.NoBody, Request: r}, nil
	})}
	r := &rig{t: t, transport: tr, reader: sdkmetric.NewManualReader(), spans: tracetest.NewInMemoryExporter()}
	r.tracer = sdktrace.NewTracerProvider(sdktrace.WithSyncer(r.spans))
	registration, err := otelapigw.Instrument(tr,
		otelapigw.WithMeterProvider(sdkmetric.NewMeterProvider(sdkmetric.WithReader(r.reader))))
	if err != nil {
		t.Fatal(err)
	}
	if err := registration.Unregister(); err != nil {
		t.Fatal(err)
	}
	r.send(t.Context(), "PURGE", "https://api.example.com/", nil)
	got := r.metrics()
	if len(got) != 1 || !strings.Contains(got[0], "http.request.method=_OTHER") ||
		!strings.Contains(got[0], "server.port=443") {
		t.Errorf("got\n%s\nwant the requests of method _OTHER at port 443, no budget", strings.Join(got, "\n"))
	}
}

// brokenMeters makes no counters.
type brokenMeters struct{ noop.MeterProvider }

type brokenMeter struct{ noop.Meter }

func (brokenMeters) Meter(string, ...metric.MeterOption) metric.Meter { return brokenMeter{} }

func (brokenMeter) Int64Counter(string, ...metric.Int64CounterOption) (metric.Int64Counter, error) {
	return nil, errors.New("no counters")
}

func TestErrorLeavesTheTransportAlone(t *testing.T) {
	tr := &apigw.Transport{}
	if _, err := otelapigw.Instrument(tr, otelapigw.WithMeterProvider(brokenMeters{})); err == nil {
		t.Error("got no error, want the one of the meter")
	}
	if tr.OnAttempt != nil || tr.OnRetry != nil || tr.OnDone != nil {
		t.Error("got hooks, want none after an error")
	}
}
