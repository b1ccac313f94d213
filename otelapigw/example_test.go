package otelapigw_test

import (
	"context"
	"fmt"
	"net/http"
	"time"

	"github.com/apigw-go/apigw"
	"github.com/apigw-go/apigw/gatewaytest"
	"github.com/apigw-go/apigw/otelapigw"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"
)

func ExampleInstrument() {
	gateway := gatewaytest.NewServer(&gatewaytest.Gateway{Routes: []gatewaytest.Route{{
		Pattern: "/", Auth: gatewaytest.AuthNone,
		Script: []gatewaytest.Outcome{{Error: "D504CO"}},
	}}})
	defer gateway.Close()

	transport := &apigw.Transport{Policy: apigw.RetryPolicy{InitialBackoff: time.Millisecond}}
	if _, err := otelapigw.Instrument(transport); err != nil {
		fmt.Println(err)
		return
	}
	client := &http.Client{Transport: transport}

	// Most programs get the span from otelhttp or from a server framework.
	exporter := tracetest.NewInMemoryExporter()
	tracer := sdktrace.NewTracerProvider(sdktrace.WithSyncer(exporter)).Tracer("example")
	ctx, span := tracer.Start(context.Background(), "weather")
	req, _ := http.NewRequestWithContext(ctx, http.MethodGet, gateway.URL+"/v1/weather", nil)
	resp, err := client.Do(req)
	if err != nil {
		fmt.Println(err)
		return
	}
	resp.Body.Close()
	span.End()

	for _, event := range exporter.GetSpans()[0].Events {
		fmt.Println(event.Name)
		for _, attr := range event.Attributes {
			if attr.Key == "error.type" || attr.Key == "http.request.resend_count" {
				fmt.Println("\t"+string(attr.Key), attr.Value.Emit())
			}
		}
	}
	// Output:
	// apigw.attempt
	// 	error.type D504CO
	// apigw.retry
	// 	error.type D504CO
	// apigw.attempt
	// 	http.request.resend_count 1
	// apigw.call
	// 	http.request.resend_count 1
}
