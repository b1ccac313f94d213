package otelapigw_test

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/apigw-go/apigw"
	"github.com/apigw-go/apigw/gatewaytest"
	"github.com/apigw-go/apigw/otelapigw"
	sdkmetric "go.opentelemetry.io/otel/sdk/metric"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"
	semconv "go.opentelemetry.io/otel/semconv/v1.40.0"
	"go.opentelemetry.io/otel/trace"
)

func TestMethods(t *testing.T) {
	for name, c := range map[string]struct{ list, method, want string }{
		"empty is GET":         {"", "", "GET"},
		"PATCH":                {"", "PATCH", "PATCH"},
		"QUERY":                {"", "QUERY", "QUERY"},
		"unknown":              {"", "PURGE", "_OTHER"},
		"another letter case":  {"", "get", "_OTHER"},
		"replaced":             {"GET, PURGE", "PURGE", "PURGE"},
		"replaced, not in it":  {"GET, PURGE", "POST", "_OTHER"},
		"blank is the default": {" ", "POST", "POST"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Setenv("OTEL_INSTRUMENTATION_HTTP_KNOWN_METHODS", c.list)
			r := newRig(t, answering(200))
			r.send(t.Context(), c.method, "http://api.example.com/", nil)
			if got := r.metrics()[0]; !strings.Contains(got, "http.request.method="+c.want+" ") {
				t.Errorf("got %q, want method %q", got, c.want)
			}
		})
	}
}

func answering(status int) roundTripFunc {
	return func(r *http.Request) (*http.Response, error) {
		return &http.Response{StatusCode: status, Proto: "HTTP/1.1", Header: http.Header{}, Body: http.NoBody,
			Request: r}, nil
	}
}

// A span of the caller keeps its attributes; that of the request gets one.
func TestAttributesOfSpans(t *testing.T) {
	for kind, want := range map[trace.SpanKind]string{
		trace.SpanKindClient: "http.request.resend_count=1", trace.SpanKindServer: "", trace.SpanKindInternal: "",
	} {
		t.Run(kind.String(), func(t *testing.T) {
			r := newRig(t, gateway(t, &gatewaytest.Gateway{}, gatewaytest.Outcome{Error: "D504CO"}))
			r.transport.Policy.InitialBackoff = 1
			ctx, span := r.tracer.Tracer("test").Start(t.Context(), "span", trace.WithSpanKind(kind))
			req, _ := http.NewRequestWithContext(ctx, http.MethodGet, "http://api.example.com/", nil)
			resp, err := r.transport.RoundTrip(req)
			if err != nil {
				t.Fatal(err)
			}
			resp.Body.Close()
			span.End()
			if got := show(r.spans.GetSpans()[0].Attributes); got != want {
				t.Errorf("got %q, want %q", got, want)
			}
		})
	}
}

// What a hostile server redirects to makes no more series than the bound.
func TestSeriesAreBounded(t *testing.T) {
	r := newRig(t, answering(302))
	for n := range 1000 {
		r.send(t.Context(), "GET", fmt.Sprintf("http://h%d.example/", n), nil)
	}
	count, others := 0, 0
	for _, line := range r.metrics() {
		if strings.HasPrefix(line, "apigw.client.requests{") {
			count++
			if strings.Contains(line, "server.address=_OTHER}") {
				others++
			}
		}
	}
	if count > 201 || others != 1 {
		t.Errorf("got %d series, %d of them for other hosts; want at most 201 and 1", count, others)
	}
}

func TestScope(t *testing.T) {
	reader := sdkmetric.NewManualReader()
	tr := &apigw.Transport{Base: answering(200)}
	if _, err := otelapigw.Instrument(tr,
		otelapigw.WithMeterProvider(sdkmetric.NewMeterProvider(sdkmetric.WithReader(reader)))); err != nil {
		t.Fatal(err)
	}
	req, _ := http.NewRequestWithContext(t.Context(), http.MethodGet, "http://api.example.com/", nil)
	resp, err := tr.RoundTrip(req)
	if err != nil {
		t.Fatal(err)
	}
	resp.Body.Close()
	var data metricdata.ResourceMetrics
	if err := reader.Collect(context.Background(), &data); err != nil {
		t.Fatal(err)
	}
	scope := data.ScopeMetrics[0].Scope
	if scope.Name != otelapigw.ScopeName || scope.SchemaURL != semconv.SchemaURL || scope.Version == "" {
		t.Errorf("got %+v, want the name, a version and %s", scope, semconv.SchemaURL)
	}
}

// Attributes of http.client.request.duration are those of the conventions and
// no other.
func TestDurationHasOnlyAttributesOfTheConventions(t *testing.T) {
	allowed := []string{
		"http.request.method", "server.address", "server.port", "error.type", "http.response.status_code",
		"network.protocol.name", "network.protocol.version", "url.scheme", "url.template",
	}
	r := newRig(t, gateway(t, &gatewaytest.Gateway{}, gatewaytest.Outcome{Error: "D504CO"}),
		otelapigw.WithRequestDuration())
	r.transport.Policy.InitialBackoff = 1
	r.send(t.Context(), "GET", "http://api.example.com/", nil)
	for _, line := range r.metrics() {
		attrs, ok := strings.CutPrefix(line, "http.client.request.duration{")
		if !ok {
			continue
		}
		attrs, _, _ = strings.Cut(attrs, "}")
		for attr := range strings.FieldsSeq(attrs) {
			name, _, _ := strings.Cut(attr, "=")
			if !slices.Contains(allowed, name) {
				t.Errorf("%s is not in the conventions", name)
			}
		}
	}
}
