package integration

import (
	"net/http"
	"testing"

	"github.com/apigw-go/apigw"
	"github.com/apigw-go/apigw/gatewaytest"
	"github.com/apigw-go/apigw/otelapigw"
	"github.com/apigw-go/apigw/signer"
	"go.opentelemetry.io/contrib/instrumentation/net/http/otelhttp"
	"go.opentelemetry.io/otel"
	sdkmetric "go.opentelemetry.io/otel/sdk/metric"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"
)

// traced returns a client with a span and a duration for each attempt. base is
// http.DefaultTransport or a signer.Signer.
func traced(base http.RoundTripper) (*http.Client, error) {
	transport := &apigw.Transport{Base: otelhttp.NewTransport(base)}
	if _, err := otelapigw.Instrument(transport); err != nil {
		return nil, err
	}
	return &http.Client{Transport: transport}, nil
}

// In the order of docs/operating.md each sending is counted once, and has a span.
func TestDocumentedOrderCountsOnce(t *testing.T) {
	reader, spans := sdkmetric.NewManualReader(), tracetest.NewInMemoryExporter()
	meters, tracers := otel.GetMeterProvider(), otel.GetTracerProvider()
	t.Cleanup(func() {
		otel.SetMeterProvider(meters)
		otel.SetTracerProvider(tracers)
	})
	otel.SetMeterProvider(sdkmetric.NewMeterProvider(sdkmetric.WithReader(reader)))
	otel.SetTracerProvider(sdktrace.NewTracerProvider(sdktrace.WithSyncer(spans)))

	gateway := &gatewaytest.Gateway{Routes: []gatewaytest.Route{{Pattern: "/",
		Script: []gatewaytest.Outcome{{Error: "D503BB"}}}}}
	server := gatewaytest.NewServer(gateway)
	defer server.Close()
	client, err := traced(&signer.Signer{
		AppKey: gatewaytest.DefaultAppKey, AppSecret: gatewaytest.DefaultAppSecret, Hosts: []string{"127.0.0.1:*"},
	})
	if err != nil {
		t.Fatal(err)
	}
	resp, err := client.Get(server.URL)
	if err != nil {
		t.Fatal(err)
	}
	resp.Body.Close()

	var data metricdata.ResourceMetrics
	if err := reader.Collect(t.Context(), &data); err != nil {
		t.Fatal(err)
	}
	var measured uint64
	for _, scope := range data.ScopeMetrics {
		for _, m := range scope.Metrics {
			if h, ok := m.Data.(metricdata.Histogram[float64]); ok && m.Name == "http.client.request.duration" {
				for _, p := range h.DataPoints {
					measured += p.Count
				}
			}
		}
	}
	if got, want := measured, uint64(gateway.Counts().Received); got != want || want != 2 {
		t.Errorf("%d durations of %d sendings, want 2 of 2", got, want)
	}
	if got := len(spans.GetSpans()); got != 2 {
		t.Errorf("%d spans, want 2", got)
	}
}
